//! A struct that prost generated for a message.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::{DataStruct, Fields};

use super::super::model::ProstField;
use super::super::{WHERE_FROM, names};
use super::{attr, field};
use crate::errors::Errors;

/// Reads the fields, in ascending number; `None` if prost does not generate such structs.
pub(super) fn fields(ident: &Ident, data: &DataStruct, errors: &Errors) -> Option<Vec<ProstField>> {
    let Fields::Named(named) = &data.fields else {
        errors.on(ident, format!("a proto message has named fields; {WHERE_FROM}"));
        return None;
    };
    let has_prost = |field: &syn::Field| field.attrs.iter().any(|a| a.path().is_ident("prost"));
    if !named.named.is_empty() && !named.named.iter().any(has_prost) {
        // One error for the struct, not one for each field.
        errors.on(ident, format!("`{ident}` is not a prost message; {WHERE_FROM}"));
        return Some(Vec::new());
    }

    let mut fields = Vec::new();
    let mut by_number: HashMap<u32, Ident> = HashMap::new();
    for raw in &named.named {
        let Some(ident) = raw.ident.clone() else { continue };
        let attrs = attr::read(&raw.attrs, errors);
        let numbers: Vec<u32> =
            attrs.tag.into_iter().chain(attrs.tags.iter().flatten().copied()).collect();
        let Some((number, shape)) = field::of_message(attrs, &raw.ty, errors) else { continue };
        for number in numbers {
            if let Some(other) = by_number.insert(number, ident.clone()) {
                errors.on(&ident, format!("field number {number} is also that of `{other}`"));
            }
        }
        fields.push(ProstField { name: names::of_field(&ident), ident, number, shape });
    }
    fields.sort_by_key(|field| field.number);
    Some(fields)
}
