//! Types of the standard library, and `Uuid`, with nothing inside to be walked to, by their names.
//!
//! The code that goes into a field costs the compiler as much as the code that saves it, and most
//! fields have nothing inside. That the name means what it says is checked, see `Checking::plain` of snapshot-core.

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

/// How many of them are.
const PRELUDE: usize = 15;

/// Plain if all that they hold is.
const HOLDERS: [&str; 8] =
    ["BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "Vec", "VecDeque"];

/// Whether it is such a type, or a collection of such.
pub(super) fn is_plain(ty: &Type) -> bool {
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

/// Whether it is such a type whose every name is in scope everywhere, without an import. No `Box`:
/// clippy has opinions on some, and the derive's code would repeat what the user may have allowed.
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
        // Bare, they are no types of the standard library.
        assert!(!plain("Vec"));
        assert!(!plain("String<u8>"));
    }
}
