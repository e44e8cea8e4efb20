//! Judges the values of a saved tree by the manifest of a destination. It finds the values that the
//! destination's schema would refuse, while the source still runs.
//!
//! The walk over the tree follows the descriptors of this build, which has just written it. The
//! destination's messages, fields and meanings are looked up alongside.

mod field;

use std::collections::{BTreeMap, HashMap};

use field::{Element, Judgement, Occurrences, both, missing, refusal};

use super::value::{Found, default_of, scalar};
use super::version_schema::KindParts;
use crate::codec::{Reader, wire_type_of};
use crate::error::{Error, Finding};
use crate::registry::Registry;
use crate::schema::kind::WireType;
use crate::schema::{FieldShape, Manifest, MessageDescriptor, ValueKind};
use crate::wire::v1::manifest::{Enum, Message, Payload};

/// The message of a `ControllerSet`, whose members are named by their ids.
const SET_ENTRY: &str = "snapshot.v1.ControllerSetSnapshot.Entry";

/// Judges the values of a saved tree by the manifest of a destination: compares each value with the
/// meaning of its field at the destination. `any` is the `Any` of the root payload
/// ([`Snapshot::any_bytes`](crate::Snapshot::any_bytes)), saved by the build of this registry.
///
/// Returns the values that the destination drops on purpose (`discard`), each with its controller
/// and field. [`compatible`](super::compatible) compares the schemas;
/// [`Source::preflight`](crate::Source::preflight) does both.
///
/// # Errors
///
/// One finding for each value that the destination would refuse. Also if the bytes are not a tree
/// of this registry.
///
/// ```
/// use snapshot_core::evolution::judge;
/// use snapshot_core::registry::Registry;
///
/// // Payloads that a side does not know are not judged.
/// let none = Registry::new([])?;
/// assert!(judge(b"", &none, &none.manifest())?.is_empty());
/// # Ok::<(), snapshot_core::Error>(())
/// ```
pub fn judge(any: &[u8], ours: &Registry, theirs: &Manifest) -> Result<Vec<Finding>, Error> {
    let judge = Judge {
        ours,
        payloads: theirs.payloads.iter().map(|p| (p.type_url.as_str(), p)).collect(),
        messages: theirs.messages.iter().map(|m| (m.name.as_str(), m)).collect(),
        enums: theirs.enums.iter().map(|e| (e.name.as_str(), e)).collect(),
    };
    let (judgement, _) = judge.any(&mut Reader::new(any))?;
    let Judgement { refused, dropped } = judgement.placed(Error::at_root);
    match refused {
        Some(refused) => Err(refused),
        None => Ok(dropped.iter().flat_map(Error::findings).cloned().collect()),
    }
}

struct Judge<'m> {
    ours: &'m Registry,
    payloads: HashMap<&'m str, &'m Payload>,
    messages: HashMap<&'m str, &'m Message>,
    enums: HashMap<&'m str, &'m Enum>,
}

impl<'m> Judge<'m> {
    /// Judges the payload in an `Any`, and returns its type URL.
    fn any(&self, r: &mut Reader<'_>) -> Result<(Judgement, String), Error> {
        let (mut type_url, mut value) = ("", None);
        while let Some(tag) = r.tag()? {
            match tag.number {
                1 => type_url = r.text()?,
                _ => value = Some(r.bytes()?),
            }
        }
        let judgement = self.payload(type_url, value.unwrap_or_default())?;
        Ok((judgement, type_url.to_owned()))
    }

    /// Whether the destination reads payloads with this type URL as those of another one.
    fn is_called(&self, type_url: &str, own: &str) -> bool {
        type_url == own
            || self
                .payloads
                .get(own)
                .is_some_and(|payload| payload.older.iter().any(|older| older.type_url == type_url))
    }

    fn payload(&self, type_url: &str, value: &[u8]) -> Result<Judgement, Error> {
        // A type that one side does not know is not judged by its values.
        let Some(ours) = self.ours.get(type_url) else { return Ok(Judgement::default()) };
        let by_older = || {
            let mut all = self.payloads.values();
            all.find(|to| to.older.iter().any(|older| older.type_url == type_url))
        };
        let theirs = self.payloads.get(type_url).or_else(by_older);
        let Some(theirs) = theirs else { return Ok(Judgement::default()) };
        let info = ours.info();
        let version = version_of(value, ours.descriptor())?;
        let own = info.older.iter().find(|older| older.version == version);
        let descriptor = own.and_then(|older| older.message).unwrap_or(ours.descriptor());
        let older = theirs.older.iter().find(|older| older.version == version);
        let older = older.filter(|older| !older.message.is_empty());
        let root = older.map_or(&theirs.message, |older| &older.message);
        let Some(message) = self.messages.get(root.as_str()) else {
            return Ok(Judgement::default());
        };
        let judgement = self.message(&mut Reader::new(value), descriptor, message, version)?;
        let name = info.id_field.and_then(|number| text_of(value, descriptor, number));
        Ok(judgement.placed(|error| {
            let error = match &name {
                Some(name) if !name.is_empty() => error.with_name(name),
                _ => error,
            };
            error.in_payload(info.message_name)
        }))
    }

    fn message(
        &self,
        r: &mut Reader<'_>,
        ours: &'static MessageDescriptor,
        theirs: &'m Message,
        version: u32,
    ) -> Result<Judgement, Error> {
        let mut fields: BTreeMap<u32, Occurrences<'m>> = BTreeMap::new();
        for field in theirs.fields.iter().filter(|field| field.since <= version) {
            let shape = ours.fields.iter().find_map(|f| f.shape_of(field.number));
            let (Some(shape), Some(name)) = (shape, ours.field_name(field.number)) else {
                continue;
            };
            fields.insert(
                field.number,
                Occurrences {
                    field,
                    name,
                    shape,
                    count: 0,
                    numbers: Vec::new(),
                    length: 0,
                    last: None,
                    refused: field.meanings.iter().map(|_| None).collect(),
                    inside: Judgement::default(),
                },
            );
        }
        while let Some(tag) = r.tag()? {
            match fields.get_mut(&tag.number) {
                Some(seen) => self.occurrence(seen, tag.wire_type, r, version)?,
                None => r.skip(tag.wire_type)?,
            }
        }
        Ok(self.end(fields, ours))
    }

    /// Judges one occurrence of a field.
    fn occurrence(
        &self,
        seen: &mut Occurrences<'m>,
        wire_type: WireType,
        r: &mut Reader<'_>,
        version: u32,
    ) -> Result<(), Error> {
        match seen.shape {
            FieldShape::Singular(kind) | FieldShape::Optional(kind) => {
                self.value(seen, kind, r, version, |judgement| judgement)
            }
            FieldShape::Repeated(kind) | FieldShape::Packed(kind) => {
                if wire_type == WireType::Len && wire_type_of(kind) != WireType::Len {
                    return r.packed(|r| self.element(seen, kind, r, version));
                }
                self.element(seen, kind, r, version)
            }
            FieldShape::Map(key, value) => r.message(|r| self.entry(seen, key, value, r, version)),
            FieldShape::Oneof(_) | FieldShape::Opaque => r.skip(wire_type),
        }
    }

    fn element(
        &self,
        seen: &mut Occurrences<'m>,
        kind: ValueKind,
        r: &mut Reader<'_>,
        version: u32,
    ) -> Result<(), Error> {
        let index = seen.count;
        self.value(seen, kind, r, version, |error| error.in_index(index))
    }

    fn entry(
        &self,
        seen: &mut Occurrences<'m>,
        key: ValueKind,
        value: ValueKind,
        r: &mut Reader<'_>,
        version: u32,
    ) -> Result<(), Error> {
        let mut text = String::new();
        let mut has_value = false;
        while let Some(tag) = r.tag()? {
            if tag.number == 1 {
                let found = scalar(key, r)?;
                text = key_text(key, &found);
                let field = seen.field;
                for (meaning, refused) in field.meanings.iter().zip(&mut seen.refused) {
                    let keys = meaning.keys.as_ref();
                    if let Some(reason) = keys.and_then(|keys| refusal(keys, &found)) {
                        let error = Error::precondition(reason).in_key(text.clone());
                        *refused = both(refused.take(), Some(error));
                    }
                }
            } else {
                has_value = true;
                self.value(seen, value, r, version, |error| error.in_key(text.clone()))?;
            }
        }
        seen.count += usize::from(!has_value);
        Ok(())
    }

    /// Judges one value of a field; `place` adds where in the field it is.
    fn value(
        &self,
        seen: &mut Occurrences<'m>,
        kind: ValueKind,
        r: &mut Reader<'_>,
        version: u32,
        place: impl Fn(Error) -> Error,
    ) -> Result<(), Error> {
        let type_name = KindParts::of(&seen.field.kind).value;
        let found = match kind {
            ValueKind::Message(descriptor) => {
                let descriptor = descriptor();
                let (inner, found) =
                    r.message(|r| self.nested(descriptor, type_name, r, version))?;
                seen.inside.add(inner.placed(&place));
                found
            }
            kind => scalar(kind, r)?,
        };
        seen.count += 1;
        match &found {
            Found::Int(number) => seen.numbers.push(*number),
            Found::Bytes(bytes) => seen.length = bytes.len(),
            Found::Float(_) | Found::Message | Found::Payload(_) => {}
        }
        if let (ValueKind::Enum(_), Found::Int(number)) = (kind, &found)
            && let Some(one) = self.enums.get(type_name)
            && !one.values.iter().any(|v| i128::from(v.number) == *number && v.since <= version)
        {
            let error = Error::precondition(format!(
                "is {number}, which the destination's enum does not have"
            ));
            seen.inside.refuse(place(error));
        }
        let element = match &found {
            Found::Int(number) => Some(Element::Int(*number)),
            Found::Bytes(bytes) => Some(Element::Bytes(bytes.to_vec())),
            Found::Float(_) | Found::Message | Found::Payload(_) => None,
        };
        let is_in_order = seen.last.as_ref().is_none_or(|last| Some(last) < element.as_ref());
        let field = seen.field;
        for (meaning, refused) in field.meanings.iter().zip(&mut seen.refused) {
            if meaning.ignored || meaning.discarded {
                continue;
            }
            let values = meaning.values.as_ref().and_then(|values| match &found {
                // One that is missing altogether is refused with its type.
                Found::Payload(type_url)
                    if type_url.is_empty() || self.is_called(type_url, &values.form) =>
                {
                    None
                }
                found => refusal(values, found),
            });
            let order = (meaning.set && !is_in_order)
                .then(|| "is not in ascending order, but the destination takes a set".to_owned());
            for reason in values.into_iter().chain(order) {
                *refused = both(refused.take(), Some(place(Error::precondition(reason))));
            }
        }
        seen.last = element;
        Ok(())
    }

    /// Judges a nested message. Protobuf's own messages of one value are judged as that value.
    fn nested(
        &self,
        descriptor: &'static MessageDescriptor,
        type_name: &str,
        r: &mut Reader<'_>,
        version: u32,
    ) -> Result<(Judgement, Found<'static>), Error> {
        let name = (descriptor.full_name)();
        if name == "google.protobuf.Any" {
            let (judgement, type_url) = self.any(r)?;
            return Ok((judgement, Found::Payload(type_url)));
        }
        if let Some(well_known) = name.strip_prefix("google.protobuf.") {
            let is_wrapper = well_known.ends_with("Value");
            let first = descriptor.fields.first().map(|field| field.shape);
            if let (true, Some(FieldShape::Singular(kind))) = (is_wrapper, first) {
                let wrapped = wrapped(kind, r)?;
                return Ok((Judgement::default(), wrapped));
            }
            if name == "google.protobuf.Duration" {
                // Its seconds. The type of the standard library has none below 0.
                return Ok((Judgement::default(), wrapped(ValueKind::Int64, r)?));
            }
            r.take_rest();
            return Ok((Judgement::default(), Found::Message));
        }
        let Some(theirs) = self.messages.get(type_name) else {
            r.take_rest();
            return Ok((Judgement::default(), Found::Message));
        };
        let id =
            (name == SET_ENTRY).then(|| text_of(r.fork().take_rest(), descriptor, 1)).flatten();
        let judgement = self.message(r, descriptor, theirs, version)?;
        let judgement = judgement.placed(|error| match &id {
            Some(id) => error.in_member(id),
            None => error,
        });
        Ok((judgement, Found::Message))
    }

    /// Judges the fields as a whole, at the end of the message.
    fn end(
        &self,
        mut fields: BTreeMap<u32, Occurrences<'m>>,
        ours: &'static MessageDescriptor,
    ) -> Judgement {
        let limits: HashMap<u32, Option<i128>> =
            fields.iter().map(|(number, seen)| (*number, seen.measure())).collect();
        for seen in fields.values_mut() {
            seen.end(&limits);
        }
        let mut judgement = Judgement::default();
        for seen in fields.values_mut() {
            let name = seen.name;
            let inside = std::mem::take(&mut seen.inside);
            judgement.add(inside.placed(|error| error.in_field(name)));
            // The state has one of these meanings; the manifest does not say which.
            if seen.refused.iter().all(Option::is_some)
                && let Some(refused) = seen.refused.first_mut().and_then(Option::take)
            {
                judgement.refuse(refused.in_field(name));
            }
        }
        for field in ours.fields {
            let FieldShape::Oneof(oneof) = field.shape else { continue };
            let members = oneof().members.iter().filter_map(|member| fields.get(&member.number));
            let is_required = |seen: &Occurrences<'_>| {
                !seen.field.meanings.is_empty() && seen.field.meanings.iter().all(|m| m.required)
            };
            let mut members = members.peekable();
            if members.peek().is_some()
                && members.clone().all(|seen| seen.count == 0)
                && members.any(is_required)
            {
                judgement.refuse(missing().in_field(field.name));
            }
        }
        judgement
    }
}

/// Reads the value of field 1, the only field of such a message. Text counts as absent, because its
/// bytes do not outlive the message.
fn wrapped(kind: ValueKind, r: &mut Reader<'_>) -> Result<Found<'static>, Error> {
    let mut found = match default_of(kind) {
        Some(Found::Int(number)) => Found::Int(number),
        Some(Found::Float(number)) => Found::Float(number),
        _ => Found::Message,
    };
    while let Some(tag) = r.tag()? {
        if tag.number != 1 {
            r.skip(tag.wire_type)?;
            continue;
        }
        found = match scalar(kind, r)? {
            Found::Int(number) => Found::Int(number),
            Found::Float(number) => Found::Float(number),
            Found::Bytes(_) | Found::Message | Found::Payload(_) => Found::Message,
        };
    }
    Ok(found)
}

/// The text of a map key, as in the paths of other errors.
fn key_text(kind: ValueKind, key: &Found<'_>) -> String {
    match (kind, key) {
        (ValueKind::Bool, Found::Int(number)) => (*number != 0).to_string(),
        (_, Found::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => key.to_string(),
    }
}

/// Returns the schema version in a payload.
fn version_of(value: &[u8], descriptor: &MessageDescriptor) -> Result<u32, Error> {
    let field = descriptor.fields.iter().find(|field| field.name == "schema_version");
    let number = field.map_or(0, |field| field.number);
    let mut r = Reader::new(value);
    while let Some(tag) = r.tag()? {
        if tag.number == number {
            return Ok(u32::try_from(r.varint()?).unwrap_or(u32::MAX));
        }
        r.skip(tag.wire_type)?;
    }
    Ok(0)
}

/// Returns the text or number in a field of a message, as the name of a controller.
fn text_of(message: &[u8], descriptor: &MessageDescriptor, number: u32) -> Option<String> {
    let shape = descriptor.fields.iter().find_map(|field| field.shape_of(number))?;
    let (FieldShape::Singular(kind) | FieldShape::Optional(kind)) = shape else { return None };
    let mut r = Reader::new(message);
    loop {
        let tag = r.tag().ok()??;
        if tag.number == number {
            return match scalar(kind, &mut r).ok()? {
                Found::Int(number) => Some(number.to_string()),
                Found::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
                Found::Float(_) | Found::Message | Found::Payload(_) => None,
            };
        }
        r.skip(tag.wire_type).ok()?;
    }
}
