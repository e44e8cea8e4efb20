//! Teaches: one struct, saved to bytes and restored from them.
//!
//! `cargo run --example hello_snapshot`

use std::collections::HashMap;

use snapshot_core::{Error, Snapshot, codec};
use snapshot_proto::example::v1 as pb;

/// Every proto field needs a struct field of the same name; a missing one is a compile error.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::CounterSnapshot, version = 1)]
struct Counter {
    name: String,
    count: u64,
    announced: HashMap<String, u64>,
    #[snapshot(skip)] // lives only in the running program
    listeners: usize,
}

fn main() -> Result<(), Error> {
    let announced = HashMap::from([("door".to_owned(), 40), ("desk".to_owned(), 41)]);
    let counter = Counter { name: "visitors".to_owned(), count: 42, announced, listeners: 2 };

    let bytes = codec::to_bytes(&counter)?;
    let restored: Counter = codec::from_bytes(&bytes)?;
    assert_eq!(restored, Counter { listeners: 0, ..counter });
    println!("{} bytes hold {restored:?}", bytes.len());

    // A snapshot that was cut short is refused, and the error says where.
    let Err(error) = codec::from_bytes::<Counter>(&bytes[..bytes.len() - 1]) else {
        unreachable!("a truncated snapshot must not be readable");
    };
    println!("refused: {error}");
    Ok(())
}

/// The first test to write for a type. One line tries truncated, damaged and foreign bytes, changes
/// every field and checks that it is restored: `cargo test --example hello_snapshot`.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_keeps_the_contract() {
        let announced = HashMap::from([("door".to_owned(), 40)]);
        let counter = Counter { name: "visitors".to_owned(), count: 42, announced, listeners: 0 };
        snapshot_core::testing::contract::<Counter>([counter]);
    }
}
