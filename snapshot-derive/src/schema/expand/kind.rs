//! Kinds as types.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::super::model::{Scalar, Shape, Value};

/// The type of a field kind.
pub(super) fn of_field(shape: &Shape, private: &TokenStream) -> TokenStream {
    let of = |value| of_value(value, private);
    match shape {
        Shape::Singular(value) => {
            let value = of(value);
            quote!(#private::kind::Singular<#value>)
        }
        Shape::Optional(value) => {
            let value = of(value);
            quote!(#private::kind::Optional<#value>)
        }
        Shape::Repeated(value) => {
            let value = of(value);
            quote!(#private::kind::Repeated<#value>)
        }
        Shape::Packed(value) => {
            let value = of(value);
            quote!(#private::kind::Packed<#value>)
        }
        Shape::Map(key, value) => {
            let (key, value) = (of_scalar(*key, private), of(value));
            quote!(#private::kind::Map<#key, #value>)
        }
        Shape::Oneof(path) => quote!(#private::kind::Oneof<#path>),
        Shape::Group => quote!(#private::kind::Group),
    }
}

fn of_value(value: &Value, private: &TokenStream) -> TokenStream {
    match value {
        Value::Scalar(scalar) => of_scalar(*scalar, private),
        Value::Enum(path) => quote!(#private::kind::Enum<#path>),
        Value::Message(ty) => quote!(#private::kind::Message<#ty>),
    }
}

fn of_scalar(scalar: Scalar, private: &TokenStream) -> TokenStream {
    let kind = Ident::new(scalar.kind(), Span::call_site());
    quote!(#private::kind::#kind)
}
