//! Recovers the names of the proto file from prost's names.
//!
//! prost-build does not keep the proto names of fields. It converts field names to snake case and oneof
//! members to camel case, and escapes keywords. For names in the style that protobuf prescribes, these
//! functions reverse the conversion.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// The proto name of a message, enum or oneof, without the enclosing scopes.
pub(super) fn of_type(ident: &Ident) -> String {
    match ident.unraw().to_string() {
        name if name == "Self_" => "Self".to_owned(),
        name => name,
    }
}

/// The proto name of a struct field.
pub(super) fn of_field(ident: &Ident) -> String {
    let name = ident.unraw().to_string();
    match name.as_str() {
        // prost appends an underscore to keywords that cannot be raw identifiers.
        "self_" | "super_" | "crate_" | "extern_" | "__" => name[..name.len() - 1].to_owned(),
        _ => name,
    }
}

/// The proto name of a oneof's member. Every capital begins a word, because prost-build
/// writes the rest of each word in lower case.
pub(super) fn of_member(variant: &Ident) -> String {
    let camel = of_type(variant);
    let mut name = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Returns a name for a generated item that shadows no name in `tokens`.
pub(super) fn free(mut wanted: String, tokens: TokenStream) -> String {
    let mut taken = HashSet::new();
    collect(tokens, &mut taken);
    while taken.contains(&wanted) {
        wanted.push('_');
    }
    wanted
}

fn collect(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.unraw().to_string());
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn keywords_come_back_as_they_were() {
        for (ident, proto) in [
            ("r#type", "type"),
            ("self_", "self"),
            ("crate_", "crate"),
            ("__", "_"),
            ("trailing_", "trailing_"),
            ("plain", "plain"),
        ] {
            assert_eq!(of_field(&format_ident!("{ident}")), proto);
        }
        assert_eq!(of_type(&format_ident!("Self_")), "Self");
    }

    #[test]
    fn every_capital_of_a_member_begins_a_word() {
        for (variant, proto) in [
            ("Number", "number"),
            ("XY", "x_y"),
            ("HttpServer", "http_server"),
            ("V1Beta2", "v1_beta2"),
            ("Self_", "self"),
        ] {
            assert_eq!(of_member(&format_ident!("{variant}")), proto);
        }
    }

    #[test]
    fn a_name_of_ours_gives_way_to_every_one_that_is_mentioned() {
        let mentioned = quote!(Option<(a::DiskFields, [DiskFields_; 2])>);
        assert_eq!(free("DiskFields".to_owned(), mentioned), "DiskFields__");
    }
}
