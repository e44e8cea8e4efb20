//! The scope of a tree's save: its frozen controllers, and the versions for its peer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codec::SaveScope;
use crate::controller::FrozenTree;

/// The schema versions in which payloads are saved, by type URL. All others are saved in their
/// current versions.
pub(crate) type Versions = BTreeMap<&'static str, u32>;

/// The save of a tree.
#[derive(Debug, Default)]
pub(super) struct TreeSave {
    /// The frozen controllers; empty if the tree is not frozen.
    pub(super) frozen: FrozenTree,
    /// The payloads that are not saved in their current versions.
    pub(super) versions: Option<Arc<Versions>>,
}

impl SaveScope for TreeSave {
    fn version_of(&self, type_url: &str) -> u32 {
        match &self.versions {
            None => 0,
            Some(versions) => versions.get(type_url).copied().unwrap_or_default(),
        }
    }

    fn enter(&mut self, address: usize, type_url: &'static str, found: Option<i32>) -> Option<i32> {
        self.frozen.begin(address, type_url, found)
    }

    fn leave(&mut self, address: usize, length: usize) {
        self.frozen.end(address, length);
    }
}
