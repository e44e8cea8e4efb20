//! Other values for a scalar: the limits of its kind, and the neighbours of its current value.

use crate::schema::{EnumDescriptor, ValueKind};

use super::places::number;
use super::tree::Value;

/// Values of the kind other than `now`, all in canonical encoding.
pub(super) fn others(kind: ValueKind, now: &Value) -> Vec<Value> {
    use ValueKind::*;
    let mut values = match (kind, now) {
        (Double, _) => doubles(now),
        (Float, _) => floats(now),
        (Bool, _) => vec![Value::Varint(0), Value::Varint(1)],
        (Enum(descriptor), _) => {
            descriptor().values.iter().map(|value| integer(Int32, value.number.into())).collect()
        }
        (String, Value::Bytes(text)) => {
            texts(text).into_iter().map(|text| Value::Bytes(text.into_bytes())).collect()
        }
        (Bytes, Value::Bytes(bytes)) => blobs(bytes),
        (String | Bytes | Message(_), _) => Vec::new(),
        _ => integers(kind, number(now, kind)),
    };
    let is_now = now.bytes();
    let mut seen = Vec::new();
    values.retain(|value| {
        let bytes = value.bytes();
        let is_new = bytes != is_now && !seen.contains(&bytes);
        seen.push(bytes);
        is_new
    });
    values
}

/// The minimum and the maximum of an integer kind, or `None` for another kind.
fn range(kind: ValueKind) -> Option<(i128, i128)> {
    use ValueKind::*;
    match kind {
        Int32 | Sint32 | Sfixed32 | Enum(_) => Some((i32::MIN.into(), i32::MAX.into())),
        Int64 | Sint64 | Sfixed64 => Some((i64::MIN.into(), i64::MAX.into())),
        Uint32 | Fixed32 => Some((0, u32::MAX.into())),
        Uint64 | Fixed64 => Some((0, u64::MAX.into())),
        Bool => Some((0, 1)),
        Double | Float | String | Bytes | Message(_) => None,
    }
}

fn integers(kind: ValueKind, now: i128) -> Vec<Value> {
    let Some((least, most)) = range(kind) else { return Vec::new() };
    let ends = [least, least + 1, most - 1, most];
    let near = [now - 1, now + 1, now ^ 1, now ^ 2, -now, now << 8, now >> 8];
    // The limits of narrower Rust types and of other encodings.
    let borders =
        [7, 8, 15, 16, 31, 32, 63].into_iter().flat_map(|bits| [(1 << bits) - 1, 1 << bits]);
    let values = [0, 1, -1, 2, 3, 10, 100].into_iter().chain(near).chain(borders).chain(ends);
    values.filter(|value| (least..=most).contains(value)).map(|v| integer(kind, v)).collect()
}

/// Encodes an integer as its kind does.
pub(super) fn integer(kind: ValueKind, value: i128) -> Value {
    use ValueKind::*;
    match kind {
        Fixed64 | Sfixed64 => Value::Fixed64(value as u64),
        Fixed32 | Sfixed32 => Value::Fixed32(value as u32),
        Sint32 | Sint64 => {
            let value = value as i64;
            Value::Varint((value << 1 ^ value >> 63) as u64)
        }
        // A negative number takes ten bytes in every kind.
        _ => Value::Varint(value as u64),
    }
}

/// Varints outside of the range of the kind: a reader that truncates them reads other values.
pub(super) fn too_large(kind: ValueKind) -> Vec<Value> {
    use ValueKind::*;
    let raw: &[u64] = match kind {
        Uint32 | Sint32 => &[1 << 32, (1 << 32) + 1, u64::MAX],
        // The last one is -1 in 32 bits; the right encoding has 64.
        Int32 | Enum(_) => &[1 << 32, (1 << 32) + 1, 1 << 63, 0xffff_ffff],
        Bool => &[2, 1 << 32, u64::MAX],
        _ => &[],
    };
    raw.iter().copied().map(Value::Varint).collect()
}

/// Unknown numbers of the enum, next to the known ones.
pub(super) fn unknown_numbers(descriptor: &EnumDescriptor) -> Vec<i32> {
    let known: Vec<i32> = descriptor.values.iter().map(|value| value.number).collect();
    let around = known.iter().flat_map(|&number| [number.wrapping_sub(1), number.wrapping_add(1)]);
    let mut numbers: Vec<i32> = around.chain([-1, 99, i32::MIN, i32::MAX]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.retain(|number| !known.contains(number));
    numbers
}

fn doubles(now: &Value) -> Vec<Value> {
    let Value::Fixed64(bits) = now else { return Vec::new() };
    let values = [0.0, -0.0, 1.0, -1.0, 0.5, f64::MAX, f64::INFINITY, f64::NAN];
    values
        .into_iter()
        .map(f64::to_bits)
        .chain([bits ^ 1, bits ^ 1 << 63])
        .map(Value::Fixed64)
        .collect()
}

fn floats(now: &Value) -> Vec<Value> {
    let Value::Fixed32(bits) = now else { return Vec::new() };
    let values = [0.0, -0.0, 1.0, -1.0, 0.5, f32::MAX, f32::INFINITY, f32::NAN];
    values
        .into_iter()
        .map(f32::to_bits)
        .chain([bits ^ 1, bits ^ 1 << 31])
        .map(Value::Fixed32)
        .collect()
}

/// Texts to try in an empty field.
const SAMPLES: [&str; 6] =
    ["a", "1", "/a b/c", "é", "10.0.0.1", "00000000-0000-4000-8000-000000000001"];

/// Texts that differ slightly from this one. A letter is replaced by a letter of the same case, and a digit
/// by a digit other than zero, so that the text of a number, a UUID or an address stays valid and
/// canonical.
fn texts(now: &[u8]) -> Vec<String> {
    let Ok(now) = std::str::from_utf8(now) else { return Vec::new() };
    if now.is_empty() {
        return SAMPLES.map(str::to_owned).to_vec();
    }
    let mut texts = vec![String::new(), format!("{now}x"), format!("{now} ")];
    let shorter = now.char_indices().next_back().map_or("", |(last, _)| &now[..last]);
    texts.push(shorter.to_owned());
    let changeable: Vec<usize> = now
        .bytes()
        .enumerate()
        .filter(|(_, b)| b.is_ascii_alphanumeric())
        .map(|(i, _)| i)
        .collect();
    if let (Some(&first), Some(&last)) = (changeable.first(), changeable.last()) {
        // An IPv4 address in an IPv6 one has another form with another prefix.
        let is_mapped = now.trim_start_matches('[').starts_with("::ffff:");
        let first = (!is_mapped).then_some(first);
        for at in first.into_iter().chain([changeable[changeable.len() / 2], last]) {
            let other = match now.as_bytes()[at] {
                b'9' => '1',
                // Both are hexadecimal.
                b'f' => 'e',
                b'F' => 'E',
                b'z' => 'y',
                b'Z' => 'Y',
                other => char::from(other + 1),
            };
            texts.push(format!("{}{other}{}", &now[..at], &now[at + 1..]));
        }
    }
    texts
}

fn blobs(now: &[u8]) -> Vec<Value> {
    let mut blobs: Vec<Vec<u8>> = texts(now).into_iter().map(String::into_bytes).collect();
    blobs.extend([vec![0], vec![0xff, 0], [now, &[0]].concat()]);
    if let Some((last, rest)) = now.split_last() {
        blobs.extend([
            rest.to_vec(),
            [rest, &[last ^ 1]].concat(),
            [rest, &[last ^ 0x80]].concat(),
        ]);
        let first = now.first().map_or(0, |first| first ^ 0x80);
        blobs.push([&[first], &now[1..]].concat());
    }
    blobs.into_iter().map(Value::Bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(now: &str) -> Vec<String> {
        texts(now.as_bytes())
    }

    #[test]
    fn a_changed_uuid_is_one_in_the_same_form() {
        let now = "f0000000-0000-4000-8000-00000000000f";
        let changed: Vec<String> = text(now).into_iter().filter(|t| t.len() == now.len()).collect();
        assert_eq!(changed.len(), 3);
        for text in changed {
            assert_ne!(text, now);
            assert!(
                text.bytes().all(|b| b == b'-' || b.is_ascii_digit() || b == b'e' || b == b'f')
            );
        }
    }

    #[test]
    fn integers_stay_in_their_kind_and_go_to_its_ends() {
        for (kind, ends) in [
            (ValueKind::Uint32, [0, u32::MAX.into()]),
            (ValueKind::Sint32, [i32::MIN.into(), i32::MAX.into()]),
            (ValueKind::Int64, [i64::MIN.into(), i64::MAX.into()]),
            (ValueKind::Fixed64, [0, u64::MAX.into()]),
        ] {
            let found: Vec<i128> =
                others(kind, &integer(kind, 7)).iter().map(|value| number(value, kind)).collect();
            assert_eq!(found.iter().min(), Some(&ends[0]), "{kind:?}");
            assert_eq!(found.iter().max(), Some(&ends[1]), "{kind:?}");
            assert!(!found.contains(&7), "{kind:?}");
        }
    }

    #[test]
    fn a_value_is_never_its_own_other() {
        for kind in [ValueKind::Bool, ValueKind::Int32, ValueKind::Sint64, ValueKind::Uint64] {
            for now in [0, 1] {
                let now = integer(kind, now);
                assert!(others(kind, &now).iter().all(|other| other.bytes() != now.bytes()));
            }
        }
        let now = Value::Fixed64(0f64.to_bits());
        assert!(others(ValueKind::Double, &now).iter().all(|other| other.bytes() != now.bytes()));
    }
}
