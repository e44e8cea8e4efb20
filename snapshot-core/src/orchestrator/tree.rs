//! A tree of running controllers with its plan.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::child_addresses::ChildAddresses;
use super::plan::TreePlan;
use super::survey::{Survey, Surveyor};
use super::units::Unit;
use crate::codec::Reader;
use crate::controller::lock::{self, Board, KnownNames};
use crate::controller::{self, ByAddress, Node, address, live};
use crate::panics::{caught, quietly};
use crate::path::Spot;
use crate::payload::TypeInfo;
use crate::visit::{Visit, children};
use crate::{ControllerId, Error};

/// Running controllers, in the order of their plan.
pub(crate) struct Tree {
    pub(crate) plan: Arc<TreePlan>,
    nodes: Vec<Arc<dyn Node>>,
    /// The children of each, for comparisons.
    children: ChildAddresses,
    /// The units whose controllers are gone, ascending. Their nodes are those of other controllers.
    gone: Vec<usize>,
}

/// The maximum depth of controllers. Each takes at least two levels of messages, and a tree that
/// cannot be read back must not be saved.
const DEPTH_LIMIT: u32 = Reader::DEPTH_LIMIT / 2;

impl Tree {
    /// Creates a tree with all controllers of its plan.
    pub(crate) fn new(plan: Arc<TreePlan>, nodes: Vec<Arc<dyn Node>>) -> Self {
        Self::with_gone(plan, nodes, Vec::new())
    }

    /// Creates a tree without some controllers; other nodes stand in for them.
    pub(crate) fn with_gone(
        plan: Arc<TreePlan>,
        nodes: Vec<Arc<dyn Node>>,
        gone: Vec<usize>,
    ) -> Self {
        let children = ChildAddresses::of(&plan, &nodes);
        Self { plan, nodes, children, gone }
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

    /// Returns whether all controllers are still those of the plan, each below the same parent.
    pub(super) fn has_same_controllers(&self) -> bool {
        self.children.are_in(&self.nodes)
    }

    /// Drops the nodes, parents before children, so that each destructor runs separately. A panic
    /// in one neither ends a phase nor hides an error of one.
    fn set_free(&mut self) {
        for (unit, node) in std::mem::take(&mut self.nodes).into_iter().enumerate() {
            let dropped = caught(|| {
                drop(node);
                Ok(())
            });
            if let Err(error) = dropped {
                let (id, type_url) = (self.plan.id(unit), self.plan.info(unit).type_url);
                quietly(|| {
                    tracing::error!(controller = %id, type_url, error = %error.on_one_line(), "panicked when it was dropped");
                });
            }
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.set_free();
    }
}

/// The controllers that a walk over a tree has found, whether or not they can be put in order.
pub(crate) struct Met {
    survey: Survey,
    nodes: Vec<Arc<dyn Node>>,
    /// The stages in which they were found.
    stages: Vec<Option<i32>>,
    errors: Vec<Error>,
    /// The units of the controllers that could not be asked, ascending. Neither their names nor all
    /// their children are known.
    unasked: Vec<usize>,
    /// Whether the walk reached its end.
    is_complete: bool,
}

impl Met {
    /// Walks over the tree under a running controller. Names may have this many bytes.
    pub(crate) fn under(root: Arc<dyn Node>, name_limit: usize) -> Self {
        let info = root.info();
        let asked = Arc::new(Mutex::new(Asked::nobody(info, name_limit)));
        let board = lock::present();
        if let Some(board) = &board {
            board.add_names(Arc::clone(&asked) as _);
        }
        let mut finder = Finder {
            asked: &asked,
            board: board.as_deref(),
            open: None,
            places: ByAddress::default(),
            nodes: Vec::new(),
            stages: Vec::new(),
            errors: Vec::new(),
            unasked: Vec::new(),
            found: Vec::new(),
            paths: String::new(),
        };
        let walked = caught(|| {
            finder.descend_from(root);
            Ok(())
        });
        let Finder { open, nodes, stages, mut errors, unasked, .. } = finder;
        drop(open);
        if let Some(board) = &board {
            board.remove_names();
        }
        let is_complete = walked.is_ok() && unasked.is_empty();
        errors.extend(walked.err());
        let surveyor = std::mem::replace(
            &mut open_asked(&asked).surveyor,
            Surveyor::at_root(info, name_limit),
        );
        Self { survey: surveyor.finish(), nodes, stages, errors, unasked, is_complete }
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

    /// Returns whether a controller could be asked for its name and its children.
    pub(super) fn was_asked(&self, unit: usize) -> bool {
        self.unasked.binary_search(&unit).is_err()
    }

    /// Takes the errors of the controllers that were found.
    pub(super) fn take_errors(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.errors)
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        self.survey.id(unit)
    }

    /// Returns the controllers, in the order in which they were found, with their stages.
    pub(crate) fn controllers(&self) -> impl Iterator<Item = (&Unit, &Arc<dyn Node>, Option<i32>)> {
        let controllers = self.survey.units().iter().zip(&self.nodes).zip(&self.stages);
        controllers.map(|((unit, node), stage)| (unit, node, *stage))
    }

    /// Returns whether all of them could be asked, and each has one place.
    pub(crate) fn is_whole(&self) -> bool {
        self.errors.is_empty()
    }

    /// Puts them in order.
    ///
    /// # Errors
    ///
    /// All reported together: children that are not built, controllers in two places. If there are
    /// none, those of [`Survey::plan`].
    pub(crate) fn into_tree(self) -> Result<Tree, Error> {
        let Self { survey, nodes, errors, .. } = self;
        Error::collect(errors)?;
        Ok(Tree::new(Arc::new(survey.plan()?), nodes))
    }
}

/// The part of a survey that others may see: the controllers that were found, and the one that is
/// being asked.
struct Asked {
    surveyor: Surveyor,
    /// The address of the controller that was asked last.
    address: usize,
    info: &'static TypeInfo,
    /// The place where it was found; `None` for the root.
    place: Option<(usize, Spot)>,
    /// Its path, if that is more than a field or an element.
    path: String,
}

impl Asked {
    fn nobody(root: &'static TypeInfo, name_limit: usize) -> Self {
        Self {
            surveyor: Surveyor::at_root(root, name_limit),
            address: 0,
            info: root,
            place: None,
            path: String::new(),
        }
    }

    fn id(&self) -> ControllerId {
        match self.place {
            None => ControllerId::root(),
            Some((parent, Spot::Text { .. })) => self.surveyor.id(parent).join(&self.path),
            Some((parent, spot)) => self.surveyor.id_of_child(parent, (spot, "")),
        }
    }
}

fn open_asked(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KnownNames for Mutex<Asked> {
    fn name(&self, address: usize) -> Option<(ControllerId, &'static str)> {
        let asked = open_asked(self);
        (asked.address == address).then(|| (asked.id(), asked.info.type_url))
    }
}

struct Finder<'s> {
    asked: &'s Mutex<Asked>,
    /// The board of this thread.
    board: Option<&'s Board>,
    /// Unlocked while a controller is asked, so that others can see which one it is.
    open: Option<MutexGuard<'s, Asked>>,
    /// The units of the controllers that more than one place may hold.
    places: ByAddress<usize>,
    nodes: Vec<Arc<dyn Node>>,
    stages: Vec<Option<i32>>,
    errors: Vec<Error>,
    /// The units of the controllers that have not shown all their children.
    unasked: Vec<usize>,
    /// The children of the controllers on the path to the one that was asked last. They are removed
    /// when they are visited.
    found: Vec<ChildFound>,
    /// The paths of those that are more than a field or an element, one after the other.
    paths: String,
}

struct ChildFound {
    spot: Spot,
    /// `None` if it comes after no sibling.
    after: Option<Box<[String]>>,
    /// `None` if it is not built.
    node: Option<Arc<dyn Node>>,
}

impl<'s> Finder<'s> {
    fn descend_from(&mut self, root: Arc<dyn Node>) {
        self.places.insert(address(&*root), 0);
        let (met, walked) = self.ask(&*root, None);
        self.nodes.push(root);
        self.stages.push(met.stage);
        self.keep_walked(0, walked);
        self.descend(0, 0, 1);
    }

    fn asked(&mut self) -> &mut Asked {
        let asked = self.asked;
        self.open.get_or_insert_with(|| open_asked(asked))
    }

    /// Stores the error of a controller. Its siblings are still asked.
    fn keep(&mut self, unit: usize, result: Result<(), Error>) {
        if let Err(error) = result {
            let id = self.asked().surveyor.id(unit);
            self.errors.push(error.at_controller(&id));
        }
    }

    fn keep_walked(&mut self, unit: usize, walked: Result<(), Error>) {
        if walked.is_err() {
            self.unasked.push(unit);
            self.keep(unit, walked);
        }
    }

    /// Asks a controller for its name and its children. Its lock is held for this only, and no
    /// other meanwhile: asking a child takes the child's lock, which may be the same.
    #[inline(always)]
    fn ask(
        &mut self,
        node: &dyn Node,
        place: Option<(usize, Spot)>,
    ) -> (controller::Account, Result<(), Error>) {
        let Self { found, paths, open, asked, board, .. } = self;
        let shown = open.get_or_insert_with(|| open_asked(asked));
        (shown.address, shown.info, shown.place) = (address(node), node.info(), place);
        if let Some((_, spot @ Spot::Text { .. })) = place {
            shown.path.clear();
            spot.put(paths, &mut shown.path);
        }
        *open = None;
        let mut visitor = children(|place, child| {
            let after = place.follows().map(|_| place.after().into());
            found.push(ChildFound { spot: place.spot(paths), after, node: live(child) });
            Ok(())
        });
        node.meet(&mut Visit::new(&mut visitor), *board)
    }

    /// Returns the unit at which a controller was first found; it is now found as `unit`.
    fn first_place(&mut self, node: &Arc<dyn Node>, unit: usize) -> usize {
        // The place and `node` hold it. There is no other place, so this one need not be
        // remembered; nearly all controllers are like this.
        match Arc::strong_count(node) {
            ..=2 => unit,
            _ => *self.places.entry(address(&**node)).or_insert(unit),
        }
    }

    /// Visits the children of a unit, which are in `found` from `from` on.
    fn descend(&mut self, unit: usize, from: usize, depth: u32) {
        let end = self.found.len();
        self.nodes.reserve(end - from);
        self.stages.reserve(end - from);
        self.asked().surveyor.reserve(end - from);
        for child in from..end {
            let ChildFound { spot, after, node } = &mut self.found[child];
            let (spot, after) = (*spot, after.take().unwrap_or_default());
            let Some(node) = node.take() else {
                let mut path = String::new();
                spot.put(&self.paths, &mut path);
                let id = self.asked().surveyor.id(unit).join(&path);
                self.errors.push(Error::internal("was decoded, but not built").at_controller(&id));
                continue;
            };
            let (met, walked) = self.ask(&*node, Some((unit, spot)));
            let Self { asked, open, paths, .. } = self;
            let shown = open.get_or_insert_with(|| open_asked(asked));
            let (spot, name) = ((spot, paths.as_str()), met.own_name.as_deref());
            let info = node.info();
            let is_leaf = info.is_leaf;
            let at = shown.surveyor.enter(unit, &after, info, spot, name);
            let first = self.first_place(&node, at);
            self.nodes.push(node);
            self.stages.push(met.stage);
            if first != at {
                let reason = format!(
                    "is the same controller as {}: a controller has one place in the tree",
                    self.asked().surveyor.id(first)
                );
                self.keep(at, Err(Error::invalid(reason)));
            } else if depth == DEPTH_LIMIT {
                let reason = format!("is nested deeper than {DEPTH_LIMIT} controllers");
                self.keep(at, Err(Error::invalid(reason)));
            } else {
                self.keep_walked(at, walked);
                if is_leaf {
                    continue;
                }
                self.descend(at, end, depth + 1);
            }
            self.found.truncate(end);
            self.asked().surveyor.leave(at);
        }
    }
}
