//! A VM's SCSI controllers: package `hcsshim.controller.scsi.save.v1`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use snapshot_core::{Error, Snapshot};
use snapshot_proto::hcsshim::scsi as pb;
use uuid::Uuid;

/// The number of disks that one SCSI controller can have.
pub const LUNS: u8 = 64;

/// The SCSI controllers: their disks, the mounts of these disks in the guest, and the reservations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.scsi.save.v1.Payload",
    validate = ScsiState::check
)]
pub struct ScsiState {
    /// The number of controllers in the VM, each with [`LUNS`] slots. hcsshim has names for four.
    #[snapshot(range = 0..=4)]
    pub num_controllers: u8,
    /// The disks by slot: controller * [`LUNS`] + LUN.
    pub disks: BTreeMap<u32, Disk>,
    /// The mount that each reservation holds. Containers refer to these ids.
    #[snapshot(defines = "scsi.reservation")]
    pub reservations: BTreeMap<Uuid, Reservation>,
}

/// A disk that is attached to the VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::DiskState)]
pub struct Disk {
    /// Its configuration; if `None`, all values are defaults.
    pub config: Option<DiskConfig>,
    /// Its mounts in the guest, by partition; 0 is the whole disk.
    pub mounts: BTreeMap<u64, Mount>,
}

/// The configuration of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::DiskConfig)]
pub struct DiskConfig {
    /// Its path at the source.
    pub host_path: PathBuf,
    /// Whether the VM can only read it.
    pub read_only: bool,
    /// `VirtualDisk`, `PassThru` or `ExtensibleVirtualDisk`; hcsshim accepts any text.
    #[snapshot(field = type)]
    pub kind: String,
    /// The provider of an `ExtensibleVirtualDisk`.
    pub evd_type: String,
}

/// A partition that is mounted in the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountState)]
pub struct Mount {
    /// Its configuration; if `None`, all values are defaults.
    pub config: Option<MountConfig>,
    /// The number of reservations that hold it.
    pub ref_count: u32,
    /// The path in the guest where it is mounted.
    pub guest_path: String,
}

/// The configuration of a mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountConfig)]
pub struct MountConfig {
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Whether the guest encrypts it.
    pub encrypted: bool,
    /// Mount options, in order.
    pub options: Vec<String>,
    /// Whether the guest creates a file system first if there is none.
    pub ensure_filesystem: bool,
    /// The type of the file system.
    pub filesystem: String,
    /// Whether the container gets a block device instead of a mount.
    pub block_dev: bool,
}

/// A reservation, which holds one mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::Reservation)]
pub struct Reservation {
    /// The disk.
    pub slot: u32,
    /// The mount on it.
    pub partition: u64,
}

impl ScsiState {
    /// Checks that every disk is in an existing slot, and that every reservation holds an existing
    /// mount.
    fn check(&self) -> Result<(), Error> {
        let slots = u32::from(self.num_controllers) * u32::from(LUNS);
        let past = self.disks.keys().filter(|slot| **slot >= slots).map(|slot| {
            let controllers = self.num_controllers;
            Error::invalid(format!(
                "is beyond the last slot: num_controllers is {controllers}, so there are {slots} slots"
            ))
            .in_key(slot.to_string())
            .in_field("disks")
        });
        let empty = self.reservations.iter().filter_map(|(id, reservation)| {
            let Reservation { slot, partition } = *reservation;
            let error = match self.disks.get(&slot).map(|disk| disk.mounts.contains_key(&partition))
            {
                Some(true) => return None,
                Some(false) => Error::invalid(format!(
                    "is {partition}, which is not mounted from the disk in slot {slot}"
                ))
                .in_field("partition"),
                None => Error::invalid(format!("is {slot}, which has no disk")).in_field("slot"),
            };
            Some(error.in_key(id.to_string()).in_field("reservations"))
        });
        Error::collect(past.chain(empty))
    }
}
