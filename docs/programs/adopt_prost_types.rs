//! A project that already has prost types and hand-written conversions.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;

use prost::Message;
use snapshot_core::{Snapshot, codec};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::CounterSnapshot, version = 1)]
struct Counter {
    name: String,
    #[snapshot(field = count)] // the proto field's name, where it differs
    visitors: u32,
    announced: HashMap<String, u64>,
}

fn counter() -> Counter {
    let announced = HashMap::from([("door".to_owned(), 40), ("desk".to_owned(), 41)]);
    Counter { name: "hall".to_owned(), visitors: 42, announced }
}

#[test]
fn both_conversions_read_the_bytes_of_each_other() {
    // The message of the hand-written conversion, as prost encodes it.
    let by_hand = pb::CounterSnapshot {
        schema_version: 1,
        name: "hall".to_owned(),
        count: 42,
        announced: counter().announced,
    };
    assert_eq!(codec::from_bytes::<Counter>(&by_hand.encode_to_vec()).unwrap(), counter());

    let derived = codec::to_bytes(&counter()).unwrap();
    assert_eq!(pb::CounterSnapshot::decode(&*derived).unwrap(), by_hand);
}

#[test]
fn code_that_takes_messages_still_gets_them() {
    let message = pb::CounterSnapshot::from(&counter());
    assert_eq!(message.count, 42);
    assert_eq!(Counter::try_from(message).unwrap(), counter());
}

#[test]
fn a_number_that_the_old_conversion_truncated_is_refused() {
    // `message.count as u32` would have turned this into 0.
    let message = pb::CounterSnapshot { schema_version: 1, count: 1 << 32, ..Default::default() };
    let error = Counter::try_from(message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "count: 4294967296 does not fit in u32, which holds 0 to 4294967295 (byte 2 of 8)"
    );
}
