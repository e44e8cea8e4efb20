//! Conversions between the state and its prost message.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Struct;

pub(super) fn expand(model: &Struct) -> TokenStream {
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    quote! {
        /// The state as its message.
        ///
        /// # Panics
        ///
        /// If the state cannot be saved; `State::to_message` returns the error instead.
        #[automatically_derived]
        impl #impl_generics __s::From<&#ident #ty_generics> for #message #where_clause {
            #[inline]
            #[track_caller]
            fn from(__state: &#ident #ty_generics) -> Self {
                __s::message_of(__state)
            }
        }

        #[automatically_derived]
        impl #impl_generics __s::TryFrom<#message> for #ident #ty_generics #where_clause {
            type Error = __s::Error;

            #[inline]
            fn try_from(__message: #message) -> __s::Result<Self, __s::Error> {
                __s::State::from_message(&__message)
            }
        }
    }
}
