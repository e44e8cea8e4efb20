//! The controllers of a tree and their ids, which are created on demand.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::{SHOWN, plural};
use crate::path::{LastStep, Paths, Spot, put_path};
use crate::payload::TypeInfo;
use crate::{ControllerId, Error};

/// One controller.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) info: &'static TypeInfo,
    /// Its parent, and its place in the parent's state.
    step: LastStep,
    /// One more than the last unit of its subtree, which begins with itself.
    end: u32,
}

impl Unit {
    /// Creates a unit at the end of a list, without children.
    pub(super) fn new(
        info: &'static TypeInfo,
        parent: Option<usize>,
        unit: usize,
        spot: Spot,
    ) -> Self {
        Self { info, step: LastStep::new(parent, spot), end: unit as u32 + 1 }
    }

    pub(crate) fn parent(&self) -> Option<usize> {
        self.step.parent()
    }

    /// Returns its place in its parent's state; any value for the root.
    pub(super) fn spot(&self) -> Spot {
        self.step.spot
    }

    pub(crate) fn end(&self) -> usize {
        self.end as usize
    }

    /// Sets the end of its subtree.
    pub(super) fn end_at(&mut self, end: usize) {
        self.end = end as u32;
    }
}

/// Controllers in the order of a walk, each before its children.
#[derive(Debug)]
pub(crate) struct Units {
    pub(super) list: Vec<Unit>,
    /// The paths of those whose spots are [`Spot::Text`].
    pub(super) text: String,
    /// The maximum length of a name, in bytes.
    name_limit: usize,
    ids: OnceLock<Vec<ControllerId>>,
}

impl Units {
    /// Creates a list with the root of a tree whose names may have this many bytes.
    pub(super) fn of_root(info: &'static TypeInfo, name_limit: usize) -> Self {
        let root = Unit::new(info, None, 0, Spot::Field(""));
        Self { list: vec![root], text: String::new(), name_limit, ids: OnceLock::new() }
    }

    /// # Errors
    ///
    /// A tree so large that 32 bits cannot number its controllers.
    pub(super) fn check_size(&self) -> Result<(), Error> {
        check_size(self.list.len(), self.text.len())
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        &self.ids()[unit]
    }

    /// Calls `visit` with each unit right below one of these.
    #[inline]
    pub(crate) fn each_child(&self, units: Range<usize>, mut visit: impl FnMut(usize)) {
        let parents = self.list.get(units.clone()).unwrap_or_default();
        for (unit, parent) in units.zip(parents) {
            let mut next = unit + 1;
            if parent.end() == next {
                continue;
            }
            let below = self.list.get(..parent.end()).unwrap_or_default();
            while let Some(child) = below.get(next) {
                visit(next);
                next = child.end();
            }
        }
    }

    /// Returns all ids. The first call creates them; no more controllers may be added after it.
    pub(crate) fn ids(&self) -> &[ControllerId] {
        self.ids.get_or_init(|| {
            let steps = self.list.iter().map(|unit| unit.step).collect();
            let paths = Arc::new(Paths::new(steps, self.text.clone()));
            (0..self.list.len()).map(|unit| ControllerId::of_tree(&paths, unit)).collect()
        })
    }

    /// Returns the id of a unit while more may be added, for an error. A name that is too long is
    /// truncated.
    pub(super) fn id_so_far(&self, unit: usize) -> ControllerId {
        ControllerId::from(self.path(unit, |spot, text| self.put_shown(spot, text)).as_str())
    }

    /// Returns whether two units have the same path.
    pub(super) fn have_one_path(&self, unit: usize, other: usize) -> bool {
        let step = |unit: usize| {
            let mut text = String::new();
            self.list[unit].spot().put(&self.text, &mut text);
            text
        };
        match self.list[unit].parent() == self.list[other].parent() {
            true => step(unit) == step(other),
            false => self.is_at(unit, &self.whole_path(other)),
        }
    }

    /// Returns whether this is the path of a unit.
    pub(super) fn is_at(&self, unit: usize, path: &str) -> bool {
        self.whole_path(unit) == path
    }

    /// Returns whether a unit is at this place of its parent's state. `texts` contains the text of the
    /// spot.
    pub(super) fn has_spot(
        &self,
        unit: usize,
        (spot, texts): (Spot, &str),
        own_name: Option<&str>,
    ) -> bool {
        let (mut here, mut there, mut text) = (String::new(), String::new(), String::new());
        match spot.named(own_name, texts, &mut text) {
            named @ Spot::Text { .. } => named.put(&text, &mut here),
            as_it_is => as_it_is.put(texts, &mut here),
        }
        self.list[unit].spot().put(&self.text, &mut there);
        here == there
    }

    /// Returns the maximum length of a name, in bytes.
    pub(super) fn name_limit(&self) -> usize {
        self.name_limit
    }

    fn whole_path(&self, unit: usize) -> String {
        self.path(unit, |spot, text| spot.put(&self.text, text))
    }

    fn path(&self, unit: usize, put: impl Fn(Spot, &mut String)) -> String {
        let mut path = String::new();
        put_path(unit, |unit| self.list.get(unit).map(|unit| unit.step), put, &mut path);
        path
    }

    fn put_shown(&self, spot: Spot, text: &mut String) {
        match spot.written(&self.text) {
            Some(path) if self.has_long_name(path) => {
                text.push_str(&path[..path.floor_char_boundary(SHOWN)]);
                text.push_str("...");
            }
            _ => spot.put(&self.text, text),
        }
    }

    /// Returns whether a step of a path exceeds the limit for names.
    fn has_long_name(&self, path: &str) -> bool {
        path.len() > self.name_limit && path.split('/').any(|name| name.len() > self.name_limit)
    }

    /// # Errors
    ///
    /// If the last unit has a name, or is at a key, that exceeds the limit.
    #[inline]
    pub(super) fn check_name(&self, unit: usize) -> Result<(), Error> {
        match self.list[unit].spot() {
            Spot::Text { from, to, .. } if (to - from) as usize > self.name_limit => {
                self.check_long(unit)
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn check_long(&self, unit: usize) -> Result<(), Error> {
        let limit = self.name_limit;
        let path = self.list[unit].spot().written(&self.text).unwrap_or_default();
        let longest = path.split('/').map(str::len).max().unwrap_or_default();
        match longest > limit {
            true => Err(Error::exhausted(format!(
                "has a name of {longest} byte{s} in its id, and the limit is {limit}: give it a shorter \
                 one, or raise the limit with `Source::name_limit` and `ReadOptions::name_limit`",
                s = plural(longest)
            ))
            .at_controller(&self.id_so_far(unit))),
            false => Ok(()),
        }
    }

    /// Returns whether all ids are known to differ without creating them: no two children of a
    /// parent are in one field, or they are elements of it with ascending indices. A field's name
    /// and an index then lead to one child only.
    pub(super) fn are_distinct(&self) -> bool {
        /// Few states have more fields with controllers; for those, the ids are compared.
        const FIELDS: usize = 8;
        let mut fields: Vec<&str> = Vec::with_capacity(FIELDS);
        for (unit, planned) in self.list.iter().enumerate() {
            if planned.end() == unit + 1 {
                continue;
            }
            fields.clear();
            let below = self.list.get(..planned.end()).unwrap_or_default();
            let mut next = unit + 1;
            // The last child, if it is an element of a list.
            let mut last: Option<(&str, u32)> = None;
            while let Some(child) = below.get(next) {
                next = child.end();
                let name = match child.step.spot {
                    Spot::Text { .. } => return false,
                    Spot::Field(name) => {
                        last = None;
                        name
                    }
                    Spot::Element(name, index) => {
                        let comes_next = last.is_some_and(|(before, below)| {
                            std::ptr::eq(before, name) && below < index
                        });
                        last = Some((name, index));
                        if comes_next {
                            continue;
                        }
                        name
                    }
                };
                if fields.len() == FIELDS || fields.contains(&name) {
                    return false;
                }
                fields.push(name);
            }
        }
        true
    }
}

/// Checks that 32 bits can count this many units, and the bytes of their paths.
fn check_size(units: usize, paths: usize) -> Result<(), Error> {
    match u32::try_from(units).is_ok() && u32::try_from(paths).is_ok() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{units} controllers, with {paths} bytes of names, are more than one tree may have: \
             keep both below 4,294,967,296"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControllerSet;

    /// A root, and units with these parents at these spots.
    fn units(children: &[(usize, Spot)], text: &str) -> Units {
        let info = const { &TypeInfo::of::<ControllerSet>() };
        let mut units = Units { text: text.to_owned(), ..Units::of_root(info, 100) };
        for &(parent, spot) in children {
            let end = units.list.len() + 1;
            units.list.push(Unit::new(info, Some(parent), end - 1, spot));
            let mut above = Some(parent);
            while let Some(at) = above {
                units.list[at].end_at(end);
                above = units.list[at].parent();
            }
        }
        units
    }

    #[test]
    fn ids_are_paths_from_the_root() {
        let text = Spot::Text { from: 1, to: 4, name_at: None };
        let units = units(
            &[
                (0, Spot::Field("vm")),
                (1, Spot::Element("disks", 0)),
                (1, Spot::Element("disks", 12)),
                (0, text),
                (4, Spot::Field("vm")),
            ],
            "-a/b-",
        );
        let ids: Vec<_> = units.ids().iter().map(ControllerId::as_str).collect();
        assert_eq!(ids, [".", "vm", "vm/disks/0", "vm/disks/12", "a/b", "a/b/vm"]);
        assert!((0..6).all(|unit| units.id_so_far(unit) == *units.id(unit)));
    }

    #[test]
    fn a_name_longer_than_the_limit_is_refused_with_its_beginning() {
        let name = "n".repeat(101);
        let text = ["pods/", &name].concat();
        let spot = |to: u32| Spot::Text { from: 0, to, name_at: None };
        // The limit applies to a step, not to the path.
        assert!(units(&[(0, spot(105))], &text).check_name(1).is_ok());
        let error = units(&[(0, spot(106))], &text).check_name(1).unwrap_err();
        assert_eq!(error.code(), crate::Code::ResourceExhausted);
        let expected = format!("pods/{}...: has a name of 101 bytes", "n".repeat(75));
        assert!(error.to_string().starts_with(&expected), "{error}");
    }

    #[test]
    fn ids_are_known_to_differ_only_where_they_do() {
        let (vm, net) = (Spot::Field("vm"), Spot::Field("net"));
        let disk = |index| Spot::Element("disks", index);
        let pod = |index| Spot::Element("pods", index);
        let text = Spot::Text { from: 0, to: 1, name_at: None };
        for (children, known) in [
            (&[][..], true),
            (&[(0, vm), (0, net)], true),
            // Children of different parents.
            (&[(0, vm), (1, net), (0, net)], true),
            (&[(0, disk(0)), (1, disk(0)), (0, disk(1)), (0, pod(0)), (0, pod(7))], true),
            (&[(0, vm), (0, net), (0, vm)], false),
            (&[(0, disk(1)), (0, disk(1))], false),
            (&[(0, disk(1)), (0, disk(0))], false),
            (&[(0, disk(0)), (0, pod(0)), (0, disk(0))], false),
            (&[(0, Spot::Field("disks")), (0, disk(0))], false),
            (&[(0, vm), (1, vm), (1, vm)], false),
            // They differ, but only a comparison shows it.
            (&[(0, vm), (0, text)], false),
        ] {
            assert_eq!(units(children, "x").are_distinct(), known, "{children:?}");
        }
    }

    #[test]
    fn a_tree_whose_places_32_bits_cannot_count_is_refused() {
        const MOST: usize = u32::MAX as usize;
        assert!(check_size(MOST, MOST).is_ok());
        for (units, paths) in [(MOST + 1, 0), (1, MOST + 1)] {
            let error = check_size(units, paths).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "{units} controllers, with {paths} bytes of names, are more than one tree may \
                     have: keep both below 4,294,967,296"
                )
            );
        }
        assert!(units(&[(0, Spot::Field("vm"))], "x").check_size().is_ok());
    }
}
