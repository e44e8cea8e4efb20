//! A check of a struct that is not there, or that has another form.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation, validate = chekc)]
struct Misspelt {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation, validate = by_value)]
struct ByValue {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation, validate = a_bool)]
struct ABool {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation, validate = no_display)]
struct NoDisplay {
    slot: u32,
    partition: u64,
}

struct Reason;

fn check(_: &Misspelt) -> Result<(), String> {
    Ok(())
}

fn by_value(_: ByValue) -> Result<(), String> {
    Ok(())
}

fn a_bool(state: &ABool) -> bool {
    state.slot < 4
}

fn no_display(_: &NoDisplay) -> Result<(), Reason> {
    Err(Reason)
}

fn main() {}
