//! `impl Schema` for a message.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::super::model::{ProstField, ProstType};
use super::super::names;
use super::fields::{Typed, typed};

pub(super) fn items(container: &ProstType, fields: &[ProstField], private: &Ident) -> TokenStream {
    let ident = &container.ident;
    let own_name = names::of_type(ident);
    let Typed { name, definition, value, descriptors } =
        typed(container, fields, "Fields", private);
    quote! {
        use #private::{NoName as _, OpaqueShape as _};

        #definition

        #[automatically_derived]
        impl #private::SealedSchema for #ident {}

        #[automatically_derived]
        impl #private::Schema for #ident {
            type Fields = #name;
            const FIELDS: #name = #value;
            const DESCRIPTOR: &'static #private::MessageDescriptor = &#private::MessageDescriptor {
                name: #own_name,
                full_name: || #private::NameOf::<#ident>::new().full_name(#own_name),
                fields: #descriptors,
            };
        }
    }
}
