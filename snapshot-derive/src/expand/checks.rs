//! The checks that run when the user's crate is compiled.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{at, constant_of, is_dependent, payload, stage_rules};
use crate::model::{Field, Role, Struct};

/// The constants of a struct: `__M`, its message; `__FIELDS`, the message's typed fields; `__MAPPED`,
/// the numbers and names of the mapped ones, in the order in which they are declared; and the checks.
pub(super) fn constants(model: &Struct) -> TokenStream {
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let version = model.payload.as_ref().map(|payload| payload::version_field(model, payload));
    let protos = model.fields.iter().filter_map(Field::mapping).map(|mapping| &mapping.proto);
    let discarded = &model.discarded;
    let left_out = model.ignored.iter().chain(discarded);
    let name = ident.to_string();
    let fields = constant_of(message, "__FIELDS");
    let descriptor = constant_of(message, "__DESCRIPTOR");
    let version_number = payload::version_number(model);
    let dropped = (!discarded.is_empty())
        .then(|| quote!(const __DISCARDED: &[__s::u32] = &[#((*#fields).#discarded.number()),*];));
    let complete = quote_spanned!(at(ident.span())=>
        __s::assert_all_mapped(#name, #descriptor, #version_number, __MAPPED, &[#((*#fields).#left_out.number()),*]));
    let stages = model.fields.iter().filter_map(|field| skipped_stage(model, field));
    let generics = &common.generics;
    let rules = model.stage.iter().filter(|stage| !is_dependent(&stage.ty, generics));
    let rules = rules.flat_map(stage_rules::checks);
    let schema = quote_spanned! {at(message.span())=>
        type __M = #message;
        // By reference: otherwise each use of a field would be another constant.
        const __FIELDS: &<__M as __s::Schema>::Fields = &<__M as __s::Schema>::FIELDS;
        const __DESCRIPTOR: &__s::MessageDescriptor = <__M as __s::Schema>::DESCRIPTOR;
    };
    quote! {
        #schema
        #version
        const __MAPPED: &[__s::Numbered] = {
            let __all = #fields;
            &[#((*__all).#protos.numbered),*]
        };
        #dropped
        const _: () = #complete;
        #(#stages)*
        #(#rules)*
    }
}

/// The check that a skipped field is not a stage, unless it is marked as one.
fn skipped_stage(model: &Struct, field: &Field) -> Option<TokenStream> {
    let Role::Skipped(_) = &field.role else { return None };
    if model.stage.as_ref().is_some_and(|stage| stage.field == field.ident) {
        return None;
    }
    if is_dependent(&field.ty, &model.common.generics) {
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
