//! `with` a module that makes something else than the field holds, or than the proto field is.

use std::time::Duration;

use snapshot_core::{Snapshot, codec};
use snapshot_proto::lcow::v1::scsi_snapshot::{DiskConfig, Reservation};

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct OfAnotherType {
    #[snapshot(with = codec::millis)]
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only, r#type, evd_type))]
struct OfAnotherKind {
    #[snapshot(with = codec::millis)]
    host_path: Duration,
}

struct Opaque;

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only, r#type, evd_type))]
struct NotDisplayed {
    #[snapshot(with = codec::display)]
    host_path: Opaque,
}

fn main() {}
