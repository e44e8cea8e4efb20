//! Each attribute of a struct in a form that it does not have: the right form is shown.

use snapshot_core::Snapshot;

#[derive(Snapshot)]
#[snapshot(
    message(pb::DiskSnapshot),
    version = "1",
    type_url = example,
    controller,
    after = Network,
    save_from = Attached,
    freeze_to(Frozen),
    import_as = "Imported",
    live = 1,
    abort_to =,
    ignore(),
    validate = |state| Ok(()),
    crate = 7
)]
struct Disk {
    image: String,
    #[snapshot(stage, skip)]
    stage: Stage,
}

#[derive(Snapshot)]
#[snapshot(transparent = true)]
struct Name(String);

#[derive(Snapshot)]
#[snapshot(stage)]
enum Stage {
    Reserved,
}

#[derive(Snapshot)]
#[snapshot(oneof(disk_snapshot::Stage))]
enum Link {
    Bridge(String),
}

fn main() {}
