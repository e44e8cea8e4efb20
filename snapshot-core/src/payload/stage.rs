//! Stage mapping and stage rules: the stage of a controller in its lifecycle, and the stages to
//! which a migration may take it.

use crate::Error;
use crate::codec::Sealed;
use crate::schema::EnumSchema;

/// A lifecycle stage: a C-like Rust enum, mirrored by a proto enum. Implemented by
/// `#[derive(Snapshot)]` with `stage = path`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lifecycle stage",
    label = "needs `#[derive(Snapshot)]` with `#[snapshot(stage = ...)]`"
)]
pub trait Stage: Sealed + Sized + 'static {
    /// The prost enum.
    type Proto: EnumSchema;
    /// All variants, including transient ones, in declared order.
    const VARIANTS: &'static [StageVariant];
    /// The numbers of the variants that were added later, each with the first schema version that
    /// has it.
    #[doc(hidden)]
    const SINCE: &'static [(i32, u32)] = &[];
    /// Returns the discriminant. For a variant that is not transient, it is the number on the wire.
    fn number(&self) -> i32;
    /// Returns the variant with this discriminant.
    fn from_number(number: i32) -> Option<Self>;
}

/// One variant of a [`Stage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageVariant {
    /// The Rust name.
    pub name: &'static str,
    /// The discriminant.
    pub number: i32,
    /// Whether it exists only in a running program and is never on the wire.
    pub transient: bool,
}

/// The stage rules of a payload: which stages may be saved, and the stage that each phase leaves
/// behind. Stages are given by their discriminants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageRules {
    /// The stage enum's variants.
    pub variants: &'static [StageVariant],
    /// The stages that may be saved; empty if all stages that are not transient may.
    pub save_from: &'static [i32],
    /// The stage while frozen. The stage before the freeze is saved.
    pub freeze_to: Option<i32>,
    /// The stage from import until resume.
    pub import_as: Option<i32>,
    /// The stage after an abort, and that of the source after the commit.
    pub abort_to: Option<i32>,
    /// Whether the stage is on the wire. If not, `save_from` is the one stage that a restore sets.
    pub carried: bool,
}

impl StageRules {
    /// Returns the Rust name of a stage.
    pub fn name(&self, number: i32) -> &'static str {
        self.variants.iter().find(|v| v.number == number).map_or("(unknown)", |v| v.name)
    }

    /// Returns whether a controller may be saved in this stage.
    #[inline]
    pub fn may_save(&self, number: i32) -> bool {
        match self.save_from {
            [] => self.variants.iter().any(|v| v.number == number && !v.transient),
            stages => stages.contains(&number),
        }
    }

    /// Checks that a controller may be saved in this stage.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition), with the stages that may be
    /// saved.
    #[inline]
    pub fn check(&self, stage: Option<i32>) -> Result<(), Error> {
        match stage {
            Some(stage) if !self.may_save(stage) => Err(self.refusal(stage)),
            _ => Ok(()),
        }
    }

    #[cold]
    fn refusal(&self, stage: i32) -> Error {
        Error::precondition(format!(
            "is in stage {}, but can be saved only in {}",
            self.name(stage),
            self.save_from_names()
        ))
    }

    /// Returns the names of the stages that may be saved, for errors: `Running or Stopped`.
    pub fn save_from_names(&self) -> String {
        let names: Vec<_> = match self.save_from {
            [] => self.variants.iter().filter(|v| !v.transient).map(|v| v.name).collect(),
            stages => stages.iter().map(|&number| self.name(number)).collect(),
        };
        names.join(" or ")
    }
}
