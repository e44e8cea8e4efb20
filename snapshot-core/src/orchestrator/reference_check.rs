//! Checks the references of a running or prepared tree as a whole.

use super::tree::Tree;
use crate::Error;
use crate::controller::Node;
use crate::panics::caught;
use crate::references::check_controller;

/// Checks the references of a tree of controllers, if it has any.
pub(super) fn check_references(tree: &Tree, root: &dyn Node) -> Result<(), Error> {
    match tree.plan.has_references {
        true => caught(|| check_controller(root)),
        false => Ok(()),
    }
}

/// Combines the reason why a tree could not be saved with the errors of its references.
#[cold]
pub(super) fn and_references(error: Error, tree: &Tree, root: &dyn Node) -> Error {
    match check_references(tree, root) {
        Ok(()) => error,
        Err(references) => error.and(references),
    }
}
