//! A data enum that is saved as a oneof.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{at, constant_of, is_dependent, kept, local, quiet, text_of_type};
use crate::model::{OneofEnum, OneofVariant};

pub(super) fn expand(model: &OneofEnum) -> TokenStream {
    let OneofEnum { common, proto, variants, ignored } = model;
    let ident = &quiet(&common.ident);
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let (w, r, tag, value) = (local("w"), local("r"), local("tag"), local("value"));
    let visit = local("visit");
    let name = common.ident.to_string();
    let members: Vec<_> = variants.iter().map(|variant| &variant.proto).collect();
    let descriptor = constant_of(proto, "__DESCRIPTOR");
    let all = &constant_of(proto, "__MEMBERS");
    let complete = quote_spanned!(at(common.ident.span())=>
    __s::assert_all_members(
        #name,
        #descriptor,
        &[#(#all.#members.number(),)* #(#all.#ignored.number(),)*],
    ));
    let (inside, beside): (Vec<_>, Vec<_>) =
        variants.iter().partition(|variant| is_dependent(&variant.ty, &common.generics));
    let fits = beside.into_iter().map(|variant| fits(all, variant));
    let checks_inside = inside.into_iter().filter_map(|variant| fits_inside(all, variant));
    let puts = variants.iter().map(|variant| {
        let (name, member) = (quiet(&variant.ident), member(all, variant));
        let (pattern, value) = match &variant.ty {
            Some(_) => (quote!(#ident::#name(#value)), quote!(#value)),
            None => (quote!(#ident::#name), quote!(&())),
        };
        match variant.since {
            None => quote!(#pattern => #member.fits().put_member(#value, #w)),
            Some(since) => {
                let proto = &variant.proto;
                quote! {
                    #pattern => {
                        __s::put_since(&#all.#proto, #since, #w)?;
                        #member.fits().put_member(#value, #w)
                    }
                }
            }
        }
    });
    let takes = variants.iter().map(|variant| {
        let (name, proto, member) = (quiet(&variant.ident), &variant.proto, member(all, variant));
        let take = match &variant.ty {
            Some(_) => quote!(__s::Ok(#ident::#name(#member.fits().take_member(#tag, #r)?))),
            None => quote! {
                #member.fits().take_member(#tag, #r)?;
                __s::Ok(#ident::#name)
            },
        };
        let since = variant.since.map(|since| quote!(__s::take_since(&#all.#proto, #since, #r)?;));
        quote!(if #tag.number == #all.#proto.number() { #since #take } else)
    });
    let visits = variants.iter().map(|variant| {
        let (name, member) = (quiet(&variant.ident), member(all, variant));
        match &variant.ty {
            Some(_) => quote!(#ident::#name(#value) => #member.fits().visit_member(#value, #visit)),
            None => quote!(#ident::#name => __s::Ok(())),
        }
    });
    let inside = variants.iter().filter(|variant| variant.ty.is_some()).map(|variant| {
        let fits = fits_inside(all, variant);
        match is_dependent(&variant.ty, &common.generics) {
            true => quote!(#fits),
            false => {
                let member = member(all, variant);
                quote!(__s::inside_member(&|| #member.fits()))
            }
        }
    });
    let forms = variants.iter().map(|variant| {
        let proto = &variant.proto;
        let since = variant.since.map(|since| quote!(.since(#since)));
        let form = match is_dependent(&variant.ty, &common.generics) {
            // Its type is known only to the code of the impl.
            true => quote!(__s::unknown_member(&#all.#proto)),
            false => {
                let member = member(all, variant);
                quote!(__s::member_form(&#all.#proto, &|| #member.fits()))
            }
        };
        quote!(#form #since)
    });
    let absent = ignored.iter().map(|name| quote!(__s::MemberForm::ignored(#all.#name.number())));
    let inside: Vec<TokenStream> = inside.collect();
    let inside = (!inside.is_empty()).then(
        || quote!(const INSIDE: __s::StatesInside = __s::StatesInside::Each(&[#(#inside),*]);),
    );
    let schema = quote_spanned! {at(proto.span())=>
        type __O = #proto;
        const __MEMBERS: <__O as __s::OneofSchema>::Members = <__O as __s::OneofSchema>::MEMBERS;
        const __DESCRIPTOR: &__s::OneofDescriptor = <__O as __s::OneofSchema>::DESCRIPTOR;
    };
    let keep = kept::of_oneof(model);
    quote! {
        #schema
        const _: () = #complete;
        #(#fits)*

        #[automatically_derived]
        impl #impl_generics __s::Sealed for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics __s::Single for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics __s::WireOneof<__O> for #ident #ty_generics #where_clause {
            const MEMBERS: &'static [__s::MemberForm] = &[#(#forms,)* #(#absent,)*];
            #inside
            fn put_oneof(&self, #w: &mut __s::Writer) -> __s::Result<__s::u32, __s::Error> {
                #(#checks_inside;)*
                match self {
                    #(#puts,)*
                }
            }
            fn take_oneof(
                #tag: __s::Tag,
                #r: &mut __s::Reader<'_>,
            ) -> __s::Result<Self, __s::Error> {
                #(#takes)* {
                    __s::Err(__s::unmapped_member(#descriptor, #tag))
                }
            }
            fn visit_oneof(&self, #visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
                match self {
                    #(#visits,)*
                }
            }
        }

        #keep
    }
}

/// The check beside the impls that a variant fits its member. Only this check reports a misfit.
fn fits(all: &Ident, variant: &OneofVariant) -> TokenStream {
    let OneofVariant { ident, proto, ty, .. } = variant;
    let (place, text) = match ty {
        Some(ty) => (ty.span(), text_of_type(ty)),
        None => (ident.span(), String::new()),
    };
    let member = member(all, variant);
    quote_spanned! {at(place)=>
        const _: () = __s::assert_member_fits(&|| #member.fits(), &#all.#proto, #text);
    }
}

/// The same check for a type that can be named only inside the impls.
fn fits_inside(all: &Ident, variant: &OneofVariant) -> Option<TokenStream> {
    let OneofVariant { proto, ty, .. } = variant;
    let ty = ty.as_ref()?;
    Some(quote_spanned!(at(ty.span())=> __s::of(&#all.#proto).holds::<#ty>()))
}

fn member(all: &Ident, variant: &OneofVariant) -> TokenStream {
    let OneofVariant { ident, proto, ty, .. } = variant;
    match ty {
        Some(ty) => quote_spanned!(at(ty.span())=> __s::member::<_, #ty>(&#all.#proto)),
        None => quote_spanned!(at(ident.span())=> __s::member::<_, ()>(&#all.#proto)),
    }
}
