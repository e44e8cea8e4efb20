//! Finds the controllers of a plan by their ids.

use std::collections::BTreeMap;

use super::units::Units;
use crate::keyed_hash::HashKeys;
use crate::path::{Spot, digits_of};
use crate::{ControllerId, Error};

/// A hash table over the paths of units. It holds no paths: each unit is hashed as a step from its
/// parent, so that a long name above many units is read once.
#[derive(Debug)]
pub(crate) struct Index {
    /// Ids come from snapshots.
    keys: HashKeys,
    slots: Vec<Slot>,
}

/// A place in the table: the one for the hash of a unit, or the next free one. At least half of the
/// places are free.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The unit, counted from 1; 0 if the place is free.
    unit: u32,
    /// The high half of its hash.
    tag: u32,
}

impl Index {
    /// Creates the index of these units. If several units have one path, the index contains the
    /// first, and one error gives their number.
    pub(crate) fn new(units: &Units, errors: &mut Option<Error>) -> Self {
        let size = (2 * units.list.len()).next_power_of_two();
        let keys = HashKeys::random();
        let mut index = Self { keys, slots: vec![Slot::default(); size] };
        let mut hashes: Vec<u64> = Vec::with_capacity(units.list.len());
        let mut repeated: BTreeMap<usize, usize> = BTreeMap::new();
        for (unit, planned) in units.list.iter().enumerate() {
            let hash = match planned.parent() {
                Some(parent) => index.hash_spot(hashes[parent], planned.spot(), &units.text),
                None => keys.none(),
            };
            hashes.push(hash);
            let at = index.slot(hash, |other| units.have_one_path(other, unit));
            match index.slots[at].unit.checked_sub(1) {
                Some(first) => *repeated.entry(first as usize).or_insert(1) += 1,
                None => {
                    index.slots[at] = Slot { unit: unit as u32 + 1, tag: (hash >> 32) as u32 };
                }
            }
        }
        for (unit, times) in repeated {
            let reason = format!("{times} controllers have this id: give each its own name");
            Error::invalid(reason).at_controller(&units.id_so_far(unit)).add_to(errors);
        }
        index
    }

    /// Returns the unit with this path.
    pub(crate) fn find(&self, path: &str, units: &Units) -> Option<usize> {
        let hash = match path {
            ControllerId::ROOT => self.keys.none(),
            _ => self.hash_steps(self.keys.none(), path),
        };
        let slot = self.slot(hash, |unit| units.is_at(unit, path));
        (self.slots[slot].unit as usize).checked_sub(1)
    }

    fn hash_spot(&self, parent: u64, spot: Spot, texts: &str) -> u64 {
        match spot {
            Spot::Field(name) => self.keys.after(parent, name.as_bytes()),
            Spot::Element(name, index) => {
                let mut digits = [0; 20];
                let list = self.keys.after(parent, name.as_bytes());
                self.keys.after(list, digits_of(index as usize, &mut digits).as_bytes())
            }
            Spot::Text { .. } => self.hash_steps(parent, spot.written(texts).unwrap_or_default()),
        }
    }

    fn hash_steps(&self, before: u64, path: &str) -> u64 {
        path.split('/').fold(before, |hash, step| self.keys.after(hash, step.as_bytes()))
    }

    /// Returns the place of the unit with this hash, or the place that it would have.
    fn slot(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let tag = (hash >> 32) as u32;
        let mut at = hash as usize & mask;
        while let Some(unit) = (self.slots[at].unit as usize).checked_sub(1)
            && !(self.slots[at].tag == tag && is_it(unit))
        {
            at = (at + 1) & mask;
        }
        at
    }
}
