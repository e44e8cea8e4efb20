//! Random bytes, some of them close to valid messages.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use prost::encoding::encode_varint;
use snapshot_core::State;
use snapshot_core::schema::Schema;

use super::twin::Twin;

/// Random bytes; random fields; fields of the message with random content; and encodings with a few bytes
/// changed, removed or inserted.
pub fn bytes<S>() -> BoxedStrategy<Vec<u8>>
where
    S: State + Twin<<S as State>::Message>,
{
    prop_oneof![
        1 => vec(any::<u8>(), 0..48),
        1 => vec(field(any::<u32>().boxed()), 0..6).prop_map(|fields| fields.concat()),
        4 => vec(field(known_number::<S>()), 0..8).prop_map(|fields| fields.concat()),
        4 => mutated::<S>(),
    ]
    .boxed()
}

fn known_number<S: State>() -> BoxedStrategy<u32> {
    let descriptor = <S::Message as Schema>::DESCRIPTOR;
    let mut numbers: Vec<u32> = descriptor.fields.iter().map(|field| field.number).collect();
    numbers.push(1);
    prop::sample::select(numbers).boxed()
}

fn field(number: BoxedStrategy<u32>) -> BoxedStrategy<Vec<u8>> {
    let value = prop_oneof![
        any::<u64>().prop_map(|value| (0, varint(value))),
        (0..3u64).prop_map(|value| (0, varint(value))),
        any::<[u8; 8]>().prop_map(|value| (1, value.to_vec())),
        any::<[u8; 4]>().prop_map(|value| (5, value.to_vec())),
        vec(any::<u8>(), 0..8).prop_map(|value| (2, delimited(&value))),
        "[a-z]{0,3}".prop_map(|value| (2, delimited(value.as_bytes()))),
        // Bytes that look like an entry or a message.
        vec((1..4u64, 0..4u64), 0..3).prop_map(|fields| {
            let fields = fields.iter().flat_map(|&(number, value)| [number << 3, value]);
            (2, delimited(&fields.map(|byte| byte as u8).collect::<Vec<_>>()))
        }),
    ];
    (number, value)
        .prop_map(|(number, (wire_type, value))| {
            let mut bytes = varint(u64::from(number) << 3 | wire_type);
            bytes.extend(value);
            bytes
        })
        .boxed()
}

fn varint(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(value, &mut bytes);
    bytes
}

fn delimited(value: &[u8]) -> Vec<u8> {
    let mut bytes = varint(value.len() as u64);
    bytes.extend_from_slice(value);
    bytes
}

fn mutated<S: State + Twin<<S as State>::Message>>() -> BoxedStrategy<Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 0..4);
    (S::natives(), changes)
        .prop_map(|(state, changes)| {
            let mut bytes = state.to_prost().encode_to_vec();
            for (index, change, byte) in changes {
                match change {
                    0 if !bytes.is_empty() => {
                        let index = index.index(bytes.len());
                        bytes[index] = byte;
                    }
                    1 if !bytes.is_empty() => {
                        bytes.remove(index.index(bytes.len()));
                    }
                    _ => bytes.insert(index.index(bytes.len() + 1), byte),
                }
            }
            bytes
        })
        .boxed()
}
