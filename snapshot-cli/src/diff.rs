//! `snapshot diff`: what changed, in words.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};

use crate::cli::{Diff, Options};
use crate::input;
use crate::schemas::Schemas;
use crate::show::{self, key, line, plural, size};
use crate::tree::{ANY, Content, Payload};
use crate::{Problem, Verdict};

pub(crate) fn run(
    of: &Diff,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let before = input::read(&of.before, options)?.payloads(schemas)?;
    let after = input::read(&of.after, options)?.payloads(schemas)?;
    let changes = changes(&before, &after);
    for change in &changes {
        writeln!(out, "{}", line(change))?;
    }
    Ok(if changes.is_empty() { Verdict::Fine } else { Verdict::Findings })
}

/// Everything that differs, a line each, in the order of the later snapshot.
pub(crate) fn changes(before: &Payload, after: &Payload) -> Vec<String> {
    let mut changes = Vec::new();
    let by_id = |root| -> HashMap<(String, usize), _> {
        let mut met: HashMap<&str, usize> = HashMap::new();
        let all: Vec<&Payload> = Payload::all(root);
        let numbered = all.into_iter().map(|payload| {
            // Two of one id are wrong, but may be there.
            let count = met.entry(&payload.id).or_default();
            *count += 1;
            ((payload.id.clone(), *count), payload)
        });
        numbered.collect()
    };
    let (earlier, later) = (by_id(before), by_id(after));
    let mut ids: Vec<_> = earlier.keys().chain(later.keys()).collect();
    ids.sort();
    ids.dedup();
    for place in ids {
        match (earlier.get(place), later.get(place)) {
            (Some(a), Some(b)) => payload(a, b, &mut changes),
            (Some(a), None) => changes.push(format!("{}: removed, {}", a.id, what(a))),
            (None, Some(b)) => changes.push(format!("{}: added, {}", b.id, what(b))),
            (None, None) => {}
        }
    }
    changes
}

fn what(payload: &Payload) -> String {
    format!("a {} of {}", payload.message_name(), size(payload.bytes.len() as u64))
}

fn payload(a: &Payload, b: &Payload, changes: &mut Vec<String>) {
    let id = &a.id;
    if a.type_url != b.type_url {
        changes.push(format!("{id}: type URL {:?} -> {:?}", a.type_url, b.type_url));
        return;
    }
    if a.bytes == b.bytes {
        return;
    }
    let before = changes.len();
    match (&a.content, &b.content) {
        (Content::Message(one), Content::Message(other)) => {
            let mut found = Changes { id, lines: changes };
            found.message(one, other, "");
            if changes.len() == before && a.children.is_empty() && b.children.is_empty() {
                changes.push(format!("{id}: says the same, in other bytes"));
            }
        }
        _ => {
            let sizes = [a, b].map(|p| plural(p.bytes.len(), "byte", "bytes"));
            let [one, other] = sizes;
            changes.push(format!("{id}: {one} that cannot be read -> {other}"));
        }
    }
}

struct Changes<'a> {
    id: &'a str,
    lines: &'a mut Vec<String>,
}

impl Changes<'_> {
    fn tell(&mut self, path: &str, change: String) {
        self.lines.push(format!("{}: {path} {change}", self.id));
    }

    fn message(&mut self, a: &DynamicMessage, b: &DynamicMessage, path: &str) {
        let numbers: BTreeSet<u32> =
            a.fields().chain(b.fields()).map(|(field, _)| field.number()).collect();
        for number in numbers {
            let Some(field) = a.descriptor().get_field(number) else { continue };
            let path = match path {
                "" => field.name().to_owned(),
                path => format!("{path}.{}", field.name()),
            };
            self.field(&field, a, b, &path);
        }
        let unknown = |message: &DynamicMessage| -> Vec<String> {
            message.unknown_fields().map(|field| format!("{field:?}")).collect()
        };
        let (one, other) = (unknown(a), unknown(b));
        if one != other {
            let path = if path.is_empty() { "." } else { path };
            let counts =
                [one.len(), other.len()].map(|n| plural(n, "unknown field", "unknown fields"));
            self.tell(path, format!("{} -> {}", counts[0], counts[1]));
        }
    }

    fn field(
        &mut self,
        field: &FieldDescriptor,
        a: &DynamicMessage,
        b: &DynamicMessage,
        path: &str,
    ) {
        let (one, other) = (a.get_field(field), b.get_field(field));
        let kind = field.kind();
        match (one.as_ref(), other.as_ref()) {
            (Value::Map(one), Value::Map(other)) => {
                let Kind::Message(entry) = kind else { return };
                let kind = entry.map_entry_value_field().kind();
                let sorted = |map| -> BTreeMap<&MapKey, &Value> { HashMap::iter(map).collect() };
                let (one, other) = (sorted(one), sorted(other));
                let keys: BTreeSet<_> = one.keys().chain(other.keys()).copied().collect();
                for found in keys {
                    let path = format!("{path}{}", key(found));
                    self.either(&kind, one.get(found).copied(), other.get(found).copied(), &path);
                }
            }
            (Value::List(one), Value::List(other)) => {
                for index in 0..one.len().max(other.len()) {
                    let path = format!("{path}[{index}]");
                    self.either(&kind, one.get(index), other.get(index), &path);
                }
            }
            (one, other) => {
                let there = |message: &DynamicMessage| {
                    !field.supports_presence() || message.has_field(field)
                };
                let (one, other) =
                    (Some(one).filter(|_| there(a)), Some(other).filter(|_| there(b)));
                self.either(&kind, one, other, path);
            }
        }
    }

    fn either(&mut self, kind: &Kind, a: Option<&Value>, b: Option<&Value>, path: &str) {
        // Payloads are compared for themselves, by their ids.
        if let Kind::Message(message) = kind
            && message.full_name() == ANY
        {
            return;
        }
        match (a, b) {
            (Some(Value::Message(a)), Some(Value::Message(b))) => self.message(a, b, path),
            (Some(a), Some(b)) if same(a, b) => {}
            (Some(a), Some(b)) => {
                let change = match (show::value(kind, a), show::value(kind, b)) {
                    // They differ where it is not shown.
                    (one, other) if one == other => format!("{one} -> {other}{}", from_where(a, b)),
                    (one, other) => format!("{one} -> {other}"),
                };
                self.tell(path, change);
            }
            (Some(a), None) => self.tell(path, format!("removed, was {}", show::value(kind, a))),
            (None, Some(b)) => self.tell(path, format!("added, {}", show::value(kind, b))),
            (None, None) => {}
        }
    }
}

/// Bit for bit, where a NaN is itself.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

fn from_where(a: &Value, b: &Value) -> String {
    let bytes = |value: &Value| match value {
        Value::String(text) => text.clone().into_bytes(),
        Value::Bytes(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    };
    let (a, b) = (bytes(a), bytes(b));
    match a.iter().zip(&b).position(|(a, b)| a != b) {
        Some(place) => format!(", which differ from byte {place} on"),
        None => format!(", of {} and {} bytes", a.len(), b.len()),
    }
}
