//! Attributes that do not go with a stage.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{MountStage, MountState};

#[derive(Snapshot, Clone, Copy, Default, PartialEq, PartialOrd)]
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
    #[snapshot(stage, with = as_text, max = 3, range = Stage::Reserved..=Stage::Mounted)]
    state: Stage,
}

#[derive(Snapshot)]
#[snapshot(message = MountState, ignore(config, state, ref_count, guest_path))]
#[snapshot(save_from(Mounted))]
struct WithAValue {
    #[snapshot(stage, skip = Stage::Mounted)]
    state: Stage,
}

fn main() {}
