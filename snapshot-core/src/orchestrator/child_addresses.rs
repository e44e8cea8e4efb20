//! The children of each controller of a tree, by address, in a form that is compared fast.

use std::sync::Arc;

use super::plan::TreePlan;
use crate::controller::{Node, address};
use crate::visit::finds_exactly;

/// The addresses of the children of each controller, in the order of the wire.
pub(super) struct ChildAddresses {
    /// The controllers that can have children, in the order of the plan.
    parents: Vec<ParentUnit>,
    /// The addresses of the children of the first parent, then those of the second, and so on.
    addresses: Vec<usize>,
}

struct ParentUnit {
    unit: usize,
    /// The end of its children in the list of addresses. They begin where those of the one before
    /// it end.
    end: usize,
}

impl ChildAddresses {
    /// Creates the list for the controllers of a plan.
    pub(super) fn of(plan: &TreePlan, nodes: &[Arc<dyn Node>]) -> Self {
        let mut parents = Vec::new();
        let mut addresses = Vec::with_capacity(nodes.len());
        let units = plan.units();
        let mut next = 0;
        while let Some(parent) = units.get(next) {
            let (unit, first) = (next, next + 1);
            next = first;
            if parent.info.is_leaf {
                continue;
            }
            let below = units.get(first..parent.end()).unwrap_or_default();
            // Most children cannot have children themselves. Then they are all that is below.
            if below.iter().all(|child| child.info.is_leaf) {
                let children = nodes.get(first..parent.end()).unwrap_or_default();
                addresses.extend(children.iter().map(|node| address(&**node)));
                next += below.len();
            } else {
                let mut at = first;
                while let (Some(child), Some(node)) = (below.get(at - first), nodes.get(at)) {
                    addresses.push(address(&**node));
                    at = child.end();
                }
            }
            parents.push(ParentUnit { unit, end: addresses.len() });
        }
        Self { parents, addresses }
    }

    /// Returns whether the states of these controllers still show exactly these children.
    pub(super) fn are_in(&self, nodes: &[Arc<dyn Node>]) -> bool {
        let mut begin = 0;
        self.parents.iter().all(|&ParentUnit { unit, end }| {
            let children = self.addresses.get(begin..end).unwrap_or_default();
            begin = end;
            finds_exactly(children, |visit| nodes[unit].visit(visit))
        })
    }
}
