//! An adapter of a type parameter that makes something else than its proto field holds.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

mod as_text {
    pub fn to_wire<T: ToString>(value: &T) -> Result<String, std::convert::Infallible> {
        Ok(value.to_string())
    }

    pub fn from_wire<T: std::str::FromStr>(text: String) -> Result<T, T::Err> {
        text.parse()
    }
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot<T: ToString + std::str::FromStr>
where
    T::Err: std::fmt::Display + 'static,
{
    #[snapshot(with = as_text)]
    slot: T,
    partition: u64,
}

fn main() {}
