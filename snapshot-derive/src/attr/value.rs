//! The values of keywords.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitInt, LitStr, Path, Token, Type, parenthesized};

use super::key::Key;

/// The value of a keyword; the type decides how it is written.
pub(crate) trait Value: Sized {
    /// Parses the tokens after the keyword at `at`.
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self>;

    /// Whether the keyword may be given more than once.
    const REPEATS: bool = false;

    /// Adds a later value, if the keyword repeats.
    fn add(&mut self, later: Self) {
        *self = later;
    }
}

/// Nothing stands after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag;

/// `= expression`, kept as tokens: syn parses all expressions only with its `full` feature.
#[derive(Clone)]
pub(crate) struct Expr(pub(crate) TokenStream);

/// Nothing, or `= expression`.
#[derive(Clone)]
pub(crate) struct MaybeExpr(pub(crate) Option<TokenStream>);

/// `= 7`: a schema version.
#[derive(Clone, Copy)]
pub(crate) struct Version(pub(crate) u32);

/// `(a, b)`.
#[derive(Clone)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

/// `= "namespace"`, or `(keys = "namespace", values = "namespace")`, one of which may be omitted.
#[derive(Clone, Default)]
pub(crate) struct Namespaces {
    /// Of the value itself, of elements, of the keys of a map.
    pub(crate) own: Option<LitStr>,
    /// Of the values of a map.
    pub(crate) values: Option<LitStr>,
}

pub(super) fn expected(key: &Key, at: Span) -> syn::Error {
    syn::Error::new(at, format!("expected `{}`", key.form))
}

/// Takes the `=`.
pub(super) fn equals(key: &Key, at: Span, input: ParseStream<'_>) -> syn::Result<()> {
    match input.parse::<Option<Token![=]>>() {
        Ok(Some(_)) if !input.is_empty() => Ok(()),
        _ => Err(expected(key, at)),
    }
}

/// Parses one value; on failure says how the keyword is written.
fn one<T>(
    key: &'static Key,
    input: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let at = input.span();
    if let Ok(text) = input.fork().parse::<LitStr>() {
        let bare = text.value();
        return Err(match text.parse::<Path>() {
            Ok(_) => syn::Error::new(at, format!("remove the quotes: `{} = {bare}`", key.name)),
            Err(_) => expected(key, at),
        });
    }
    let ahead = input.fork();
    let value = parse(&ahead).map_err(|_| expected(key, at))?;
    input.advance_to(&ahead);
    Ok(value)
}

/// A name as the user writes it in the `.proto` file: a keyword becomes the raw identifier that
/// prost makes of it.
fn name(input: ParseStream<'_>) -> syn::Result<Ident> {
    let ident = input.call(Ident::parse_any)?;
    let text = ident.to_string();
    if text == "_" || syn::parse_str::<Ident>(&text).is_ok() {
        return Ok(ident);
    }
    Ok(match text.as_str() {
        // Cannot be raw; prost appends an underscore.
        "self" | "super" | "crate" | "Self" => Ident::new(&format!("{text}_"), ident.span()),
        _ => Ident::new_raw(&text, ident.span()),
    })
}

impl Value for Flag {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Flag);
        }
        Err(syn::Error::new(at, format!("`{}` takes no value", key.name)))
    }
}

impl Value for Ident {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        equals(key, at, input)?;
        one(key, input, name)
    }
}

impl Value for Path {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        equals(key, at, input)?;
        // Not `Path::parse`: `crate = crate` and `crate = super::x` must pass as well.
        one(key, input, |input| match ungrouped(input.parse()?) {
            Type::Path(path) if path.qself.is_none() => Ok(path.path),
            _ => Err(input.error("")),
        })
    }
}

/// Removes the invisible brackets around a type that a macro by example has passed on.
fn ungrouped(mut ty: Type) -> Type {
    while let Type::Group(group) = ty {
        ty = *group.elem;
    }
    ty
}

impl Value for Type {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        equals(key, at, input)?;
        one(key, input, Type::parse)
    }
}

impl Value for LitStr {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        equals(key, at, input)?;
        let at = input.span();
        input.parse().map_err(|_| expected(key, at))
    }
}

impl Value for Version {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        equals(key, at, input)?;
        let literal = one(key, input, LitInt::parse)?;
        let wrong = |why| Err(syn::Error::new(literal.span(), why));
        if !matches!(literal.suffix(), "" | "u32") {
            return wrong("a schema version is a `u32`");
        }
        match literal.base10_parse::<u32>() {
            Ok(0) => wrong("versions start at 1: 0 cannot be distinguished from a missing version"),
            Ok(version) => Ok(Version(version)),
            Err(_) => wrong("a schema version is a `u32`"),
        }
    }
}

impl Value for Expr {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        equals(key, at, input)?;
        let tokens = expression(input)?;
        if tokens.is_empty() {
            return Err(expected(key, at));
        }
        Ok(Expr(tokens))
    }
}

impl Value for MaybeExpr {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(MaybeExpr(None));
        }
        Expr::parse_after(key, at, input).map(|Expr(tokens)| MaybeExpr(Some(tokens)))
    }
}

impl Value for Namespaces {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(syn::token::Paren) {
            equals(key, at, input)?;
            return Ok(Self { own: Some(namespace(key, input)?), values: None });
        }
        let content;
        let parentheses = parenthesized!(content in input);
        let mut namespaces = Self::default();
        let parsed = namespaces.parse_parts(key, &content);
        // The rest would be reported as another error.
        content.parse::<TokenStream>()?;
        parsed?;
        match namespaces {
            Self { own: None, values: None } => Err(expected(key, parentheses.span.join())),
            namespaces => Ok(namespaces),
        }
    }
}

impl Namespaces {
    fn parse_parts(&mut self, key: &'static Key, content: ParseStream<'_>) -> syn::Result<()> {
        while !content.is_empty() {
            let at = content.span();
            let part = content.call(Ident::parse_any).map_err(|_| expected(key, at))?;
            let slot = match part.to_string().as_str() {
                "keys" => &mut self.own,
                "values" => &mut self.values,
                _ => return Err(expected(key, at)),
            };
            if slot.is_some() {
                return Err(syn::Error::new(at, format!("`{part}` is given twice")));
            }
            equals(key, at, content)?;
            *slot = Some(namespace(key, content)?);
            if !content.is_empty() {
                let at = content.span();
                content.parse::<Token![,]>().map_err(|_| expected(key, at))?;
            }
        }
        Ok(())
    }
}

/// The name of a namespace.
fn namespace(key: &'static Key, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let at = input.span();
    let literal: LitStr = input.parse().map_err(|_| expected(key, at))?;
    let text = literal.value();
    let is_name = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.');
    if text.is_empty() || !text.chars().all(is_name) {
        return Err(syn::Error::new(
            literal.span(),
            "a namespace is made of `a` to `z`, `0` to `9`, `_` and `.`, as in `\"scsi.reservation\"`",
        ));
    }
    Ok(literal)
}

/// An element of a [`List`].
pub(crate) trait Element: Sized + ToTokens {
    fn parse_element(input: ParseStream<'_>) -> syn::Result<Self>;
}

impl Element for Ident {
    fn parse_element(input: ParseStream<'_>) -> syn::Result<Self> {
        name(input)
    }
}

impl Element for Type {
    fn parse_element(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse()
    }
}

impl<T: Element> Value for List<T> {
    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(syn::token::Paren) {
            return Err(expected(key, at));
        }
        let content;
        let parentheses = parenthesized!(content in input);
        let list =
            match Punctuated::<T, Token![,]>::parse_terminated_with(&content, T::parse_element) {
                Ok(list) => list,
                Err(error) => {
                    // The rest would be reported as another error.
                    content.parse::<TokenStream>()?;
                    return Err(expected(key, error.span()));
                }
            };
        if list.is_empty() {
            return Err(expected(key, parentheses.span.join()));
        }
        Ok(List(list.into_iter().collect()))
    }
}

/// The tokens up to the next comma that is not inside of brackets or of `::<...>`.
fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut angles = 0_usize;
    let mut first = true;
    let mut after_path_separator = false;
    while !input.is_empty() && (angles > 0 || !input.peek(Token![,])) {
        if input.peek(Token![::]) {
            input.parse::<Token![::]>()?.to_tokens(&mut tokens);
            after_path_separator = true;
            first = false;
            continue;
        }
        if input.peek(Token![->]) {
            // Its `>` closes nothing.
            input.parse::<Token![->]>()?.to_tokens(&mut tokens);
        } else if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?.to_tokens(&mut tokens);
        } else {
            let token = input.parse::<TokenTree>()?;
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == '<' => {
                    // Elsewhere it is a comparison.
                    angles += usize::from(after_path_separator || first || angles > 0);
                }
                TokenTree::Punct(punct) if punct.as_char() == '>' => {
                    angles = angles.saturating_sub(1);
                }
                _ => {}
            }
            token.to_tokens(&mut tokens);
        }
        after_path_separator = false;
        first = false;
    }
    Ok(tokens)
}
