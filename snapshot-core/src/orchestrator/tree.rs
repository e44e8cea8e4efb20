//! A tree of running controllers with its plan.

use std::any::TypeId;
use std::sync::Arc;

use super::plan::Plan;
use super::survey::{Survey, Surveyor};
use super::units::Unit;
use crate::caught::caught;
use crate::codec::Reader;
use crate::controller::{self, ByAddress, Node, Walk, address};
use crate::path::Spot;
use crate::registry::short_type_name;
use crate::{Controller, ControllerId, Error};

/// Running controllers, in the order of their plan.
pub(crate) struct Tree {
    pub(crate) plan: Arc<Plan>,
    nodes: Vec<Arc<dyn Node>>,
    /// Whether a state defines something that others may refer to, or refers to something.
    pub(crate) has_references: bool,
}

/// How deep controllers may be nested. Each costs at least two levels of messages, and what cannot
/// be read back must not be saved.
const DEPTH_LIMIT: u32 = Reader::DEPTH_LIMIT / 2;

impl Tree {
    /// A tree whose references were checked, or are not to be.
    pub(crate) fn new(plan: Arc<Plan>, nodes: Vec<Arc<dyn Node>>) -> Self {
        Self { plan, nodes, has_references: false }
    }

    /// The tree under a running controller.
    ///
    /// # Errors
    ///
    /// As [`Met::into_tree`].
    pub(crate) fn of(root: Arc<dyn Node>) -> Result<Self, Error> {
        Met::under(root, usize::MAX).into_tree()
    }

    pub(crate) fn nodes(&self) -> &[Arc<dyn Node>] {
        &self.nodes
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        self.plan.id(unit)
    }

    /// The controller of a unit as its type.
    pub(crate) fn downcast<C: Controller>(&self, unit: usize) -> Result<Arc<C>, Error> {
        Arc::clone(&self.nodes[unit]).into_any().downcast().map_err(|_| {
            let name = short_type_name(std::any::type_name::<C>());
            Error::internal(format!("{} is not a {name}", self.id(unit)))
        })
    }

    /// Checks that the tree still has exactly these controllers, at these places.
    ///
    /// # Errors
    ///
    /// Every controller that was added, removed or replaced; `how` ends the sentence.
    pub(crate) fn check_unchanged(&self, how: &str) -> Result<(), Error> {
        // Nearly always all is as it was, which is seen without making ids and a plan.
        if caught(|| Ok((0..self.nodes.len()).all(|unit| self.has_same_children(unit))))? {
            return Ok(());
        }
        let now = Tree::of(Arc::clone(&self.nodes[0]))?;
        let mut errors = Vec::new();
        for (unit, id) in self.plan.ids().enumerate() {
            match now.plan.find(id) {
                None => errors.push(changed("removed", how, id)),
                Some(other) if address(&*now.nodes[other]) != address(&*self.nodes[unit]) => {
                    errors.push(changed("replaced", how, id));
                }
                Some(_) => {}
            }
        }
        for id in now.plan.ids().filter(|id| self.plan.find(id).is_none()) {
            errors.push(changed("added", how, id));
        }
        Error::collect(errors)
    }

    /// Whether the controllers right below a unit are still those of the plan.
    fn has_same_children(&self, unit: usize) -> bool {
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

    /// Whether a unit is of a type.
    pub(crate) fn is_a(&self, unit: usize, controller: TypeId) -> bool {
        self.plan.units()[unit].info.controller.id() == controller
    }
}

/// The controllers that a walk over a tree has met, whether or not they can be put in order.
pub(crate) struct Met {
    survey: Survey,
    nodes: Vec<Arc<dyn Node>>,
    /// The stages that they were met in.
    stages: Vec<Option<i32>>,
    errors: Vec<Error>,
}

impl Met {
    /// Meets all under a running controller. Names may have this many bytes.
    pub(crate) fn under(root: Arc<dyn Node>, name_limit: usize) -> Self {
        let mut finder = Finder {
            surveyor: Surveyor::at_root(root.info(), name_limit),
            places: ByAddress::default(),
            nodes: Vec::new(),
            stages: Vec::new(),
            errors: Vec::new(),
            found: Vec::new(),
            paths: String::new(),
        };
        let walked = caught(|| finder.descend_from(root));
        let Finder { surveyor, nodes, stages, mut errors, .. } = finder;
        errors.extend(walked.err());
        Self { survey: surveyor.finish(), nodes, stages, errors }
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
        Ok(Tree { plan: Arc::new(survey.plan()?), nodes, has_references })
    }
}

fn changed(what: &str, how: &str, id: &ControllerId) -> Error {
    Error::precondition(format!("was {what} {how}")).at_controller(id)
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
