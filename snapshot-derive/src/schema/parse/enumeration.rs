//! A C-like enum that prost generated for an enum.

use proc_macro2::Ident;
use syn::DataEnum;

use super::super::WHERE_FROM;
use crate::errors::Errors;

/// Reads the values, in declared order; `None` if prost does not generate such enums.
pub(super) fn values(ident: &Ident, data: &DataEnum, errors: &Errors) -> Option<Vec<Ident>> {
    if data.variants.iter().all(|variant| variant.discriminant.is_none()) {
        errors.on(ident, format!("`{ident}` is not a prost enum: it has no numbers; {WHERE_FROM}"));
        return None;
    }
    for variant in data.variants.iter().filter(|variant| variant.discriminant.is_none()) {
        errors.on(variant, "the value's number is missing: add it, as in `Running = 1`");
    }
    Some(data.variants.iter().map(|variant| variant.ident.clone()).collect())
}
