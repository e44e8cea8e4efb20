//! The derive macros of `snapshot-core`, which re-exports them.

#![forbid(unsafe_code)]

mod attr;
mod errors;
mod expand;
mod model;
mod schema;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Typed fields and a descriptor of a prost type, from the `#[prost(...)]` attributes that
/// prost-build has written.
///
/// prost-build and tonic-build are told once to add it to everything that they generate:
///
/// ```ignore
/// config.enable_type_names().type_attribute(".", "#[derive(::snapshot_core::Schema)]")
/// ```
///
/// On the struct of a message it implements `snapshot_core::schema::Schema`, on a C-like enum
/// `EnumSchema`, on the enum of a oneof `OneofSchema`. `#[snapshot(crate = path)]` says where
/// snapshot-core is, if not at `::snapshot_core`.
///
/// A proto2 group, and a field whose type has no schema because another crate generated it, are
/// part of the message, but nothing can be saved as them.
///
/// ```
/// use snapshot_core::Schema;
/// use snapshot_core::schema::{EnumSchema, Field, kind};
///
/// // As prost-build writes them.
/// #[derive(::snapshot_core::Schema)]
/// #[derive(Clone, PartialEq, ::prost::Message)]
/// pub struct Disk {
///     #[prost(string, tag = "3")]
///     pub host_path: ::prost::alloc::string::String,
///     #[prost(enumeration = "DiskStage", tag = "1")]
///     pub stage: i32,
/// }
///
/// #[derive(::snapshot_core::Schema)]
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
/// #[repr(i32)]
/// pub enum DiskStage {
///     Reserved = 0,
///     Attached = 1,
/// }
///
/// let field: Field<kind::Singular<kind::String>> = Disk::FIELDS.host_path;
/// assert_eq!((field.number(), field.name()), (3, "host_path"));
/// assert_eq!(DiskStage::VALUES.Attached, 1);
/// assert_eq!(Disk::DESCRIPTOR.fields[0].name, "stage");
/// ```
#[proc_macro_derive(Schema, attributes(prost, snapshot))]
pub fn schema(input: TokenStream) -> TokenStream {
    schema::derive(&parse_macro_input!(input as DeriveInput)).into()
}

#[doc = include_str!("snapshot.md")]
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
