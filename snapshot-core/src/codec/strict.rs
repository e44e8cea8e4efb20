//! Checks bytes by the descriptor of a message alone, as strictly as a read into a state.

use std::collections::HashSet;

use super::{Reader, Tag, duplicate, missing, wrong_wire_type};
use crate::Error;
use crate::schema::kind::WireType;
use crate::schema::{EnumDescriptor, FieldDescriptor, FieldShape, MessageDescriptor, ValueKind};

/// Checks the rest of `r`. Stops at the first error of each message.
pub(crate) fn check_strictly(message: &MessageDescriptor, r: &mut Reader<'_>) -> Result<(), Error> {
    let mut seen = SeenFields::default();
    let mut errors: Option<Error> = None;
    loop {
        let tag_at = r.offset();
        let tag = match r.tag() {
            Ok(Some(tag)) => tag,
            Ok(None) => break,
            Err(error) => {
                error.add_to(&mut errors);
                break;
            }
        };
        let value_at = r.offset();
        if let Err(error) = check_field(message, tag, &mut seen, r) {
            r.locate(error, tag_at).add_to(&mut errors);
            if !r.recover(value_at, tag.wire_type) {
                break;
            }
        }
    }
    errors.map_or(Ok(()), Err)
}

/// The fields of a message so far.
#[derive(Default)]
struct SeenFields {
    /// The fields that may occur once; for a oneof, the number of its lowest member.
    once: Vec<u32>,
    /// The keys of each map, as they are on the wire.
    keys: HashSet<(u32, Vec<u8>)>,
    /// The number of elements so far of each repeated field.
    elements: Vec<(u32, usize)>,
}

impl SeenFields {
    fn once(&mut self, number: u32) -> Result<(), Error> {
        if self.once.contains(&number) {
            return Err(duplicate());
        }
        self.once.push(number);
        Ok(())
    }

    fn next_index(&mut self, number: u32) -> usize {
        match self.elements.iter_mut().find(|(of, _)| *of == number) {
            Some((_, count)) => {
                *count += 1;
                *count - 1
            }
            None => {
                self.elements.push((number, 1));
                0
            }
        }
    }
}

fn check_field(
    message: &MessageDescriptor,
    tag: Tag,
    seen: &mut SeenFields,
    r: &mut Reader<'_>,
) -> Result<(), Error> {
    for field in message.fields {
        if let FieldShape::Oneof(oneof) = field.shape {
            if let Some(member) = oneof().members.iter().find(|m| m.number == tag.number) {
                return check_member(field, member, tag, seen, r)
                    .map_err(|error| error.in_field(member.name));
            }
        } else if field.number == tag.number {
            return check_shape(field, tag, seen, r).map_err(|error| error.in_field(field.name));
        }
    }
    let (number, wire_type) = (tag.number, tag.wire_type.as_str());
    let message = (message.full_name)();
    Err(Error::invalid(format!("unknown field {number} ({wire_type}) in {message}")))
}

fn check_member(
    oneof: &FieldDescriptor,
    member: &FieldDescriptor,
    tag: Tag,
    seen: &mut SeenFields,
    r: &mut Reader<'_>,
) -> Result<(), Error> {
    match seen.once(oneof.number) {
        Ok(()) => check_shape(member, tag, &mut SeenFields::default(), r),
        Err(_) => Err(Error::invalid("another member of the same oneof is already set")),
    }
}

fn check_shape(
    field: &FieldDescriptor,
    tag: Tag,
    seen: &mut SeenFields,
    r: &mut Reader<'_>,
) -> Result<(), Error> {
    match field.shape {
        FieldShape::Singular(kind) | FieldShape::Optional(kind) => {
            expect(tag, wire_type_of(kind))?;
            seen.once(field.number)?;
            check_value(kind, r)
        }
        FieldShape::Repeated(kind) | FieldShape::Packed(kind) => {
            let of_element = wire_type_of(kind);
            if tag.wire_type == WireType::Len && of_element != WireType::Len {
                return r.packed(|r| {
                    let index = seen.next_index(field.number);
                    check_value(kind, r).map_err(|error| error.in_index(index))
                });
            }
            expect(tag, of_element)?;
            let index = seen.next_index(field.number);
            check_value(kind, r).map_err(|error| error.in_index(index))
        }
        FieldShape::Map(key, value) => {
            expect(tag, WireType::Len)?;
            let key = r.message(|r| check_entry(key, value, r))?;
            match seen.keys.insert((field.number, key)) {
                true => Ok(()),
                false => Err(duplicate()),
            }
        }
        FieldShape::Oneof(_) | FieldShape::Opaque => Err(Error::invalid(
            "its type has no schema, so its content cannot be checked: derive \
             `snapshot_core::Schema` for the type",
        )),
    }
}

/// Checks a map entry. Returns its key as it is on the wire; empty for the default.
fn check_entry(key: ValueKind, value: ValueKind, r: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
    const KEY: u32 = 1;
    const VALUE: u32 = 2;
    let mut seen = SeenFields::default();
    let mut found = Vec::new();
    while let Some(tag) = r.tag()? {
        let offset = r.offset();
        let part = match tag.number {
            KEY => key,
            VALUE => value,
            number => {
                let error = Error::invalid(format!("a map entry has no field {number}"));
                return Err(r.locate(error, offset));
            }
        };
        let start = r.fork();
        let result = expect(tag, wire_type_of(part))
            .and_then(|()| seen.once(tag.number))
            .and_then(|()| check_value(part, r));
        if let Err(error) = result {
            let error = r.locate(error, offset);
            return Err(if tag.number == KEY { error.in_field("key") } else { error });
        }
        if tag.number == KEY {
            found = start.up_to(r).to_vec();
        }
    }
    // A default key that is written is the same as none.
    if found.iter().all(|&byte| byte == 0) {
        found.clear();
    }
    if !seen.once.contains(&VALUE)
        && let ValueKind::Enum(descriptor) = value
        && descriptor().value(0).is_none()
    {
        return Err(missing());
    }
    Ok(found)
}

fn expect(tag: Tag, expected: WireType) -> Result<(), Error> {
    match tag.wire_type == expected {
        true => Ok(()),
        false => Err(wrong_wire_type(tag, expected.as_str())),
    }
}

/// Source: <https://protobuf.dev/programming-guides/encoding/#structure>.
pub(crate) fn wire_type_of(kind: ValueKind) -> WireType {
    match kind {
        ValueKind::Int32
        | ValueKind::Int64
        | ValueKind::Uint32
        | ValueKind::Uint64
        | ValueKind::Sint32
        | ValueKind::Sint64
        | ValueKind::Bool
        | ValueKind::Enum(_) => WireType::Varint,
        ValueKind::Fixed64 | ValueKind::Sfixed64 | ValueKind::Double => WireType::Fixed64,
        ValueKind::Fixed32 | ValueKind::Sfixed32 | ValueKind::Float => WireType::Fixed32,
        ValueKind::String | ValueKind::Bytes | ValueKind::Message(_) => WireType::Len,
    }
}

fn check_value(kind: ValueKind, r: &mut Reader<'_>) -> Result<(), Error> {
    let offset = r.offset();
    let result = match kind {
        ValueKind::Int32 => fits::<i32, _>("int32", r.varint()? as i64),
        ValueKind::Uint32 => fits::<u32, _>("uint32", r.varint()?),
        ValueKind::Sint32 => {
            let raw = r.varint()?;
            fits::<i32, _>("sint32", (raw >> 1) as i64 ^ -((raw & 1) as i64))
        }
        ValueKind::Bool => match r.varint()? {
            0 | 1 => Ok(()),
            other => {
                Err(Error::invalid(format!("{other} does not fit in bool, which holds 0 to 1")))
            }
        },
        ValueKind::Enum(descriptor) => is_value(descriptor(), r.varint()? as i64),
        ValueKind::String => r.text().map(drop),
        ValueKind::Message(descriptor) => r.message(|r| check_strictly(descriptor(), r)),
        ValueKind::Int64
        | ValueKind::Uint64
        | ValueKind::Sint64
        | ValueKind::Fixed64
        | ValueKind::Sfixed64
        | ValueKind::Double
        | ValueKind::Fixed32
        | ValueKind::Sfixed32
        | ValueKind::Float
        | ValueKind::Bytes => r.skip(wire_type_of(kind)),
    };
    result.map_err(|error| r.locate(error, offset))
}

fn fits<T: TryFrom<N>, N>(name: &str, value: N) -> Result<(), Error>
where
    N: Copy + std::fmt::Display,
{
    match T::try_from(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::invalid(format!("{value} does not fit {name}"))),
    }
}

fn is_value(descriptor: &EnumDescriptor, number: i64) -> Result<(), Error> {
    match i32::try_from(number).ok().and_then(|number| descriptor.value(number)) {
        Some(_) => Ok(()),
        None => Err(Error::invalid(format!("{number} is not a value of {}", descriptor.name))),
    }
}
