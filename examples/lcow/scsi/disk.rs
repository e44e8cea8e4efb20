//! Disks: their slots, configurations and stages.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use snapshot_core::{Error, Snapshot};
use snapshot_proto::lcow::v1::scsi_snapshot as pb;

use super::mount::Mount;

/// The number of SCSI controllers that a VM can have.
pub const MAX_CONTROLLERS: u8 = 4;
/// The number of disks that one SCSI controller can have.
pub const LUNS: u8 = 64;

/// A slot for a disk: `controller * 64 + LUN`. A VM can have all 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Snapshot)]
#[snapshot(transparent)]
pub struct Slot(u8);

impl Slot {
    /// Returns the slot at this LUN (0 to 63) of this controller (0 to 3); `None` if there is none.
    pub fn new(controller: u8, lun: u8) -> Option<Self> {
        (controller < MAX_CONTROLLERS && lun < LUNS).then(|| Self(controller * LUNS + lun))
    }

    /// Iterates over the slots of the first `controllers` controllers.
    pub fn of(controllers: u8) -> impl Iterator<Item = Slot> {
        let count = u16::from(controllers.min(MAX_CONTROLLERS)) * u16::from(LUNS);
        (0..=u8::MAX).take(usize::from(count)).map(Slot)
    }

    /// The SCSI controller, 0 to 3.
    pub fn controller(self) -> u8 {
        self.0 / LUNS
    }

    /// The logical unit on that controller, 0 to 63.
    pub fn lun(self) -> u8 {
        self.0 % LUNS
    }

    /// Returns the path at which the guest mounts a partition of the disk in this slot.
    pub fn guest_path(self, partition: u64) -> String {
        format!("/run/mounts/scsi/{}_{}_{partition}", self.controller(), self.lun())
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The stage of a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::DiskStage)]
pub enum DiskStage {
    /// The slot is reserved, but nothing is attached to it yet.
    #[default]
    Reserved,
    /// Attached to the VM.
    Attached,
    /// Ejected by the guest, but not yet removed from the VM.
    Ejected,
    /// Removed from the VM.
    Detached,
}

/// The kind of an attachment, with the host's spelling on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskKind {
    /// Unspecified. Such a disk cannot be attached and is refused on import.
    #[default]
    Unspecified,
    /// An image file.
    VirtualDisk,
    /// A device of the host.
    PassThru,
    /// A disk that a provider implements; [`DiskConfig::evd_type`] names the provider.
    ExtensibleVirtualDisk,
}

impl DiskKind {
    /// Returns the host's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            DiskKind::Unspecified => "",
            DiskKind::VirtualDisk => "VirtualDisk",
            DiskKind::PassThru => "PassThru",
            DiskKind::ExtensibleVirtualDisk => "ExtensibleVirtualDisk",
        }
    }

    /// Returns whether the VM needs access to the path. A provider grants access to its own disks.
    pub(super) fn needs_access(self) -> bool {
        matches!(self, DiskKind::VirtualDisk | DiskKind::PassThru)
    }
}

impl fmt::Display for DiskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DiskKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const KINDS: [DiskKind; 4] = [
            DiskKind::Unspecified,
            DiskKind::VirtualDisk,
            DiskKind::PassThru,
            DiskKind::ExtensibleVirtualDisk,
        ];
        KINDS.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            Error::invalid(format!(
                "{text:?} is not a kind of disk, expected VirtualDisk, PassThru or \
                 ExtensibleVirtualDisk"
            ))
        })
    }
}

/// The configuration of a disk on the host.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::DiskConfig)]
pub struct DiskConfig {
    /// The image or device on the host; the destination replaces it by its own.
    pub host_path: PathBuf,
    /// Whether the VM cannot write to it.
    pub read_only: bool,
    /// The kind of attachment.
    #[snapshot(field = r#type, with = snapshot_core::codec::display)]
    pub kind: DiskKind,
    /// The provider of an extensible virtual disk; empty for the other kinds.
    pub evd_type: String,
}

impl DiskConfig {
    /// An image file.
    pub fn image(host_path: impl Into<PathBuf>, read_only: bool) -> Self {
        Self {
            host_path: host_path.into(),
            read_only,
            kind: DiskKind::VirtualDisk,
            evd_type: String::new(),
        }
    }
}

/// One disk and its mounts.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::DiskState)]
pub struct Disk {
    /// Its configuration.
    pub config: DiskConfig,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: DiskStage,
    /// The mounts by partition; 0 is the whole disk.
    pub mounts: BTreeMap<u64, Mount>,
}
