//! Kinds as types, and as values.
//!
//! Both are appended token by token, because each nested token stream costs the compiler several calls of
//! the macro, and a message has two for each field.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::Type;

use super::super::model::{FieldKind, Scalar, ValueKind};
use super::well_known::{self, Origin};

/// The type of a field kind. `private` is the name of snapshot-core's `__private`.
pub(super) struct KindOf<'a> {
    pub(super) shape: &'a FieldKind,
    pub(super) private: &'a Ident,
}

impl ToTokens for KindOf<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut kind = |name, first: &dyn ToTokens, second: Option<&dyn ToTokens>| {
            path(tokens, self.private, &["kind", name]);
            punct(tokens, '<');
            first.to_tokens(tokens);
            if let Some(second) = second {
                punct(tokens, ',');
                second.to_tokens(tokens);
            }
            punct(tokens, '>');
        };
        let of = |value| ValueOf { value, private: self.private };
        match self.shape {
            FieldKind::Singular(value) => kind("Singular", &of(value), None),
            FieldKind::Optional(value) => kind("Optional", &of(value), None),
            FieldKind::Repeated(value) => kind("Repeated", &of(value), None),
            FieldKind::Packed(value) => kind("Packed", &of(value), None),
            FieldKind::Map(key, value) => {
                kind("Map", &of(&ValueKind::Scalar(*key)), Some(&of(value)));
            }
            FieldKind::Oneof(path) => kind("Oneof", path, None),
            FieldKind::Group => path(tokens, self.private, &["kind", "Group"]),
        }
    }
}

/// The type of a value kind.
struct ValueOf<'a> {
    value: &'a ValueKind,
    private: &'a Ident,
}

impl ToTokens for ValueOf<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let of_message;
        let (name, of): (_, Option<&dyn ToTokens>) = match self.value {
            ValueKind::Scalar(scalar) => (scalar.kind(), None),
            ValueKind::Enum(path) => ("Enum", Some(path)),
            ValueKind::Message(ty) => {
                of_message = message(ty, self.private);
                ("Message", Some(&of_message))
            }
        };
        path(tokens, self.private, &["kind", name]);
        if let Some(of) = of {
            punct(tokens, '<');
            of.to_tokens(tokens);
            punct(tokens, '>');
        }
    }
}

/// The type that stands for a message in the kind of its field.
fn message(ty: &Type, private: &Ident) -> TokenStream {
    match well_known::origin(ty) {
        Origin::Own => ty.to_token_stream(),
        Origin::WellKnown(name) => {
            let mut tokens = TokenStream::new();
            path(&mut tokens, private, &["well_known", name]);
            tokens
        }
        Origin::Unknown => quote! {
            <#private::well_known::Known<{ #private::NameOf::<#ty>::KNOWN }>
                as #private::well_known::InPlaceOf<#ty>>::Message
        },
    }
}

/// The constant in a field's descriptor for the field's kind. Only a kind with a generated type in it is
/// looked up by type, because each lookup costs compile time.
pub(super) struct ShapeOf<'a>(pub(super) KindOf<'a>);

impl ToTokens for ShapeOf<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self(kind) = self;
        let shape = match kind.shape {
            FieldKind::Singular(ValueKind::Scalar(value)) => ("singular", value),
            FieldKind::Optional(ValueKind::Scalar(value)) => ("optional", value),
            FieldKind::Repeated(ValueKind::Scalar(value)) => ("repeated", value),
            FieldKind::Packed(ValueKind::Scalar(value)) => ("packed", value),
            FieldKind::Map(key, ValueKind::Scalar(value)) => {
                return map(tokens, kind.private, [*key, *value]);
            }
            FieldKind::Singular(_)
            | FieldKind::Optional(_)
            | FieldKind::Repeated(_)
            | FieldKind::Packed(_)
            | FieldKind::Map(..)
            | FieldKind::Oneof(_)
            | FieldKind::Group => {
                path(tokens, kind.private, &["ShapeOf"]);
                colons(tokens);
                punct(tokens, '<');
                kind.to_tokens(tokens);
                punct(tokens, '>');
                colons(tokens);
                return ident(tokens, "SHAPE");
            }
        };
        let (module, scalar) = shape;
        path(tokens, kind.private, &["scalar_shapes", module, scalar.kind()]);
    }
}

fn map(tokens: &mut TokenStream, private: &Ident, kinds: [Scalar; 2]) {
    path(tokens, private, &["FieldShape", "Map"]);
    let mut values = TokenStream::new();
    for kind in kinds {
        path(&mut values, private, &["ValueKind", kind.kind()]);
        punct(&mut values, ',');
    }
    tokens.append(Group::new(Delimiter::Parenthesis, values));
}

fn path(tokens: &mut TokenStream, private: &Ident, names: &[&str]) {
    tokens.append(private.clone());
    for name in names {
        colons(tokens);
        ident(tokens, name);
    }
}

fn ident(tokens: &mut TokenStream, name: &str) {
    tokens.append(Ident::new(name, Span::call_site()));
}

fn colons(tokens: &mut TokenStream) {
    tokens.append(Punct::new(':', Spacing::Joint));
    punct(tokens, ':');
}

fn punct(tokens: &mut TokenStream, punct: char) {
    tokens.append(Punct::new(punct, Spacing::Alone));
}
