//! `impl EnumSchema` for an enum.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

use super::super::model::Container;
use super::super::names;

pub(super) fn items(container: &Container, values: &[Ident], private: &TokenStream) -> TokenStream {
    let ident = &container.ident;
    let own_name = ident.unraw().to_string();
    let name = names::free(format!("{ident}Values"), quote!(#private));
    let name = Ident::new(&name, ident.span());
    let i32 = quote!(#private::std::primitive::i32);
    let variant_names = values.iter().map(|value| value.unraw().to_string());
    quote! {
        pub struct #name {
            #(pub #values: #i32,)*
        }

        #[automatically_derived]
        impl #private::EnumSchema for #ident {
            type Values = #name;
            const VALUES: #name = #name {
                #(#values: #ident::#values as #i32,)*
            };
            const DESCRIPTOR: &'static #private::EnumDescriptor = &#private::EnumDescriptor {
                name: #own_name,
                values: &[#(#private::EnumValue {
                    variant: #variant_names,
                    proto_name: || #ident::#values.as_str_name(),
                    number: #ident::#values as #i32,
                },)*],
            };
        }
    }
}
