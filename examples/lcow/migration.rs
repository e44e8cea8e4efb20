//! The refusal of operations while a controller is migrating.

use snapshot_core::{Error, Gate, Inside};

/// Lets an operation in, which is inside until the result is dropped. A freeze waits for it.
///
/// # Errors
///
/// The controller is migrating: frozen, or imported and not resumed yet.
pub(super) fn enter(gate: &Gate, what: impl FnOnce() -> String) -> Result<Inside, Error> {
    gate.enter().map_err(|_| migrating(&what()))
}

#[cold]
fn migrating(what: &str) -> Error {
    Error::precondition(format!("{what} is migrating: wait until the migration has ended"))
}
