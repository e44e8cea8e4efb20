//! Keys that distinguish the elements of two lists. Nothing is copied and little is hashed, so aligning
//! lists takes no more time than comparing them, at any depth of nesting.

use std::hash::{Hash, Hasher};

use prost_reflect::{DynamicMessage, Value};

use crate::fields::{present, unknown};
use crate::tree::Place;

/// The number of values of an element that its hash covers.
const HASHED: usize = 32;
/// The number of bytes at each end of a text that its hash covers.
const END: usize = 32;

/// An element of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a>(pub(super) &'a Value);

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        same(self.0, other.0)
    }
}

impl Eq for Element<'_> {}

impl Hash for Element<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_value(self.0, &mut { HASHED }, state);
    }
}

/// A place of the tree, identified by the payloads at it and below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payloads<'a>(pub(super) &'a Place);

impl PartialEq for Payloads<'_> {
    fn eq(&self, other: &Self) -> bool {
        same_payloads(self.0, other.0)
    }
}

impl Eq for Payloads<'_> {}

impl Hash for Payloads<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0.payload {
            Some(payload) => {
                payload.type_url.hash(state);
                hash_ends(&payload.bytes, state);
            }
            None => self.0.places.len().hash(state),
        }
    }
}

fn same_payloads(a: &Place, b: &Place) -> bool {
    match (&a.payload, &b.payload) {
        (Some(a), Some(b)) => a.type_url == b.type_url && a.bytes == b.bytes,
        (None, None) => {
            a.places.len() == b.places.len()
                && a.places
                    .iter()
                    .zip(&b.places)
                    .all(|(a, b)| a.step == b.step && same_payloads(a, b))
        }
        _ => false,
    }
}

/// Whether two values have the same bits and the same unknown fields. A NaN equals itself.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (Value::Message(a), Value::Message(b)) => same_message(a, b),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|other| same(a, other)))
        }
        (a, b) => a == b,
    }
}

fn same_message(a: &DynamicMessage, b: &DynamicMessage) -> bool {
    let (one, other) = (present(a), present(b));
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|((field, a), (other, b))| field.number() == other.number() && same(a, b))
        && unknown(a) == unknown(b)
}

/// Hashes a value. Values that are the [`same`] have the same hash.
fn hash_value(value: &Value, left: &mut usize, state: &mut impl Hasher) {
    let Some(fewer) = left.checked_sub(1) else { return };
    *left = fewer;
    match value {
        Value::Bool(it) => it.hash(state),
        Value::I32(number) | Value::EnumNumber(number) => number.hash(state),
        Value::I64(number) => number.hash(state),
        Value::U32(number) => number.hash(state),
        Value::U64(number) => number.hash(state),
        Value::F32(number) => number.to_bits().hash(state),
        Value::F64(number) => number.to_bits().hash(state),
        Value::String(text) => hash_ends(text.as_bytes(), state),
        Value::Bytes(bytes) => hash_ends(bytes, state),
        Value::Message(message) => {
            for (field, value) in message.fields() {
                if *left == 0 {
                    return;
                }
                field.number().hash(state);
                hash_value(value, left, state);
            }
        }
        Value::List(values) => {
            values.len().hash(state);
            values.iter().take(*left).for_each(|value| hash_value(value, left, state));
        }
        // The entries of a map have no order.
        Value::Map(entries) => entries.len().hash(state),
    }
}

fn hash_ends(bytes: &[u8], state: &mut impl Hasher) {
    bytes.len().hash(state);
    bytes.get(..END).unwrap_or(bytes).hash(state);
    bytes.get(bytes.len().saturating_sub(END)..).hash(state);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::hash::DefaultHasher;

    use prost_reflect::MapKey;

    use super::*;

    fn hash(value: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        Element(value).hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn values_with_the_same_bits_are_equal_and_have_the_same_hash() {
        let map = |numbers: &[i32]| {
            let entries = numbers.iter().map(|n| (MapKey::I32(*n), Value::I32(*n)));
            Value::Map(entries.collect::<HashMap<_, _>>())
        };
        for (a, b) in [
            (Value::F64(f64::NAN), Value::F64(f64::NAN)),
            (map(&[1, 2, 3]), map(&[3, 2, 1])),
            (Value::List(vec![Value::U32(7); 99]), Value::List(vec![Value::U32(7); 99])),
        ] {
            assert!(Element(&a) == Element(&b), "{a:?}");
            assert_eq!(hash(&a), hash(&b), "{a:?}");
        }
        let long = |middle: &str| Value::String(format!("{0}{middle}{0}", "x".repeat(END)));
        for (a, b) in [
            (Value::F32(0.0), Value::F32(-0.0)),
            (map(&[1]), map(&[2])),
            // They differ in a part that the hash does not cover.
            (long("a"), long("b")),
        ] {
            assert!(Element(&a) != Element(&b), "{a:?}");
        }
    }
}
