//! Compares a tree with the controllers that its states show now.
//!
//! Controllers are compared by identity, in both directions: it finds those that were added,
//! removed, replaced or moved since the tree was put in order.

use std::collections::HashSet;

use super::tree::{Met, Tree};
use crate::controller::{ByAddress, address};
use crate::panics::caught;
use crate::{ControllerId, Error};

/// The time of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At the end of the freeze.
    Freeze,
    /// After the tree was encoded.
    Save,
    /// Before the commit hooks.
    Commit,
    /// Before the thaw hooks of a rollback.
    Rollback,
    /// After the controllers were built.
    Import,
    /// After the controllers have received a later state.
    Refresh,
    /// Before the patch hooks.
    Patch,
    /// Before the resume hooks.
    Resume,
    /// Before the abort hooks.
    Abort,
}

/// What happened to one controller.
#[derive(Clone, Debug)]
enum TreeChange {
    Added,
    Removed,
    Replaced,
    /// It was at this place before.
    Moved(ControllerId),
}

impl When {
    /// Returns whether a controller must have the same id as before. On the destination `patch`
    /// gives new names.
    fn compares_ids(self) -> bool {
        !matches!(self, When::Refresh | When::Patch | When::Resume | When::Abort)
    }

    /// Returns whether a change matters. Whatever was imported is aborted, wherever it is.
    fn concerns(self, change: &TreeChange) -> bool {
        self != When::Abort || matches!(change, TreeChange::Added)
    }

    #[cold]
    fn reason(self, change: &TreeChange) -> String {
        let what = match change {
            TreeChange::Added => "was added".to_owned(),
            TreeChange::Removed => "was removed".to_owned(),
            TreeChange::Replaced => "was replaced".to_owned(),
            TreeChange::Moved(from) => format!("was moved here from {from}"),
        };
        let frozen = "while the tree was frozen";
        match (self, change) {
            (When::Freeze, _) => format!("{what} {frozen}: it must stand still"),
            (When::Save, _) => format!("{what} {frozen}: roll back and start again"),
            (When::Import, _) => {
                format!("{what} by the import of its parent, which must keep its children")
            }
            (When::Refresh, _) => {
                format!("{what} by the refresh of its parent, which must keep the later children")
            }
            (When::Patch | When::Resume, TreeChange::Added) => format!(
                "{what} after the import: it would be neither patched nor resumed; import again, and \
                 add it when `resume` has returned"
            ),
            (When::Patch | When::Resume, _) => format!(
                "{what} after the import: import again, and change the tree when `resume` has returned"
            ),
            (When::Abort, _) => format!(
                "{what} after the import: it was not aborted and keeps running: end it yourself"
            ),
            (When::Commit, TreeChange::Added) => format!(
                "{what} {frozen}: it is not at the destination and still runs here: end it yourself"
            ),
            (When::Commit, TreeChange::Replaced) => format!(
                "{what} {frozen}: the new controller is not at the destination and still runs here: \
                 end it yourself"
            ),
            (When::Commit, TreeChange::Removed) => {
                format!(
                    "{what} {frozen}: it was committed nevertheless, and the destination has it"
                )
            }
            (When::Commit, TreeChange::Moved(_)) => format!(
                "{what} {frozen}: it was committed nevertheless, and the destination has it at its \
                 former place"
            ),
            (When::Rollback, TreeChange::Added) => {
                format!("{what} {frozen}: it was not frozen and keeps running")
            }
            (When::Rollback, TreeChange::Replaced) => format!(
                "{what} {frozen}: the former controller was thawed nevertheless, and the new one \
                 was not frozen"
            ),
            (When::Rollback, TreeChange::Removed | TreeChange::Moved(_)) => {
                format!("{what} {frozen}: it was thawed nevertheless")
            }
        }
    }
}

impl Tree {
    /// Checks that the tree still has exactly these controllers, at these places.
    ///
    /// # Errors
    ///
    /// One for every controller that was added, removed, replaced or moved. Also if the tree cannot
    /// be walked.
    pub(crate) fn check_unchanged(&self, when: When) -> Result<(), Error> {
        // Nearly always nothing has changed, and that is visible without ids.
        let is_same = || Ok(self.has_same_controllers());
        match self.gone().is_empty() && matches!(caught(is_same), Ok(true)) {
            true => Ok(()),
            false => Error::collect(self.changes(when)),
        }
    }

    /// Finds every difference between this tree and the controllers that its states show now.
    #[cold]
    pub(crate) fn changes(&self, when: When) -> Vec<Error> {
        let Some(root) = self.nodes().first() else { return Vec::new() };
        let mut now = Met::under(std::sync::Arc::clone(root), usize::MAX);
        let mut errors = now.take_errors();
        let mut add = |change: &TreeChange, id: &ControllerId| {
            if when.concerns(change) {
                errors.push(Error::precondition(when.reason(change)).at_controller(id));
            }
        };
        let is_here = |unit: &usize| !self.gone().contains(unit);
        let before: ByAddress<usize> = (0..self.nodes().len())
            .filter(is_here)
            .map(|unit| (address(&*self.nodes()[unit]), unit))
            .collect();
        let parent_before = |unit: usize| {
            let parent = self.plan.units()[unit].parent()?;
            Some(address(&*self.nodes()[parent]))
        };
        // If the walk of a tree was incomplete, nobody knows what is missing.
        if now.is_complete() {
            let addresses: ByAddress<()> =
                now.nodes().iter().map(|node| (address(&**node), ())).collect();
            let ids: HashSet<&ControllerId> =
                (0..now.nodes().len()).map(|unit| now.id(unit)).collect();
            for (unit, node) in self.nodes().iter().enumerate() {
                let id = self.id(unit);
                let is_replaced = when.compares_ids() && ids.contains(id);
                if is_here(&unit) && !is_replaced && !addresses.contains_key(&address(&**node)) {
                    add(&TreeChange::Removed, id);
                }
            }
        }
        // The units met now that were reported.
        let mut reported: Vec<bool> = Vec::with_capacity(now.nodes().len());
        for (unit, node) in now.nodes().iter().enumerate() {
            let (id, parent) = (now.id(unit), now.units()[unit].parent());
            let there_before = match when.compares_ids() {
                true => self.plan.find(id).filter(is_here),
                false => None,
            };
            let change = match before.get(&address(&**node)).copied() {
                None if there_before.is_some() => Some(TreeChange::Replaced),
                None => Some(TreeChange::Added),
                Some(old) => {
                    let parent_now = parent.map(|parent| address(&*now.nodes()[parent]));
                    let has_parent = parent_before(old) == parent_now;
                    let has_id = !when.compares_ids() || !now.was_asked(unit) || self.id(old) == id;
                    // A controller whose parent has moved has moved with it.
                    let goes_along = has_parent && parent.is_some_and(|parent| reported[parent]);
                    match (has_parent && has_id) || goes_along {
                        true => None,
                        false if there_before.is_some_and(|there| there != old) => {
                            Some(TreeChange::Replaced)
                        }
                        false => Some(TreeChange::Moved(self.id(old).clone())),
                    }
                }
            };
            reported.push(change.is_some() || parent.is_some_and(|parent| reported[parent]));
            if let Some(change) = change {
                add(&change, id);
            }
        }
        errors
    }
}
