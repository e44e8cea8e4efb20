//! Recognises, by name, types of the standard library and `Uuid` that contain no controllers and no names.
//!
//! The code that visits a field costs the compiler as much as the code that saves it, and most fields have
//! nothing to visit. `Checking::plain` of snapshot-core checks that the name refers to the expected type.

use syn::{GenericArgument, PathArguments, Type};

/// The first are in scope everywhere.
const PLAIN: [&str; 19] = [
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "String",
    "PathBuf",
    "Duration",
    "SystemTime",
    "Uuid",
];

/// How many of them are in scope everywhere.
const PRELUDE: usize = 15;

/// Plain if all their type arguments are.
const HOLDERS: [&str; 8] =
    ["BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "Vec", "VecDeque"];

/// Whether the type is one of these, or a collection of them.
pub(crate) fn is_plain(ty: &Type) -> bool {
    is_made_of(ty, &PLAIN, &HOLDERS)
}

fn is_made_of(ty: &Type, names: &[&str], holders: &[&str]) -> bool {
    let Type::Path(ty) = ty else { return false };
    let (None, None, [segment]) =
        (&ty.qself, &ty.path.leading_colon, &*ty.path.segments.iter().collect::<Vec<_>>())
    else {
        return false;
    };
    match &segment.arguments {
        PathArguments::None => names.iter().any(|name| segment.ident == name),
        PathArguments::AngleBracketed(arguments) => {
            holders.iter().any(|name| segment.ident == name)
                && arguments.args.iter().all(|argument| match argument {
                    GenericArgument::Type(ty) => is_made_of(ty, names, holders),
                    _ => false,
                })
        }
        PathArguments::Parenthesized(_) => false,
    }
}

/// Whether the type is plain and all its names are in scope everywhere without an import. `Box` is left
/// out: clippy warns about some boxes, and the generated code would repeat a type for which the user may
/// have allowed the lint.
pub(crate) fn is_in_prelude(ty: &Type) -> bool {
    is_made_of(ty, &PLAIN[..PRELUDE], &["Option", "Vec"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_the_standard_library_is_plain_if_all_that_it_holds_is() {
        let plain = |text: &str| is_plain(&syn::parse_str(text).unwrap());
        for text in [
            "u8",
            "String",
            "Vec<u8>",
            "Option<Vec<String>>",
            "BTreeMap<u32, PathBuf>",
            "Option<Uuid>",
        ] {
            assert!(plain(text), "{text}");
        }
        for text in ["Disk", "Vec<Disk>", "self::String", "::std::string::String", "&'static str"] {
            assert!(!plain(text), "{text}");
        }
        for (text, in_prelude) in [
            ("usize", true),
            ("Option<Vec<String>>", true),
            ("PathBuf", false),
            ("Vec<Box<u8>>", false),
            ("BTreeMap<u32, u64>", false),
            ("Vec<Duration>", false),
            ("Disk", false),
        ] {
            assert_eq!(is_in_prelude(&syn::parse_str(text).unwrap()), in_prelude, "{text}");
        }
        // Without arguments, these names are not those of the standard library.
        assert!(!plain("Vec"));
        assert!(!plain("String<u8>"));
    }
}
