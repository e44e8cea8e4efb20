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
        for (unit, parent) in units.iter().enumerate().filter(|(_, unit)| !unit.info.is_leaf) {
            let first = unit + 1;
            let below = units.get(..parent.end()).unwrap_or_default();
            // Most children have no children themselves, so they are all that is below.
            let mut each = (first + 1..).zip(below.iter().skip(first));
            if each.all(|(next, child)| child.end() == next) {
                let children = nodes.get(first..parent.end()).unwrap_or_default();
                addresses.extend(children.iter().map(|node| address(&**node)));
            } else {
                let mut next = first;
                while let (Some(child), Some(node)) = (below.get(next), nodes.get(next)) {
                    addresses.push(address(&**node));
                    next = child.end();
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
