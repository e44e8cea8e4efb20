//! The answer of a type to the question whether it fits its field, as a type and as a value.

use crate::schema::kind::Words;
use crate::schema::{FieldShape, Forms, StatesInside};

/// Whether a type fits its field, or each of some types.
pub trait Answer {
    const FIT: Fit;
    /// What each type makes of its field.
    const FORM: Forms;

    /// The states inside, whose fields may have notes.
    const INSIDE: StatesInside;
}

/// The answer as a value.
#[derive(Clone, Copy)]
pub enum Fit {
    /// Whether no controller and no reference can be inside, and of a oneof its highest number.
    Fits { is_leaf: bool, highest: u32 },
    /// The field's kind in words, and what an `Option` would lose in it, if that is why.
    Misfit(FieldShape, [Words; 2], &'static str),
    /// The answers of some fields.
    Each(&'static [Fit]),
}

impl Fit {
    /// One of the answers.
    pub(super) const fn of(self, index: usize) -> Self {
        match self {
            Self::Each(fits) => fits[index],
            fit => fit,
        }
    }

    /// How many answers they are.
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Each(fits) => fits.len(),
            _ => 1,
        }
    }

    /// Of a oneof, its highest number.
    pub(super) const fn highest(self) -> u32 {
        match self {
            Self::Fits { highest, .. } => highest,
            _ => 0,
        }
    }
}
