//! placeholder

mod schema;

/// Typed schema of prost's structs and enums; see `snapshot_core::Schema`.
#[proc_macro_derive(Schema, attributes(prost, snapshot))]
pub fn schema(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    schema::derive(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}
