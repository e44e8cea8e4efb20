//! Relations between the fields of one state, `below` and `at_most`.

use prost::Message;
use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};

use crate::pb;

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::Ring, version = 1)]
struct Ring {
    #[snapshot(below = ring)]
    head: u32,
    #[snapshot(at_most = ring)]
    count: u16,
    ring: Vec<u8>,
    #[snapshot(below = count)]
    used: Vec<u32>,
}

fn ring() -> Ring {
    Ring { head: 3, count: 4, ring: vec![0; 4], used: vec![0, 3] }
}

#[test]
fn a_state_within_its_limits_comes_back() {
    let bytes = to_bytes(&ring()).unwrap();
    assert_eq!(from_bytes::<Ring>(&bytes).unwrap(), ring());
}

#[test]
fn every_number_beyond_its_limit_is_refused_on_save() {
    let state = Ring { head: 4, count: 5, used: vec![5], ..ring() };
    assert_eq!(
        to_bytes(&state).unwrap_err().to_string(),
        "head: is 4, but must be below the length of `ring`, which has 4 elements\n\
         count: is 5, but must be at most the length of `ring`, which has 4 elements\n\
         used: is 5, but must be below `count`, which is 5"
    );
}

#[test]
fn every_number_beyond_its_limit_is_refused_on_restore_with_its_byte() {
    let message =
        pb::Ring { schema_version: 1, head: 9, count: 4, ring: vec![0; 4], used: vec![0, 4] };
    assert_eq!(
        from_bytes::<Ring>(&message.encode_to_vec()).unwrap_err().to_string(),
        "head: is 9, but must be below the length of `ring`, which has 4 elements (byte 2 of 16)\n\
         used: is 4, but must be below `count`, which is 4 (byte 12 of 16)"
    );
}

/// A ring without any check that its numbers are within it.
#[derive(Snapshot)]
#[snapshot(message = pb::Ring, version = 1, ignore(used))]
struct Unchecked {
    head: u32,
    count: u32,
    ring: Vec<u8>,
}

#[test]
fn the_contract_asks_for_a_relation_where_a_number_indexes_a_list() {
    let sample = || Unchecked { head: 1, count: 2, ring: vec![0; 4] };
    let panic = std::panic::catch_unwind(|| snapshot_core::testing::contract([sample()]));
    let text = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(
        text.contains("head: is 1, which lies within `ring`, and 1004 is read as well"),
        "{text}"
    );
    assert!(text.contains("count: is 2, which lies within `ring`"), "{text}");
    let exempt = snapshot_core::testing::Contract::new().samples([sample()]);
    exempt.unrelated("head").unrelated("count").run();
    let longer = Ring { count: 5, ring: vec![0; 5], ..ring() };
    snapshot_core::testing::contract([ring(), longer]);
}
