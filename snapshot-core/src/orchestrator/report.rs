//! Why a step of the transaction failed, and what its undo did.

use std::fmt;

use super::Phase;
use crate::{Code, ControllerId, Error};

/// A step of the transaction failed: in which phase, why, and what was undone.
///
/// Whatever the failed phase had begun was undone in reverse before this is returned. If every undo
/// hook succeeded and no controller has [`Undo::Nothing`], everything is as it was before the phase.
///
/// A commit and a rollback go as far as they can. Their `Failure` has the hooks that failed, and what
/// has changed in the tree since the freeze: the hooks ran all the same.
pub struct Failure(Box<Parts>);

struct Parts {
    phase: Phase,
    cause: Error,
    undo: Option<Error>,
    controllers: Vec<ControllerReport>,
}

/// What became of one controller in a failed phase.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControllerReport {
    /// The controller.
    pub id: ControllerId,
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// What its hook did.
    pub outcome: Outcome,
    /// What its undo hook did.
    pub undo: Undo,
}

/// What the hook of a controller did in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Outcome {
    /// It was not started.
    #[default]
    NotBegun,
    /// It succeeded.
    Done,
    /// It failed or panicked.
    Failed,
    /// It was started and did not end: cut short by its own deadline or that of the phase, by the
    /// grace period, or because the phase was dropped.
    CutShort,
}

/// What the undo hook of a controller did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Undo {
    /// It did not run: there was nothing to undo, or no undo was begun.
    #[default]
    NotRun,
    /// Nothing was undone, though there may be something: the controller has the hook that was begun
    /// and not the one that takes it back. That is `thaw` for `freeze`, and `abort` for `patch` and
    /// `resume`.
    Nothing,
    /// It succeeded.
    Done,
    /// It failed, panicked or was cut short.
    Failed,
}

impl Failure {
    pub(crate) fn new(
        phase: Phase,
        cause: Error,
        undo: Option<Error>,
        controllers: Vec<ControllerReport>,
    ) -> Self {
        Self(Box::new(Parts { phase, cause, undo, controllers }))
    }

    /// A failure before anything was begun.
    pub(crate) fn before(phase: Phase, cause: Error) -> Self {
        Self::new(phase, cause, None, Vec::new())
    }

    /// The phase that failed.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Why it failed: one finding per hook that did, or the deadline, or the cancel.
    pub fn cause(&self) -> &Error {
        &self.0.cause
    }

    /// The code of the cause.
    pub fn code(&self) -> Code {
        self.0.cause.code()
    }

    /// What went wrong in the undo, with one finding or more per controller. `None` if every undo hook
    /// that there is succeeded. Controllers without one have [`Undo::Nothing`] in
    /// [`Failure::controllers`]: what their hooks did is still done.
    pub fn undo_error(&self) -> Option<&Error> {
        self.0.undo.as_ref()
    }

    /// Every controller of the tree, parents before children. Empty if the failure came before the
    /// first hook.
    pub fn controllers(&self) -> &[ControllerReport] {
        &self.0.controllers
    }

    /// The cause followed by the errors of the undo, as one error.
    pub fn into_error(self) -> Error {
        let Parts { cause, undo, .. } = *self.0;
        undo.into_iter().fold(cause, Error::and)
    }
}

impl fmt::Display for Failure {
    /// The phase and the cause, then what went wrong in the undo.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.0.phase, self.0.cause)?;
        if let Some(error) = &self.0.undo {
            write!(f, "\nand its undo failed: {error}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {self}", self.code())?;
        let begun = self.0.controllers.iter().filter(|c| c.outcome != Outcome::NotBegun);
        for ControllerReport { id, outcome, undo, .. } in begun {
            write!(f, "\n{id}: {outcome:?}, undo {undo:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.cause)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.into_error()
    }
}
