//! The failure of a step of the transaction, and its undo.

use std::fmt;

use super::Phase;
use crate::{Code, ControllerId, Error};

/// The failure of a step of the transaction: the phase, the cause and the undo.
///
/// Everything that the failed phase had begun was undone in reverse before this is returned. If
/// every undo hook succeeded and no controller has [`Undo::Nothing`], everything is as it was
/// before the phase.
///
/// A commit and a rollback go as far as they can: all their hooks ran. Their `Failure` lists the
/// hooks that failed, and the changes of the tree since the freeze.
pub struct Failure(Box<Parts>);

struct Parts {
    phase: Phase,
    cause: Error,
    undo: Option<Error>,
    controllers: Vec<ControllerReport>,
}

/// The outcome of one controller in a failed phase.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControllerReport {
    /// The controller.
    pub id: ControllerId,
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// The outcome of its hook.
    pub outcome: Outcome,
    /// The outcome of its undo hook.
    pub undo: Undo,
}

/// The outcome of a controller's hook in a phase.
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
    /// It was started and did not end. It was cut short by its own deadline, by that of the phase
    /// or by the grace period, or the phase was dropped.
    CutShort,
}

/// The outcome of a controller's undo hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Undo {
    /// It did not run: there was nothing to undo, or the undo was never begun.
    #[default]
    NotRun,
    /// Nothing was undone, although there may be something to undo: the controller has the hook
    /// that was begun, but not its undo. The undo of `freeze` is `thaw`; that of `patch` and
    /// `resume` is `abort`.
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

    /// Creates a failure that occurred before anything was begun.
    pub(crate) fn before(phase: Phase, cause: Error) -> Self {
        Self::new(phase, cause, None, Vec::new())
    }

    /// Returns the phase that failed.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Returns the cause: one finding for each failed hook, or the deadline, or the cancellation.
    pub fn cause(&self) -> &Error {
        &self.0.cause
    }

    /// Returns the code of the cause.
    pub fn code(&self) -> Code {
        self.0.cause.code()
    }

    /// Returns the errors of the undo, with one or more findings for each controller. `None` if
    /// every existing undo hook succeeded. Controllers without one have [`Undo::Nothing`] in
    /// [`Failure::controllers`]: the effects of their hooks remain.
    pub fn undo_error(&self) -> Option<&Error> {
        self.0.undo.as_ref()
    }

    /// Returns every controller of the tree, parents before children. Empty if the failure came
    /// before the first hook.
    pub fn controllers(&self) -> &[ControllerReport] {
        &self.0.controllers
    }

    /// Returns the cause followed by the errors of the undo, as one error.
    pub fn into_error(self) -> Error {
        let Parts { cause, undo, .. } = *self.0;
        undo.into_iter().fold(cause, Error::and)
    }
}

impl fmt::Display for Failure {
    /// Writes the phase and the cause, then the errors of the undo.
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
