//! Lists the differences within one message.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};

use super::key::{Element, same};
use super::{Changes, align};
use crate::fields::{Unknown, present, unknown};
use crate::show::{self, key};
use crate::tree::ANY;

impl Changes<'_> {
    fn say_at(&mut self, path: &str, change: &str) -> io::Result<()> {
        self.say(&format!("{path} {change}"))
    }

    pub(super) fn message(
        &mut self,
        a: &DynamicMessage,
        b: &DynamicMessage,
        path: &str,
    ) -> io::Result<()> {
        let there = |message: &DynamicMessage| -> Vec<u32> {
            present(message).iter().map(|(field, _)| field.number()).collect()
        };
        let (one, other) = (there(a), there(b));
        let numbers: BTreeSet<u32> = one.iter().chain(&other).copied().collect();
        for number in numbers {
            let Some(field) = a.descriptor().get_field(number) else { continue };
            let path = match path {
                "" => field.name().to_owned(),
                path => format!("{path}.{}", field.name()),
            };
            let in_both = [one.contains(&number), other.contains(&number)];
            self.field(&field, [a, b], in_both, &path)?;
        }
        self.unknown(&unknown(a), &unknown(b), path)
    }

    /// Compares unknown fields by number; fields with the same number are compared in their order.
    fn unknown(&mut self, a: &[Unknown], b: &[Unknown], path: &str) -> io::Result<()> {
        let of = |fields: &[Unknown], number| -> Vec<Unknown> {
            fields.iter().filter(|field| field.number == number).cloned().collect()
        };
        let numbers: BTreeSet<u32> = a.iter().chain(b).map(|field| field.number).collect();
        let space = if path.is_empty() { "" } else { " " };
        for number in numbers {
            let path = format!("{path}{space}unknown field {number}");
            let (one, other) = (of(a, number), of(b, number));
            for at in 0..one.len().max(other.len()) {
                let change = match (one.get(at), other.get(at)) {
                    (Some(a), Some(b)) if a == b => continue,
                    (Some(a), Some(b)) => {
                        let (one, other) = (show::unknown(a), show::unknown(b));
                        let differ =
                            if one == other { differ(&a.bytes, &b.bytes) } else { String::new() };
                        format!("{one} -> {other}{differ}")
                    }
                    (Some(a), None) => format!("removed, was {}", show::unknown(a)),
                    (None, Some(b)) => format!("added, {}", show::unknown(b)),
                    (None, None) => continue,
                };
                self.say_at(&path, &change)?;
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &FieldDescriptor,
        [a, b]: [&DynamicMessage; 2],
        [in_a, in_b]: [bool; 2],
        path: &str,
    ) -> io::Result<()> {
        let (one, other) = (a.get_field(field), b.get_field(field));
        let kind = field.kind();
        match (one.as_ref(), other.as_ref()) {
            (Value::Map(one), Value::Map(other)) => {
                let Kind::Message(entry) = kind else { return Ok(()) };
                let kind = entry.map_entry_value_field().kind();
                let sorted = |map| -> BTreeMap<&MapKey, &Value> { HashMap::iter(map).collect() };
                let (one, other) = (sorted(one), sorted(other));
                let keys: BTreeSet<_> = one.keys().chain(other.keys()).copied().collect();
                for found in keys {
                    let path = format!("{path}{}", key(found));
                    self.either_value(
                        &kind,
                        one.get(found).copied(),
                        other.get(found).copied(),
                        &path,
                    )?;
                }
                Ok(())
            }
            (Value::List(one), Value::List(other)) => self.list(field, one, other, path),
            (one, other) => {
                let shown = |is_there: bool| is_there || !field.supports_presence();
                let (one, other) =
                    (Some(one).filter(|_| shown(in_a)), Some(other).filter(|_| shown(in_b)));
                self.either_value(&kind, one, other, path)
            }
        }
    }

    /// A removed element has its index in the earlier list, every other element its index in the later one.
    fn list(
        &mut self,
        field: &FieldDescriptor,
        a: &[Value],
        b: &[Value],
        path: &str,
    ) -> io::Result<()> {
        let kind = field.kind();
        // Payloads are compared separately.
        if is_payload(&kind) {
            return Ok(());
        }
        let keys = |values| -> Vec<Element<'_>> { <[Value]>::iter(values).map(Element).collect() };
        let numbered =
            |values| -> Vec<(usize, &Value)> { <[Value]>::iter(values).enumerate().collect() };
        let (one, other) = (numbered(a), numbered(b));
        for (a, b) in align::changes(&keys(a), &keys(b), &one, &other, self.deadline) {
            let Some((index, _)) = b.or(a) else { continue };
            let path = format!("{path}[{index}]");
            self.either_value(
                &kind,
                a.map(|(_, value)| *value),
                b.map(|(_, value)| *value),
                &path,
            )?;
        }
        Ok(())
    }

    fn either_value(
        &mut self,
        kind: &Kind,
        a: Option<&Value>,
        b: Option<&Value>,
        path: &str,
    ) -> io::Result<()> {
        // Payloads are compared separately, by their ids.
        if is_payload(kind) {
            return Ok(());
        }
        match (a, b) {
            (Some(Value::Message(a)), Some(Value::Message(b))) => self.message(a, b, path),
            (Some(a), Some(b)) if same(a, b) => Ok(()),
            (Some(a), Some(b)) => {
                let (one, other) = (show::value(kind, a), show::value(kind, b));
                // The values may differ in a part that is not shown.
                let differ = if one == other { from_where(a, b) } else { String::new() };
                self.say_at(path, &format!("{one} -> {other}{differ}"))
            }
            (Some(a), None) => self.say_at(path, &format!("removed, was {}", show::value(kind, a))),
            (None, Some(b)) => self.say_at(path, &format!("added, {}", show::value(kind, b))),
            (None, None) => Ok(()),
        }
    }
}

fn is_payload(kind: &Kind) -> bool {
    matches!(kind, Kind::Message(message) if message.full_name() == ANY)
}

fn from_where(a: &Value, b: &Value) -> String {
    let bytes = |value: &Value| match value {
        Value::String(text) => text.clone().into_bytes(),
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::F32(n) => n.to_be_bytes().to_vec(),
        Value::F64(n) => n.to_be_bytes().to_vec(),
        _ => Vec::new(),
    };
    differ(&bytes(a), &bytes(b))
}

fn differ(a: &[u8], b: &[u8]) -> String {
    match a.iter().zip(b).position(|(a, b)| a != b) {
        Some(place) => format!(", which differ from byte {place} on"),
        None => format!(", of {} and {} bytes", a.len(), b.len()),
    }
}
