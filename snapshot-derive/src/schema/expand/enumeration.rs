//! `impl EnumSchema` for an enum.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

use super::super::model::ProstType;
use super::super::names;
use super::name;

/// Generates the enum's schema. The proto names come from `as_str_name`, which prost-build writes beside
/// the enum. For an enum written by hand without it, a trait method of that name returns the names of the
/// variants; an inherent method takes precedence over it.
pub(super) fn items(container: &ProstType, values: &[Ident], private: &Ident) -> TokenStream {
    let ident = &container.ident;
    let own_name = names::of_type(ident);
    let name = Ident::new(&name(format!("{}Values", ident.unraw()), container), ident.span());
    let by_hand = Ident::new(&super::name("ByHand".to_owned(), container), Span::call_site());
    let (i32, str) = (quote!(#private::std::primitive::i32), quote!(#private::std::primitive::str));
    let variants: Vec<String> = values.iter().map(|value| value.unraw().to_string()).collect();
    let doc = format!("The numbers of `{ident}`.");
    quote! {
        #[doc = #doc]
        pub struct #name {
            #(pub #values: #i32,)*
        }

        trait #by_hand {
            fn as_str_name(&self) -> &'static #str;
        }

        #[automatically_derived]
        impl #by_hand for #ident {
            fn as_str_name(&self) -> &'static #str {
                match self {
                    #(#ident::#values => #variants,)*
                }
            }
        }

        #[automatically_derived]
        impl #private::SealedSchema for #ident {}

        #[automatically_derived]
        impl #private::EnumSchema for #ident {
            type Values = #name;
            const VALUES: #name = #name {
                #(#values: #ident::#values as #i32,)*
            };
            const DESCRIPTOR: &'static #private::EnumDescriptor = &#private::EnumDescriptor {
                name: #own_name,
                values: &[#(#private::EnumValue {
                    variant: #variants,
                    proto_name: || #ident::#values.as_str_name(),
                    number: #ident::#values as #i32,
                },)*],
            };
        }
    }
}
