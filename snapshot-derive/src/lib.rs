//! The derive macros of `snapshot-core`, which re-exports them.

mod attr;
mod errors;
mod expand;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Saves a type as its proto counterpart.
#[proc_macro_derive(Snapshot, attributes(snapshot, default))]
pub fn derive_snapshot(input: TokenStream) -> TokenStream {
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
