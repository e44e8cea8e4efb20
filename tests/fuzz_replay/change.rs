//! Changes of an input: of its bytes and of its protobuf fields.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Cut(Index),
    /// Joins the beginning of one input and the end of another.
    Splice(Index, Index),
    /// Changes the field at this index among all fields of all levels, and corrects the lengths around it.
    Field(Index, Edit),
}

/// A change of one field.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Remove,
    Duplicate,
    Last,
    Renumber(u32),
    Varint(u64),
    Content(Vec<u8>),
    Append(Vec<u8>),
}

pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 0..8)
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        1 => (at(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => (at(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (at(), 1..16u8).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), at()).prop_map(|(here, there)| Change::Splice(here, there)),
        4 => (at(), edit()).prop_map(|(at, edit)| Change::Field(at, edit)),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let number = prop_oneof![0..16u64, 0..=u64::MAX, Just(1 << 30), Just(u64::from(u32::MAX))];
    prop_oneof![
        Just(Edit::Remove),
        Just(Edit::Duplicate),
        Just(Edit::Last),
        (1..16u32).prop_map(Edit::Renumber),
        number.prop_map(Edit::Varint),
        vec(any::<u8>(), 0..8).prop_map(Edit::Content),
        prop_oneof![
            vec(any::<u8>(), 0..8),
            Just(b"\x08\x01".to_vec()),
            Just(b"\x0a\x00\x12\x00".to_vec()),
        ]
        .prop_map(Edit::Append),
    ]
}

impl Change {
    pub(crate) fn apply(&self, input: &mut Vec<u8>, other: &[u8]) {
        // The first byte selects a kind; the other changes may also change it.
        let Some((&first, body)) = input.split_first() else { return };
        match self {
            Change::Flip(at, bits) => {
                let at = at.index(input.len());
                input[at] ^= bits;
            }
            Change::Insert(at, bytes) => {
                let at = at.index(input.len() + 1);
                input.splice(at..at, bytes.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = at.index(input.len());
                let end = input.len().min(at + usize::from(*count));
                input.drain(at..end);
            }
            Change::Cut(at) => input.truncate(at.index(input.len() + 1)),
            Change::Splice(here, there) => {
                input.truncate(here.index(input.len() + 1));
                input.extend(&other[there.index(other.len() + 1)..]);
            }
            Change::Field(at, edit) => {
                let Some(mut fields) = parse(body) else { return };
                let count = count(&fields);
                if count > 0 {
                    change_field(&mut fields, &mut at.index(count), edit);
                    *input = vec![first];
                    fields.iter().for_each(|field| field.put(input));
                }
            }
        }
    }
}

/// A field, if the bytes look like one.
#[derive(Clone, Debug)]
struct Field {
    number: u32,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn parse(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes)?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number))?;
        let value = match tag & 7 {
            0 => Value::Varint(take_varint(&mut bytes)?),
            1 => {
                let (value, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                Value::Fixed64(*value)
            }
            2 => {
                let length = usize::try_from(take_varint(&mut bytes)?).ok()?;
                let (content, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                match parse(content) {
                    Some(fields) if !fields.is_empty() => Value::Message(fields),
                    _ => Value::Bytes(content.to_vec()),
                }
            }
            5 => {
                let (value, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                Value::Fixed32(*value)
            }
            _ => return None,
        };
        fields.push(Field { number, value });
    }
    Some(fields)
}

impl Field {
    fn put(&self, out: &mut Vec<u8>) {
        let mut tag = |wire_type: u64| put_varint(u64::from(self.number) << 3 | wire_type, out);
        match &self.value {
            Value::Varint(value) => {
                tag(0);
                put_varint(*value, out);
            }
            Value::Fixed64(value) => {
                tag(1);
                out.extend(value);
            }
            Value::Fixed32(value) => {
                tag(5);
                out.extend(value);
            }
            Value::Bytes(content) => {
                tag(2);
                put_varint(content.len() as u64, out);
                out.extend(content);
            }
            Value::Message(fields) => {
                tag(2);
                let mut content = Vec::new();
                fields.iter().for_each(|field| field.put(&mut content));
                put_varint(content.len() as u64, out);
                out.extend(content);
            }
        }
    }
}

fn put_varint(value: u64, out: &mut Vec<u8>) {
    prost::encoding::encode_varint(value, out);
}

fn count(fields: &[Field]) -> usize {
    let inside = fields.iter().map(|field| match &field.value {
        Value::Message(fields) => count(fields),
        _ => 0,
    });
    fields.len() + inside.sum::<usize>()
}

/// Changes the field that `left` counts down to. Returns whether it was found here.
fn change_field(fields: &mut Vec<Field>, left: &mut usize, edit: &Edit) -> bool {
    for at in 0..fields.len() {
        if *left == 0 {
            edit_field(fields, at, edit);
            return true;
        }
        *left -= 1;
        if let Value::Message(inside) = &mut fields[at].value
            && change_field(inside, left, edit)
        {
            return true;
        }
    }
    false
}

fn edit_field(fields: &mut Vec<Field>, at: usize, edit: &Edit) {
    match edit {
        Edit::Remove => drop(fields.remove(at)),
        Edit::Duplicate => fields.insert(at, fields[at].clone()),
        Edit::Last => {
            let field = fields.remove(at);
            fields.push(field);
        }
        Edit::Renumber(number) => fields[at].number = *number,
        Edit::Varint(value) => fields[at].value = Value::Varint(*value),
        Edit::Content(content) => fields[at].value = Value::Bytes(content.clone()),
        Edit::Append(bytes) => match &mut fields[at].value {
            Value::Message(inside) => inside.extend(parse(bytes).unwrap_or_default()),
            Value::Bytes(content) => content.extend(bytes),
            Value::Varint(value) => *value = value.wrapping_add(1),
            Value::Fixed64(_) | Value::Fixed32(_) => {}
        },
    }
}
