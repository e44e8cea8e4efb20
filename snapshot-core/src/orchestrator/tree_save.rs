//! The scope of a tree's save: its frozen controllers, and the versions for its peer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::codec::{LeftBehind, SaveScope};
use crate::controller::lock::{self, Board};
use crate::controller::{FrozenTree, live};
use crate::visit::ChildCell;

/// How payloads are saved that the destination does not read in their current versions, by their type
/// URLs.
pub(super) type Versions = BTreeMap<&'static str, OlderForm>;

/// The version that a payload is saved in, and the type URL that it has in that version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OlderForm {
    pub(super) version: u32,
    pub(super) type_url: &'static str,
}

/// What is saved in another way for a destination that does not read everything as it is.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    /// The payloads that are not saved in their current versions.
    pub(super) versions: Versions,
    /// The type URLs of the payloads that the destination has no controller for.
    pub(super) unknown: BTreeSet<&'static str>,
}

impl Allowances {
    /// Returns the version that payloads of this type are saved in; 0 for the current one.
    // Apart, like `TreeSave::note_owner`: a save that allows nothing then saves no registers for it.
    #[inline(never)]
    fn version_of(&self, own: &str) -> u32 {
        self.versions.get(own).map_or(0, |older| older.version)
    }

    /// Returns the type URL that payloads of this type are saved under.
    pub(super) fn type_url_of(&self, own: &'static str) -> &'static str {
        self.versions.get(own).map_or(own, |older| older.type_url)
    }
}

/// Returns the type URL that payloads of this type are saved under.
pub(super) fn type_url_for(own: &'static str, allowances: Option<&Allowances>) -> &'static str {
    allowances.map_or(own, |allowances| allowances.type_url_of(own))
}

/// A field that stays behind, and the address of the controller whose state it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftField {
    pub(super) owner: usize,
    pub(super) left: LeftBehind,
}

/// The save of a tree.
#[derive(Debug, Default)]
pub(super) struct TreeSave {
    /// The frozen controllers; empty if the tree is not frozen.
    pub(super) frozen: FrozenTree,
    /// What is saved in another way for the destination.
    pub(super) allowances: Option<Arc<Allowances>>,
    /// The fields that stay behind.
    pub(super) left: Vec<LeftField>,
    /// The type URLs of the payloads that were saved although the destination has no controller for them.
    pub(super) saved_unknown: BTreeSet<&'static str>,
    /// The addresses of the controllers that are being put, the innermost last. A save of a frozen
    /// tree that leaves nothing out knows them already.
    owners: Vec<usize>,
    at_work: AtWork,
}

/// The controller whose adapters may run, as the timer thread sees it.
#[derive(Debug, Default)]
struct AtWork {
    /// The board of this thread, if it is watched.
    board: Option<Arc<Board>>,
}

impl AtWork {
    #[inline]
    fn set(&self, address: usize) {
        if let Some(board) = &self.board {
            board.work_on(address);
        }
    }
}

impl Drop for AtWork {
    /// A save that has failed does not leave every controller.
    fn drop(&mut self) {
        self.set(0);
    }
}

impl TreeSave {
    pub(super) fn new(frozen: FrozenTree, allowances: Option<Arc<Allowances>>) -> Self {
        Self { frozen, allowances, at_work: AtWork { board: lock::present() }, ..Self::default() }
    }

    /// Notes a controller that is being put, for the fields of its state that stay behind.
    #[inline(never)]
    fn note_owner(&mut self, address: usize, type_url: &'static str) {
        if let Some(allowances) = &self.allowances
            && allowances.unknown.contains(type_url)
        {
            self.saved_unknown.insert(type_url);
        }
        self.owners.push(address);
    }
}

impl SaveScope for TreeSave {
    fn version_of(&self, type_url: &str) -> u32 {
        match &self.allowances {
            None => 0,
            Some(allowances) => allowances.version_of(type_url),
        }
    }

    fn type_url_of(&self, own: &'static str) -> &'static str {
        type_url_for(own, self.allowances.as_deref())
    }

    fn has_unknown_types(&self) -> bool {
        self.allowances.as_ref().is_some_and(|allowances| !allowances.unknown.is_empty())
    }

    fn is_unknown(&self, child: &dyn ChildCell) -> bool {
        let type_url = live(child).map(|node| node.info().type_url);
        let allowances = self.allowances.as_ref().zip(type_url);
        allowances.is_some_and(|(allowances, type_url)| allowances.unknown.contains(type_url))
    }

    fn leave_behind(&mut self, left: LeftBehind) -> bool {
        let Some(&owner) = self.owners.last() else { return false };
        // In the order in which they would have been put.
        for &child in left.children.iter().rev() {
            self.frozen.leave(child);
        }
        self.left.push(LeftField { owner, left });
        true
    }

    fn enter(&mut self, address: usize, type_url: &'static str, found: Option<i32>) -> Option<i32> {
        self.at_work.set(address);
        if self.allowances.is_some() || self.frozen.is_empty() {
            self.note_owner(address, type_url);
        }
        self.frozen.begin(address, type_url, found)
    }

    fn leave(&mut self, address: usize, written: Range<usize>) {
        // One that could not be put has not left.
        while self.owners.pop().is_some_and(|owner| owner != address) {}
        self.frozen.end(address, written);
        let outer = self.owners.last().copied().or_else(|| self.frozen.current());
        self.at_work.set(outer.unwrap_or_default());
    }
}
