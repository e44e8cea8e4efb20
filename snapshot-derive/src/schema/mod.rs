//! `#[derive(Schema)]`: typed fields and descriptors from the attributes that prost-build writes.
//!
//! [`parse`] reads a type into a [`model`] and reports every mistake in it; [`expand`] writes the
//! model as code and cannot fail.

mod expand;
mod model;
mod names;
mod parse;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;

/// The cure in errors about missing prost attributes.
const WHERE_FROM: &str = "derive(Schema) reads the attributes that prost-build writes: add it with \
    `config.type_attribute(\".\", \"#[derive(::snapshot_core::Schema)]\")`";

/// Generates the code of the derive. After a mistake that is the errors and an implementation from the
/// valid parts, so that no other code fails because the implementation is missing.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let errors = Errors::default();
    let implementation = parse::container(input, &errors).map(|model| expand::container(&model));
    let mut code = errors.finish().unwrap_or_default();
    code.extend(implementation);
    code
}
