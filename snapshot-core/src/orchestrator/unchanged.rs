//! Finds the controllers of a prepared tree that have changed at the source, so that a refresh decodes
//! and replaces only these.
//!
//! A state has one encoding. So a prepared controller is unchanged if it would be saved as exactly the
//! bytes of the later snapshot: then it is in the later state already, whatever has happened to it. The
//! rest of the tree is read as ever, with the unchanged controllers in their places.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use super::journal::Journal;
use super::preview::take_root;
use super::reference_check::check_references;
use super::tree::Tree;
use super::tree_save::TreeSave;
use super::waiting::Waiting;
use crate::codec::{ReadScope, Writer, read_bare_any, split_bare_any};
use crate::controller::{
    ByAddress, Described, FrozenTree, Loaded, StateOf, address, described, hold_child, keep_child,
    wire_stages,
};
use crate::envelope::Snapshot;
use crate::error::Finding;
use crate::panics::{caught, quietly};
use crate::visit::{ChildCell, Name, Role, StatePlace, Visit, Visitor, Wants};
use crate::{Controller, Error};

/// A prepared tree as it would be saved, with every controller in the stage that it has at the source.
pub(super) struct PreparedBytes {
    /// The payload of the root.
    bytes: Vec<u8>,
    /// The place of each controller's payload in the bytes, by unit.
    payloads: Vec<Range<usize>>,
    /// The memory for the comparison, so that no page is touched for the first time in the blackout.
    writer: Writer,
}

/// The difference between a prepared tree and a later state of the same controllers.
pub(super) struct Changed {
    /// The stages on the wire, by unit.
    pub(super) stages: Vec<Option<i32>>,
    /// The units that have changed, with their later states, children before parents. The controllers of
    /// their children are in these states.
    pub(super) later: Vec<(usize, Box<dyn Loaded>)>,
}

impl PreparedBytes {
    /// Encodes a prepared tree to compare later states with it; `None` if that is impossible, or if its
    /// references do not resolve.
    pub(super) fn keep(tree: &Tree, journal: &Journal) -> Option<Self> {
        let root = tree.nodes().first()?;
        check_references(tree, &**root).ok()?;
        let mut writer = Writer::default();
        let payloads = encode(tree, journal, &mut writer).ok().flatten()?;
        Some(Self { bytes: writer.as_bytes().to_vec(), payloads, writer })
    }

    fn payload(&self, unit: usize) -> Option<&[u8]> {
        self.bytes.get(self.payloads.get(unit)?.clone())
    }

    /// Finds the controllers whose later states differ. `self` is the tree as it was after its
    /// `prepare` hooks. Returns `None` if the later tree has other controllers, or may refer to other
    /// names, or has problems: then the later snapshot has to be read as a whole.
    ///
    /// # Errors
    ///
    /// If a state could not be locked.
    pub(super) fn changed<R: Controller>(
        mut self,
        tree: &Tree,
        journal: &Journal,
        later: &Snapshot,
        waiting: &Waiting,
    ) -> Result<Option<Changed>, Error> {
        if later.limits().name < tree.plan.name_limit() {
            return Ok(None);
        }
        self.writer.clear();
        match encode(tree, journal, &mut self.writer)? {
            // Nobody has changed the prepared controllers, so their references still resolve.
            Some(now) if now == self.payloads && self.writer.as_bytes() == self.bytes => {}
            _ => return Ok(None),
        }
        let units = tree.plan.units().len();
        let mut changed = Changed {
            stages: (0..units).map(|unit| journal.stage(unit)).collect(),
            later: Vec::new(),
        };
        if self.is_all_of(tree, later) {
            return Ok(Some(changed));
        }
        let root = waiting.reading(|| self.read::<R>(tree, journal, later));
        let Some(root) = root else { return Ok(None) };
        let mut comparison = TreeComparison { tree, changed: &mut changed };
        let compared =
            caught(|| comparison.unit(0, &Described::of(&root), |visit| root.visit(visit)));
        if compared.is_err() {
            // A panic of a destructor is of no interest: the states are read again.
            quietly(|| drop(root));
            changed.later.into_iter().for_each(|state| {
                quietly(|| drop(state));
            });
            return Ok(None);
        }
        changed.later.push((0, Box::new(root)));
        Ok(Some(changed))
    }

    /// Returns whether these are the bytes of the later snapshot.
    fn is_all_of(&self, tree: &Tree, later: &Snapshot) -> bool {
        let (any, base) = later.any();
        let is_same = |(type_url, payload): (&str, &[u8])| {
            type_url == tree.plan.info(0).type_url && Some(payload) == self.payload(0)
        };
        split_bare_any(any, base).is_ok_and(is_same)
    }

    /// Reads the changed payloads of a later snapshot, with the unchanged controllers in their places.
    fn read<R: Controller>(
        &self,
        tree: &Tree,
        journal: &Journal,
        later: &Snapshot,
    ) -> Option<StateOf<R>> {
        let nodes = tree.nodes().iter().enumerate();
        let stages: ByAddress<i32> = nodes
            .filter_map(|(unit, node)| journal.stage(unit).map(|stage| (address(&**node), stage)))
            .collect();
        let (any, base) = later.any();
        let memory = later.limits().memory_for(any.len());
        let scope = Unchanged { prepared: self, tree, next: Cell::new(1), changed: Cell::new(1) };
        let read = || {
            caught(|| {
                read_bare_any(any, base, memory, |type_url, r| {
                    r.set_scope(&scope);
                    take_root::<R>(type_url, r)
                })
            })
        };
        wire_stages::during(stages, read).ok()
    }
}

/// Encodes a prepared tree. Returns the place of each payload, by unit; `None` if it cannot be saved, or
/// not as the tree that was prepared.
///
/// # Errors
///
/// If a state could not be locked.
fn encode(
    tree: &Tree,
    journal: &Journal,
    writer: &mut Writer,
) -> Result<Option<Vec<Range<usize>>>, Error> {
    let Some(root) = tree.nodes().first() else { return Ok(None) };
    let mut expected = FrozenTree::with_capacity(tree.nodes().len());
    for (unit, (node, planned)) in tree.nodes().iter().zip(tree.plan.units()).enumerate() {
        let rules = planned.info.stage_rules;
        let imported = rules.and_then(|rules| journal.imported_stage(unit, rules));
        expected.push(&**node, planned.parent(), journal.stage(unit), imported);
    }
    writer.set_scope(TreeSave::new(expected, None));
    let put = caught(|| root.put_payload(writer));
    let saved = writer.take_scope::<TreeSave>();
    if let Err(error) = put {
        let is_of_a_lock = error.findings().any(Finding::is_of_a_lock);
        return if is_of_a_lock { Err(error) } else { Ok(None) };
    }
    let written = saved.and_then(|save| save.frozen.written());
    // Positions count from the end.
    let length = writer.position();
    let place = |at: Range<usize>| length - at.end..length - at.start;
    Ok(written.map(|written| written.into_iter().map(place).collect()))
}

/// The scope of the read. It knows the controllers in the order in which they are on the wire.
struct Unchanged<'t> {
    prepared: &'t PreparedBytes,
    tree: &'t Tree,
    /// The unit that is expected next.
    next: Cell<usize>,
    /// The number of controllers that have changed.
    changed: Cell<usize>,
}

impl Unchanged<'_> {
    /// Returns whether so much has changed up to the next unit that it is cheaper to read all of it: a
    /// quarter, beyond a few that may stand together at the beginning.
    fn gives_up(&self) -> bool {
        self.changed.get() > 32 + self.next.get() / 4
    }
}

impl ReadScope for Unchanged<'_> {
    fn has_already(
        &self,
        type_url: &str,
        payload: &[u8],
        child: &dyn ChildCell,
    ) -> Result<bool, Error> {
        let unit = self.next.get();
        let Some(planned) = self.tree.plan.units().get(unit) else { return Err(differs()) };
        let is_same =
            planned.info.type_url == type_url && self.prepared.payload(unit) == Some(payload);
        if is_same && hold_child(child, &self.tree.nodes()[unit]) {
            self.next.set(planned.end());
            return Ok(true);
        }
        self.next.set(unit + 1);
        self.changed.set(self.changed.get() + 1);
        match self.gives_up() {
            true => Err(differs()),
            false => Ok(false),
        }
    }
}

impl fmt::Debug for Unchanged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unchanged").field("next", &self.next).finish_non_exhaustive()
    }
}

/// The error that ends a comparison. It is never shown.
#[cold]
fn differs() -> Error {
    Error::internal("the later tree differs")
}

/// Compares the controllers of a later tree with the prepared ones, and takes the states of those that have
/// changed.
struct TreeComparison<'c> {
    tree: &'c Tree,
    changed: &'c mut Changed,
}

impl TreeComparison<'_> {
    /// Compares one controller that has changed, and those in its state.
    ///
    /// # Errors
    ///
    /// If anything but values differs.
    fn unit(
        &mut self,
        unit: usize,
        state: &Described,
        visit: impl Fn(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let planned = &self.tree.plan.units()[unit];
        if !std::ptr::eq(planned.info, state.info) {
            return Err(differs());
        }
        if let Some(rules) = planned.info.stage_rules {
            rules.check(state.stage)?;
        }
        if planned.info.has_references() {
            let node = &self.tree.nodes()[unit];
            if OwnNames::of(&visit)? != OwnNames::of(|visit| node.visit(visit))? {
                return Err(differs());
            }
        }
        self.changed.stages[unit] = state.stage;
        let end = planned.end();
        let mut below = ComparedBelow { comparison: self, next: unit + 1, end };
        visit(&mut Visit::new(&mut below))?;
        match below.next == end {
            true => Ok(()),
            false => Err(differs()),
        }
    }

    fn child(
        &mut self,
        unit: usize,
        place: StatePlace<'_>,
        child: &dyn ChildCell,
    ) -> Result<(), Error> {
        let plan = &self.tree.plan;
        let mut text = String::new();
        let spot = place.spot(&mut text);
        let is_here =
            |own_name: Option<&str>| plan.has_place(unit, (spot, &text), own_name, &place.after());
        if let Some(found) = child.address() {
            let node = &self.tree.nodes()[unit];
            let name = plan.info(unit).id_field.and_then(|_| node.own_name());
            let is_same = found == address(&**node) && is_here(name.as_deref());
            return if is_same { Ok(()) } else { Err(differs()) };
        }
        let state = described(child).ok_or_else(differs)?;
        if !state.own_name.as_ref().is_ok_and(|name| is_here(name.as_deref())) {
            return Err(differs());
        }
        self.unit(unit, &state, |visit| child.visit(visit))?;
        let later = keep_child(child, &self.tree.nodes()[unit])?;
        self.changed.later.push((unit, later));
        Ok(())
    }
}

/// Compares the children in one state with the units of a range.
struct ComparedBelow<'b, 'c> {
    comparison: &'b mut TreeComparison<'c>,
    next: usize,
    end: usize,
}

impl Visitor for ComparedBelow<'_, '_> {
    fn wants(&self) -> Wants {
        Wants::PLACES
    }

    fn child(&mut self, place: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        let unit = self.next;
        if unit >= self.end {
            return Err(differs());
        }
        self.next = self.comparison.tree.plan.units()[unit].end();
        self.comparison.child(unit, place, child)
    }
}

/// The names that a state defines and refers to itself, without those of its children, sorted.
#[derive(Default, PartialEq)]
struct OwnNames {
    /// Whether the name is defined here, its namespace and its text.
    names: Vec<(bool, &'static str, String)>,
    is_incomplete: bool,
}

impl OwnNames {
    fn of(visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>) -> Result<Self, Error> {
        let mut own = Self::default();
        visit(&mut Visit::new(&mut own))?;
        own.names.sort_unstable();
        match own.is_incomplete {
            true => Err(differs()),
            false => Ok(own),
        }
    }
}

impl Visitor for OwnNames {
    fn wants(&self) -> Wants {
        Wants { names: true, ..Wants::CHILDREN }
    }

    fn child(&mut self, _: StatePlace<'_>, _: &dyn ChildCell) -> Result<(), Error> {
        Ok(())
    }

    fn name(&mut self, _: StatePlace<'_>, name: Name<'_>) {
        self.names.push((name.role == Role::Defines, name.namespace, name.text.to_owned()));
    }

    fn lost(&mut self, _: StatePlace<'_>, _: Error) {
        self.is_incomplete = true;
    }
}
