//! A slip of the finger: the attribute that was meant is named.

use std::collections::HashMap;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot)]
#[snapshot(mesage = pb::CounterSnapshot)]
struct OnAStruct {
    name: String,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, verison = 1)]
struct OnAField {
    #[snapshot(feild = name)]
    label: String,
    count: u64,
    #[snapshot(mxa = 16)]
    announced: HashMap<String, u64>,
    #[snapshot(sikp)]
    listeners: usize,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum OnAVariant {
    Reserved,
    #[snapshot(renmae = Attached)]
    Plugged,
    Ejected,
    #[snapshot(trasnient)]
    Leaving,
}

fn main() {}
