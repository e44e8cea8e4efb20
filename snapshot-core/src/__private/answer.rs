//! The answer of a type to the question whether it fits its field, as a type and as a value.

use crate::schema::kind::Words;
use crate::schema::{FieldShape, TypeNotes};

/// Whether a type fits its field, or each of some types.
pub trait Answer {
    const FIT: &'static Fit;

    /// The notes on each type.
    const NOTES: &'static TypeNotes;
}

/// The answer as a value.
#[derive(Clone, Copy)]
pub enum Fit {
    /// Whether no controller and no reference can be inside, and of a oneof its highest number.
    Fits { is_leaf: bool, highest: u32 },
    /// The field's kind in words, and what an `Option` would lose in it, if that is why.
    Misfit(FieldShape, [Words; 2], &'static str),
    /// The answers of some fields. By reference, so that the compiler evaluates the answer of a type
    /// once, and not again for each struct.
    Each(&'static [&'static Fit]),
}

impl Fit {
    /// One of the answers.
    pub(super) const fn of(&'static self, index: usize) -> &'static Self {
        match self {
            Self::Each(fits) => fits[index],
            fit => fit,
        }
    }

    /// How many answers they are.
    pub(super) const fn count(&self) -> usize {
        match self {
            Self::Each(fits) => fits.len(),
            _ => 1,
        }
    }

    /// Of a oneof, its highest number.
    pub(super) const fn highest(&self) -> u32 {
        match self {
            Self::Fits { highest, .. } => *highest,
            _ => 0,
        }
    }
}
