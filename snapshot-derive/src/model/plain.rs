//! Types of the standard library, and `Uuid`, with nothing inside to be walked to, by their names.
//!
//! The code that goes into a field costs the compiler as much as the code that saves it, and most
//! fields have nothing inside. That the name means what it says is checked, see `assert_plain_fits`.

use syn::{GenericArgument, PathArguments, Type};

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

/// Plain if all that they hold is.
const HOLDERS: [&str; 8] =
    ["BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "Vec", "VecDeque"];

/// Whether it is such a type, or a collection of such.
pub(super) fn is_plain(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    let (None, None, [segment]) =
        (&ty.qself, &ty.path.leading_colon, &*ty.path.segments.iter().collect::<Vec<_>>())
    else {
        return false;
    };
    match &segment.arguments {
        PathArguments::None => PLAIN.iter().any(|name| segment.ident == name),
        PathArguments::AngleBracketed(arguments) => {
            HOLDERS.iter().any(|name| segment.ident == name)
                && arguments.args.iter().all(|argument| match argument {
                    GenericArgument::Type(ty) => is_plain(ty),
                    _ => false,
                })
        }
        PathArguments::Parenthesized(_) => false,
    }
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
        // Bare, they are no types of the standard library.
        assert!(!plain("Vec"));
        assert!(!plain("String<u8>"));
    }
}
