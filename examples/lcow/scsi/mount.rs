//! Mounts of a disk's partitions in the guest, and who holds them.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot as pb;

use super::disk::Slot;

/// How far a mount is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::MountStage)]
pub enum MountStage {
    /// Planned: the guest has not been asked yet.
    #[default]
    Reserved,
    /// Mounted in the guest.
    Mounted,
    /// Unmounted from the guest.
    Unmounted,
}

/// How a partition is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountConfig)]
pub struct MountConfig {
    /// Read-only.
    pub read_only: bool,
    /// Through an encrypted device.
    pub encrypted: bool,
    /// Options for the guest's mount call, in order.
    pub options: Vec<String>,
    /// Format the partition first if it holds no file system.
    pub ensure_filesystem: bool,
    /// The file system's type, `ext4` for instance; empty for the guest's default.
    pub filesystem: String,
    /// Passed on as a block device, not mounted as a file system.
    pub block_dev: bool,
}

/// One mount in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountState)]
pub struct Mount {
    /// How it is mounted.
    pub config: MountConfig,
    /// How far it is.
    #[snapshot(stage, field = state)]
    pub stage: MountStage,
    /// How many reservations hold it.
    pub ref_count: u32,
    /// Where it is in the guest; empty until it is there.
    pub guest_path: String,
}

/// One holder of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::Reservation)]
pub struct Reservation {
    /// The disk.
    #[snapshot(refers = "scsi.disk")]
    pub slot: Slot,
    /// The mount on it.
    pub partition: u64,
}
