//! Mounts of a disk's partitions in the guest, and the reservations that hold them.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot as pb;

use super::disk::Slot;

/// The stage of a mount.
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

/// The configuration of a mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountConfig)]
pub struct MountConfig {
    /// Read-only.
    pub read_only: bool,
    /// Whether it is mounted through an encrypted device.
    pub encrypted: bool,
    /// Options for the guest's mount call, in order.
    pub options: Vec<String>,
    /// Whether to format the partition first if it has no file system.
    pub ensure_filesystem: bool,
    /// The file system's type, `ext4` for instance; empty for the guest's default.
    pub filesystem: String,
    /// Whether the container gets a block device instead of a mounted file system.
    pub block_dev: bool,
}

/// One mount in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountState)]
pub struct Mount {
    /// Its configuration.
    pub config: MountConfig,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: MountStage,
    /// The number of reservations that hold it.
    pub ref_count: u32,
    /// The path in the guest where it is mounted; empty until then.
    pub guest_path: String,
}

/// A reservation, which holds one mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::Reservation)]
pub struct Reservation {
    /// The disk.
    #[snapshot(refers = "scsi.disk")]
    pub slot: Slot,
    /// The mount on it.
    pub partition: u64,
}
