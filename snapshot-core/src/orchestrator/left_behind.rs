//! What stays behind at the source, by name.

use std::borrow::Cow;

use super::tree::Tree;
use super::tree_save::LeftField;
use crate::controller::address;
use crate::error::{Error, Finding};

/// Returns the findings of a preflight about the fields that stay behind, and the controllers in them.
pub(super) fn findings(left: &[LeftField], tree: &Tree) -> Vec<Finding> {
    let errors = left.iter().flat_map(|field| {
        let reason = match field.left.for_its_controllers {
            true => "stays behind: the destination does not have the controllers in it",
            false => "stays behind: the version that the destination reads does not have the field",
        };
        let children = field.left.children.iter().filter_map(|child| {
            let id = tree.id_at(*child)?;
            Some(Error::precondition("stays behind").at_controller(&id))
        });
        std::iter::once(of_field(field, tree, reason)).chain(children)
    });
    errors.flat_map(|error| error.findings().cloned().collect::<Vec<_>>()).collect()
}

/// The error of a field that would stay behind, and that no preflight has reported.
pub(super) fn unreported(left: &LeftField, tree: &Tree) -> Error {
    let reason = "would stay behind, and the last preflight has not reported it: roll back, and run the \
                  preflight again";
    of_field(left, tree, reason)
}

fn of_field(LeftField { owner, left }: &LeftField, tree: &Tree, reason: &'static str) -> Error {
    let error = Error::precondition(reason).in_field(left.field);
    let unit = tree.nodes().iter().position(|node| address(&**node) == *owner);
    let error = match unit.and_then(|unit| tree.plan.units().get(unit)) {
        Some(unit) => error.in_message(Cow::Borrowed(unit.info.message_name)),
        None => error,
    };
    match tree.id_at(*owner) {
        Some(id) => error.at_controller(&id),
        None => error,
    }
}
