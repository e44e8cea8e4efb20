//! A tree of running controllers with its plan.

use std::sync::Arc;

use super::plan::Plan;
use super::survey::{Survey, Surveyor};
use super::units::Unit;
use crate::caught::caught;
use crate::codec::Reader;
use crate::controller::{self, ByAddress, Node, Spot, Walk, address};
use crate::{ControllerId, Error};

/// Running controllers, in the order of their plan.
pub(crate) struct Tree {
    pub(crate) plan: Arc<Plan>,
    nodes: Vec<Arc<dyn Node>>,
    /// The units whose controllers are gone, ascending. Their nodes are those of others.
    gone: Vec<usize>,
    /// Whether a state defines something that others may refer to, or refers to something.
    pub(crate) has_references: bool,
}

/// How deep controllers may be nested. Each costs at least two levels of messages, and what cannot
/// be read back must not be saved.
const DEPTH_LIMIT: u32 = Reader::DEPTH_LIMIT / 2;

impl Tree {
    /// A tree whose references were checked, or are not to be.
    pub(crate) fn new(plan: Arc<Plan>, nodes: Vec<Arc<dyn Node>>) -> Self {
        Self::with_gone(plan, nodes, Vec::new())
    }

    /// The same, of which some controllers are gone; other nodes stand in for them.
    pub(crate) fn with_gone(plan: Arc<Plan>, nodes: Vec<Arc<dyn Node>>, gone: Vec<usize>) -> Self {
        Self { plan, nodes, gone, has_references: false }
    }

    pub(super) fn gone(&self) -> &[usize] {
        &self.gone
    }

    pub(crate) fn nodes(&self) -> &[Arc<dyn Node>] {
        &self.nodes
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        self.plan.id(unit)
    }

    /// Whether the controllers right below a unit are still those of the plan.
    pub(super) fn has_same_children(&self, unit: usize) -> bool {
        let units = self.plan.units();
        if units[unit].info.is_leaf {
            return true;
        }
        let mut next = unit + 1;
        let walked = self.nodes[unit].walk(&mut Walk::new(&mut |_, cell| {
            let expected = self.nodes.get(next).filter(|_| units[next].parent() == Some(unit));
            match cell.address() == expected.map(|node| address(&**node)) {
                true => next = units[next].end(),
                // Of a walk that ends here, nobody reads the error.
                false => return Err(Error::internal("another child")),
            }
            Ok(())
        }));
        walked.is_ok() && next == units[unit].end()
    }
}

/// The controllers that a walk over a tree has met, whether or not they can be put in order.
pub(crate) struct Met {
    survey: Survey,
    nodes: Vec<Arc<dyn Node>>,
    /// The stages that they were met in.
    stages: Vec<Option<i32>>,
    errors: Vec<Error>,
    /// Whether the walk came to its end.
    is_complete: bool,
}

impl Met {
    /// Meets all under a running controller.
    pub(crate) fn under(root: Arc<dyn Node>) -> Self {
        let mut finder = Finder {
            surveyor: Surveyor::at_root(root.info()),
            places: ByAddress::default(),
            nodes: Vec::new(),
            stages: Vec::new(),
            errors: Vec::new(),
            found: Vec::new(),
            paths: String::new(),
        };
        let walked = caught(|| finder.descend_from(root));
        let Finder { surveyor, nodes, stages, mut errors, .. } = finder;
        let is_complete = walked.is_ok();
        errors.extend(walked.err());
        Self { survey: surveyor.finish(), nodes, stages, errors, is_complete }
    }

    pub(super) fn units(&self) -> &[Unit] {
        self.survey.units()
    }

    pub(super) fn nodes(&self) -> &[Arc<dyn Node>] {
        &self.nodes
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whatever was wrong with the controllers that were met.
    pub(super) fn take_errors(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.errors)
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        self.survey.id(unit)
    }

    /// The controllers, in the order in which they were met, with their stages.
    pub(crate) fn controllers(&self) -> impl Iterator<Item = (&Unit, &Arc<dyn Node>, Option<i32>)> {
        let controllers = self.survey.units().iter().zip(&self.nodes).zip(&self.stages);
        controllers.map(|((unit, node), stage)| (unit, node, *stage))
    }

    /// Puts them in order.
    ///
    /// # Errors
    ///
    /// All at once: a child that is not built, a controller in two places; or if there is none, what
    /// [`Survey::plan`] refuses.
    pub(crate) fn into_tree(self) -> Result<Tree, Error> {
        let Self { survey, nodes, errors, .. } = self;
        Error::collect(errors)?;
        let has_references = survey.has_references();
        Ok(Tree { plan: Arc::new(survey.plan()?), nodes, gone: Vec::new(), has_references })
    }
}

struct Finder {
    surveyor: Surveyor,
    /// The units of the controllers that more than one place may hold.
    places: ByAddress<usize>,
    nodes: Vec<Arc<dyn Node>>,
    stages: Vec<Option<i32>>,
    errors: Vec<Error>,
    /// The children of the controllers on the way to the one that was asked last, which are taken
    /// out as they are met.
    found: Vec<ChildFound>,
    /// The paths of those that are at more than a field or an element, one after the other.
    paths: String,
}

struct ChildFound {
    spot: Spot,
    /// `None` if it comes after none.
    after: Option<Box<[String]>>,
    /// `None` if it is not built.
    node: Option<Arc<dyn Node>>,
}

impl Finder {
    fn descend_from(&mut self, root: Arc<dyn Node>) -> Result<(), Error> {
        self.places.insert(address(&*root), 0);
        let (met, walked) = self.ask(&*root);
        self.nodes.push(root);
        self.stages.push(met.stage);
        walked.map_err(|error| error.at_controller(&self.surveyor.id(0)))?;
        self.descend(0, 0, 1)
    }

    /// Asks a controller who it is and for its children. Its lock is held for this only, and no other
    /// meanwhile: to ask a child takes the child's lock, which may be the same.
    fn ask(&mut self, node: &dyn Node) -> (controller::Met, Result<(), Error>) {
        let Self { found, paths, .. } = self;
        node.meet(&mut Walk::new(&mut |child, cell| {
            let after = (!child.after.is_empty()).then(|| child.after.into());
            found.push(ChildFound { spot: child.spot(paths), after, node: cell.live() });
            Ok(())
        }))
    }

    /// The unit that a controller was met as first, which is now met as `unit`.
    fn first_place(&mut self, node: &Arc<dyn Node>, unit: usize) -> usize {
        // Held by the place where it was found and by `node`: there is no other place, and nearly
        // always no need to remember this one.
        match Arc::strong_count(node) {
            ..=2 => unit,
            _ => *self.places.entry(address(&**node)).or_insert(unit),
        }
    }

    /// Meets the children of a unit, which were found from `from` on.
    fn descend(&mut self, unit: usize, from: usize, depth: u32) -> Result<(), Error> {
        let end = self.found.len();
        self.nodes.reserve(end - from);
        self.stages.reserve(end - from);
        self.surveyor.reserve(end - from);
        for child in from..end {
            let ChildFound { spot, after, node } = &mut self.found[child];
            let (spot, after) = (*spot, after.take().unwrap_or_default());
            let Some(node) = node.take() else {
                let id = self.surveyor.id_of_child(unit, (spot, &self.paths));
                self.errors.push(Error::internal("was decoded, but not built").at_controller(&id));
                continue;
            };
            let (met, walked) = self.ask(&*node);
            let (spot, name) = ((spot, self.paths.as_str()), met.own_name.as_deref());
            let at = self.surveyor.enter(unit, &after, node.info(), spot, name);
            let first = self.first_place(&node, at);
            self.nodes.push(node);
            self.stages.push(met.stage);
            if first != at {
                let reason = format!(
                    "is the same controller as {}: a controller has one place in the tree",
                    self.surveyor.id(first)
                );
                self.errors.push(Error::invalid(reason).at_controller(&self.surveyor.id(at)));
            } else if depth == DEPTH_LIMIT {
                let reason = format!("is nested deeper than {DEPTH_LIMIT} controllers");
                self.errors.push(Error::invalid(reason).at_controller(&self.surveyor.id(at)));
            } else {
                walked.map_err(|error| error.at_controller(&self.surveyor.id(at)))?;
                self.descend(at, end, depth + 1)?;
            }
            self.found.truncate(end);
            self.surveyor.leave(at);
        }
        Ok(())
    }
}
