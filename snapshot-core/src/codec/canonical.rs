//! Converts a message that prost has written to canonical form: prost writes maps in the order of
//! their hashes, and omits defaults in their entries.

use super::{Reader, wire_type_of};
use crate::Error;
use crate::schema::kind::WireType;
use crate::schema::{FieldShape, MessageDescriptor, ValueKind};

/// A field, or an entry of a map, with its sort key.
struct Piece {
    number: u32,
    key: SortKey,
    bytes: Vec<u8>,
}

/// The key of a map entry, in the order of the wire: integers by value, strings by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    /// Not a map: fields keep their own order.
    None,
    Number(i128),
    Text(Vec<u8>),
}

/// Returns the bytes of a valid message (see [`check_strictly`](super::check_strictly)) in the form
/// in which they are saved: fields in ascending number, maps sorted, entries with key and value.
pub(crate) fn canonical(message: &MessageDescriptor, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut r = Reader::without_places(bytes);
    let mut pieces = Vec::new();
    loop {
        let start = r.fork();
        let Some(tag) = r.tag()? else { break };
        let shape = message.fields.iter().find_map(|field| field.shape_of(tag.number));
        let (key, value) = match shape {
            Some(FieldShape::Map(key, value)) => {
                let (key, entry) = entry(key, value, r.bytes()?)?;
                (key, Some(entry))
            }
            Some(
                FieldShape::Singular(ValueKind::Message(inner))
                | FieldShape::Optional(ValueKind::Message(inner))
                | FieldShape::Repeated(ValueKind::Message(inner)),
            ) => (SortKey::None, Some(canonical(inner(), r.bytes()?)?)),
            _ => {
                r.skip(tag.wire_type)?;
                (SortKey::None, None)
            }
        };
        let bytes = match value {
            None => start.up_to(&r).to_vec(),
            Some(value) => {
                let mut bytes = Vec::with_capacity(value.len() + 4);
                prost::encoding::bytes::encode(tag.number, &value, &mut bytes);
                bytes
            }
        };
        pieces.push(Piece { number: tag.number, key, bytes });
    }
    // A stable sort: elements of a list keep their order.
    pieces.sort_by(|a, b| (a.number, &a.key).cmp(&(b.number, &b.key)));
    Ok(pieces.into_iter().flat_map(|piece| piece.bytes).collect())
}

/// Returns the key of a map entry, and the entry with key and value.
fn entry(key: ValueKind, value: ValueKind, bytes: &[u8]) -> Result<(SortKey, Vec<u8>), Error> {
    let mut r = Reader::without_places(bytes);
    // A default is one zero byte, or four, or eight.
    let mut parts = [key, value].map(|kind| match wire_type_of(kind) {
        WireType::Varint | WireType::Len => vec![0],
        WireType::Fixed32 => vec![0; 4],
        WireType::Fixed64 => vec![0; 8],
    });
    while let Some(tag) = r.tag()? {
        let start = r.fork();
        r.skip(tag.wire_type)?;
        let [key, value] = &mut parts;
        *(if tag.number == 1 { key } else { value }) = start.up_to(&r).to_vec();
    }
    let [key_bytes, mut value_bytes] = parts;
    if let ValueKind::Message(inner) = value {
        let content = canonical(inner(), Reader::without_places(&value_bytes).bytes()?)?;
        value_bytes.clear();
        prost::encoding::encode_varint(content.len() as u64, &mut value_bytes);
        value_bytes.extend(content);
    }
    let mut entry = Vec::with_capacity(key_bytes.len() + value_bytes.len() + 2);
    for (number, kind, part) in [(1, key, &key_bytes), (2, value, &value_bytes)] {
        // One byte: number and wire type are small.
        entry.push(number << 3 | wire_type_of(kind) as u8);
        entry.extend(part);
    }
    Ok((sort_key(key, &key_bytes)?, entry))
}

fn sort_key(kind: ValueKind, bytes: &[u8]) -> Result<SortKey, Error> {
    let mut r = Reader::without_places(bytes);
    Ok(SortKey::Number(match kind {
        ValueKind::String => return Ok(SortKey::Text(r.bytes()?.to_vec())),
        ValueKind::Int32 | ValueKind::Int64 => i128::from(r.varint()? as i64),
        ValueKind::Sint32 | ValueKind::Sint64 => {
            let raw = r.varint()?;
            i128::from((raw >> 1) as i64 ^ -((raw & 1) as i64))
        }
        ValueKind::Fixed32 => i128::from(r.fixed32()?),
        ValueKind::Sfixed32 => i128::from(r.fixed32()? as i32),
        ValueKind::Fixed64 => i128::from(r.fixed64()?),
        ValueKind::Sfixed64 => i128::from(r.fixed64()? as i64),
        _ => i128::from(r.varint()?),
    }))
}
