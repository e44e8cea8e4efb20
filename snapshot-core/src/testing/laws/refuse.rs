//! Bytes that a strict reader must refuse.

use crate::schema::ValueKind;
use crate::schema::kind::WireType;

use super::super::bench::{Bench, Site};
use super::super::report::Law;
use super::super::shape::{FieldInfo, Presence};
use super::super::tree::{TreeField, Value};
use super::super::values::{integer, too_large, unknown_numbers};

/// Tries fields that the schema does not have.
pub(in super::super) fn unknown_fields(bench: &mut Bench, site: &Site) {
    let Some(message) = bench.message(site) else { return };
    let path = bench.places.message_path(site.place);
    let numbers = message.shape.free_numbers();
    let tried = if site.is_first { numbers.len() } else { 1 };
    for number in numbers.into_iter().take(tried) {
        for (value, name) in framings().into_iter().chain([(Value::Group, "group")]) {
            let bytes = bench.edited(site, |m| m.fields.push(TreeField::new(number, value)));
            let what = format!("the unknown field {number} ({name})");
            bench.refused(Law::UnknownField, &path, &bytes, &what);
        }
    }
}

fn framings() -> [(Value, &'static str); 4] {
    [
        (Value::Varint(1), WireType::Varint.as_str()),
        (Value::Fixed64(1), WireType::Fixed64.as_str()),
        (Value::Bytes(vec![b'x']), WireType::Len.as_str()),
        (Value::Fixed32(1), WireType::Fixed32.as_str()),
    ]
}

/// Tries values with a wire type other than that of their kind.
pub(in super::super) fn wrong_wire_types(bench: &mut Bench, site: &Site) {
    for info in known(bench, site) {
        let right = info.wire_type().as_str();
        let is_list = matches!(info.presence, Presence::Repeated | Presence::Packed);
        let none = [(Value::Group, "group"), (Value::NoWireType(4), "end of a group")];
        let none = none.into_iter().chain([6, 7].map(|n| (Value::NoWireType(n), "no wire type")));
        let apart = if site.is_first { 1 } else { 3 };
        for (value, name) in framings().into_iter().chain(none).step_by(apart) {
            // Scalars can share a tag and a length.
            let may_be_packed = is_list && name == WireType::Len.as_str();
            if name == right || may_be_packed {
                continue;
            }
            let path = bench.path(site, &info);
            let bytes = bench.with_values(site, &info, vec![value], false);
            let what = format!("the wire type {name} in place of {right}");
            bench.refused(Law::WireType, &path, &bytes, &what);
        }
    }
}

/// Tries numbers that the enum does not have.
pub(in super::super) fn unknown_enum_numbers(bench: &mut Bench, site: &Site) {
    for info in known(bench, site) {
        let Some(ValueKind::Enum(descriptor)) = info.scalar() else { continue };
        for number in unknown_numbers(descriptor()) {
            let value = integer(ValueKind::Int32, number.into());
            let what = format!("the number {number}, which {} does not have,", descriptor().name);
            refuse_value(bench, site, &info, Law::Enum, value, &what);
        }
    }
}

/// Tries varints outside of the range of the kind.
pub(in super::super) fn too_large_numbers(bench: &mut Bench, site: &Site) {
    for info in known(bench, site) {
        for value in info.scalar().map(too_large).unwrap_or_default() {
            let what = match &value {
                Value::Varint(raw) => format!("the varint {raw}, which does not fit its kind,"),
                _ => continue,
            };
            refuse_value(bench, site, &info, Law::Range, value, &what);
        }
    }
}

fn refuse_value(
    bench: &mut Bench,
    site: &Site,
    info: &FieldInfo,
    law: Law,
    value: Value,
    what: &str,
) {
    let mut values = bench.message(site).map(|m| m.values(info.number)).unwrap_or_default();
    match values.first_mut() {
        Some(first) => *first = value,
        None => values.push(value),
    }
    let path = bench.path(site, info);
    let bytes = bench.with_values(site, info, values, info.presence == Presence::Packed);
    bench.refused(law, &path, &bytes, what);
}

/// The fields of a message that the type does not ignore.
pub(super) fn known(bench: &mut Bench, site: &Site) -> Vec<FieldInfo> {
    let Some(message) = bench.message(site) else { return Vec::new() };
    let mut fields = message.shape.fields();
    fields.retain(|info| !bench.places.is_ignored(site.place, info.number));
    fields
}
