//! A container: package `hcsshim.controller.linuxcontainer.save.v1`.

use std::collections::BTreeMap;
use std::time::Duration;

use snapshot_core::{Error, Snapshot};
use snapshot_proto::hcsshim::linuxcontainer as pb;
use uuid::Uuid;

use super::process::ProcessState;

/// A Linux container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.linuxcontainer.save.v1.Payload",
    validate = LinuxContainerState::check
)]
pub struct LinuxContainerState {
    /// Its id on the source, unique in the sandbox.
    #[snapshot(id, defines = "container")]
    pub container_id: String,
    /// Its id in the guest, which does not change.
    pub gcs_container_id: String,
    /// The time during which a lost IO connection of a process is retried. hcsshim always writes it,
    /// even if it is 0.
    pub io_retry_timeout: Option<Duration>,
    /// Its root file system; `None` if it has none of its own.
    pub layers: Option<Layers>,
    /// The SCSI reservations of its further mounts.
    #[snapshot(refers = "scsi.reservation")]
    pub scsi_reservation_ids: Vec<Uuid>,
    /// Its processes; the init process has the empty id.
    pub processes: BTreeMap<String, ProcessState>,
}

/// A root file system, made of layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::Layers)]
pub struct Layers {
    /// The read-only layers, in the order in which the guest combines them.
    pub ro_layers: Vec<Layer>,
    /// The writable layer.
    pub scratch: Option<Layer>,
    /// Whether the guest has combined them.
    pub layers_combined: bool,
    /// The path of the root file system in the guest.
    pub rootfs_path: String,
}

/// A layer that is mounted in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::LayerReservation)]
pub struct Layer {
    /// The SCSI reservation of its mount.
    #[snapshot(refers = "scsi.reservation")]
    pub reservation_id: Uuid,
    /// The path in the guest where it is mounted.
    pub guest_path: String,
}

impl LinuxContainerState {
    /// Checks that the key of every process is its own exec id.
    fn check(&self) -> Result<(), Error> {
        Error::collect(self.processes.iter().filter(|(key, process)| **key != process.exec_id).map(
            |(key, process)| {
                let exec_id = &process.exec_id;
                Error::invalid(format!("is {exec_id:?}, the key of the process is {key:?}"))
                    .in_field("exec_id")
                    .in_key(key)
                    .in_field("processes")
            },
        ))
    }
}
