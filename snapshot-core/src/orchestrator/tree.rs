//! A tree of running controllers with its plan.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::Arc;

use super::plan::{Plan, Survey, Unit};
use crate::caught::caught;
use crate::codec::Reader;
use crate::controller::{Node, Walk, address, named};
use crate::registry::short_type_name;
use crate::{Controller, ControllerId, Error};

/// Running controllers, in the order of their plan.
pub(crate) struct Tree {
    pub(crate) plan: Arc<Plan>,
    nodes: Vec<Arc<dyn Node>>,
}

/// How deep controllers may be nested. Each costs at least two levels of messages, and what cannot
/// be read back must not be saved.
const DEPTH_LIMIT: u32 = Reader::DEPTH_LIMIT / 2;

impl Tree {
    pub(crate) fn new(plan: Arc<Plan>, nodes: Vec<Arc<dyn Node>>) -> Self {
        Self { plan, nodes }
    }

    /// The tree under a running controller.
    ///
    /// # Errors
    ///
    /// As [`Met::into_tree`].
    pub(crate) fn of(root: Arc<dyn Node>) -> Result<Self, Error> {
        Met::under(root).into_tree()
    }

    pub(crate) fn nodes(&self) -> &[Arc<dyn Node>] {
        &self.nodes
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        &self.plan.units()[unit].id
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
        let mut unseen = self.nodes[1..].iter();
        if caught(|| Ok(same(&*self.nodes[0], &mut unseen)))? && unseen.next().is_none() {
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

    /// Whether a unit is of a type.
    pub(crate) fn is_a(&self, unit: usize, controller: TypeId) -> bool {
        self.plan.units()[unit].info.controller.id() == controller
    }
}

/// The controllers that a walk over a tree has met, whether or not they can be put in order.
pub(crate) struct Met {
    survey: Survey,
    nodes: Vec<Arc<dyn Node>>,
    errors: Vec<Error>,
}

impl Met {
    /// Meets all under a running controller.
    pub(crate) fn under(root: Arc<dyn Node>) -> Self {
        let mut finder = Finder {
            survey: Survey::of_root(root.info()),
            places: HashMap::from([(address(&*root), 0)]),
            nodes: vec![root],
            errors: Vec::new(),
        };
        let walked = caught(|| finder.descend(0, 1));
        let Finder { survey, nodes, mut errors, .. } = finder;
        errors.extend(walked.err());
        Self { survey, nodes, errors }
    }

    /// The controllers, in the order in which they were met.
    pub(crate) fn controllers(&self) -> impl Iterator<Item = (&Unit, &Arc<dyn Node>)> {
        self.survey.units().iter().zip(&self.nodes)
    }

    /// Puts them in order.
    ///
    /// # Errors
    ///
    /// All at once: a child that is not built, a controller in two places; or if there is none, what
    /// [`Survey::plan`] refuses.
    pub(crate) fn into_tree(self) -> Result<Tree, Error> {
        let Self { survey, nodes, errors } = self;
        Error::collect(errors)?;
        Ok(Tree { plan: Arc::new(survey.plan()?), nodes })
    }
}

/// Whether the controllers below a controller are the next of these, in this order.
fn same<'n>(parent: &dyn Node, expected: &mut impl Iterator<Item = &'n Arc<dyn Node>>) -> bool {
    let mut children = Vec::new();
    let walked = parent.walk(&mut Walk::new(&mut |_, cell| {
        children.push(cell.live());
        Ok(())
    }));
    walked.is_ok()
        && children.iter().all(|child| match (child, expected.next()) {
            (Some(child), Some(other)) => {
                address(&**child) == address(&**other) && same(&**child, expected)
            }
            _ => false,
        })
}

fn changed(what: &str, how: &str, id: &ControllerId) -> Error {
    Error::precondition(format!("was {what} {how}")).at_controller(id)
}

struct Finder {
    survey: Survey,
    places: HashMap<usize, usize>,
    nodes: Vec<Arc<dyn Node>>,
    errors: Vec<Error>,
}

impl Finder {
    fn descend(&mut self, unit: usize, depth: u32) -> Result<(), Error> {
        let node = Arc::clone(&self.nodes[unit]);
        let mut children = Vec::new();
        // The parent's lock is held for this walk only, and no other meanwhile: a child's own name
        // takes the child's lock, which may be the same.
        node.walk(&mut Walk::new(&mut |found, cell| {
            children.push((found.parts(), found.after.to_vec(), cell.live()));
            Ok(())
        }))
        .map_err(|error| error.at_controller(self.survey.id(unit)))?;
        for ((path, name_at), after, child) in children {
            let Some(child) = child else {
                let id = self.survey.id(unit).join(&path);
                self.errors.push(Error::internal("was decoded, but not built").at_controller(&id));
                continue;
            };
            let path = named(path, name_at, child.own_name().as_deref());
            let at = self.survey.enter(unit, &path, &after, child.info());
            let id = self.survey.id(at).clone();
            let first = *self.places.entry(address(&*child)).or_insert(at);
            self.nodes.push(child);
            if first != at {
                let reason = format!(
                    "is the same controller as {}: a controller has one place in the tree",
                    self.survey.id(first)
                );
                self.errors.push(Error::invalid(reason).at_controller(&id));
            } else if depth == DEPTH_LIMIT {
                let reason = format!("is nested deeper than {DEPTH_LIMIT} controllers");
                self.errors.push(Error::invalid(reason).at_controller(&id));
            } else {
                self.descend(at, depth + 1)?;
            }
            self.survey.leave(at);
        }
        Ok(())
    }
}
