//! The message type inside the type of a field.
//!
//! prost says in the attribute whether a message is optional, repeated, boxed or in a map, and the
//! message itself only in the type: `Option<Box<Node>>`, `Vec<Node>`, `HashMap<String, Node>`.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The type inside a container: the last type argument, which for a map is the value.
pub(super) fn inside(container: &Type) -> Option<&Type> {
    arguments(last_segment(container)?).last().copied()
}

/// The message in a box, or the type itself. A message is never generic, so a message named `Box` is not
/// mistaken for a box.
pub(super) fn unboxed(ty: &Type) -> &Type {
    match last_segment(ty) {
        Some(segment) if segment.ident == "Box" => match arguments(segment).as_slice() {
            [message] => message,
            _ => ty,
        },
        _ => ty,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
        .collect()
}
