//! The entries of `#[prost(...)]` on one field, each at most once.
//! Source: prost-derive 0.14, `src/field/`.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitBool, LitInt, Meta, Path, Token};

use super::super::model::Scalar;
use super::map::{self, MapValue};
use crate::errors::Errors;

/// The largest field number.
/// Source: <https://protobuf.dev/programming-guides/proto3/#assigning>.
const MAX_NUMBER: u32 = (1 << 29) - 1;

/// The attributes of one field.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) kind: Option<Kind>,
    pub(super) label: Option<Label>,
    pub(super) packed: Option<bool>,
    pub(super) boxed: Option<()>,
    pub(super) tag: Option<u32>,
    pub(super) tags: Option<Vec<u32>>,
    default: Option<()>,
    /// The first attribute, the place of mistakes that concern no single entry.
    pub(super) first: Option<Attribute>,
    /// Whether a mistake in them has been reported.
    pub(super) wrong: bool,
}

/// The entry with the kind of the value.
pub(super) enum Kind {
    Scalar(Scalar),
    Enum(Path),
    Message,
    Group,
    Map(Scalar, MapValue),
    Oneof(Path),
}

/// The entry with the number of values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Optional,
    Required,
    Repeated,
}

/// Reads the attributes of one field.
pub(super) fn read(attrs: &[Attribute], errors: &Errors) -> Attrs {
    let mut found = Attrs::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("prost")) {
        found.first.get_or_insert_with(|| attr.clone());
        let entries = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        let Some(entries) = errors.ok(entries) else {
            found.wrong = true;
            continue;
        };
        for entry in &entries {
            if errors.ok(found.add(entry)).is_none() {
                found.wrong = true;
            }
        }
    }
    found
}

impl Attrs {
    fn add(&mut self, entry: &Meta) -> syn::Result<()> {
        let Some(name) = entry.path().get_ident().map(ToString::to_string) else {
            return Err(unknown(entry));
        };
        match name.as_str() {
            // How Rust holds the bytes makes no difference on the wire.
            "bytes" => set(&mut self.kind, Kind::Scalar(Scalar::Bytes), entry),
            "enumeration" => set(&mut self.kind, Kind::Enum(path(entry)?), entry),
            "message" => set(&mut self.kind, word(entry, Kind::Message)?, entry),
            "group" => set(&mut self.kind, word(entry, Kind::Group)?, entry),
            "map" | "hash_map" | "btree_map" => {
                let (key, value) = map_kinds(entry)?;
                set(&mut self.kind, Kind::Map(key, value), entry)
            }
            "oneof" => set(&mut self.kind, Kind::Oneof(path(entry)?), entry),
            "optional" => set(&mut self.label, word(entry, Label::Optional)?, entry),
            "required" => set(&mut self.label, word(entry, Label::Required)?, entry),
            "repeated" => set(&mut self.label, word(entry, Label::Repeated)?, entry),
            "packed" => set(&mut self.packed, boolean(entry)?, entry),
            "boxed" => set(&mut self.boxed, word(entry, ())?, entry),
            "tag" => set(&mut self.tag, tag(entry)?, entry),
            "tags" => set(&mut self.tags, tags(entry)?, entry),
            // A proto2 default is assumed by readers and is not on the wire.
            "default" => set(&mut self.default, (), entry),
            name => match Scalar::from_name(name) {
                Some(scalar) => set(&mut self.kind, word(entry, Kind::Scalar(scalar))?, entry),
                None => Err(unknown(entry)),
            },
        }
    }
}

fn set<T>(slot: &mut Option<T>, value: T, entry: &Meta) -> syn::Result<()> {
    if slot.is_some() {
        return Err(wrong(entry, "a second entry of this kind: remove one"));
    }
    *slot = Some(value);
    Ok(())
}

fn unknown(entry: &Meta) -> syn::Error {
    wrong(
        entry.path(),
        "not an attribute of prost 0.14: use the snapshot-core that belongs to your prost",
    )
}

fn wrong(tokens: impl ToTokens, message: &str) -> syn::Error {
    syn::Error::new_spanned(tokens, message)
}

/// An entry without a value.
fn word<T>(entry: &Meta, value: T) -> syn::Result<T> {
    match entry {
        Meta::Path(_) => Ok(value),
        _ => Err(wrong(entry, "takes no value")),
    }
}

/// The literal of `entry = "..."`.
fn literal(entry: &Meta) -> Option<&Lit> {
    match entry {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        },
        _ => None,
    }
}

/// `entry = "a::B"` or `entry(a::B)`.
fn path(entry: &Meta) -> syn::Result<Path> {
    let path = match (entry, literal(entry)) {
        (_, Some(Lit::Str(text))) => text.parse_with(Path::parse_mod_style).ok(),
        (Meta::List(list), _) => list.parse_args_with(Path::parse_mod_style).ok(),
        _ => None,
    };
    path.ok_or_else(|| wrong(entry, "expected the path of a type, as in `\"module::Type\"`"))
}

/// `entry`, `entry = "true"`, `entry = true` or `entry(true)`.
fn boolean(entry: &Meta) -> syn::Result<bool> {
    let value = match (entry, literal(entry)) {
        (Meta::Path(_), _) => return Ok(true),
        (_, Some(Lit::Bool(value))) => Some(value.clone()),
        (_, Some(Lit::Str(text))) => text.parse().ok(),
        (Meta::List(list), _) => list.parse_args().ok(),
        _ => None,
    };
    match value {
        Some(LitBool { value, .. }) => Ok(value),
        None => Err(wrong(entry, "expected `true` or `false`")),
    }
}

/// `entry = "string, enumeration(a::B)"` or `entry(string, message)`.
fn map_kinds(entry: &Meta) -> syn::Result<(Scalar, MapValue)> {
    match (entry, literal(entry)) {
        (_, Some(Lit::Str(text))) => text.parse_with(map::kinds),
        (Meta::List(list), _) => list.parse_args_with(map::kinds),
        _ => Err(wrong(entry, map::EXPECTED)),
    }
}

/// `tag = "3"`, `tag = 3` or `tag(3)`.
fn tag(entry: &Meta) -> syn::Result<u32> {
    let literal = match (entry, literal(entry)) {
        (_, Some(Lit::Str(text))) => text.parse().ok(),
        (_, Some(Lit::Int(int))) => Some(int.clone()),
        (Meta::List(list), _) => list.parse_args().ok(),
        _ => None,
    };
    match literal {
        Some(literal) => number(&literal),
        None => Err(wrong(entry, "expected a field number, as in `tag = \"3\"`")),
    }
}

/// `tags = "3, 4"` or `tags(3, 4)`.
fn tags(entry: &Meta) -> syn::Result<Vec<u32>> {
    let parser = Punctuated::<LitInt, Token![,]>::parse_terminated;
    let list = match (entry, literal(entry)) {
        (_, Some(Lit::Str(text))) => text.parse_with(parser).ok(),
        (Meta::List(list), _) => list.parse_args_with(parser).ok(),
        _ => None,
    };
    match list {
        Some(list) if !list.is_empty() => list.iter().map(number).collect(),
        _ => Err(wrong(entry, "expected the members' field numbers, as in `tags = \"3, 4\"`")),
    }
}

fn number(literal: &LitInt) -> syn::Result<u32> {
    match literal.base10_parse() {
        Ok(number @ 1..=MAX_NUMBER) => Ok(number),
        _ => Err(wrong(literal, "a field number is between 1 and 536870911")),
    }
}
