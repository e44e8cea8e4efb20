//! An index over the values of an enum.

use std::collections::{HashMap, HashSet};

use crate::wire::v1::manifest::Enum;

/// The values of an enum, indexed by name and by number. An index keeps lookups fast however many
/// values a peer sends.
#[derive(Debug)]
pub(super) struct Values<'m> {
    /// The first number of each name.
    pub(super) by_name: HashMap<&'m str, i32>,
    /// The names of each number; all but the first are aliases.
    by_number: HashMap<i32, Vec<&'m str>>,
    all: HashSet<(i32, &'m str)>,
}

impl<'m> Values<'m> {
    /// Indexes the values of an enum.
    pub(super) fn of(one: &'m Enum) -> Self {
        let mut values =
            Self { by_name: HashMap::new(), by_number: HashMap::new(), all: HashSet::new() };
        for value in &one.values {
            let (number, name) = (value.number, value.name.as_str());
            values.by_name.entry(name).or_insert(number);
            values.by_number.entry(number).or_default().push(name);
            values.all.insert((number, name));
        }
        values
    }

    /// Returns whether the enum has a value with this number and this name.
    pub(super) fn has(&self, number: i32, name: &str) -> bool {
        self.all.contains(&(number, name))
    }

    /// Returns the names of a number, the main one first.
    pub(super) fn named(&self, number: i32) -> &[&'m str] {
        self.by_number.get(&number).map_or(&[], Vec::as_slice)
    }
}
