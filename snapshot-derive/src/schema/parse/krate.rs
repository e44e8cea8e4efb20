//! `#[snapshot(crate = path)]`: the path of snapshot-core, for crates that re-export it.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Path, parse_quote};

use crate::errors::Errors;

/// The path of snapshot-core.
pub(super) fn path(attrs: &[Attribute], errors: &Errors) -> Path {
    let mut path = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("snapshot")) {
        let parsed = attr.parse_nested_meta(|meta| entry(&meta, &mut path));
        errors.ok(parsed);
    }
    path.unwrap_or_else(|| parse_quote!(::snapshot_core))
}

fn entry(meta: &ParseNestedMeta<'_>, path: &mut Option<Path>) -> syn::Result<()> {
    if !meta.path.is_ident("crate") {
        return Err(meta.error("derive(Schema) knows only `#[snapshot(crate = path)]`"));
    }
    if path.is_some() {
        return Err(meta.error("`crate` is given twice"));
    }
    let value = meta.value()?;
    let parsed = Path::parse_mod_style(value);
    *path = Some(parsed.map_err(|error| {
        syn::Error::new(error.span(), "expected a path without quotes, as in `crate = ::my::path`")
    })?);
    Ok(())
}
