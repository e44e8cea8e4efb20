//! The survey of a tree: finds its controllers, before they are put in order.

use std::collections::HashSet;

use super::units::{Unit, Units};
use crate::controller::{ByAddress, address};
use crate::path::Spot;
use crate::payload::TypeInfo;
use crate::{ControllerId, Error};

/// Collects the controllers of a tree, in the order of a walk from parents to children.
#[derive(Debug)]
pub(crate) struct Surveyor(Survey);

/// The controllers of a tree, in the order in which they were met: each before its children.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(super) units: Units,
    pub(super) types: TypesMet,
    /// Units and the siblings that they come after, by path.
    pub(super) named: Vec<(usize, Vec<String>)>,
    /// The controllers that could not be read.
    pub(super) left_out: HashSet<ControllerId>,
    /// The errors of their names.
    pub(super) wrong: Option<Error>,
}

/// The types of the controllers of a survey, each once.
#[derive(Debug)]
pub(super) struct TypesMet {
    all: Vec<&'static TypeInfo>,
    /// The type of the last controller. Most controllers are like the one before them.
    last: &'static TypeInfo,
    known: ByAddress<()>,
}

impl TypesMet {
    fn of_root(info: &'static TypeInfo) -> Self {
        let known = ByAddress::from_iter([(address(info), ())]);
        Self { all: vec![info], last: info, known }
    }

    #[inline]
    fn meet(&mut self, info: &'static TypeInfo) {
        if !std::ptr::eq(self.last, info) {
            self.meet_another(info);
        }
    }

    fn meet_another(&mut self, info: &'static TypeInfo) {
        self.last = info;
        if self.known.insert(address(info), ()).is_none() {
            self.all.push(info);
        }
    }

    pub(super) fn all(&self) -> &[&'static TypeInfo] {
        &self.all
    }
}

impl Surveyor {
    /// Creates a surveyor that has met the root of a tree whose names may have this many bytes.
    pub(crate) fn at_root(info: &'static TypeInfo, name_limit: usize) -> Self {
        let units = Units::of_root(info, name_limit);
        let types = TypesMet::of_root(info);
        Self(Survey { units, types, named: Vec::new(), left_out: HashSet::new(), wrong: None })
    }

    /// Reserves room for this many more controllers.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.0.units.list.reserve(more);
    }

    /// Adds a child; its own children follow before [`Surveyor::leave`]. `texts` contains the text
    /// of its spot.
    // In line: nearly all that it is given is known to the caller.
    #[inline(always)]
    pub(crate) fn enter(
        &mut self,
        parent: usize,
        after: &[String],
        info: &'static TypeInfo,
        (spot, texts): (Spot, &str),
        own_name: Option<&str>,
    ) -> usize {
        let unit = self.0.units.list.len();
        self.0.types.meet(info);
        match (spot, own_name) {
            // As they are, without text of their own.
            (Spot::Field(_), _) | (Spot::Element(..), None) => {
                self.0.units.list.push(Unit::new(info, Some(parent), unit, spot));
            }
            _ => self.enter_named(parent, info, (spot, texts), own_name),
        }
        if !after.is_empty() {
            self.0.named.push((unit, after.to_vec()));
        }
        unit
    }

    /// Meets a child whose path is a text.
    #[inline(never)]
    fn enter_named(
        &mut self,
        parent: usize,
        info: &'static TypeInfo,
        (spot, texts): (Spot, &str),
        own_name: Option<&str>,
    ) {
        let Units { list, text, .. } = &mut self.0.units;
        let unit = list.len();
        let spot = spot.named(own_name, texts, text);
        list.push(Unit::new(info, Some(parent), unit, spot));
        if let Err(error) = self.0.units.check_name(unit) {
            error.add_to(&mut self.0.wrong);
        }
    }

    /// Adds a child that could not be read.
    pub(crate) fn leave_out(&mut self, parent: usize, spot: (Spot, &str)) {
        let id = self.id_of_child(parent, spot);
        self.0.left_out.insert(id);
    }

    /// Returns the id of a child that is not added.
    pub(crate) fn id_of_child(&self, parent: usize, (spot, texts): (Spot, &str)) -> ControllerId {
        let mut path = String::new();
        spot.put(texts, &mut path);
        self.id(parent).join(&path)
    }

    /// Ends a controller: all controllers below it were added.
    pub(crate) fn leave(&mut self, unit: usize) {
        let list = &mut self.0.units.list;
        let end = list.len();
        list[unit].end_at(end);
    }

    /// Returns the id of a controller that was added.
    pub(crate) fn id(&self, unit: usize) -> ControllerId {
        self.0.units.id_so_far(unit)
    }

    /// Ends the survey.
    pub(crate) fn finish(mut self) -> Survey {
        self.leave(0);
        self.0
    }
}

impl Survey {
    /// Returns the controllers.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units.list
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        self.units.id(unit)
    }

    /// Returns whether all names are short enough to be shown.
    pub(crate) fn has_short_names(&self) -> bool {
        self.wrong.is_none()
    }

    /// Returns whether a state defines a name or refers to one.
    pub(crate) fn has_references(&self) -> bool {
        self.types.all().iter().any(|info| info.has_references())
    }
}
