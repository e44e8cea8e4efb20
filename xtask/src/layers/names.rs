//! A type name stands for one thing in a crate: two types of one name need a reason. Generated types are not
//! counted: they have the names of messages, and the type that is made of a message has that name too.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use syn::{Ident, Item};

use super::modules::{Crate, plain};

/// The path of the list of names that stand for several types.
pub(super) const PATH: &str = "xtask/layers/names.txt";

/// A name that may stand for several types of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    /// The line in the list.
    pub(super) line: usize,
    pub(super) package: String,
    pub(super) name: String,
}

/// Parses the list: `package Name: reason`, one a line; `#` begins a comment.
///
/// # Errors
///
/// A line of another form.
pub(super) fn parse(list: &str) -> Result<Vec<Repeated>> {
    let mut all = Vec::new();
    for (index, text) in list.lines().enumerate() {
        let line = index + 1;
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let parts = text.split_once(": ").and_then(|(place, reason)| {
            Some((place.split_once(' ')?, reason)).filter(|(_, reason)| !reason.is_empty())
        });
        let Some(((package, name), _)) = parts else {
            bail!("{PATH}:{line}: expected `package Name: reason`, found `{text}`");
        };
        all.push(Repeated { line, package: package.to_owned(), name: name.to_owned() });
    }
    Ok(all)
}

/// Returns the production types of a crate that share their name with another one, by name, each with its
/// file and line.
pub(super) fn repeated(krate: &Crate) -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in &krate.modules {
        for (file, item) in &module.items {
            let Some(ident) = type_of(item) else { continue };
            let path = &krate.files[*file];
            if path.iter().any(|part| part == "generated") {
                continue;
            }
            let place = format!("{}:{}", path.display(), ident.span().start().line);
            places.entry(plain(ident)).or_default().push(place);
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}

fn type_of(item: &Item) -> Option<&Ident> {
    match item {
        Item::Enum(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}
