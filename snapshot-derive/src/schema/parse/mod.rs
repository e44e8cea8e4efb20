//! Reads a type into the model.

mod attr;
mod enumeration;
mod field;
mod krate;
mod map;
mod message;
mod oneof;
mod ty;

use syn::{Data, DeriveInput, Fields};

use super::WHERE_FROM;
use super::model::{self, ProstType};
use crate::errors::Errors;

/// Reads the type that has the derive; `None` if prost does not generate such types.
pub(super) fn container(input: &DeriveInput, errors: &Errors) -> Option<ProstType> {
    let krate = krate::path(&input.attrs, errors);
    if !input.generics.params.is_empty() {
        errors.on(
            &input.generics,
            format!("a proto message has no generic parameters; {WHERE_FROM}"),
        );
        return None;
    }
    let data = match &input.data {
        Data::Struct(data) => model::Data::Message(message::fields(&input.ident, data, errors)?),
        Data::Enum(data) if data.variants.iter().all(|v| matches!(v.fields, Fields::Unit)) => {
            model::Data::Enum(enumeration::values(&input.ident, data, errors)?)
        }
        Data::Enum(data) => model::Data::Oneof(oneof::members(&input.ident, data, errors)),
        Data::Union(data) => {
            errors.on(data.union_token, format!("a union is not a proto type; {WHERE_FROM}"));
            return None;
        }
    };
    Some(ProstType { ident: input.ident.clone(), krate, data })
}
