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
    /// Its id in the guest, which stays.
    pub gcs_container_id: String,
    /// How long a lost connection of a process's IO is tried again. hcsshim always says it, 0
    /// included.
    pub io_retry_timeout: Option<Duration>,
    /// Its root file system; `None` when it has none of its own.
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
    /// The layers that are only read, in the order that the guest combines them.
    pub ro_layers: Vec<Layer>,
    /// The layer that takes what is written.
    pub scratch: Option<Layer>,
    /// The guest has combined them.
    pub layers_combined: bool,
    /// Where in the guest the root file system is.
    pub rootfs_path: String,
}

/// A layer, mounted in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::LayerReservation)]
pub struct Layer {
    /// The SCSI reservation of its mount.
    #[snapshot(refers = "scsi.reservation")]
    pub reservation_id: Uuid,
    /// Where in the guest it is mounted.
    pub guest_path: String,
}

impl LinuxContainerState {
    /// Every process is found by its own name.
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
