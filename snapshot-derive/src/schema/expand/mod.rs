//! Writes the model as code.
//!
//! The code stands in modules that we know nothing of: one may define its own `Option`, `String` or
//! `Vec`, and need not have a prelude. So every path is absolute, no trait's method is called
//! without that trait in scope under no name, and our own items are in a block of their own, under
//! names that hide none that the type mentions.

mod enumeration;
mod fields;
mod kind;
mod message;
mod oneof;

use proc_macro2::TokenStream;
use quote::quote;

use super::model::{Container, Data};

/// The implementation for one type.
pub(super) fn container(container: &Container) -> TokenStream {
    let krate = &container.krate;
    let private = quote!(#krate::__private);
    let items = match &container.data {
        Data::Message(fields) => message::items(container, fields, &private),
        Data::Oneof(members) => oneof::items(container, members, &private),
        Data::Enum(values) => enumeration::items(container, values, &private),
    };
    // Lints that look into generated code: a type may be deprecated or named against the style, and
    // our fields are named like variants.
    quote! {
        #[allow(deprecated, non_camel_case_types, non_snake_case)]
        const _: () = {
            #items
        };
    }
}
