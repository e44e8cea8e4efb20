//! A lifecycle stage or another enum without data: it mirrors a proto enum.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{at, local, quiet};
use crate::model::{Enumeration, EnumerationVariant};

pub(super) fn expand(model: &Enumeration) -> TokenStream {
    let Enumeration { common, proto, variants, is_stage, .. } = model;
    // A stage is an enumeration through `Stage`, which users know.
    let implemented = if *is_stage { quote!(__s::Stage) } else { quote!(__s::Enumeration) };
    let ident = &quiet(&common.ident);
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let checks = checks(model);
    let idents: Vec<_> = variants.iter().map(|variant| quiet(&variant.ident)).collect();
    let names = idents.iter().map(ToString::to_string);
    let transient = variants.iter().map(|variant| variant.proto.is_none());
    let newer: Vec<_> = variants.iter().filter(|variant| variant.since.is_some()).collect();
    let since = (!newer.is_empty()).then(|| {
        let idents = newer.iter().map(|variant| quiet(&variant.ident));
        let versions = newer.iter().filter_map(|variant| variant.since);
        quote! {
            const SINCE: &'static [(__s::i32, __s::u32)] =
                &[#((#ident::#idents as __s::i32, #versions)),*];
        }
    });
    let form = (!newer.is_empty()).then(|| {
        quote! {
            const FORM: __s::ValueForm =
                __s::ValueForm::enumeration(<Self as __s::Enumeration>::SINCE);
        }
    });
    let number = local("number");
    let wire = quote_spanned!(at(proto.span())=> __s::Wire<__s::kind::Enum<__E>>);
    quote! {
        #checks

        #[automatically_derived]
        impl #impl_generics #implemented for #ident #ty_generics #where_clause {
            type Proto = #proto;
            const VARIANTS: &'static [__s::StageVariant] = &[#(
                __s::StageVariant {
                    name: #names,
                    number: #ident::#idents as __s::i32,
                    transient: #transient,
                }
            ),*];
            #since
            fn number(&self) -> __s::i32 {
                match self {
                    #(#ident::#idents => #ident::#idents as __s::i32,)*
                }
            }
            fn from_number(#number: __s::i32) -> __s::Option<Self> {
                #(if #number == #ident::#idents as __s::i32 {
                    return __s::Some(#ident::#idents);
                })*
                __s::None
            }
        }

        #[automatically_derived]
        impl #impl_generics __s::Sealed for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics __s::Single for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics #wire for #ident #ty_generics #where_clause {
            const LEAF: __s::bool = true;
            #form
            fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::put_enumeration(self, __w)
            }
            fn put_tagged(
                &self,
                __number: __s::u32,
                __w: &mut __s::Writer,
            ) -> __s::Result<(), __s::Error> {
                __s::put_enumeration_tagged(self, __number, __w)
            }
            fn size(&self) -> __s::usize {
                __s::enumeration_size(self)
            }
            fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::take_enumeration(__r)
            }
            fn of_default() -> __s::Result<Self, __s::Error> {
                __s::default_enumeration()
            }
            fn is_default(&self) -> __s::bool {
                __s::Enumeration::number(self) == 0
            }
        }
    }
}

/// Both enums must have the same values with the same numbers.
fn checks(model: &Enumeration) -> TokenStream {
    let Enumeration { common, is_stage, proto, variants, default } = model;
    let ident = &common.ident;
    let name = ident.unraw().to_string();
    let values: Vec<String> = variants
        .iter()
        .filter_map(|variant| variant.proto.as_ref())
        .map(|value| value.unraw().to_string())
        .collect();
    // Compared without a cast to the `i32` of the wire, which could make two numbers equal.
    let checks = variants.iter().map(|EnumerationVariant { ident, proto, .. }| {
        let text = format!("{name}::{}", ident.unraw());
        let (enum_ident, variant) = (quiet(&common.ident), quiet(ident));
        let number = quote!(#enum_ident::#variant as __s::i128);
        let Some(value) = proto else {
            return quote_spanned! {at(ident.span())=>
                const _: () = __s::assert_fits_i32(#text, #number);
            };
        };
        let (value_text, is_renamed) = (value.unraw().to_string(), value != ident);
        // On the variant, or on the name in its `rename`.
        quote_spanned! {at(value.span())=>
            const _: () = __s::assert_value(
                #text,
                #number,
                __DESCRIPTOR,
                #value_text,
                #is_renamed,
                #is_stage,
            );
        }
    });
    let newer = variants.iter().filter(|variant| variant.since.is_some()).map(|variant| {
        let text = format!("{name}::{}", variant.ident.unraw());
        let (enum_ident, variant) = (quiet(ident), quiet(&variant.ident));
        quote_spanned! {at(variant.span())=>
            const _: () = __s::assert_not_zero(#text, #enum_ident::#variant as __s::i128);
        }
    });
    let default = default.as_ref().map(|default| {
        let text = format!("{name}::{}", default.unraw());
        let (ident, default) = (quiet(ident), quiet(default));
        quote_spanned! {at(default.span())=>
            const _: () = __s::assert_zero(#text, #ident::#default as __s::i128);
        }
    });
    let complete = quote_spanned!(at(ident.span())=>
        __s::assert_all_values(#name, __DESCRIPTOR, &[#(#values),*]));
    let schema = quote_spanned! {at(proto.span())=>
        type __E = #proto;
        const __DESCRIPTOR: &__s::EnumDescriptor = <__E as __s::EnumSchema>::DESCRIPTOR;
    };
    quote! {
        #schema
        #(#checks)*
        #(#newer)*
        #default
        const _: () = #complete;
    }
}
