//! Optional traits: the derive uses an implementation if there is one and does not require it.
//!
//! A macro cannot test whether a type implements a trait, but name resolution can: an inherent item
//! whose bounds hold takes precedence over a trait's item of the same name. This works only where the
//! type is concrete, so the derive's code names these items itself and not through a generic function.

use std::marker::PhantomData;

use super::descriptor::FieldShape;
use super::kind::FieldKind;
use super::well_known::by_name::number_of;

/// Finds the full proto name of a message, which only `prost::Name` provides.
pub struct NameOf<M>(PhantomData<fn() -> M>);

impl<M> NameOf<M> {
    /// Creates the probe; call `full_name` on it.
    #[allow(clippy::new_without_default, reason = "only the derive calls it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M: prost::Name> NameOf<M> {
    /// The number of a well-known type, see `well_known::by_name`.
    pub const KNOWN: usize = number_of(M::PACKAGE, M::NAME);

    /// Returns the full name.
    pub fn full_name(self, _own_name: &'static str) -> String {
        M::full_name()
    }
}

/// The fallback for a message without `prost::Name`.
pub trait NoName: Sized {
    /// It is not a well-known type.
    const KNOWN: usize = 0;

    /// Returns the message's own name.
    fn full_name(self, own_name: &'static str) -> String {
        own_name.to_owned()
    }
}

impl<M> NoName for NameOf<M> {}

/// Finds the shape of a field.
pub struct ShapeOf<F>(PhantomData<fn() -> F>);

impl<F: FieldKind> ShapeOf<F> {
    /// The shape.
    pub const SHAPE: FieldShape = F::SHAPE;
}

/// The fallback for a field of a type without a schema. Such a field cannot be mapped, but the message
/// that contains it can be used: the field's type may come from a crate that does not use this one.
pub trait OpaqueShape {
    /// The shape is unknown.
    const SHAPE: FieldShape = FieldShape::Opaque;
}

impl<F> OpaqueShape for ShapeOf<F> {}
