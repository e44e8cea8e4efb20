//! Rules for the phases of a controller on a struct that is not the payload of a controller.

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
#[snapshot(save_from(Mounted), freeze_to = Reserved, import_as = Reserved, abort_to = Unmounted)]
struct Mount {
    #[snapshot(stage)]
    state: Stage,
}

fn main() {}
