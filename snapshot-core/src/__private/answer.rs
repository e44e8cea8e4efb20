//! Whether a type fits its field: the answer as a type, and as a value.

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
    /// It fits: whether no controller and no reference can be inside, and the highest number of a oneof.
    Fits { is_leaf: bool, highest: u32 },
    /// It does not fit: the kind of the field in words, and the value that an `Option` would lose in it, if
    /// that is the reason.
    Misfit(FieldShape, [Words; 2], &'static str),
    /// The answers of some fields. By reference, so that the compiler evaluates the answer of a type
    /// once, and not again for each struct.
    Each(&'static [&'static Fit]),
}

impl Fit {
    /// Returns one of the answers.
    pub(super) const fn of(&'static self, index: usize) -> &'static Self {
        match self {
            Self::Each(fits) => fits[index],
            fit => fit,
        }
    }

    /// Returns the number of answers.
    pub(super) const fn count(&self) -> usize {
        match self {
            Self::Each(fits) => fits.len(),
            _ => 1,
        }
    }

    /// Returns the highest number of a oneof, and 0 for any other field.
    pub(super) const fn highest(&self) -> u32 {
        match self {
            Self::Fits { highest, .. } => *highest,
            _ => 0,
        }
    }
}
