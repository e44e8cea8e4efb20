//! Maps: entries in the order of the wire, always with key and value; a key twice is refused.

use std::cmp::Ordering;
use std::collections::btree_map;
use std::collections::hash_map;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::{
    Reader, Tag, Wire, WireField, WireKey, Writer, duplicate, expect_wire_type, take_once,
    wrong_wire_type,
};
use crate::Error;
use crate::controller::Walk;
use crate::schema::kind::{Kind, Map, WireType};

/// The field numbers of an entry, which protobuf treats as a message.
/// Source: <https://protobuf.dev/programming-guides/encoding/#maps>.
const KEY: u32 = 1;
const VALUE: u32 = 2;

#[inline]
fn put_entry<KK: Kind, VK: Kind, K: WireKey<KK>, V: Wire<VK>>(
    key: &K,
    value: &V,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let mark = w.position();
    if let Err(error) = value.put(w) {
        return Err(error.in_key(key.key_text()));
    }
    w.tag(VALUE, VK::WIRE_TYPE);
    if let Err(error) = key.put(w) {
        return Err(error.in_key(key.key_text()));
    }
    w.tag(KEY, KK::WIRE_TYPE);
    w.length_since(mark);
    w.tag(number, WireType::Len);
    Ok(())
}

/// Puts entries in the order of the wire, whatever their own.
fn put_unordered<'a, KK: Kind, VK: Kind, K: WireKey<KK> + 'a, V: Wire<VK> + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let mut sorted: Vec<(&K, &V)> = entries.collect();
    sorted.sort_unstable_by(|a, b| b.0.wire_cmp(a.0));
    let mut last: Option<&K> = None;
    for (key, value) in sorted {
        if last.is_some_and(|last| last.wire_cmp(key).is_eq()) {
            return Err(same_on_the_wire(key.key_text()));
        }
        last = Some(key);
        put_entry::<KK, VK, K, V>(key, value, number, w)?;
    }
    Ok(())
}

/// Puts entries that are most probably in the order of the wire: a `BTreeMap` whose keys Rust
/// orders in the same way. Where it does not, the entries are put a second time.
fn put_ordered<'a, KK: Kind, VK: Kind, K: WireKey<KK> + 'a, V: Wire<VK> + 'a>(
    entries: impl DoubleEndedIterator<Item = (&'a K, &'a V)> + Clone,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let mark = w.position();
    let mut last: Option<&K> = None;
    for (key, value) in entries.clone().rev() {
        match last.map_or(Ordering::Greater, |last| last.wire_cmp(key)) {
            Ordering::Greater => {}
            Ordering::Equal => return Err(same_on_the_wire(key.key_text())),
            Ordering::Less => {
                w.rewind(mark);
                return put_unordered::<KK, VK, K, V>(entries, number, w);
            }
        }
        last = Some(key);
        put_entry::<KK, VK, K, V>(key, value, number, w)?;
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn same_on_the_wire(key: String) -> Error {
    Error::invalid("two keys of the map are the same on the wire").in_key(key)
}

/// Takes one entry. An error in its value names its key.
#[inline]
fn take_entry<KK: Kind, VK: Kind, K: WireKey<KK>, V: Wire<VK>>(
    r: &mut Reader<'_>,
) -> Result<(K, V), Error> {
    r.message(|r| {
        let mut key = None;
        let mut value = None;
        loop {
            let tag = match r.tag() {
                Ok(Some(tag)) => tag,
                Ok(None) => break,
                Err(error) => return Err(in_entry::<KK, K>(error, key.as_ref())),
            };
            let offset = r.offset();
            match tag.number {
                KEY => {
                    if let Err(error) = take_once::<KK, K>(&mut key, tag, r) {
                        return Err(r.locate(error, offset).in_field("key"));
                    }
                }
                VALUE => {
                    if let Err(error) = take_once::<VK, V>(&mut value, tag, r) {
                        let error = r.locate(error, offset);
                        if key.is_none() && r.recover(offset, tag.wire_type) {
                            key = key_ahead::<KK, K>(r);
                        }
                        return Err(in_entry::<KK, K>(error, key.as_ref()));
                    }
                }
                number => {
                    let error = r.locate(no_such_field(number), offset);
                    return Err(in_entry::<KK, K>(error, key.as_ref()));
                }
            }
        }
        let key = match key {
            Some(key) => key,
            None => K::of_default().map_err(|error| error.in_field("key"))?,
        };
        match value {
            Some(value) => Ok((key, value)),
            None => match V::of_default() {
                Ok(value) => Ok((key, value)),
                Err(error) => Err(error.in_key(key.key_text())),
            },
        }
    })
}

#[cold]
#[inline(never)]
fn no_such_field(number: u32) -> Error {
    Error::invalid(format!("a map entry has no field {number}"))
}

#[cold]
#[inline(never)]
fn in_entry<KK: Kind, K: WireKey<KK>>(error: Error, key: Option<&K>) -> Error {
    match key {
        Some(key) => error.in_key(key.key_text()),
        None => error,
    }
}

/// The key of an entry whose value came first and is wrong.
#[cold]
#[inline(never)]
fn key_ahead<KK: Kind, K: WireKey<KK>>(r: &mut Reader<'_>) -> Option<K> {
    while let Ok(Some(tag)) = r.tag() {
        if tag.number == KEY {
            expect_wire_type::<KK>(tag).ok()?;
            return K::take(r).ok();
        }
        r.skip(tag.wire_type).ok()?;
    }
    None
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
    type Slot = Self;

    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        put_ordered::<KK, VK, K, V>(self.iter(), number, w)?;
        Ok(number)
    }

    fn take_field(slot: &mut Self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        expect_entry(tag)?;
        let (key, value) = take_entry::<KK, VK, K, V>(r)?;
        match slot.entry(key) {
            btree_map::Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
            btree_map::Entry::Occupied(entry) => Err(key_twice(entry.key().key_text())),
        }
    }

    #[inline]
    fn finish_field(slot: Self) -> Result<Self, Error> {
        Ok(slot)
    }

    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        if V::LEAF {
            return Ok(());
        }
        for (key, value) in self {
            walk.key(&key.key_text(), |walk| value.walk(walk))?;
        }
        Ok(())
    }
}

impl<KK: Kind, VK: Kind, K, V, S> WireField<Map<KK, VK>> for HashMap<K, V, S>
where
    K: WireKey<KK> + Eq + Hash,
    V: Wire<VK>,
    S: BuildHasher + Default,
{
    const LEAF: bool = V::LEAF;
    type Slot = Self;

    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        put_unordered::<KK, VK, K, V>(self.iter(), number, w)?;
        Ok(number)
    }

    fn take_field(slot: &mut Self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        expect_entry(tag)?;
        let (key, value) = take_entry::<KK, VK, K, V>(r)?;
        match slot.entry(key) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
            hash_map::Entry::Occupied(entry) => Err(key_twice(entry.key().key_text())),
        }
    }

    #[inline]
    fn finish_field(slot: Self) -> Result<Self, Error> {
        Ok(slot)
    }

    /// In the order of the wire, so that the controllers inside are found in the same order in
    /// every process.
    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        if V::LEAF {
            return Ok(());
        }
        let mut entries: Vec<(&K, &mut V)> = self.iter_mut().collect();
        entries.sort_unstable_by(|a, b| a.0.wire_cmp(b.0));
        for (key, value) in entries {
            walk.key(&key.key_text(), |walk| value.walk(walk))?;
        }
        Ok(())
    }
}

#[inline]
fn expect_entry(tag: Tag) -> Result<(), Error> {
    match tag.wire_type {
        WireType::Len => Ok(()),
        _ => Err(wrong_wire_type(tag, WireType::Len.as_str())),
    }
}
