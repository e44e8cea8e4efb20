//! Builds the controllers of a verified snapshot: all of them, or those that an earlier tree does
//! not have.

use std::sync::Arc;

use super::changes::When;
use super::importing::{Building, Importing};
use super::plan::TreePlan;
use super::preview::Verified;
use super::tree::Tree;
use crate::controller::{Loaded, Node, StateOf, build_child, keep_child};
use crate::panics::{caught, drop_of};
use crate::visit::{ChildCell, StatePlace, Visit, Visitor, Wants};
use crate::{Controller, Error};

/// A tree that was built, with the stages on the wire.
pub(super) type Built<R> = (Arc<R>, Arc<Tree>, Vec<Option<i32>>);

/// Builds all controllers, children before parents.
///
/// # Errors
///
/// One for every controller that could not be built. Nothing is left behind.
pub(super) fn build<R: Controller>(
    verified: Verified<StateOf<R>>,
    importing: &Importing,
) -> Result<Built<R>, Error> {
    let Verified { root, plan, stages, .. } = verified;
    let plan = Arc::new(plan);
    let built = importing.building(&plan, |building| {
        let (root, (mut nodes, _)) = Builder::new(&plan, &[], building).run(root)?;
        building.begin(0);
        match caught(|| root.build()) {
            Ok(root) => {
                nodes[0] = Some(Arc::clone(&root) as _);
                Ok((root, nodes))
            }
            Err(error) => {
                let mut errors = vec![error.at_controller(plan.id(0))];
                errors.extend(drop_each(&plan, nodes));
                Err(errors)
            }
        }
    });
    let (root, nodes) = match built {
        Ok(built) => built,
        Err(errors) => return nothing_built(errors),
    };
    let tree = tree(plan, nodes)?;
    let waiting = importing.waiting();
    waiting.know(Arc::clone(&tree) as _);
    // Nobody else has these controllers, unless their own code has passed them on.
    match waiting.during(|| tree.check_unchanged(When::Import)) {
        Ok(()) => Ok((root, tree, stages)),
        Err(error) => {
            // The tree holds the root too, and handles a panic of its destructor.
            drop(root);
            Err(error)
        }
    }
}

/// A later tree. It contains the controllers of an earlier one where they are the same.
pub(super) struct Rebuilt {
    pub(super) tree: Arc<Tree>,
    /// The stages on the wire.
    pub(super) stages: Vec<Option<i32>>,
    /// For each unit, the unit of the earlier tree that it is.
    pub(super) kept: Vec<Option<usize>>,
    /// The states for kept controllers, by unit, children before parents. Those of their children
    /// that were built are already in these states.
    pub(super) later: Vec<(usize, Box<dyn Loaded>)>,
}

/// Builds the controllers that an earlier tree does not have. A controller is the same if its id,
/// its type and its parent are the same.
///
/// # Errors
///
/// As [`build`]. The earlier tree is unchanged.
pub(super) fn rebuild<R: Controller>(
    verified: Verified<StateOf<R>>,
    earlier: &Tree,
    importing: &Importing,
) -> Result<Rebuilt, Error> {
    let Verified { root, plan, stages, .. } = verified;
    let plan = Arc::new(plan);
    let kept = same(&plan, &earlier.plan);
    let existing: Vec<_> =
        kept.iter().map(|unit| unit.map(|unit| Arc::clone(&earlier.nodes()[unit]))).collect();
    let built =
        importing.building(&plan, |building| Builder::new(&plan, &existing, building).run(root));
    let (root, (mut nodes, mut later)) = match built {
        Ok(built) => built,
        Err(errors) => return nothing_built(errors),
    };
    nodes[0].clone_from(&existing[0]);
    later.push((0, Box::new(root)));
    Ok(Rebuilt { tree: tree(plan, nodes)?, stages, kept, later })
}

/// Returns, for each unit of a later plan, the unit of an earlier one that it is.
fn same(later: &TreePlan, earlier: &TreePlan) -> Vec<Option<usize>> {
    let mut same: Vec<Option<usize>> = Vec::with_capacity(later.units().len());
    for (unit, planned) in later.units().iter().enumerate() {
        let is_it = |&there: &usize| {
            let parent = earlier.units()[there].parent();
            std::ptr::eq(earlier.info(there), planned.info)
                && parent == planned.parent().and_then(|parent| same[parent])
        };
        let has_kept_parent = planned.parent().is_none_or(|parent| same[parent].is_some());
        let there = match has_kept_parent {
            true => earlier.find(later.id(unit)).filter(is_it),
            false => None,
        };
        same.push(there);
    }
    same
}

fn tree(plan: Arc<TreePlan>, nodes: Vec<Option<Arc<dyn Node>>>) -> Result<Arc<Tree>, Error> {
    let nodes: Option<Vec<_>> = nodes.into_iter().collect();
    let nodes = nodes.ok_or_else(|| Error::internal("a controller was not built"))?;
    Ok(Arc::new(Tree::new(plan, nodes)))
}

fn nothing_built<T>(errors: Vec<Error>) -> Result<T, Error> {
    Error::collect(errors).and(Err(Error::internal("nothing was built")))
}

/// Drops the controllers that were built, parents before children, so that each destructor runs
/// separately. Returns the errors of their panics.
fn drop_each(plan: &TreePlan, nodes: Vec<Option<Arc<dyn Node>>>) -> Vec<Error> {
    let dropped = nodes.into_iter().enumerate().filter_map(|(unit, node)| {
        drop_of(node).err().map(|error| error.at_controller(plan.id(unit)))
    });
    dropped.collect()
}

/// Controllers by unit, and the states for those that are kept.
type Nodes = (Vec<Option<Arc<dyn Node>>>, Vec<(usize, Box<dyn Loaded>)>);

/// Builds the controllers of a verified tree, in the order of its plan.
struct Builder<'a> {
    plan: &'a TreePlan,
    /// For each unit, the existing controller; empty if there are none.
    existing: &'a [Option<Arc<dyn Node>>],
    building: &'a Building<'a>,
    nodes: Vec<Option<Arc<dyn Node>>>,
    later: Vec<(usize, Box<dyn Loaded>)>,
    next: usize,
    errors: Vec<Error>,
}

impl<'a> Builder<'a> {
    fn new(
        plan: &'a TreePlan,
        existing: &'a [Option<Arc<dyn Node>>],
        building: &'a Building<'a>,
    ) -> Self {
        let nodes = vec![None; plan.units().len()];
        Self { plan, existing, building, nodes, later: Vec::new(), next: 1, errors: Vec::new() }
    }

    /// Builds all controllers below the root, and returns the root too. After an error it drops
    /// everything that was built, the states before the controllers. Otherwise a controller would
    /// be dropped with the state of its parent, and a panic of its destructor would be the parent's
    /// error.
    fn run<L: Loaded>(mut self, root: L) -> Result<(L, Nodes), Vec<Error>> {
        let built = caught(|| self.children(|visit| root.visit(visit)));
        let Self { plan, nodes, later, mut errors, .. } = self;
        errors.extend(built.err());
        if errors.is_empty() {
            return Ok((root, (nodes, later)));
        }
        errors.extend(drop_of(root).err().map(|error| error.at_controller(plan.id(0))));
        for (unit, loaded) in later {
            errors.extend(drop_of(loaded).err().map(|error| error.at_controller(plan.id(unit))));
        }
        errors.extend(drop_each(plan, nodes));
        Err(errors)
    }

    /// Builds all controllers below a state. Returns whether all could be built.
    fn children(
        &mut self,
        parent: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let mut below = Below { builder: self, complete: true };
        parent(&mut Visit::new(&mut below))?;
        Ok(below.complete)
    }
}

/// Builds the children in one state.
struct Below<'b, 'a> {
    builder: &'b mut Builder<'a>,
    /// Whether all of them could be built.
    complete: bool,
}

impl Visitor for Below<'_, '_> {
    fn wants(&self) -> Wants {
        Wants::IN_ORDER
    }

    fn child(&mut self, _: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        let Self { builder, complete } = self;
        let unit = builder.next;
        builder.next += 1;
        let is_leaf = builder.plan.units().get(unit).is_some_and(|unit| unit.info.is_leaf);
        // A parent without its children cannot be built. Its siblings can, and may fail too.
        if !is_leaf && !builder.children(|visit| child.visit(visit))? {
            *complete = false;
            return Ok(());
        }
        builder.building.begin(unit);
        let built = match builder.existing.get(unit).and_then(Option::as_ref) {
            None => caught(|| build_child(child)),
            Some(existing) => caught(|| keep_child(child, existing)).map(|loaded| {
                builder.later.push((unit, loaded));
                Arc::clone(existing)
            }),
        };
        match built {
            Ok(node) => builder.nodes[unit] = Some(node),
            Err(error) => {
                *complete = false;
                builder.errors.push(error.at_controller(builder.plan.id(unit)));
            }
        }
        Ok(())
    }
}
