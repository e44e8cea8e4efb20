//! A VM's SCSI controllers: package `hcsshim.controller.scsi.save.v1`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use snapshot_core::{Error, Snapshot};
use snapshot_proto::hcsshim::scsi as pb;
use uuid::Uuid;

/// How many disks one SCSI controller can have.
pub const LUNS: u8 = 64;

/// The SCSI controllers: the disks on them, what the guest mounts from these, and who holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.scsi.save.v1.Payload",
    validate = ScsiState::check
)]
pub struct ScsiState {
    /// How many controllers the VM has, each with [`LUNS`] slots. hcsshim knows four by name.
    #[snapshot(range = 0..=4)]
    pub num_controllers: u8,
    /// The disks by slot: controller * [`LUNS`] + LUN.
    pub disks: BTreeMap<u32, Disk>,
    /// Who holds which mount. Containers refer to these ids.
    #[snapshot(defines = "scsi.reservation")]
    pub reservations: BTreeMap<Uuid, Reservation>,
}

/// A disk, attached to the VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::DiskState)]
pub struct Disk {
    /// What is attached; `None` means all defaults.
    pub config: Option<DiskConfig>,
    /// What the guest mounts from it, by partition; 0 is the whole disk.
    pub mounts: BTreeMap<u64, Mount>,
}

/// What is attached to a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::DiskConfig)]
pub struct DiskConfig {
    /// Where it is on the source.
    pub host_path: PathBuf,
    /// The VM cannot write to it.
    pub read_only: bool,
    /// `VirtualDisk`, `PassThru` or `ExtensibleVirtualDisk`; hcsshim takes all text.
    #[snapshot(field = type)]
    pub kind: String,
    /// Who provides an `ExtensibleVirtualDisk`.
    pub evd_type: String,
}

/// A partition, mounted in the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountState)]
pub struct Mount {
    /// How it is mounted; `None` means all defaults.
    pub config: Option<MountConfig>,
    /// How many reservations hold it.
    pub ref_count: u32,
    /// Where in the guest it is mounted.
    pub guest_path: String,
}

/// How a partition is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountConfig)]
pub struct MountConfig {
    /// Mounted for reading only.
    pub read_only: bool,
    /// Encrypted by the guest.
    pub encrypted: bool,
    /// Mount options, in order.
    pub options: Vec<String>,
    /// The guest makes a file system first if there is none.
    pub ensure_filesystem: bool,
    /// The kind of file system.
    pub filesystem: String,
    /// Handed to the container as a block device instead of being mounted.
    pub block_dev: bool,
}

/// A hold on one mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::Reservation)]
pub struct Reservation {
    /// The disk.
    pub slot: u32,
    /// The mount on it.
    pub partition: u64,
}

impl ScsiState {
    /// Every disk is in a slot that there is, and every reservation holds a mount that there is.
    fn check(&self) -> Result<(), Error> {
        let slots = u32::from(self.num_controllers) * u32::from(LUNS);
        let past = self.disks.keys().filter(|slot| **slot >= slots).map(|slot| {
            let controllers = self.num_controllers;
            Error::invalid(format!("is past the last slot: {controllers} controllers have {slots}"))
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
