//! The cost of a test: how often the kit reads parts of a sample that an edit does not affect.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use snapshot_derive::Snapshot;

use super::assert_sound;

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Hall {
    #[prost(message, optional, tag = "1")]
    pub(super) rack: Option<Rack>,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Rack {
    #[prost(btree_map = "uint32, message", tag = "1")]
    pub(super) shelves: BTreeMap<u32, Shelf>,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Shelf {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(btree_map = "uint32, message", tag = "2")]
    pub(super) slots: BTreeMap<u32, Slot>,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Slot {
    #[prost(string, tag = "1")]
    pub(super) label: String,
    #[prost(uint64, tag = "2")]
    pub(super) size: u64,
}

#[derive(Clone, Default, Snapshot)]
#[snapshot(message = Hall)]
struct HallState {
    rack: Option<RackState>,
}

#[derive(Clone, Default, Snapshot)]
#[snapshot(message = Rack)]
struct RackState {
    shelves: BTreeMap<u32, ShelfState>,
}

#[derive(Clone, Default, Snapshot)]
#[snapshot(message = Shelf)]
struct ShelfState {
    name: String,
    slots: BTreeMap<u32, SlotState>,
}

#[derive(Clone, Default, Snapshot)]
#[snapshot(message = Slot)]
struct SlotState {
    #[snapshot(with = counted)]
    label: String,
    size: u64,
}

static READ: AtomicUsize = AtomicUsize::new(0);

mod counted {
    use super::{Ordering, READ};

    pub(super) fn to_wire(value: &str) -> Result<String, &'static str> {
        Ok(value.to_owned())
    }

    pub(super) fn from_wire(value: String) -> Result<String, &'static str> {
        READ.fetch_add(1, Ordering::Relaxed);
        Ok(value)
    }
}

/// The number of slots that are read to test a rack of shelves with four slots each.
fn slots_read(shelves: u32) -> usize {
    let slot = |at: u32| (at, SlotState { label: format!("slot {at}"), size: at.into() });
    let shelf = |at: u32| {
        (at, ShelfState { name: format!("shelf {at}"), slots: (1..=4).map(slot).collect() })
    };
    READ.store(0, Ordering::Relaxed);
    // The rack is in another message, so that truncated bytes are refused before a slot is read.
    let rack = RackState { shelves: (1..=shelves).map(shelf).collect() };
    assert_sound([HallState { rack: Some(rack) }]);
    READ.load(Ordering::Relaxed)
}

#[test]
fn an_edit_of_one_message_does_not_read_the_others_again() {
    let (few, many) = (slots_read(3), slots_read(12));
    // Four times the slots. If each edit read them all, there would be four times the reads.
    assert!(many < few * 2, "{few} slots are read of 12, {many} of 48");
}
