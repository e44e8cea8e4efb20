//! The typed fields of a message and the typed members of a oneof, which are alike.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

use super::super::model::{ProstField, ProstType};
use super::kind::{KindOf, ShapeOf};
use super::name;

/// The parts that an implementation is made of.
pub(super) struct Typed {
    /// The name of the struct of typed fields.
    pub(super) name: Ident,
    /// That struct.
    pub(super) definition: TokenStream,
    /// A value of it.
    pub(super) value: TokenStream,
    /// The descriptors of the fields.
    pub(super) descriptors: TokenStream,
}

/// Generates the fields in a struct named by the type and `suffix`, the name that rustc's messages show.
pub(super) fn typed(
    container: &ProstType,
    fields: &[ProstField],
    suffix: &str,
    private: &Ident,
) -> Typed {
    let kinds = fields.iter().map(|field| KindOf { shape: &field.shape, private });
    let shapes = kinds.clone().map(ShapeOf);
    let name = name(format!("{}{suffix}", container.ident.unraw()), container);
    let name = Ident::new(&name, container.ident.span());

    let doc = format!("The typed {} of `{}`.", suffix.to_lowercase(), container.ident);
    let idents: Vec<&Ident> = fields.iter().map(|field| &field.ident).collect();
    let numbers: Vec<u32> = fields.iter().map(|field| field.number).collect();
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    Typed {
        definition: quote! {
            #[doc = #doc]
            pub struct #name {
                #(pub #idents: #private::Field<#kinds>,)*
            }
        },
        value: quote! {
            #name {
                #(#idents: #private::field(#numbers, #names),)*
            }
        },
        descriptors: quote! {
            &[#(#private::FieldDescriptor {
                number: #numbers,
                name: #names,
                shape: #shapes,
            },)*]
        },
        name,
    }
}
