//! Which message fields may be of a type that stands for a well-known one, such as the `Timestamp` of
//! another crate. prost's structs have no proto names of messages, so there are two ways to know: the
//! path of the Rust type says it, or the type's `prost::Name` does when the constant is evaluated.

use syn::{Path, Type};

/// The messages of `google.protobuf` that snapshot-core has a type for.
const NAMES: [&str; 17] = [
    "Any",
    "Duration",
    "Timestamp",
    "FieldMask",
    "Empty",
    "Struct",
    "Value",
    "ListValue",
    "DoubleValue",
    "FloatValue",
    "Int64Value",
    "UInt64Value",
    "Int32Value",
    "UInt32Value",
    "BoolValue",
    "StringValue",
    "BytesValue",
];

/// Crates with the well-known types at their root. Not all of them implement `prost::Name`.
const CRATES: [&str; 2] = ["pbjson_types", "prost_wkt_types"];

/// Crates whose types are what they seem: prost-build writes these paths itself.
const PLAIN: [&str; 6] = ["alloc", "bytes", "core", "prost", "prost_types", "std"];

/// What the path of a message's type says about it.
pub(super) enum Origin {
    /// It is the message of `google.protobuf` with this name.
    WellKnown(&'static str),
    /// It may be one: its `prost::Name` says so.
    Unknown,
    /// It is none, or the very type that snapshot-core has for it.
    Own,
}

/// Reads the path.
pub(super) fn origin(ty: &Type) -> Origin {
    match ty {
        Type::Path(path) if path.qself.is_none() => of_path(&path.path),
        Type::Group(group) => origin(&group.elem),
        Type::Paren(paren) => origin(&paren.elem),
        _ => Origin::Own,
    }
}

fn of_path(path: &Path) -> Origin {
    let segments: Vec<String> =
        path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let [modules @ .., last] = segments.as_slice() else { return Origin::Own };
    if modules.first().is_some_and(|first| PLAIN.contains(first)) {
        return Origin::Own;
    }
    let name = NAMES.into_iter().find(|name| name == last);
    let is_of_google = match modules {
        [only] => CRATES.contains(only),
        [.., package, protobuf] => *package == "google" && *protobuf == "protobuf",
        [] => false,
    };
    match (name, modules.first()) {
        (Some(name), _) if is_of_google => Origin::WellKnown(name),
        // What prost-build generates itself it names relative to the module.
        (Some(_), _) | (_, Some(&"crate")) => Origin::Unknown,
        _ if path.leading_colon.is_some() => Origin::Unknown,
        _ => Origin::Own,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_path_through_google_protobuf_or_a_known_crate_is_a_well_known_type() {
        for ty in [
            parse_quote!(::pbjson_types::Timestamp),
            parse_quote!(prost_wkt_types::Timestamp),
            parse_quote!(super::super::google::protobuf::Timestamp),
            parse_quote!(::protos::google::protobuf::Timestamp),
        ] {
            assert!(matches!(origin(&ty), Origin::WellKnown("Timestamp")));
        }
    }

    #[test]
    fn a_type_of_another_crate_or_with_a_known_name_is_asked() {
        for ty in [
            parse_quote!(::protos::Timestamp),
            parse_quote!(::protos::Moment),
            parse_quote!(crate::time::Moment),
            parse_quote!(Timestamp),
            parse_quote!(::pbjson_types::Method),
        ] {
            assert!(matches!(origin(&ty), Origin::Unknown));
        }
    }

    #[test]
    fn what_prost_build_names_itself_is_not_asked() {
        for ty in [
            parse_quote!(::prost_types::Timestamp),
            parse_quote!(::prost::bytes::Bytes),
            parse_quote!(::prost::alloc::string::String),
            parse_quote!(super::Disk),
            parse_quote!(disk_snapshot::Config),
            parse_quote!(u32),
            parse_quote!(()),
        ] {
            assert!(matches!(origin(&ty), Origin::Own));
        }
    }
}
