//! Maps: entries in the order of the wire, always with key and value. A duplicate key is refused.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, btree_map, hash_map};
use std::hash::{BuildHasher, Hash};

use super::order;
use super::refusals::{self, refuse};
use super::{
    Reader, Tag, Wire, WireField, WireKey, Writer, duplicate, memory, size, take_once,
    wrong_wire_type,
};
use crate::Error;
use crate::schema::StatesInside;
use crate::schema::kind::{Kind, Map, WireType};
use crate::schema::{Collection, FieldForm};
use crate::visit::Visit;

/// The field numbers of an entry, which protobuf treats as a message.
/// Source: <https://protobuf.dev/programming-guides/encoding/#maps>.
const KEY: u32 = 1;
const VALUE: u32 = 2;

#[inline(always)]
fn put_entry<KK: Kind, VK: Kind, K: WireKey<KK>, V: Wire<VK>>(
    key: &K,
    value: &V,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let mark = w.position();
    let put = match w.enter(1) {
        Ok(()) => {
            let value = value.put_tagged(VALUE, w);
            let key = key.put_tagged(KEY, w);
            w.leave(1);
            match key {
                Ok(()) => value,
                Err(error) => Err(in_key(error, value)),
            }
        }
        Err(error) => Err(error),
    };
    match put {
        Ok(()) => {
            w.close_field(number, mark);
            Ok(())
        }
        Err(error) => Err(error.in_key(key.key_text())),
    }
}

/// Adds the place to the error of a key, or of its value.
#[cold]
#[inline(never)]
fn in_key(error: Error, value: Result<(), Error>) -> Error {
    match value {
        Ok(()) => error,
        Err(of_value) => error.and(of_value),
    }
}

/// Writes entries that come in any order, in the order of the wire.
fn put_unordered<'a, KK: Kind, VK: Kind, K: WireKey<KK> + 'a, V: Wire<VK> + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let ranked = order::ranked::<KK, K, V>(entries, w);
    let mut refusals = None;
    for (_, (key, value)) in ranked.iter().rev() {
        if let Err(error) = put_entry::<KK, VK, K, V>(key, value, number, w) {
            refusals = refuse(refusals, error);
        }
    }
    let mut all = refusals;
    order::each_twin::<KK, K, V>(&ranked, |key| {
        all = refuse(all.take(), same_on_the_wire(key.key_text()));
    });
    order::give_back(ranked, w);
    refusals::end(all)
}

/// Writes entries that are probably already in the order of the wire: a `BTreeMap` whose keys Rust
/// sorts in the same way. If they are not, the entries are written a second time.
fn put_ordered<'a, KK: Kind, VK: Kind, K: WireKey<KK> + 'a, V: Wire<VK> + 'a>(
    entries: impl DoubleEndedIterator<Item = (&'a K, &'a V)> + Clone,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let mark = w.position();
    let mut last: Option<&K> = None;
    let mut refusals = None;
    for (key, value) in entries.clone().rev() {
        match last.map_or(Ordering::Greater, |last| last.wire_cmp(key)) {
            Ordering::Greater => {}
            Ordering::Equal => refusals = refuse(refusals, same_on_the_wire(key.key_text())),
            Ordering::Less => {
                w.rewind(mark);
                return put_unordered::<KK, VK, K, V>(entries, number, w);
            }
        }
        last = Some(key);
        if let Err(error) = put_entry::<KK, VK, K, V>(key, value, number, w) {
            refusals = refuse(refusals, error);
        }
    }
    refusals::end(refusals)
}

/// Returns the number of bytes that [`put_entry`] writes for the entries.
#[inline]
fn entries_size<'a, KK: Kind, VK: Kind, K: WireKey<KK> + 'a, V: Wire<VK> + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    number: u32,
) -> usize {
    let around = size::tag(KEY) + size::tag(VALUE);
    let sizes = entries.map(|(key, value)| size::delimited(around + key.size() + value.size()));
    sizes.map(|entry| size::tag(number) + entry).sum()
}

#[cold]
#[inline(never)]
fn same_on_the_wire(key: String) -> Error {
    Error::invalid("two keys of the map are the same on the wire").in_key(key)
}

/// Reads one entry and passes it to `keep`. An error in its value names its key.
#[cfg_attr(not(debug_assertions), inline(always))]
fn take_entry<KK: Kind, VK: Kind, K: WireKey<KK>, V: Wire<VK>>(
    r: &mut Reader<'_>,
    keep: impl FnOnce(K, V, &mut Reader<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    r.message(
        #[inline(always)]
        |r| {
            // Nearly every entry is a key and a value, in this order. A large value is moved only
            // once, to its final place.
            let begun = 'begun: {
                if !r.passes_tag(KEY, KK::WIRE_TYPE) {
                    break 'begun MapEntry::begun(None, None);
                }
                let left = r.remaining();
                let mut key = None;
                if let Err(error) = K::take_into(&mut key, r) {
                    break 'begun MapEntry::failed(key, error, (KEY, KK::WIRE_TYPE), left, r);
                }
                if !r.passes_tag(VALUE, VK::WIRE_TYPE) {
                    break 'begun MapEntry::begun(key, None);
                }
                let left = r.remaining();
                match (V::take(r), key) {
                    (Ok(value), Some(key)) if r.remaining() == 0 => return keep(key, value, r),
                    (Ok(value), key) => MapEntry::begun(key, Some(value)),
                    (Err(error), key) => {
                        MapEntry::failed(key, error, (VALUE, VK::WIRE_TYPE), left, r)
                    }
                }
            };
            let (key, value) = begun.take_rest::<KK, VK>(r)?;
            keep(key, value, r)
        },
    )
}

/// An entry that is not simply a key and a value.
struct MapEntry<K, V> {
    key: Option<K>,
    value: Option<V>,
    wrong: EntryErrors,
}

impl<K, V> MapEntry<K, V> {
    /// Reads the rest of an entry whose beginning was read.
    #[cold]
    #[inline(never)]
    fn begun(key: Option<K>, value: Option<V>) -> Self {
        Self { key, value, wrong: EntryErrors::default() }
    }

    /// Reads the rest of an entry whose key or value, in this field, could not be read.
    #[cold]
    #[inline(never)]
    fn failed(
        key: Option<K>,
        error: Error,
        (number, wire_type): (u32, WireType),
        left: usize,
        r: &mut Reader<'_>,
    ) -> Self {
        let mut entry = Self::begun(key, None);
        entry.wrong.fail(error, Tag { number, wire_type }, left, r);
        entry
    }

    #[cold]
    #[inline(never)]
    fn take_rest<KK: Kind, VK: Kind>(mut self, r: &mut Reader<'_>) -> Result<(K, V), Error>
    where
        K: WireKey<KK>,
        V: Wire<VK>,
    {
        while !self.wrong.lost {
            let tag = match r.tag() {
                Ok(Some(tag)) => tag,
                Ok(None) => break,
                Err(error) => {
                    self.wrong.add(error, false);
                    self.wrong.lost = true;
                    break;
                }
            };
            let left = r.remaining();
            let taken = match tag.number {
                KEY => take_once::<KK, K>(&mut self.key, tag, r),
                VALUE => take_once::<VK, V>(&mut self.value, tag, r),
                number => Err(no_such_field(number)),
            };
            if let Err(error) = taken {
                self.wrong.fail(error, tag, left, r);
            }
        }
        let Self { mut key, mut value, mut wrong } = self;
        // A part that was not read because of a reported error is not missing.
        if key.is_none() && wrong.is_left_out(KEY) {
            match K::of_default() {
                Ok(default) => key = Some(default),
                Err(error) => wrong.add(error, true),
            }
        }
        if value.is_none() && wrong.is_left_out(VALUE) {
            // A message inside of an older payload is an older one.
            match r.sharing(r.of_default_here(), |r| V::take(r)) {
                Ok(default) => value = Some(default),
                Err(error) => wrong.add(error, false),
            }
        }
        match (key, value) {
            (Some(key), Some(value)) if wrong.is_nothing() => Ok((key, value)),
            (key, _) => Err(wrong.into_error(key.map(|key| key.key_text()))),
        }
    }
}

/// The errors of an entry.
#[derive(Default)]
struct EntryErrors {
    key: Option<Error>,
    /// Named by the key, if that is known.
    rest: Option<Error>,
    /// The fields that had errors, one bit each.
    failed: u8,
    /// Whether the bytes after an error can no longer be separated.
    lost: bool,
}

impl EntryErrors {
    /// Records an error in the value of a field that began when `left` bytes were left, and
    /// continues after it.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, error: Error, tag: Tag, left: usize, r: &mut Reader<'_>) {
        let offset = r.offset_before(left);
        self.add(r.locate(error, offset), tag.number == KEY);
        self.failed |= 1 << (tag.number & 3);
        self.lost = !r.recover(offset, tag.wire_type);
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, error: Error, in_key: bool) {
        let error = if in_key { error.in_field("key") } else { error };
        let errors = if in_key { &mut self.key } else { &mut self.rest };
        *errors = Some(match errors.take() {
            Some(earlier) => earlier.and(error),
            None => error,
        });
    }

    #[inline]
    fn is_nothing(&self) -> bool {
        self.key.is_none() && self.rest.is_none()
    }

    /// Returns whether a field that was not read was absent.
    #[inline]
    fn is_left_out(&self, number: u32) -> bool {
        !self.lost && self.failed & 1 << number == 0
    }

    #[cold]
    #[inline(never)]
    fn into_error(self, key: Option<String>) -> Error {
        let rest = match key {
            Some(key) => self.rest.map(|rest| rest.in_key(key)),
            None => self.rest,
        };
        let none = || Error::internal("an entry was neither read nor refused");
        self.key.into_iter().chain(rest).reduce(Error::and).unwrap_or_else(none)
    }
}

#[cold]
#[inline(never)]
fn no_such_field(number: u32) -> Error {
    Error::invalid(format!("a map entry has no field {number}"))
}

#[cold]
#[inline(never)]
fn key_twice(key: String) -> Error {
    duplicate().in_key(key)
}

impl<KK: Kind, VK: Kind, K: WireKey<KK> + Ord, V: Wire<VK>> WireField<Map<KK, VK>>
    for BTreeMap<K, V>
{
    const LEAF: bool = V::LEAF;
    const FORM: FieldForm = FieldForm::several(V::FORM, Collection::Map(<K as Wire<KK>>::FORM));
    const INSIDE: StatesInside = V::INSIDE;
    type Slot = Self;

    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        put_ordered::<KK, VK, K, V>(self.iter(), number, w)?;
        Ok(number)
    }

    #[inline]
    fn field_size(&self, number: u32) -> usize {
        entries_size::<KK, VK, K, V>(self.iter(), number)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_field(slot: &mut Self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        expect_entry(tag)?;
        take_entry::<KK, VK, K, V>(
            r,
            #[inline(always)]
            |key, value, r| match slot.entry(key) {
                btree_map::Entry::Vacant(entry) => {
                    r.charge(memory::tree_entry::<(K, V)>())?;
                    entry.insert(value);
                    Ok(())
                }
                btree_map::Entry::Occupied(entry) => Err(key_twice(entry.key().key_text())),
            },
        )
    }

    #[inline]
    fn finish_field(slot: Self, _: &mut Option<Error>) -> Option<Self> {
        Some(slot)
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        visit_values::<VK, V, _>(
            true,
            || self.values(),
            |visit| {
                self.iter()
                    .try_for_each(|(key, value)| visit_entry::<KK, VK, K, V>(key, value, visit))
            },
            visit,
        )
    }
}

impl<KK: Kind, VK: Kind, K, V, S> WireField<Map<KK, VK>> for HashMap<K, V, S>
where
    K: WireKey<KK> + Eq + Hash,
    V: Wire<VK>,
    S: BuildHasher + Default,
{
    const LEAF: bool = V::LEAF;
    const FORM: FieldForm = FieldForm::several(V::FORM, Collection::Map(<K as Wire<KK>>::FORM));
    const INSIDE: StatesInside = V::INSIDE;
    type Slot = Self;

    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        put_unordered::<KK, VK, K, V>(self.iter(), number, w)?;
        Ok(number)
    }

    #[inline]
    fn field_size(&self, number: u32) -> usize {
        entries_size::<KK, VK, K, V>(self.iter(), number)
    }

    fn make_room(slot: &mut Self, number: u32, r: &mut Reader<'_>) {
        // Only once: an entry that fails leaves no trace but this room.
        if slot.capacity() == 0 {
            let count = r.count_ahead::<(K, V)>(number);
            memory::presize_table::<(K, V)>(count, |count| slot.reserve(count), r.memory());
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_field(slot: &mut Self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        expect_entry(tag)?;
        take_entry::<KK, VK, K, V>(
            r,
            #[inline(always)]
            |key, value, r| {
                if slot.len() == slot.capacity() {
                    let capacity = slot.capacity();
                    memory::grow_table::<(K, V)>(capacity, |more| slot.reserve(more), r.memory())?;
                }
                match slot.entry(key) {
                    hash_map::Entry::Vacant(entry) => {
                        entry.insert(value);
                        Ok(())
                    }
                    hash_map::Entry::Occupied(entry) => Err(key_twice(entry.key().key_text())),
                }
            },
        )
    }

    #[inline]
    fn finish_field(slot: Self, _: &mut Option<Error>) -> Option<Self> {
        Some(slot)
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        visit_values::<VK, V, _>(
            false,
            || self.values(),
            // In the order of the wire, which is the same in every process.
            |visit| {
                let mut entries: Vec<(&K, &V)> = self.iter().collect();
                entries.sort_unstable_by(|a, b| a.0.wire_cmp(b.0));
                entries
                    .into_iter()
                    .try_for_each(|(key, value)| visit_entry::<KK, VK, K, V>(key, value, visit))
            },
            visit,
        )
    }
}

/// Shows the controllers and the names inside the values of a map to `visit`; `entries` does so
/// entry by entry, in the order of the wire. `is_sorted` says that `values` have that order too.
fn visit_values<'v, K: Kind, V: Wire<K> + 'v, I: Iterator<Item = &'v V>>(
    is_sorted: bool,
    values: impl Fn() -> I,
    entries: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    visit: &mut Visit<'_>,
) -> Result<(), Error> {
    if V::LEAF {
        return Ok(());
    }
    visit.values(is_sorted, |visit| values().try_for_each(|value| value.visit(visit)), entries)
}

fn visit_entry<KK: Kind, VK: Kind, K: WireKey<KK>, V: Wire<VK>>(
    key: &K,
    value: &V,
    visit: &mut Visit<'_>,
) -> Result<(), Error> {
    visit.key(|| key.key_text(), |visit| value.visit(visit))
}

#[inline]
fn expect_entry(tag: Tag) -> Result<(), Error> {
    match tag.wire_type {
        WireType::Len => Ok(()),
        _ => Err(wrong_wire_type(tag, WireType::Len.as_str())),
    }
}

#[cfg(test)]
mod tests;
