//! The shape of a type, and the attributes that make sense for it.

use proc_macro2::Span;
use syn::{Data, DeriveInput, Fields};

use crate::attr::Container;
use crate::attr::key::{self, Key};
use crate::errors::Errors;

/// The shape of a type: its proto counterpart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Message,
    Stage,
    Enumeration,
    Oneof,
    Transparent,
}

impl Shape {
    fn key(self) -> &'static Key {
        match self {
            Shape::Message => key::MESSAGE,
            Shape::Stage => key::STAGE_ENUM,
            Shape::Enumeration => key::ENUMERATION,
            Shape::Oneof => key::ONEOF,
            Shape::Transparent => key::TRANSPARENT,
        }
    }

    /// The attributes that make sense with it, besides its own and `crate`.
    fn allows(self) -> &'static [&'static Key] {
        match self {
            Shape::Message => &[
                key::VERSION,
                key::ACCEPT,
                key::TYPE_URL,
                key::CONTROLLER,
                key::AFTER,
                key::SAVE_FROM,
                key::FREEZE_TO,
                key::IMPORT_AS,
                key::LIVE,
                key::ABORT_TO,
                key::IGNORE,
                key::DISCARD,
                key::VALIDATE,
            ],
            Shape::Stage | Shape::Enumeration => &[],
            Shape::Oneof => &[key::IGNORE],
            Shape::Transparent => &[key::VALIDATE],
        }
    }
}

/// The shape of a type; `None` if it has none or more than one, which is reported.
pub(super) fn of(input: &DeriveInput, container: &Container, errors: &Errors) -> Option<Shape> {
    let given: Vec<(Shape, Span)> = [
        (Shape::Message, container.message.span()),
        (Shape::Stage, container.stage.span()),
        (Shape::Enumeration, container.enumeration.span()),
        (Shape::Oneof, container.oneof.span()),
        (Shape::Transparent, container.transparent.span()),
    ]
    .into_iter()
    .filter_map(|(shape, span)| Some((shape, span?)))
    .collect();
    if let Data::Union(data) = &input.data {
        errors.at(
            data.union_token.span,
            "a union cannot be saved, because it does not record which field is set",
        );
        return None;
    }
    match given[..] {
        [] => {
            // The unknown attribute may be a misspelt one, and is already reported.
            if !container.has_unknown {
                errors.at(input.ident.span(), what_to_add(&input.data));
            }
            None
        }
        [(shape, span)] => {
            if let Some(instead) = misfit(shape, &input.data) {
                errors.at(span, instead);
                return None;
            }
            refuse_strangers(shape, container, errors);
            Some(shape)
        }
        [(first, _), ..] => {
            for (other, span) in &given[1..] {
                let (first, other) = (first.key().name, other.key().name);
                errors.at(
                    *span,
                    format!(
                        "`{first}` and `{other}` exclude each other: a type is saved as one thing"
                    ),
                );
            }
            None
        }
    }
}

/// Returns the error for a type without a shape.
fn what_to_add(data: &Data) -> &'static str {
    match data {
        Data::Struct(data) if matches!(&data.fields, Fields::Unnamed(f) if f.unnamed.len() == 1) => {
            "a newtype is saved as the value that it wraps: add #[snapshot(transparent)]"
        }
        Data::Struct(data) if matches!(data.fields, Fields::Unnamed(_)) => {
            "a tuple struct has no field names to map: name its fields, and add \
             #[snapshot(message = path::to::ProstMessage)]"
        }
        Data::Struct(data) if matches!(data.fields, Fields::Unit) => {
            "a unit struct has no fields to map: write it as `struct Name {}`, and add \
             #[snapshot(message = path::to::ProstMessage)]"
        }
        Data::Struct(_) => {
            "name the message that this is saved as: add #[snapshot(message = \
             path::to::ProstMessage)]"
        }
        Data::Enum(data) if data.variants.iter().all(|v| matches!(v.fields, Fields::Unit)) => {
            "name the enum that this is saved as: add #[snapshot(stage = path::to::ProstEnum)] to \
             a lifecycle stage, #[snapshot(enumeration = path::to::ProstEnum)] to any other enum"
        }
        _ => "name the oneof that this is saved as: add #[snapshot(oneof = path::to::ProstOneof)]",
    }
}

/// Why a type cannot have the shape that it is given.
fn misfit(shape: Shape, data: &Data) -> Option<&'static str> {
    match (shape, data) {
        (Shape::Message, Data::Enum(_)) => Some(
            "`message` is for structs: use `stage = path::to::ProstEnum` for a lifecycle stage, \
             `enumeration = path::to::ProstEnum` for another enum without data, \
             `oneof = path::to::ProstOneof` for an enum with data",
        ),
        (Shape::Transparent, Data::Enum(_)) => Some(
            "`transparent` is for newtypes: use `stage = path::to::ProstEnum` for a lifecycle \
             stage, `enumeration = path::to::ProstEnum` for another enum without data, \
             `oneof = path::to::ProstOneof` for an enum with data",
        ),
        (Shape::Stage, Data::Struct(_)) => Some(
            "here `stage` is for enums: a struct is saved with `message = path::to::ProstMessage`, \
             and the field that is its stage is marked #[snapshot(stage)]",
        ),
        (Shape::Enumeration, Data::Struct(_)) => Some(
            "`enumeration` is for enums: a struct is saved with `message = path::to::ProstMessage`",
        ),
        (Shape::Oneof, Data::Struct(_)) => {
            Some("`oneof` is for enums: a struct is saved with `message = path::to::ProstMessage`")
        }
        _ => None,
    }
}

/// Reports the attributes that have no meaning for the shape.
fn refuse_strangers(shape: Shape, container: &Container, errors: &Errors) {
    let own = shape.key().name;
    let strangers = container.all().filter(|attr| {
        let name = attr.key().name;
        name != own && name != key::CRATE.name && !shape.allows().iter().any(|k| k.name == name)
    });
    for (attr, span) in strangers.filter_map(|attr| Some((attr, attr.given_at()?))) {
        let name = attr.key().name;
        let belongs = match shape {
            _ if name == key::IGNORE.name => "`message` or `oneof`",
            _ if name == key::VALIDATE.name => "`message` or `transparent`",
            _ => "`message`",
        };
        errors.at(
            span,
            format!(
                "`{name}` cannot be combined with `{own}`: it belongs to a type with {belongs}"
            ),
        );
    }
}
