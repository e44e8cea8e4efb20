//! A data enum that is saved as a oneof.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{at, local};
use crate::model::OneofEnum;

pub(super) fn expand(model: &OneofEnum) -> TokenStream {
    let OneofEnum { common, proto, variants, ignored } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let (w, r, tag, walk, value) =
        (local("w"), local("r"), local("tag"), local("walk"), local("value"));
    let name = ident.to_string();
    let members: Vec<_> = variants.iter().map(|variant| &variant.proto).collect();
    let complete = quote_spanned!(at(ident.span())=>
    __s::assert_all_members::<#proto>(
        #name,
        &[#(__MEMBERS.#members.number(),)* #(__MEMBERS.#ignored.number(),)*],
    ));
    let puts = variants.iter().map(|variant| {
        let (name, member) = (&variant.ident, &variant.proto);
        match &variant.ty {
            Some(ty) => quote_spanned!(at(ty.span())=>
                #ident::#name(#value) => __s::put_member::<_, #ty>(&__MEMBERS.#member, #value, #w)),
            None => quote_spanned!(at(name.span())=>
                #ident::#name => __s::put_member::<_, ()>(&__MEMBERS.#member, &(), #w)),
        }
    });
    let takes = variants.iter().map(|variant| {
        let (name, member) = (&variant.ident, &variant.proto);
        let take = match &variant.ty {
            Some(ty) => quote_spanned!(at(ty.span())=>
                __s::Ok(#ident::#name(__s::take_member::<_, #ty>(&__MEMBERS.#member, #tag, #r)?))),
            None => quote_spanned! {at(name.span())=>
                {
                    __s::take_member::<_, ()>(&__MEMBERS.#member, #tag, #r)?;
                    __s::Ok(#ident::#name)
                }
            },
        };
        quote!(if #tag.number == __MEMBERS.#member.number() { #take } else)
    });
    let walks = variants.iter().map(|variant| {
        let (name, member) = (&variant.ident, &variant.proto);
        match &variant.ty {
            Some(ty) => quote_spanned!(at(ty.span())=>
                #ident::#name(#value) => __s::walk_member::<_, #ty>(&__MEMBERS.#member, #value, #walk)),
            None => quote!(#ident::#name => __s::Ok(())),
        }
    });
    quote! {
        const __MEMBERS: <#proto as __s::OneofSchema>::Members =
            <#proto as __s::OneofSchema>::MEMBERS;
        const _: () = #complete;

        #[automatically_derived]
        impl #impl_generics __s::Single for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics __s::WireOneof<#proto> for #ident #ty_generics #where_clause {
            fn put_oneof(&self, #w: &mut __s::Writer) -> __s::Result<__s::u32, __s::Error> {
                match self {
                    #(#puts,)*
                }
            }
            fn take_oneof(
                #tag: __s::Tag,
                #r: &mut __s::Reader<'_>,
            ) -> __s::Result<Self, __s::Error> {
                #(#takes)* {
                    __s::Err(__s::unmapped_member::<#proto>(#tag))
                }
            }
            fn walk_oneof(&mut self, #walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
                match self {
                    #(#walks,)*
                }
            }
        }
    }
}
