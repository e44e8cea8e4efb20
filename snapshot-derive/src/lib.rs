//! The derive macros of `snapshot-core`, which re-exports them.

mod attr;
mod errors;
mod expand;
mod model;
mod schema;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Typed schema of prost's structs and enums; see `snapshot_core::Schema`.
#[proc_macro_derive(Schema, attributes(prost, snapshot))]
pub fn schema(input: TokenStream) -> TokenStream {
    schema::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Saves a type as its proto counterpart.
#[proc_macro_derive(Snapshot, attributes(snapshot, default))]
pub fn snapshot(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let errors = errors::Errors::default();
    let container = attr::Container::parse(&input.attrs, &errors);
    let model = model::check(&input, &container, &errors);
    match (errors.finish(), model) {
        (None, Some(model)) => expand::expand(&model).into(),
        (errors, _) => {
            let mut tokens = errors.unwrap_or_default();
            tokens.extend(expand::fallback(&input, &container));
            tokens.into()
        }
    }
}
