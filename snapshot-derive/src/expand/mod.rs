//! Generates the implementations. Nothing is checked here: the model is free of mistakes.
//!
//! The code is inside one `const _` and names everything through `__s`. So it does not depend on the scope
//! of the user's module and adds nothing to it. Variables have the span `mixed_site`, so that expressions in
//! attributes cannot see them.

mod checks;
mod conversion;
mod enumeration;
mod fallback;
mod fits;
mod kept;
mod mapped;
mod meaning;
mod newtype;
mod notes;
mod oneof;
mod payload;
mod run;
mod stage_rules;
mod struct_;
mod take;
mod version;
mod visit;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Path};

pub(crate) use self::fallback::fallback;
use crate::model::Model;

pub(crate) fn expand(model: &Model) -> TokenStream {
    match model {
        Model::Struct(model) => in_const(&model.common.krate, struct_::expand(model)),
        Model::Enumeration(model) => in_const(&model.common.krate, enumeration::expand(model)),
        Model::Oneof(model) => in_const(&model.common.krate, oneof::expand(model)),
        Model::Newtype(model) => in_const(&model.common.krate, newtype::expand(model)),
    }
}

/// Puts generated items into a scope of their own, where no other code can name them.
fn in_const(krate: &Path, items: TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            use #krate::__private as __s;
            use __s::{Losing as _, NoFit as _, NotConverted as _};
            #items
        };
    }
}

/// A variable that the user's expressions cannot see. A user's constant of the same name would still be
/// matched in a pattern; hence the underscores, which all generated names have.
fn local(name: &str) -> Ident {
    Ident::new(&format!("__{name}"), Span::mixed_site())
}

/// The variable for run number `index`, for errors that point at `place`.
fn numbered(index: usize, place: Span) -> Ident {
    Ident::new(&format!("__field_{index}"), Span::mixed_site().located_at(place))
}

/// The span of a user's token, for generated code that an error should point at. The code still counts as
/// generated, so lints ignore it.
fn at(place: Span) -> Span {
    place.resolved_at(Span::call_site())
}

/// The name of a constant of the prost type at `path`. If the path names no prost type, the compiler reports
/// every use of the constant at the path, and not each at another place.
fn constant_of(path: &Path, name: &str) -> Ident {
    Ident::new(name, at(path.span()))
}

/// A user's name, marked as generated, so that lints ignore it.
fn quiet(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(at(ident.span()));
    ident
}

/// The same for a path.
fn quiet_path(path: &Path) -> TokenStream {
    let tokens = path.to_token_stream().into_iter().map(|mut token| {
        // `$crate` is nothing without its span.
        if token.to_string() != "$crate" {
            token.set_span(at(token.span()));
        }
        token
    });
    tokens.collect()
}

/// Whether a type can be named only inside the item with these generics. A constant beside the item cannot
/// refer to such a type.
fn is_dependent(ty: &impl ToTokens, generics: &Generics) -> bool {
    let names = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        GenericParam::Const(parameter) => Some(&parameter.ident),
        GenericParam::Lifetime(_) => None,
    });
    let names: Vec<&Ident> = names.collect();
    mentions(ty.to_token_stream(), &names)
}

fn mentions(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self" || names.contains(&&ident),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

/// An expression or a name as the user wrote it, near enough for an error.
fn text_of(tokens: &impl ToTokens) -> String {
    let joints = [(" :: ", "::"), (" ..", ".."), ("..= ", "..="), (".. ", "..")];
    joined(tokens, &joints)
}

/// A type or a path as the user wrote it, near enough for an error.
fn text_of_type(tokens: &impl ToTokens) -> String {
    let joints = [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        ("< ", "<"),
        (" ,", ","),
        (" ;", ";"),
        ("& ", "&"),
    ];
    joined(tokens, &joints)
}

fn joined(tokens: &impl ToTokens, joints: &[(&str, &str)]) -> String {
    let text = tokens.to_token_stream().to_string();
    joints.iter().fold(text, |text, (apart, together)| text.replace(apart, together))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::DeriveInput;

    use super::*;
    use crate::attr::Container;
    use crate::errors::Errors;

    /// The code of the derive, without the errors.
    fn expanded(input: &DeriveInput) -> String {
        let errors = Errors::default();
        let container = Container::parse(&input.attrs, &errors);
        let model = crate::model::check(input, &container, &errors);
        match (errors.finish(), model) {
            (None, Some(model)) => expand(&model).to_string(),
            _ => fallback(input, &container).to_string(),
        }
    }

    #[test]
    fn tokens_look_as_they_were_written() {
        let ranges: [TokenStream; 3] =
            [quote!(1..=1 << 40), quote!(a::LOW..), quote!(..Self::of::<u8>())];
        assert_eq!(text_of(&ranges[0]), "1..=1 << 40");
        assert_eq!(text_of(&ranges[1]), "a::LOW..");
        assert!(text_of(&ranges[2]).starts_with("..Self::of"));
        for text in [
            "std::collections::HashMap<String, Vec<[u8; 4]>>",
            "::std::option::Option<&'static str>",
            "(u8, Box<dyn Send>)",
        ] {
            let ty: syn::Type = syn::parse_str(text).unwrap();
            assert_eq!(text_of_type(&ty), text);
        }
    }

    #[test]
    fn every_path_starts_at_the_crate_that_the_user_names() {
        let inputs: [DeriveInput; 6] = [
            syn::parse_quote! {
                #[snapshot(message = M, version = 1, controller = C, crate = elsewhere)]
                struct S {
                    #[snapshot(stage)]
                    stage: T,
                    #[snapshot(skip)]
                    skipped: U,
                }
            },
            syn::parse_quote! {
                #[snapshot(stage = E, crate = elsewhere)]
                enum S { #[default] A, #[snapshot(transient)] B }
            },
            syn::parse_quote! {
                #[snapshot(oneof = O, crate = elsewhere)]
                enum S { A, B(T) }
            },
            syn::parse_quote! {
                #[snapshot(transparent, crate = elsewhere)]
                struct S(T);
            },
            syn::parse_quote! {
                #[snapshot(message = M, version = 3, crate = elsewhere, accept(version = 2))]
                #[snapshot(accept(version = 1, message = N, upgrade = up, downgrade = down))]
                struct S {
                    #[snapshot(since = 3, default = 7)]
                    field: T,
                }
            },
            syn::parse_quote! {
                #[snapshot(mesage = M, crate = elsewhere)]
                struct S { field: T }
            },
        ];
        for input in inputs {
            let code = expanded(&input);
            let what = input.to_token_stream();
            assert!(code.contains("use elsewhere :: __private as __s"), "{what}: {code}");
            for foreign in ["snapshot_core", ":: std", ":: core"] {
                assert!(!code.contains(foreign), "{what} names {foreign}: {code}");
            }
            for name in ["Option", "Result", "Some", "None", "Ok", "Err"] {
                for (at, _) in code.match_indices(&format!(" {name} ")) {
                    assert!(code[..at].ends_with("__s ::"), "{what} names {name}: {code}");
                }
            }
        }
    }

    #[test]
    fn a_payload_without_older_versions_has_no_code_for_them() {
        let plain = expanded(&syn::parse_quote! {
            #[snapshot(message = M, version = 3)]
            struct S { field: T }
        });
        let accepting = expanded(&syn::parse_quote! {
            #[snapshot(message = M, version = 3, accept(version = 2))]
            #[snapshot(accept(version = 1, message = N, upgrade = up, downgrade = down))]
            struct S { #[snapshot(since = 3, default = 7)] field: T }
        });
        for trace in ["Older", "OLDER", "older", "upgrade", "newer", "since", ". version ("] {
            assert!(!plain.contains(trace), "{trace} in {plain}");
            assert!(accepting.contains(trace), "{trace} not in {accepting}");
        }
        // It looks at the version that is there, as it always did.
        assert!(plain.contains("__s :: check_version :: < Self >"));
    }
}
