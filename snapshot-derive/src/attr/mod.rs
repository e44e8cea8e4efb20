//! Parses `#[snapshot(...)]`. Whether the attributes make sense together is checked by `model`.

mod accept;
pub(crate) mod key;
mod suggest;
mod value;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, Type};

pub(crate) use self::accept::{Accept, Accepts};
use self::key::Key;
use self::value::Value;
pub(crate) use self::value::{Expr, Flag, List, MaybeExpr, Namespaces, Version};
use crate::errors::Errors;

/// The value of one keyword, which may be given once.
pub(crate) struct Attr<T> {
    key: &'static Key,
    /// The place of the keyword. It is set even if the value is invalid, so that the keyword is not also
    /// reported as missing.
    span: Option<Span>,
    value: Option<T>,
}

impl<T> Attr<T> {
    fn new(key: &'static Key) -> Self {
        Self { key, span: None, value: None }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The place of the keyword, if it is given.
    pub(crate) fn span(&self) -> Option<Span> {
        self.span
    }

    pub(crate) fn is_given(&self) -> bool {
        self.span.is_some()
    }
}

/// Any [`Attr`], for the parser.
pub(crate) trait Given {
    fn key(&self) -> &'static Key;
    fn given_at(&self) -> Option<Span>;
    fn parse(&mut self, at: Span, input: ParseStream<'_>) -> syn::Result<()>;
}

impl<T: Value> Given for Attr<T> {
    fn key(&self) -> &'static Key {
        self.key
    }

    fn given_at(&self) -> Option<Span> {
        self.span
    }

    fn parse(&mut self, at: Span, input: ParseStream<'_>) -> syn::Result<()> {
        if self.span.replace(at).is_some() && !T::REPEATS {
            return Err(syn::Error::new(at, format!("`{}` is given twice", self.key.name)));
        }
        let value = T::parse_after(self.key, at, input)?;
        match &mut self.value {
            Some(earlier) => earlier.add(value),
            None => self.value = Some(value),
        }
        Ok(())
    }
}

/// The places for attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Container,
    Field,
    Variant,
}

impl Place {
    fn on(self) -> &'static str {
        match self {
            Place::Container => "on a struct or enum",
            Place::Field => "on a field",
            Place::Variant => "on a variant",
        }
    }
}

macro_rules! attributes {
    ($(#[$doc:meta])* $name:ident at $place:ident { $($field:ident: $key:ident $value:ty,)* }) => {
        $(#[$doc])*
        pub(crate) struct $name {
            $(pub(crate) $field: Attr<$value>,)*
            /// Whether an unknown attribute is present, perhaps a misspelt one.
            pub(crate) has_unknown: bool,
        }

        impl $name {
            const KEYS: &'static [&'static Key] = &[$(key::$key),*];

            pub(crate) fn parse(attributes: &[Attribute], errors: &Errors) -> Self {
                let mut this = Self { $($field: Attr::new(key::$key),)* has_unknown: false };
                this.has_unknown =
                    parse_all(attributes, Place::$place, &mut [$(&mut this.$field),*], errors);
                this
            }

            /// Every attribute that is allowed here.
            #[allow(dead_code, reason = "not needed for variants")]
            pub(crate) fn all(&self) -> impl Iterator<Item = &dyn Given> {
                [$(&self.$field as &dyn Given),*].into_iter()
            }
        }
    };
}

attributes! {
    /// Attributes of a struct or an enum.
    Container at Container {
        message: MESSAGE Path,
        stage: STAGE_ENUM Path,
        enumeration: ENUMERATION Path,
        oneof: ONEOF Path,
        transparent: TRANSPARENT Flag,
        version: VERSION Version,
        accept: ACCEPT Accepts,
        type_url: TYPE_URL LitStr,
        controller: CONTROLLER Type,
        after: AFTER List<Type>,
        save_from: SAVE_FROM List<Ident>,
        freeze_to: FREEZE_TO Ident,
        import_as: IMPORT_AS Ident,
        live: LIVE Ident,
        abort_to: ABORT_TO Ident,
        ignore: IGNORE List<Ident>,
        discard: DISCARD List<Ident>,
        validate: VALIDATE Path,
        krate: CRATE Path,
    }
}

attributes! {
    /// Attributes of a struct's field.
    FieldAttrs at Field {
        field: FIELD Ident,
        skip: SKIP MaybeExpr,
        stage: STAGE_FIELD Flag,
        id: ID Flag,
        with: WITH Path,
        max: MAX Expr,
        range: RANGE Expr,
        defines: DEFINES Namespaces,
        refers: REFERS Namespaces,
        since: SINCE Version,
        default: DEFAULT Expr,
        form: FORM LitStr,
        below: BELOW Ident,
        at_most: AT_MOST Ident,
        unshared: UNSHARED Flag,
        secret: SECRET Flag,
        may_stay_behind: MAY_STAY_BEHIND Path,
        read_version: READ_VERSION Flag,
    }
}

attributes! {
    /// Attributes of an enum's variant.
    VariantAttrs at Variant {
        transient: TRANSIENT Flag,
        rename: RENAME Ident,
        since: SINCE Version,
    }
}

fn keys_of(place: Place) -> &'static [&'static Key] {
    match place {
        Place::Container => Container::KEYS,
        Place::Field => FieldAttrs::KEYS,
        Place::Variant => VariantAttrs::KEYS,
    }
}

/// Parses all attributes of one place. Returns whether one of them is unknown.
fn parse_all(
    attributes: &[Attribute],
    place: Place,
    slots: &mut [&mut dyn Given],
    errors: &Errors,
) -> bool {
    let mut has_unknown = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("snapshot")) {
        let Meta::List(list) = &attribute.meta else {
            errors.add(syn::Error::new_spanned(attribute, "expected `#[snapshot(...)]`"));
            continue;
        };
        let parsed = list.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = parse_one(input, place, slots, &mut has_unknown) {
                    errors.add(error);
                    skip_to_comma(input)?;
                } else if !input.is_empty() && !input.peek(Token![,]) {
                    errors.add(input.error("expected `,`"));
                    skip_to_comma(input)?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        });
        if let Err(error) = parsed {
            errors.add(error);
        }
    }
    has_unknown
}

/// Parses one keyword with its value. On failure it consumes nothing beyond them.
fn parse_one(
    input: ParseStream<'_>,
    place: Place,
    slots: &mut [&mut dyn Given],
    has_unknown: &mut bool,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        let keys = keys_of(place);
        return Err(input.error(format!("expected one of {}", names(keys))));
    }
    let keyword = input.call(Ident::parse_any)?;
    match slots.iter_mut().find(|slot| keyword == slot.key().name) {
        Some(slot) => slot.parse(keyword.span(), input),
        None => {
            *has_unknown = true;
            Err(unknown(&keyword, place))
        }
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        skipped.extend([input.parse::<TokenTree>()?]);
    }
    Ok(skipped)
}

fn unknown(keyword: &Ident, place: Place) -> syn::Error {
    let keys = keys_of(place);
    let candidates: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let typed = keyword.to_string();
    let elsewhere = [Place::Container, Place::Field, Place::Variant]
        .into_iter()
        .find(|other| *other != place && keys_of(*other).iter().any(|key| key.name == typed));
    let translated = suggest::translated(&typed, &candidates);
    let text = match (translated, elsewhere, suggest::nearest(&typed, &candidates)) {
        (Some(meant), ..) | (None, None, Some(meant)) => {
            format!("unknown attribute `{typed}`, did you mean `{meant}`?")
        }
        (None, Some(other), _) => format!("`{typed}` belongs {}, not {}", other.on(), place.on()),
        (None, None, None) => {
            format!("unknown attribute `{typed}`, expected one of {}", names(keys))
        }
    };
    syn::Error::new(keyword.span(), text)
}

fn names(keys: &[&Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    names.join(", ")
}
