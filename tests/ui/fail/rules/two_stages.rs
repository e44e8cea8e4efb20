//! Two fields that are both the struct's stage.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{MountStage, MountState};

#[derive(Snapshot, Clone, Copy, Default)]
#[snapshot(stage = MountStage)]
enum Stage {
    #[default]
    Reserved,
    Mounted,
    Unmounted,
}

#[derive(Snapshot)]
#[snapshot(message = MountState, ignore(config, ref_count, guest_path))]
struct Mount {
    #[snapshot(stage)]
    state: Stage,
    #[snapshot(stage, skip)]
    other: Stage,
}

fn main() {}
