//! The controllers of a frozen tree while they are saved.

use std::ops::Range;

use super::{ByAddress, Node, address};

/// The knowledge of a save about the frozen tree. It is empty for any other save. It compares the
/// saved controllers with the frozen ones: their identity, their parents and their stages.
///
/// Controllers are saved from the last to the first, and children before the end of their parents.
/// The next one is therefore nearly always at the expected place. A state may save its children in
/// another order than it shows them; then a controller is found by its address.
#[derive(Debug, Default)]
pub(crate) struct FrozenTree {
    /// All controllers, each before its children.
    controllers: Vec<FrozenController>,
    /// The controller whose end is expected next.
    next: usize,
    /// The innermost controller whose payload is being written; the root before the first one.
    current: usize,
    /// All controllers by address, created when one is not at its expected place.
    by_address: Option<ByAddress<usize>>,
    /// Whether a controller was not at its expected place.
    is_out_of_order: bool,
    strangers: Vec<Stranger>,
    changed_stages: Vec<ChangedStage>,
}

#[derive(Debug)]
struct FrozenController {
    address: usize,
    /// The place of its parent; for the root, its own.
    parent: usize,
    /// The stage before the freeze.
    before: Option<i32>,
    /// The stage in which the freeze left it.
    frozen: Option<i32>,
    /// The positions between which its payload was written; nothing if it stays behind.
    written: Option<Range<usize>>,
}

/// A controller that was saved but is not in the frozen tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    /// The place of the controller that saved it.
    pub(crate) parent: usize,
    pub(crate) type_url: &'static str,
}

/// A controller whose stage is no longer the one in which the freeze left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangedStage {
    pub(crate) place: usize,
    pub(crate) frozen: Option<i32>,
    pub(crate) found: Option<i32>,
}

impl FrozenTree {
    pub(crate) fn with_capacity(controllers: usize) -> Self {
        Self { controllers: Vec::with_capacity(controllers), ..Self::default() }
    }

    /// Adds a controller with three facts: the place of its parent, which was added before; the
    /// stage before the freeze, in which it is saved; and the stage in which the freeze left it.
    #[inline]
    pub(crate) fn push(
        &mut self,
        node: &dyn Node,
        parent: Option<usize>,
        before: Option<i32>,
        frozen: Option<i32>,
    ) {
        self.next = self.controllers.len();
        self.controllers.push(FrozenController {
            address: address(node),
            parent: parent.unwrap_or_default(),
            before,
            frozen,
            written: None,
        });
    }

    /// Returns whether no frozen tree is being saved.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.controllers.is_empty()
    }

    /// Returns the address of the innermost controller whose payload is being written.
    #[inline]
    pub(crate) fn current(&self) -> Option<usize> {
        self.controllers.get(self.current).map(|current| current.address)
    }

    #[inline]
    fn find(&mut self, address: usize) -> Option<usize> {
        match self.controllers.get(self.next) {
            Some(next) if next.address == address => Some(self.next),
            _ => self.find_elsewhere(address),
        }
    }

    fn find_elsewhere(&mut self, address: usize) -> Option<usize> {
        // The controllers whose end is expected next, the innermost first.
        let mut at = self.next;
        loop {
            let FrozenController { address: here, parent, .. } = *self.controllers.get(at)?;
            if here == address {
                return Some(at);
            }
            if at == 0 {
                break;
            }
            at = parent;
        }
        self.is_out_of_order = true;
        let all = self.controllers.iter().enumerate();
        let by_address =
            self.by_address.get_or_insert_with(|| all.map(|(at, c)| (c.address, at)).collect());
        by_address.get(&address).copied()
    }

    /// Begins the payload of a controller, which was found in stage `found`. Returns the stage in
    /// which it is saved.
    pub(crate) fn begin(
        &mut self,
        address: usize,
        type_url: &'static str,
        found: Option<i32>,
    ) -> Option<i32> {
        if self.controllers.is_empty() {
            return None;
        }
        let Some(at) = self.find(address) else {
            self.strangers.push(Stranger { parent: self.current, type_url });
            return None;
        };
        let FrozenController { parent, before, frozen, ref written, .. } = self.controllers[at];
        self.is_out_of_order |= parent != self.current || written.is_some();
        if found != frozen {
            self.changed_stages.push(ChangedStage { place: at, frozen, found });
        }
        self.current = at;
        before
    }

    /// Ends the payload of a controller, which was written from one position to the other.
    pub(crate) fn end(&mut self, address: usize, written: Range<usize>) {
        let is_current = |current: &FrozenController| current.address == address;
        let at = match self.controllers.get(self.current).is_some_and(is_current) {
            true => self.current,
            false => match self.find(address) {
                Some(at) => at,
                None => return,
            },
        };
        let controller = &mut self.controllers[at];
        controller.written = Some(written);
        self.current = controller.parent;
        self.next = at.saturating_sub(1);
    }

    /// The controller at this address stays behind, with all controllers inside of it.
    #[cold]
    pub(crate) fn leave(&mut self, address: usize) {
        let Some(at) = self.find(address) else { return };
        let mut is_left = vec![false; self.controllers.len()];
        for (place, controller) in self.controllers.iter_mut().enumerate().skip(at) {
            is_left[place] = place == at || is_left[controller.parent];
            if is_left[place] {
                controller.written = Some(0..0);
            }
        }
        self.next = at.saturating_sub(1);
    }

    /// Returns whether every saved controller was the expected one. If none is missing either,
    /// exactly the frozen tree was saved.
    pub(crate) fn is_in_order(&self) -> bool {
        !self.is_out_of_order
    }

    /// Returns the controllers that were saved and are not in the tree.
    pub(crate) fn strangers(&self) -> &[Stranger] {
        &self.strangers
    }

    /// Returns the controllers whose stage has changed since the freeze.
    pub(crate) fn changed_stages(&self) -> &[ChangedStage] {
        &self.changed_stages
    }

    /// Returns the positions between which each payload was written, in the order of the tree; `None`
    /// if anything but exactly this tree was saved.
    pub(crate) fn written(&self) -> Option<Vec<Range<usize>>> {
        let is_whole =
            self.is_in_order() && self.strangers.is_empty() && self.changed_stages.is_empty();
        let all = self.controllers.iter().map(|controller| controller.written.clone());
        all.collect::<Option<_>>().filter(|_| is_whole)
    }

    /// Returns the lengths of the payloads without those of their children, in the order of the
    /// tree.
    ///
    /// # Errors
    ///
    /// The places of all controllers that were not saved.
    pub(crate) fn net_lengths(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut lengths = Vec::with_capacity(self.controllers.len());
        for (at, controller) in self.controllers.iter().enumerate() {
            let Some(written) = &controller.written else {
                let all = self.controllers.iter().enumerate();
                return Err(all.filter(|(_, c)| c.written.is_none()).map(|(at, _)| at).collect());
            };
            let length = written.len();
            lengths.push(length);
            if at > 0 {
                lengths[controller.parent] = lengths[controller.parent].saturating_sub(length);
            }
        }
        Ok(lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControllerSet;

    /// A root with two children, the first of which has a child. The stage of each is its number
    /// before the freeze, and its number plus 100 after it.
    fn tree(nodes: &[ControllerSet; 4]) -> FrozenTree {
        let mut tree = FrozenTree::with_capacity(nodes.len());
        for (at, parent) in [None, Some(0), Some(1), Some(0)].into_iter().enumerate() {
            tree.push(&nodes[at], parent, Some(at as i32), Some(at as i32 + 100));
        }
        tree
    }

    /// Saves a controller, and some children in between.
    fn save(tree: &mut FrozenTree, nodes: &[ControllerSet; 4], at: usize, children: &[usize]) {
        let stage = at as i32;
        assert_eq!(tree.begin(address(&nodes[at]), "url", Some(stage + 100)), Some(stage));
        for &child in children {
            save(tree, nodes, child, if child == 1 { &[2] } else { &[] });
        }
        tree.end(address(&nodes[at]), 0..[1000, 110, 10, 200][at]);
    }

    #[test]
    fn controllers_are_found_in_whatever_order_they_are_saved() {
        let nodes = std::array::from_fn(|_| ControllerSet::new());
        for (children, is_in_order) in [([3, 1], true), ([1, 3], false)] {
            let mut tree = tree(&nodes);
            save(&mut tree, &nodes, 0, &children);
            assert_eq!(tree.net_lengths(), Ok(vec![690, 100, 10, 200]));
            assert_eq!(tree.is_in_order(), is_in_order, "{children:?}");
            assert_eq!((tree.strangers(), tree.changed_stages()), (&[][..], &[][..]));
        }
    }

    #[test]
    fn a_controller_that_was_not_saved_is_reported_and_one_of_another_tree_is_a_stranger() {
        let nodes = std::array::from_fn(|_| ControllerSet::new());
        let mut tree = tree(&nodes);
        save(&mut tree, &nodes, 0, &[3]);
        assert_eq!(tree.net_lengths(), Err(vec![1, 2]));
        assert_eq!(tree.begin(address(&ControllerSet::new()), "url", None), None);
        assert_eq!(tree.strangers(), [Stranger { parent: 0, type_url: "url" }]);
        // If no frozen tree is being saved, nothing is expected.
        let mut none = FrozenTree::default();
        assert_eq!(none.begin(address(&nodes[0]), "url", None), None);
        assert!(none.is_in_order() && none.strangers().is_empty());
    }

    #[test]
    fn a_controller_below_another_parent_or_put_twice_is_out_of_order() {
        let nodes = std::array::from_fn(|_| ControllerSet::new());
        let mut moved = tree(&nodes);
        assert_eq!(moved.begin(address(&nodes[0]), "url", Some(100)), Some(0));
        assert_eq!(moved.begin(address(&nodes[3]), "url", Some(103)), Some(3));
        assert!(moved.is_in_order());
        assert_eq!(moved.begin(address(&nodes[1]), "url", Some(101)), Some(1));
        assert!(!moved.is_in_order());

        let mut twice = tree(&nodes);
        save(&mut twice, &nodes, 0, &[3, 3, 1]);
        assert!(!twice.is_in_order());
    }

    #[test]
    fn a_stage_that_the_freeze_has_not_left_is_noted() {
        let nodes = std::array::from_fn(|_| ControllerSet::new());
        let mut tree = tree(&nodes);
        assert_eq!(tree.begin(address(&nodes[0]), "url", Some(7)), Some(0));
        let changed = ChangedStage { place: 0, frozen: Some(100), found: Some(7) };
        assert_eq!(tree.changed_stages(), [changed]);
    }
}
