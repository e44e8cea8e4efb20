//! Types that are misspelt or not imported: the compiler's own error, once.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::DiskState;

#[derive(Snapshot)]
#[snapshot(message = DiskState)]
struct Disk {
    config: DiskConfgi,
    state: scsi::Stage,
    mounts: BTreeMap<u64, Mount>,
    #[snapshot(skip)]
    host: Option<Handel>,
}

fn main() {}
