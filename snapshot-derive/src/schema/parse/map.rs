//! The kinds of a map's key and value: `string, enumeration(a::B)`.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Path, Token, parenthesized};

use super::super::model::Scalar;

/// The error for missing kinds.
pub(super) const EXPECTED: &str =
    "expected the kinds of key and value, as in `\"string, message\"`";

/// The kind of a map's values. The type of a message is in the type of the field.
pub(super) enum MapValue {
    Scalar(Scalar),
    Enum(Path),
    Message,
}

/// Reads the kinds of key and value.
pub(super) fn kinds(input: ParseStream<'_>) -> syn::Result<(Scalar, MapValue)> {
    let key = key(input)?;
    if input.parse::<Token![,]>().is_err() {
        return Err(syn::Error::new(input.span(), EXPECTED));
    }
    let value = value(input)?;
    input.parse::<Option<Token![,]>>()?;
    Ok((key, value))
}

fn key(input: ParseStream<'_>) -> syn::Result<Scalar> {
    let name: Ident = input.parse()?;
    Scalar::from_name(&name.to_string()).filter(|scalar| scalar.is_key()).ok_or_else(|| {
        syn::Error::new(name.span(), "a map's key is an integer, `bool` or `string`")
    })
}

fn value(input: ParseStream<'_>) -> syn::Result<MapValue> {
    let name: Ident = input.parse()?;
    if name == "message" {
        return Ok(MapValue::Message);
    }
    if name == "enumeration" {
        let path;
        parenthesized!(path in input);
        return Path::parse_mod_style(&path).map(MapValue::Enum);
    }
    Scalar::from_name(&name.to_string()).map(MapValue::Scalar).ok_or_else(|| {
        syn::Error::new(name.span(), "a map's value is a scalar, `message` or `enumeration(path)`")
    })
}
