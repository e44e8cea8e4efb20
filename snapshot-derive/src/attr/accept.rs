//! `accept(...)`: an older schema version that is still read.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Path, Token, parenthesized};

use super::key::{self, Key};
use super::value::{Value, Version, equals, expected};

/// All `accept(...)` of a struct, in the order of the source.
pub(crate) struct Accepts(pub(crate) Vec<Accept>);

/// One `accept(...)`.
pub(crate) struct Accept {
    /// The keyword itself.
    pub(crate) at: Span,
    pub(crate) version: Option<(Version, Span)>,
    pub(crate) message: Option<Path>,
    pub(crate) upgrade: Option<Path>,
    pub(crate) downgrade: Option<Path>,
    pub(crate) type_url: Option<LitStr>,
}

impl Value for Accepts {
    const REPEATS: bool = true;

    fn parse_after(key: &'static Key, at: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(syn::token::Paren) {
            return Err(expected(key, at));
        }
        let content;
        parenthesized!(content in input);
        let mut accept = Accept {
            at,
            version: None,
            message: None,
            upgrade: None,
            downgrade: None,
            type_url: None,
        };
        let parsed = accept.parse_parts(key, &content);
        // The rest would be reported as another error.
        content.parse::<TokenStream>()?;
        parsed?;
        Ok(Self(vec![accept]))
    }

    fn add(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}

impl Accept {
    fn parse_parts(&mut self, key: &'static Key, content: ParseStream<'_>) -> syn::Result<()> {
        while !content.is_empty() {
            let at = content.span();
            let part = content.call(Ident::parse_any).map_err(|_| expected(key, at))?;
            match part.to_string().as_str() {
                "version" => {
                    let ahead = content.fork();
                    equals(key::VERSION, at, &ahead)?;
                    let literal = ahead.span();
                    let version = Version::parse_after(key::VERSION, at, content)?;
                    refuse_twice(&part, self.version.replace((version, literal)).is_some())?;
                }
                "message" => {
                    let path = Path::parse_after(key::MESSAGE, at, content)?;
                    refuse_twice(&part, self.message.replace(path).is_some())?;
                }
                "upgrade" => {
                    let path = Path::parse_after(UPGRADE, at, content)?;
                    refuse_twice(&part, self.upgrade.replace(path).is_some())?;
                }
                "downgrade" => {
                    let path = Path::parse_after(DOWNGRADE, at, content)?;
                    refuse_twice(&part, self.downgrade.replace(path).is_some())?;
                }
                "type_url" => {
                    let text = LitStr::parse_after(key::TYPE_URL, at, content)?;
                    refuse_twice(&part, self.type_url.replace(text).is_some())?;
                }
                other => {
                    return Err(syn::Error::new(
                        at,
                        format!(
                            "unknown part `{other}` of `accept`, expected `version`, `message`, \
                             `upgrade`, `downgrade` or `type_url`"
                        ),
                    ));
                }
            }
            if !content.is_empty() {
                let at = content.span();
                content.parse::<Token![,]>().map_err(|_| expected(key, at))?;
            }
        }
        if self.version.is_none() {
            return Err(syn::Error::new(
                self.at,
                "name the accepted version: `accept(version = 1)`",
            ));
        }
        Ok(())
    }
}

/// The keys that exist only inside `accept`.
const UPGRADE: &Key = &Key { name: "upgrade", form: "upgrade = path::to::function" };
const DOWNGRADE: &Key = &Key { name: "downgrade", form: "downgrade = path::to::function" };

fn refuse_twice(part: &Ident, is_twice: bool) -> syn::Result<()> {
    match is_twice {
        true => Err(syn::Error::new(part.span(), format!("`{part}` is given twice"))),
        false => Ok(()),
    }
}
