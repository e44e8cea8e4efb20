//! Finding the controllers of a plan by their ids.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use crate::{ControllerId, Error};

/// A hash table over the ids of units. It holds neither the ids nor counts of them, so that it is a
/// fraction of what a map would be.
#[derive(Debug)]
pub(crate) struct Index {
    /// Ids come from snapshots, which others have made: hashed with keys that they do not know.
    keys: [u64; 2],
    /// Each a unit, counted from 1, at the place of its hash or the next that was free; or 0. At
    /// least half of them are.
    slots: Vec<u32>,
}

impl Index {
    /// The index of units with these ids. Of those that have one id, the first is in it, and one error tells
    /// how many there are.
    pub(crate) fn new(ids: &[ControllerId], errors: &mut Vec<Error>) -> Self {
        let size = (2 * ids.len()).next_power_of_two();
        let random = RandomState::new();
        let keys = [random.hash_one(0), random.hash_one(1)];
        let mut index = Self { keys, slots: vec![0; size] };
        let mut repeated = BTreeMap::new();
        for (unit, id) in ids.iter().enumerate() {
            let slot = index.slot(id.as_str(), ids);
            match index.slots[slot] {
                0 => index.slots[slot] = unit as u32 + 1,
                _ => *repeated.entry(id).or_insert(1) += 1,
            }
        }
        errors.extend(repeated.into_iter().map(|(id, times)| {
            let reason = format!("{times} controllers have this id: give each its own name");
            Error::invalid(reason).at_controller(id)
        }));
        index
    }

    /// The unit with this id.
    pub(crate) fn find(&self, id: &str, ids: &[ControllerId]) -> Option<usize> {
        (self.slots[self.slot(id, ids)] as usize).checked_sub(1)
    }

    /// Eight bytes at a time, each folded in by one multiplication, as wyhash does. The standard
    /// hash costs as much as all the rest of a plan.
    fn hash(&self, id: &str) -> u64 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            product as u64 ^ (product >> 64) as u64
        };
        let [seed, key] = self.keys;
        let (words, rest) = id.as_bytes().as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let words = words.iter().chain([&last]);
        let hash = words.fold(seed ^ id.len() as u64, |hash, word| {
            fold(hash ^ u64::from_le_bytes(*word), key | 1)
        });
        fold(hash, seed | 1)
    }

    /// Where the unit with this id is, or would be.
    fn slot(&self, id: &str, ids: &[ControllerId]) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hash(id) as usize & mask;
        while let Some(unit) = (self.slots[slot] as usize).checked_sub(1)
            && ids[unit].as_str() != id
        {
            slot = (slot + 1) & mask;
        }
        slot
    }
}
