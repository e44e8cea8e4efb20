//! What is checked when the user's crate is compiled.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{at, payload};
use crate::model::{Field, Role, Struct};

/// The constants of a struct: `__M`, its message; `__FIELDS`, the message's typed fields; `__SPANS`, the numbers that
/// the mapped fields take, in the order in which they are put; and the checks.
pub(super) fn constants(model: &Struct) -> TokenStream {
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let version = model.payload.as_ref().map(payload::version_field);
    let mapped = model.fields.iter().filter_map(Field::mapping).map(|mapping| &mapping.proto);
    let protos = version.iter().chain(mapped);
    let ignored = &model.ignored;
    let name = ident.to_string();
    let complete = quote_spanned!(at(ident.span())=>
        __s::assert_all_mapped(#name, __DESCRIPTOR, __SPANS, __IGNORED));
    let stages = model.fields.iter().filter_map(|field| skipped_stage(model, field));
    let schema = quote_spanned! {at(message.span())=>
        type __M = #message;
        const __FIELDS: <__M as __s::Schema>::Fields = <__M as __s::Schema>::FIELDS;
        const __DESCRIPTOR: &__s::MessageDescriptor = <__M as __s::Schema>::DESCRIPTOR;
    };
    quote! {
        #schema
        const __SPANS: &[__s::Span] = &[#(__s::span(&__FIELDS.#protos)),*];
        const __IGNORED: &[__s::u32] = &[#(__FIELDS.#ignored.number()),*];
        const _: () = #complete;
        #(#stages)*
    }
}

/// A skipped field may not be a stage, unless it says so.
fn skipped_stage(model: &Struct, field: &Field) -> Option<TokenStream> {
    let Role::Skipped(_) = &field.role else { return None };
    if model.stage.as_ref().is_some_and(|stage| stage.field == field.ident) {
        return None;
    }
    // A constant can name neither the struct's type parameters, whose types are not known anyway,
    // nor `Self`, which is no stage.
    let parameters: Vec<_> = model
        .common
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            syn::GenericParam::Type(parameter) => Some(&parameter.ident),
            syn::GenericParam::Const(parameter) => Some(&parameter.ident),
            syn::GenericParam::Lifetime(_) => None,
        })
        .collect();
    if mentions(quote::ToTokens::to_token_stream(&field.ty), &parameters) {
        return None;
    }
    let (ty, ident) = (&field.ty, field.ident.to_string());
    Some(quote_spanned! {at(ty.span())=>
        const _: () = {
            use __s::NoStage as _;
            __s::assert_no_stage(__s::Probe::<#ty>::IS_STAGE, #ident)
        };
    })
}

/// Whether a type mentions one of these names, or `Self`.
fn mentions(tokens: TokenStream, names: &[&syn::Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "Self" || names.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}
