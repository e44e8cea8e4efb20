//! The derive macros of `snapshot-core`, which re-exports them. Depend on that crate and not on this one;
//! its front page is the introduction.
//!
//! | macro | on | generates |
//! |---|---|---|
//! | [`derive(Schema)`](macro@Schema) | the types that prost-build generates | typed constants, one for each field, and a descriptor of the message |
//! | [`derive(Snapshot)`](macro@Snapshot) | a state struct, a lifecycle stage or another enum, a oneof, a newtype | the code that saves it as its proto counterpart and restores it; its page documents all attributes |
//!
//! The two meet at compile time: `Snapshot` compares a struct with the constants of its message. A field
//! that does not fit is an error at that field, and all mistakes in a type are reported together.
//!
//! ```
//! // prost-build writes this. One line in build.rs adds the derive to every type.
//! #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
//! pub struct Reservation {
//!     #[prost(uint32, tag = "1")]
//!     pub slot: u32,
//!     #[prost(string, optional, tag = "2")]
//!     pub owner: Option<String>,
//! }
//!
//! // You write this.
//! #[derive(snapshot_core::Snapshot, Debug, PartialEq)]
//! #[snapshot(message = Reservation)]
//! struct Reserved {
//!     #[snapshot(range = 0..64)]
//!     slot: u8, // uint32 on the wire, range-checked both ways
//!     owner: Option<String>,
//! }
//!
//! let reserved = Reserved { slot: 3, owner: Some("web".into()) };
//! let bytes = snapshot_core::codec::to_bytes(&reserved)?;
//! assert_eq!(bytes, b"\x08\x03\x12\x03web");
//! assert_eq!(snapshot_core::codec::from_bytes::<Reserved>(&bytes)?, reserved);
//! # Ok::<(), snapshot_core::Error>(())
//! ```
//!
//! Only the registration of controllers runs before `main`. The macros read no files and no environment
//! variables.
//!
//! | module | what it does |
//! |---|---|
//! | `attr` | parses the attributes, with "did you mean" for unknown ones |
//! | `model` | checks them and the type; every mistake is collected |
//! | `expand` | generates; it reports nothing |
//! | `schema` | the other derive |

#![forbid(unsafe_code)]

mod attr;
mod errors;
mod expand;
#[cfg(test)]
mod expansions;
mod model;
mod schema;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Typed fields and a descriptor of a prost type, from the `#[prost(...)]` attributes that
/// prost-build has written.
///
/// One line in `build.rs` adds it to every type that prost-build generates:
///
/// ```ignore
/// config.enable_type_names().type_attribute(".", "#[derive(::snapshot_core::Schema)]")
/// ```
///
/// `config` is a `prost_build::Config`. tonic takes one, too: `tonic_prost_build::Config`, which goes
/// to `compile_fds_with_config` or `compile_with_config`.
///
/// On the struct of a message it implements `snapshot_core::schema::Schema`, on a C-like enum
/// `EnumSchema`, on the enum of a oneof `OneofSchema`. `#[snapshot(crate = path)]` is the path of
/// snapshot-core, if it is not `::snapshot_core`.
///
/// A proto2 group, and a field whose type has no schema because another crate generated it, are part of
/// the message, but no Rust type can be saved as such a field.
///
/// The well-known types (`google.protobuf.Timestamp`, `Duration`, `Any`, the wrappers, ...) may be
/// those of another crate: `extern_path(".google.protobuf", "::pbjson_types")`. Such a type is
/// recognised by its proto name, and what fits a field of prost-types' own fits it. The name is that of
/// its `prost::Name`; where the crate implements none, the path of the type says it, if that leads
/// through `google::protobuf` or is of pbjson-types or prost-wkt-types.
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
    derive_snapshot(&parse_macro_input!(input as DeriveInput)).into()
}

/// The code of `derive(Snapshot)`: the implementations, or every mistake and stand-ins.
fn derive_snapshot(input: &DeriveInput) -> proc_macro2::TokenStream {
    let errors = errors::Errors::default();
    let container = attr::Container::parse(&input.attrs, &errors);
    let model = model::check(input, &container, &errors);
    match (errors.finish(), model) {
        (None, Some(model)) => expand::expand(&model),
        (errors, _) => {
            let mut tokens = errors.unwrap_or_default();
            tokens.extend(expand::fallback(input, &container));
            tokens
        }
    }
}
