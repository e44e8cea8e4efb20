//! What the derive asks of a type without demanding it.
//!
//! A derive cannot ask whether a type implements a trait. The compiler answers in its stead: an
//! inherent item whose bounds hold is taken before a trait's item of the same name. It works only
//! where the type is known, which is why these are in the derive's code and not behind a function.

use std::marker::PhantomData;

use super::descriptor::FieldShape;
use super::kind::FieldKind;
use super::well_known::by_name::number_of;

/// The full proto name of a message, which only `prost::Name` knows.
pub struct NameOf<M>(PhantomData<fn() -> M>);

impl<M> NameOf<M> {
    /// The question; the answer is `full_name`.
    #[allow(clippy::new_without_default, reason = "only the derive calls it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M: prost::Name> NameOf<M> {
    /// The number by which a well-known type is known, see `well_known::by_name`.
    pub const KNOWN: usize = number_of(M::PACKAGE, M::NAME);

    /// The full name.
    pub fn full_name(self, _own_name: &'static str) -> String {
        M::full_name()
    }
}

/// The answer for a message without `prost::Name`.
pub trait NoName: Sized {
    /// It is none of the well-known types.
    const KNOWN: usize = 0;

    /// The message's own name.
    fn full_name(self, own_name: &'static str) -> String {
        own_name.to_owned()
    }
}

impl<M> NoName for NameOf<M> {}

/// The shape of a field.
pub struct ShapeOf<F>(PhantomData<fn() -> F>);

impl<F: FieldKind> ShapeOf<F> {
    /// The shape.
    pub const SHAPE: FieldShape = F::SHAPE;
}

/// The answer for a field of a type without a schema. Such a field cannot be mapped, but the message
/// around it can be used: it may have come with a crate that knows nothing of us.
pub trait OpaqueShape {
    /// Nothing is known.
    const SHAPE: FieldShape = FieldShape::Opaque;
}

impl<F> OpaqueShape for ShapeOf<F> {}
