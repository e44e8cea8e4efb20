//! Variants that do not fit their members.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::choice;
use snapshot_proto::lcow::v1::scsi_snapshot;

#[derive(Snapshot)]
#[snapshot(oneof = choice::Interleaved)]
enum Interleaved {
    Low(String),
    Middle(Option<String>),
    High,
}

#[derive(Snapshot)]
#[snapshot(oneof = choice::Kind)]
#[snapshot(ignore(Text, Sparse, Raw, Zigzag, Fixed, Flag, Ratio, Any, Duration, Wrapped, Local))]
enum Kind {
    Number(u8),
    Message(Reservation),
    Nothing(u32),
}

#[derive(Snapshot)]
#[snapshot(message = scsi_snapshot::Reservation)]
struct Reservation {
    slot: u32,
    partition: u64,
}

fn main() {}
