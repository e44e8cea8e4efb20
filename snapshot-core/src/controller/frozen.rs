//! The controllers of a frozen tree while they are saved.

use super::{ByAddress, Node, address};

/// What a save knows of a frozen tree: nothing, outside of a save of one.
///
/// Controllers are saved from the last to the first, children before the end of their parents. So the
/// next one is nearly always where it is looked for first; where it is not, as a state may save its
/// children in another order than it shows them, it is found by its address.
#[derive(Debug, Default)]
pub(crate) struct FrozenTree {
    /// Each before its children.
    controllers: Vec<FrozenController>,
    /// The one whose end is expected next.
    next: usize,
    /// All of them, made when one is not where it was expected.
    by_address: Option<ByAddress<usize>>,
}

#[derive(Debug)]
struct FrozenController {
    address: usize,
    /// Its place; of the root, its own.
    parent: usize,
    stage: Option<i32>,
    length: Option<usize>,
}

impl FrozenTree {
    pub(crate) fn with_capacity(controllers: usize) -> Self {
        Self { controllers: Vec::with_capacity(controllers), ..Self::default() }
    }

    /// Adds a controller, with the place of its parent, which was added before, and the stage that
    /// it had before the freeze and is saved in.
    pub(crate) fn push(&mut self, node: &dyn Node, parent: Option<usize>, stage: Option<i32>) {
        self.next = self.controllers.len();
        self.controllers.push(FrozenController {
            address: address(node),
            parent: parent.unwrap_or_default(),
            stage,
            length: None,
        });
    }

    fn find(&mut self, address: usize) -> Option<usize> {
        // Those whose end is expected next, the innermost first.
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
        let all = self.controllers.iter().enumerate();
        let by_address =
            self.by_address.get_or_insert_with(|| all.map(|(at, c)| (c.address, at)).collect());
        by_address.get(&address).copied()
    }

    /// The stage that a controller is saved in.
    pub(crate) fn stage(&mut self, address: usize) -> Option<i32> {
        let at = self.find(address)?;
        self.controllers[at].stage
    }

    /// The payload of a controller was put, so many bytes.
    pub(crate) fn end(&mut self, address: usize, length: usize) {
        if let Some(at) = self.find(address) {
            self.controllers[at].length = Some(length);
            self.next = at.saturating_sub(1);
        }
    }

    /// The lengths of the payloads without those of their children, in the order of the tree.
    ///
    /// # Errors
    ///
    /// The place of one that was not put.
    pub(crate) fn net_lengths(&self) -> Result<Vec<usize>, usize> {
        let mut lengths = Vec::with_capacity(self.controllers.len());
        for (at, controller) in self.controllers.iter().enumerate() {
            let length = controller.length.ok_or(at)?;
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

    /// A root with two children, the first with one of its own; each in a stage of its number.
    fn tree(nodes: &[ControllerSet; 4]) -> FrozenTree {
        let mut tree = FrozenTree::with_capacity(nodes.len());
        for (at, parent) in [None, Some(0), Some(1), Some(0)].into_iter().enumerate() {
            tree.push(&nodes[at], parent, Some(at as i32));
        }
        tree
    }

    /// Saves a controller whose children are saved in between.
    fn save(tree: &mut FrozenTree, nodes: &[ControllerSet; 4], at: usize, children: &[usize]) {
        assert_eq!(tree.stage(address(&nodes[at])), Some(at as i32));
        for &child in children {
            save(tree, nodes, child, if child == 1 { &[2] } else { &[] });
        }
        tree.end(address(&nodes[at]), [1000, 110, 10, 200][at]);
    }

    #[test]
    fn controllers_are_found_in_whatever_order_they_are_saved() {
        let nodes = std::array::from_fn(|_| ControllerSet::new());
        for (children, is_expected) in [([3, 1], true), ([1, 3], false)] {
            let mut tree = tree(&nodes);
            save(&mut tree, &nodes, 0, &children);
            assert_eq!(tree.net_lengths(), Ok(vec![690, 100, 10, 200]));
            assert_eq!(tree.by_address.is_none(), is_expected, "{children:?}");
        }
    }

    #[test]
    fn a_controller_that_was_not_saved_is_told_and_one_of_another_tree_is_not_known() {
        let nodes = std::array::from_fn(|_| ControllerSet::new());
        let mut tree = tree(&nodes);
        save(&mut tree, &nodes, 0, &[3]);
        assert_eq!(tree.net_lengths(), Err(1));
        assert_eq!(tree.stage(address(&ControllerSet::new())), None);
        assert_eq!(FrozenTree::default().stage(address(&nodes[0])), None);
    }
}
