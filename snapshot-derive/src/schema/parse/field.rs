//! Determines a field's kind from its attributes and its type.

use syn::{Attribute, Type};

use super::super::WHERE_FROM;
use super::super::model::{FieldKind, ValueKind};
use super::attr::{Attrs, Kind, Label};
use super::map::MapValue;
use super::ty;
use crate::errors::Errors;

/// Reads a field of a message: its number (for a oneof, the lowest of its members) and its kind.
pub(super) fn of_message(attrs: Attrs, ty: &Type, errors: &Errors) -> Option<(u32, FieldKind)> {
    if attrs.wrong {
        return None;
    }
    let place = place(&attrs, ty, errors)?;
    let Attrs { kind, label, packed, tag, tags, .. } = attrs;
    let Some(kind) = kind else {
        errors.on(&place, no_kind());
        return None;
    };
    let number = match kind {
        Kind::Oneof(_) => lowest(tags, &place, errors),
        _ => number(tag, &place, errors),
    };
    let shape = match kind {
        Kind::Scalar(scalar) => {
            repeat(ValueKind::Scalar(scalar), scalar.is_packable(), label, packed)
        }
        Kind::Enum(path) => repeat(ValueKind::Enum(path), true, label, packed),
        Kind::Message => message(label, ty, errors)?,
        Kind::Map(key, value) => FieldKind::Map(key, map_value(value, ty, errors)?),
        Kind::Oneof(path) => FieldKind::Oneof(path),
        Kind::Group => FieldKind::Group,
    };
    Some((number?, shape))
}

/// Reads a member of a oneof.
pub(super) fn of_oneof(attrs: Attrs, ty: &Type, errors: &Errors) -> Option<(u32, FieldKind)> {
    if attrs.wrong {
        return None;
    }
    let place = place(&attrs, ty, errors)?;
    if attrs.label.is_some() || attrs.packed.is_some() {
        errors.on(&place, "a member of a oneof is a single value: remove its label");
        return None;
    }
    let shape = match attrs.kind {
        Some(Kind::Scalar(scalar)) => FieldKind::Optional(ValueKind::Scalar(scalar)),
        Some(Kind::Enum(path)) => FieldKind::Optional(ValueKind::Enum(path)),
        Some(Kind::Message) => FieldKind::Optional(ValueKind::Message(ty::unboxed(ty).clone())),
        Some(Kind::Group) => FieldKind::Group,
        Some(Kind::Map(..)) => {
            errors.on(&place, "a map cannot be a member of a oneof");
            return None;
        }
        Some(Kind::Oneof(_)) => {
            errors.on(&place, "a oneof cannot be a member of a oneof");
            return None;
        }
        None => {
            errors.on(&place, no_kind());
            return None;
        }
    };
    Some((number(attrs.tag, &place, errors)?, shape))
}

/// Returns the place of mistakes in the attributes as a whole. A field without attributes is a mistake.
fn place(attrs: &Attrs, ty: &Type, errors: &Errors) -> Option<Attribute> {
    if attrs.first.is_none() {
        errors.on(ty, format!("this field has no `#[prost(...)]`; {WHERE_FROM}"));
    }
    attrs.first.clone()
}

fn no_kind() -> &'static str {
    "does not say what the field is: add its kind, as in `#[prost(uint32, tag = \"1\")]`"
}

/// Returns the number in the attributes. It is never derived from the order of the fields, which is not
/// part of any contract.
fn number(tag: Option<u32>, place: &Attribute, errors: &Errors) -> Option<u32> {
    if tag.is_none() {
        errors.on(place, "the field number is missing: add it, as in `tag = \"1\"`");
    }
    tag
}

fn lowest(tags: Option<Vec<u32>>, place: &Attribute, errors: &Errors) -> Option<u32> {
    let lowest = tags.and_then(|tags| tags.into_iter().min());
    if lowest.is_none() {
        errors.on(place, "a oneof needs its members' field numbers, as in `tags = \"3, 4\"`");
    }
    lowest
}

fn repeat(
    value: ValueKind,
    packable: bool,
    label: Option<Label>,
    packed: Option<bool>,
) -> FieldKind {
    match label {
        None => FieldKind::Singular(value),
        // A required field of proto2 has presence, too.
        Some(Label::Optional | Label::Required) => FieldKind::Optional(value),
        Some(Label::Repeated) if packable && packed.unwrap_or(true) => FieldKind::Packed(value),
        Some(Label::Repeated) => FieldKind::Repeated(value),
    }
}

fn message(label: Option<Label>, ty: &Type, errors: &Errors) -> Option<FieldKind> {
    let (inside, shape): (_, fn(ValueKind) -> FieldKind) = match label {
        Some(Label::Required) => (Some(ty), FieldKind::Optional),
        Some(Label::Optional) | None => (ty::inside(ty), FieldKind::Optional),
        Some(Label::Repeated) => (ty::inside(ty), FieldKind::Repeated),
    };
    if inside.is_none() {
        errors.on(
            ty,
            "cannot tell which message this is: expected `Option<Message>` or `Vec<Message>`",
        );
    }
    Some(shape(ValueKind::Message(ty::unboxed(inside?).clone())))
}

fn map_value(value: MapValue, ty: &Type, errors: &Errors) -> Option<ValueKind> {
    match value {
        MapValue::Scalar(scalar) => Some(ValueKind::Scalar(scalar)),
        MapValue::Enum(path) => Some(ValueKind::Enum(path)),
        MapValue::Message => {
            let inside = ty::inside(ty);
            if inside.is_none() {
                errors
                    .on(ty, "cannot tell which message this is: expected `HashMap<Key, Message>`");
            }
            Some(ValueKind::Message(ty::unboxed(inside?).clone()))
        }
    }
}
