//! The side of a migration that a controller is on, for controllers whose wire form has no stage.

use snapshot_core::Error;

/// The state of a controller between freeze and resume. It is not part of the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Migration {
    /// Live: everything is allowed.
    #[default]
    None,
    /// Frozen at the source.
    Source,
    /// Imported at the destination, but not resumed yet.
    Destination,
}

impl Migration {
    /// Refuses an operation that would change the state between freeze and resume.
    ///
    /// # Errors
    ///
    /// Fails unless the controller is live.
    pub(super) fn refuse(self, what: &str) -> Result<(), Error> {
        match self {
            Migration::None => Ok(()),
            Migration::Source | Migration::Destination => Err(migrating(what)),
        }
    }
}

/// The error of an operation on something that is in a migration.
#[cold]
pub(super) fn migrating(what: &str) -> Error {
    Error::precondition(format!("{what} is migrating: wait until the migration has ended"))
}
