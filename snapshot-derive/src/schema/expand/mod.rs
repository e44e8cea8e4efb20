//! Generates code from the model.
//!
//! The code is placed in unknown modules. Such a module may define its own `Option`, `String` or `Vec`, and
//! may have no prelude. So every path begins at a local name for snapshot-core's `__private`, traits whose
//! methods are called are imported as `_`, and generated items are in a block of their own, under names
//! that shadow no name in the type.

mod enumeration;
mod fields;
mod kind;
mod message;
mod oneof;
mod well_known;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use super::model::{Data, FieldKind, ProstType, ValueKind};
use super::names;

/// The implementation for one type.
pub(super) fn container(container: &ProstType) -> TokenStream {
    let krate = &container.krate;
    let private = &Ident::new(&name("__s".to_owned(), container), Span::call_site());
    let items = match &container.data {
        Data::Message(fields) => message::items(container, fields, private),
        Data::Oneof(members) => oneof::items(container, members, private),
        Data::Enum(values) => enumeration::items(container, values, private),
    };
    // Lints that look into generated code: a type may be deprecated or named against the style, and
    // our fields are named like variants.
    quote! {
        #[allow(deprecated, non_camel_case_types, non_snake_case)]
        const _: () = {
            use #krate::__private as #private;
            #items
        };
    }
}

/// Returns a name for a generated item that shadows no name that the type mentions.
fn name(wanted: String, container: &ProstType) -> String {
    let mut mentioned = container.ident.to_token_stream();
    if let Data::Message(fields) | Data::Oneof(fields) = &container.data {
        for field in fields {
            match &field.shape {
                FieldKind::Singular(value)
                | FieldKind::Optional(value)
                | FieldKind::Repeated(value)
                | FieldKind::Packed(value)
                | FieldKind::Map(_, value) => match value {
                    ValueKind::Scalar(_) => {}
                    ValueKind::Enum(path) => path.to_tokens(&mut mentioned),
                    ValueKind::Message(ty) => ty.to_tokens(&mut mentioned),
                },
                FieldKind::Oneof(path) => path.to_tokens(&mut mentioned),
                FieldKind::Group => {}
            }
        }
    }
    names::free(wanted, mentioned)
}
