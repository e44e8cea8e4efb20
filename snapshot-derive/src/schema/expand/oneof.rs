//! `impl OneofSchema` for a oneof.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::super::model::{ProstField, ProstType};
use super::super::names;
use super::fields::{Typed, typed};

pub(super) fn items(container: &ProstType, members: &[ProstField], private: &Ident) -> TokenStream {
    let ident = &container.ident;
    let own_name = names::of_type(ident);
    let Typed { name, definition, value, descriptors } =
        typed(container, members, "Members", private);
    quote! {
        use #private::{NoName as _, OpaqueShape as _};

        #definition

        #[automatically_derived]
        impl #private::SealedSchema for #ident {}

        #[automatically_derived]
        impl #private::OneofSchema for #ident {
            type Members = #name;
            const MEMBERS: #name = #value;
            const DESCRIPTOR: &'static #private::OneofDescriptor = &#private::OneofDescriptor {
                name: #own_name,
                members: #descriptors,
            };
        }
    }
}
