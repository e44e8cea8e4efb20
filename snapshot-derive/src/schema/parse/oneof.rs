//! An enum with data that prost generated for a oneof.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::{DataEnum, Fields};

use super::super::model::ProstField;
use super::super::{WHERE_FROM, names};
use super::{attr, field};
use crate::errors::Errors;

/// Reads the members, in ascending number.
pub(super) fn members(ident: &Ident, data: &DataEnum, errors: &Errors) -> Vec<ProstField> {
    let has_prost = |v: &syn::Variant| v.attrs.iter().any(|a| a.path().is_ident("prost"));
    if !data.variants.iter().any(has_prost) {
        errors.on(ident, format!("`{ident}` is not a prost oneof; {WHERE_FROM}"));
        return Vec::new();
    }

    let mut members = Vec::new();
    let mut by_number: HashMap<u32, Ident> = HashMap::new();
    for variant in &data.variants {
        let ty = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => &fields.unnamed[0].ty,
            _ => {
                errors.on(variant, "a member of a oneof holds one value, as in `Text(String)`");
                continue;
            }
        };
        let ident = variant.ident.clone();
        let attrs = attr::read(&variant.attrs, errors);
        let Some((number, shape)) = field::of_oneof(attrs, ty, errors) else { continue };
        if let Some(other) = by_number.insert(number, ident.clone()) {
            errors.on(&ident, format!("field number {number} is also that of `{other}`"));
        }
        members.push(ProstField { name: names::of_member(&ident), ident, number, shape });
    }
    members.sort_by_key(|member| member.number);
    members
}
