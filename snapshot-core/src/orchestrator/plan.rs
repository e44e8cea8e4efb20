//! The plan: every controller of a tree, and the order among them.
//!
//! A controller comes after its parent, after the nearest instances of the types that its own type
//! names (`after(Scsi)`), and after the siblings that its parent names ([`ControllerSet`]).
//!
//! [`ControllerSet`]: crate::ControllerSet

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::cycle::cycles;
use super::edges::Edges;
use super::index::Index;
use super::survey::Survey;
use super::units::{Unit, Units};
use crate::codec::Quoted;
use crate::controller::{ByAddress, address};
use crate::path::Spot;
use crate::payload::{TypeInfo, TypeRef};
use crate::{ControllerId, Error};

/// The instances of one type in the subtree of one ancestor. The controllers that come after them
/// share the group, so a thousand containers after a thousand networks take two thousand edges and
/// not a million.
#[derive(Debug)]
struct StepGroup {
    controller: TypeId,
    /// Ascending.
    members: Vec<usize>,
}

/// Controllers in the order in which the tree is walked, each before its children, with the edges
/// between them. Memory and time are linear in the number of controllers.
#[derive(Debug)]
pub(crate) struct TreePlan {
    units: Units,
    groups: Vec<StepGroup>,
    /// Created at its first use. Most migrations never need it.
    index: OnceLock<Index>,
    /// `None` if every controller comes only after its parent, which the units already say.
    edges: Option<BothWays>,
    /// Units and the siblings that they come after, by path. Ascending.
    named: Vec<(usize, Vec<String>)>,
    /// Whether a state defines a name or refers to one.
    pub(super) has_references: bool,
}

/// Edges between steps: units, then groups.
#[derive(Debug)]
struct BothWays {
    /// For each step, the steps that it comes after.
    dependencies: Edges,
    /// For each step, the steps that come after it.
    dependents: Edges,
}

impl BothWays {
    /// Creates the edges between these steps: to the parents, to the steps that units come after
    /// besides (in the order of the units), and from groups to their members.
    fn new(units: &Units, groups: &[StepGroup], after: After) -> Self {
        let members: usize = groups.iter().map(|group| group.members.len()).sum();
        let count = units.list.len();
        let (steps, edges) = (count + groups.len(), count + after.len() + members);
        let mut dependencies = Edges::with_capacity(steps, edges);
        let mut after = after.into_iter().peekable();
        for (unit, planned) in units.list.iter().enumerate() {
            dependencies.push(planned.parent());
            while let Some((_, step)) = after.next_if(|&(of, _)| of == unit) {
                dependencies.push_to_last(step);
            }
        }
        for group in groups {
            dependencies.push(group.members.iter().copied());
        }
        let dependents = dependencies.reversed();
        Self { dependencies, dependents }
    }

    /// Returns the steps that come before each step, and those that come after it.
    fn in_order(&self, first: First) -> (&Edges, &Edges) {
        match first {
            First::Dependencies => (&self.dependencies, &self.dependents),
            First::Dependents => (&self.dependents, &self.dependencies),
        }
    }
}

impl TreePlan {
    /// Returns all controllers, parents before children.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units.list
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        self.units.id(unit)
    }

    /// Returns the description of a controller's type.
    pub(crate) fn info(&self, unit: usize) -> &'static TypeInfo {
        self.units()[unit].info
    }

    /// Per step (units, then groups), how many steps come right before it; `None` if every unit comes after
    /// its parent and nothing else.
    pub(crate) fn blockers(&self, first: First) -> Option<Vec<u32>> {
        match (&self.edges, first) {
            (Some(edges), _) => Some(edges.in_order(first).0.counts()),
            (None, First::Dependencies) => None,
            (None, First::Dependents) => {
                let mut blockers = vec![0; self.units().len()];
                for parent in self.units().iter().filter_map(Unit::parent) {
                    blockers[parent] += 1;
                }
                Some(blockers)
            }
        }
    }

    /// Calls `visit` with each step that comes right after one of these; for each of them, in
    /// ascending order.
    #[inline]
    pub(crate) fn each_after(&self, first: First, steps: Range<usize>, visit: impl FnMut(usize)) {
        match (&self.edges, first) {
            (Some(edges), _) => {
                let after = edges.in_order(first).1;
                steps.flat_map(|step| after.of(step)).for_each(visit);
            }
            (None, First::Dependencies) => self.units.each_child(steps, visit),
            (None, First::Dependents) => {
                let units = self.units().get(steps).unwrap_or_default();
                units.iter().filter_map(Unit::parent).for_each(visit);
            }
        }
    }

    /// Returns whether a unit is at this place of its parent's state, after these siblings. `texts`
    /// contains the text of the spot.
    pub(super) fn has_place(
        &self,
        unit: usize,
        spot: (Spot, &str),
        own_name: Option<&str>,
        after: &[String],
    ) -> bool {
        let named = self.named.binary_search_by_key(&unit, |&(unit, _)| unit);
        let after_before = named.map_or(&[][..], |at| &self.named[at].1);
        after == after_before && self.units.has_spot(unit, spot, own_name)
    }

    /// Returns the maximum length of a name, in bytes.
    pub(super) fn name_limit(&self) -> usize {
        self.units.name_limit()
    }

    pub(crate) fn find(&self, id: &ControllerId) -> Option<usize> {
        let index = self.index.get_or_init(|| Index::new(&self.units, &mut None));
        id.with_text(|path| index.find(path, &self.units))
    }

    /// Returns the ids of all controllers, parents before children.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &ControllerId> {
        self.units.ids().iter()
    }

    /// Returns the instances of a type that are nearest to a unit among those that it comes after.
    /// Looks first at the steps that the unit comes after, then at its parent, then at the steps
    /// that the parent comes after, and so on.
    pub(crate) fn nearest(&self, unit: usize, controller: TypeId) -> Vec<usize> {
        let is_a = |&unit: &usize| self.units()[unit].info.controller.id() == controller;
        let mut at = Some(unit);
        while let Some(here) = at {
            let parent = self.units()[here].parent();
            let mut found = Vec::new();
            for step in self.after(here) {
                match step.checked_sub(self.units().len()) {
                    Some(group) if self.groups[group].controller == controller => {
                        found.extend_from_slice(&self.groups[group].members);
                    }
                    Some(_) => {}
                    None => found.extend(Some(step).filter(is_a)),
                }
            }
            if found.is_empty() {
                found.extend(parent.filter(is_a));
            }
            if !found.is_empty() {
                found.sort_unstable();
                found.dedup();
                return found;
            }
            at = parent;
        }
        Vec::new()
    }

    /// Returns the siblings and groups that a unit comes after.
    fn after(&self, unit: usize) -> impl Iterator<Item = usize> {
        let parents = usize::from(self.units()[unit].parent().is_some());
        let edges = self.edges.iter();
        edges.flat_map(move |edges| edges.dependencies.of(unit).skip(parents))
    }

    /// Returns whether `unit` comes after `other` in a way that [`TreePlan::nearest`] can follow.
    pub(crate) fn comes_after(&self, unit: usize, other: usize) -> bool {
        let holds = |step: usize| match step.checked_sub(self.units().len()) {
            Some(group) => self.groups[group].members.binary_search(&other).is_ok(),
            None => step == other,
        };
        let mut at = Some(unit);
        while let Some(here) = at {
            let parent = self.units()[here].parent();
            if parent == Some(other) || self.after(here).any(holds) {
                return true;
            }
            at = parent;
        }
        false
    }
}

/// The order of a parent and its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// A parent before its children.
    Dependencies,
    /// Children before their parent.
    Dependents,
}

/// The order besides parents and children: units, each with siblings or groups. The numbers of
/// groups follow those of the units.
type After = Vec<(usize, usize)>;

impl Survey {
    /// Creates the edges.
    ///
    /// # Errors
    ///
    /// A tree that is too large. Also, all reported together: duplicate ids, missing siblings,
    /// cycles.
    pub(crate) fn plan(mut self) -> Result<TreePlan, Error> {
        self.units.check_size()?;
        let mut errors = self.wrong.take();
        let index = OnceLock::new();
        if !self.units.are_distinct() {
            index.get_or_init(|| Index::new(&self.units, &mut errors));
        }
        let mut after = After::new();
        self.link_siblings(index.get(), &mut after, &mut errors);
        let groups = self.link_types(&mut after, &mut errors);
        // A stable sort: the siblings of a unit come first.
        after.sort_by_key(|&(unit, _)| unit);
        let has_references = self.has_references();
        let units = self.units;
        // Parents and children alone make no cycle, and need no list.
        let edges = (!after.is_empty()).then(|| BothWays::new(&units, &groups, after));
        let cycles = match &edges {
            Some(BothWays { dependencies, dependents }) => cycles(dependencies, dependents),
            None => Vec::new(),
        };
        for cycle in cycles {
            // Groups stand for the type that brought a unit into the cycle; they have no name.
            let ids: Vec<_> = cycle.iter().filter_map(|&step| units.ids().get(step)).collect();
            if let Some((first, others)) = ids.split_first() {
                let way: Vec<_> = others.iter().map(ToString::to_string).collect();
                let way = way.join(", which comes after ");
                let reason = format!(
                    "comes after {way}, which comes after {first}: remove one of the `after`s"
                );
                Error::invalid(reason).at_controller(first).add_to(&mut errors);
            }
        }
        match errors {
            Some(errors) => Err(errors),
            None => Ok(TreePlan { units, groups, index, edges, named: self.named, has_references }),
        }
    }

    fn link_siblings(&self, index: Option<&Index>, after: &mut After, errors: &mut Option<Error>) {
        for &(unit, ref paths) in &self.named {
            let Some(parent) = self.units()[unit].parent() else { continue };
            for path in paths {
                let id = self.units.id_so_far(parent).join(path);
                let find = |path: &str| index.and_then(|index| index.find(path, &self.units));
                let reason = match id.with_text(find) {
                    Some(sibling) if sibling == unit => "comes after itself".to_owned(),
                    Some(sibling) => {
                        after.push((unit, sibling));
                        continue;
                    }
                    None if self.left_out.contains(&id) => continue,
                    None => {
                        format!("comes after {}, which is not in the set", Quoted(path))
                    }
                };
                let error = Error::invalid(reason);
                error.at_controller(&self.units.id_so_far(unit)).add_to(errors);
            }
        }
    }

    fn link_types(&self, after_steps: &mut After, errors: &mut Option<Error>) -> Vec<StepGroup> {
        let mut groups = Vec::new();
        let instances = NamedTypes::of(self);
        if instances.is_empty() {
            return groups;
        }
        // For each of these types, by the ancestor.
        let mut group_of: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (unit, planned) in self.units().iter().enumerate() {
            let (info, parent, end) = (planned.info, planned.parent(), planned.end());
            for after in info.after {
                let Some((number, instances)) = instances.of_type(after.id()) else { continue };
                // If a type came after itself, none of its instances could be first.
                let within = match after.id() == info.controller.id() {
                    true => instances.iter().copied().find(|&other| other != unit),
                    false => instances_in(instances, unit + 1..end).first().copied(),
                };
                if let Some(other) = within {
                    let reason = format!(
                        "comes after {}, which cannot come before it: remove {} from the `after` of \
                         its type",
                        self.units.id_so_far(other),
                        after.short_name()
                    );
                    let id = self.units.id_so_far(unit);
                    Error::invalid(reason).at_controller(&id).add_to(errors);
                    continue;
                }
                let mut at = parent;
                while let Some(ancestor) = at {
                    let range = ancestor..self.units()[ancestor].end();
                    let members = instances_in(instances, range);
                    if !members.is_empty() {
                        let group = *group_of.entry((number, ancestor)).or_insert_with(|| {
                            groups.push(StepGroup {
                                controller: after.id(),
                                members: members.to_vec(),
                            });
                            groups.len() - 1
                        });
                        after_steps.push((unit, self.units().len() + group));
                        break;
                    }
                    at = self.units()[ancestor].parent();
                }
            }
        }
        groups
    }
}

/// The types that others come after, with their controllers.
struct NamedTypes {
    /// Ascending.
    types: Vec<TypeId>,
    /// The units of each of these types, ascending.
    instances: Vec<Vec<usize>>,
}

impl NamedTypes {
    fn of(survey: &Survey) -> Self {
        let met = survey.types.all();
        let mut types: Vec<_> = met.iter().flat_map(|info| info.after).map(TypeRef::id).collect();
        types.sort_unstable();
        types.dedup();
        let mut instances = vec![Vec::new(); types.len()];
        if !types.is_empty() {
            let numbered = met.iter().filter_map(|info| {
                let number = types.binary_search(&info.controller.id()).ok()?;
                Some((address(*info), number))
            });
            let numbers: ByAddress<usize> = numbered.collect();
            for (unit, Unit { info, .. }) in survey.units().iter().enumerate() {
                if let Some(&number) = numbers.get(&address(*info)) {
                    instances[number].push(unit);
                }
            }
        }
        Self { types, instances }
    }

    fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Returns the number of a type here, and its units.
    fn of_type(&self, id: TypeId) -> Option<(usize, &[usize])> {
        let number = self.types.binary_search(&id).ok()?;
        Some((number, self.instances.get(number)?))
    }
}

/// Returns the part of an ascending list that lies in a range.
fn instances_in(instances: &[usize], range: Range<usize>) -> &[usize] {
    let from = instances.partition_point(|&unit| unit < range.start);
    let to = instances.partition_point(|&unit| unit < range.end);
    instances.get(from..to).unwrap_or_default()
}
