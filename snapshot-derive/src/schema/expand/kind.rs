//! Kinds as types, and as values.

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

/// The value that a field's descriptor has for its kind. Only of a type of the user's is it asked for
/// whether it has one; all else is known, and a question for each field takes the compiler its time.
pub(super) fn shape_of_field(shape: &Shape, private: &TokenStream) -> TokenStream {
    let of = |shape, values: &[Scalar]| {
        let shape = Ident::new(shape, Span::call_site());
        let kinds = values.iter().map(|scalar| Ident::new(scalar.kind(), Span::call_site()));
        quote!(#private::FieldShape::#shape(#(#private::ValueKind::#kinds),*))
    };
    match shape {
        Shape::Singular(Value::Scalar(value)) => of("Singular", &[*value]),
        Shape::Optional(Value::Scalar(value)) => of("Optional", &[*value]),
        Shape::Repeated(Value::Scalar(value)) => of("Repeated", &[*value]),
        Shape::Packed(Value::Scalar(value)) => of("Packed", &[*value]),
        Shape::Map(key, Value::Scalar(value)) => of("Map", &[*key, *value]),
        Shape::Singular(_)
        | Shape::Optional(_)
        | Shape::Repeated(_)
        | Shape::Packed(_)
        | Shape::Map(..)
        | Shape::Oneof(_)
        | Shape::Group => {
            let kind = of_field(shape, private);
            quote!(#private::ShapeOf::<#kind>::SHAPE)
        }
    }
}
