//! Generates the code that keeps the fields with `skip` when a later state replaces an earlier one,
//! here and in nested states.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Type};

use super::{local, quiet};
use crate::model::{Newtype, OneofEnum, Role, Struct, plain};

/// Generates `Keep` of a struct.
pub(super) fn of_struct(model: &Struct) -> TokenStream {
    let earlier = local("earlier");
    let is_stage = |ident: &Ident| model.stage.as_ref().is_some_and(|stage| stage.field == *ident);
    let fields = model.fields.iter().filter(|field| !is_stage(&field.ident)).filter_map(|field| {
        let ident = &field.ident;
        match field.mapping() {
            // The stage is set by its rules, and the version is that of the later payload.
            None if matches!(field.role, Role::ReadVersion) => None,
            None => Some(quote!(__s::swap(&mut self.#ident, &mut #earlier.#ident);)),
            Some(mapping) if field.is_plain || mapping.with.is_some() => None,
            Some(_) => Some(quote!(__s::Later(&mut self.#ident, &mut #earlier.#ident).keep();)),
        }
    });
    let fields: TokenStream = fields.collect();
    keep(&model.common, &fields)
}

/// Generates `Keep` of a newtype, which is that of its inner value.
pub(super) fn of_newtype(Newtype { common, member, ty, .. }: &Newtype) -> TokenStream {
    if plain::is_plain(ty) {
        return TokenStream::new();
    }
    let earlier = local("earlier");
    keep(
        common,
        &quote! {
            __s::Later(&mut self.#member, &mut #earlier.#member).keep();
        },
    )
}

/// Generates `Keep` of a oneof: the content is kept if the variant is the same.
pub(super) fn of_oneof(OneofEnum { common, variants, .. }: &OneofEnum) -> TokenStream {
    let (later, earlier) = (local("later"), local("earlier"));
    let ident = quiet(&common.ident);
    let is_plain = |ty: &Option<Type>| ty.as_ref().is_none_or(plain::is_plain);
    let all = variants.len();
    let variants: Vec<_> = variants.iter().filter(|variant| !is_plain(&variant.ty)).collect();
    if variants.is_empty() {
        return TokenStream::new();
    }
    let others = (variants.len() < all).then(|| quote!(_ => {}));
    let arms = variants.iter().map(|variant| {
        let name = quiet(&variant.ident);
        let old = local("old");
        quote! {
            #ident::#name(#later) => if let #ident::#name(#old) = #earlier {
                __s::Later(#later, #old).keep();
            }
        }
    });
    keep(
        common,
        &quote! {
            match self {
                #(#arms,)*
                #others
            }
        },
    )
}

fn keep(common: &crate::model::Common, body: &TokenStream) -> TokenStream {
    let (ident, earlier) = (quiet(&common.ident), local("earlier"));
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let keep_from = (!body.is_empty()).then(|| {
        quote! {
            fn keep_from(&mut self, #earlier: &mut Self) {
                use __s::{Keeps as _, KeepsNothing as _};
                #body
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::Keep for #ident #ty_generics #where_clause {
            #keep_from
        }
    }
}
