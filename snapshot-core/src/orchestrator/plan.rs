//! The plan: every controller of a tree, and which comes after which.
//!
//! A controller comes after its parent, after the nearest instances of the types that its own type
//! names (`after(Scsi)`), and after the siblings that its parent names ([`ControllerSet`]).
//!
//! [`ControllerSet`]: crate::ControllerSet

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::cycle::cycles;
use super::edges::Edges;
use crate::registry::TypeInfo;
use crate::{ControllerId, Error};

/// One controller of the plan.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) id: ControllerId,
    pub(crate) info: TypeInfo,
    pub(crate) parent: Option<usize>,
    /// One past the last unit of its subtree, which begins with itself.
    end: usize,
    /// The groups that it comes after.
    after_groups: Vec<usize>,
    /// The siblings that it comes after.
    after_siblings: Vec<usize>,
}

/// The instances of one type in the subtree of one ancestor. Those who come after them share it,
/// so that a thousand containers after a thousand networks are two thousand edges, not a million.
#[derive(Debug)]
struct Group {
    controller: TypeId,
    /// Ascending.
    members: Vec<usize>,
}

/// Controllers in the order in which the tree is walked, each before its children, with the edges
/// between them. Linear in the number of controllers, in memory and in time.
#[derive(Debug)]
pub(crate) struct Plan {
    units: Vec<Unit>,
    groups: Vec<Group>,
    by_id: HashMap<ControllerId, usize>,
    /// Per step (units, then groups), the steps that it comes after.
    dependencies: Edges,
    /// Per step, the steps that come after it.
    dependents: Edges,
}

impl Plan {
    /// All controllers, parents before children.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// What is known of the type of a controller.
    pub(crate) fn info(&self, unit: usize) -> &TypeInfo {
        &self.units[unit].info
    }

    /// The steps that come before each step, and those that come after it.
    pub(crate) fn edges(&self, first: First) -> (&Edges, &Edges) {
        match first {
            First::Dependencies => (&self.dependencies, &self.dependents),
            First::Dependents => (&self.dependents, &self.dependencies),
        }
    }

    pub(crate) fn find(&self, id: &ControllerId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The ids of all controllers, parents before children.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &ControllerId> {
        self.units.iter().map(|unit| &unit.id)
    }

    /// The instances of a type that are nearest to a unit among those that it comes after: what it
    /// comes after itself, then its parent, then what that comes after, and so on.
    pub(crate) fn nearest(&self, unit: usize, controller: TypeId) -> Vec<usize> {
        let mut at = Some(unit);
        while let Some(here) = at {
            let here_unit = &self.units[here];
            let groups = here_unit.after_groups.iter().map(|&group| &self.groups[group]);
            let mut found: Vec<usize> =
                groups
                    .filter(|group| group.controller == controller)
                    .flat_map(|group| group.members.iter().copied())
                    .chain(
                        here_unit.after_siblings.iter().copied().filter(|&sibling| {
                            self.units[sibling].info.controller.id() == controller
                        }),
                    )
                    .collect();
            if found.is_empty()
                && let Some(parent) = here_unit.parent
                && self.units[parent].info.controller.id() == controller
            {
                found.push(parent);
            }
            if !found.is_empty() {
                found.sort_unstable();
                found.dedup();
                return found;
            }
            at = here_unit.parent;
        }
        Vec::new()
    }

    /// Whether `unit` comes after `other` in a way that [`Plan::nearest`] could follow.
    pub(crate) fn comes_after(&self, unit: usize, other: usize) -> bool {
        let mut at = Some(unit);
        while let Some(here) = at {
            let here = &self.units[here];
            if here.parent == Some(other)
                || here.after_siblings.contains(&other)
                || here
                    .after_groups
                    .iter()
                    .any(|&group| self.groups[group].members.binary_search(&other).is_ok())
            {
                return true;
            }
            at = here.parent;
        }
        false
    }
}

/// Which of two controllers has its turn first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// A parent before its children.
    Dependencies,
    /// Children before their parent.
    Dependents,
}

/// Collects the controllers of a tree, in the order of a walk from parents to children.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    units: Vec<Unit>,
    /// Units and the siblings that they come after, by path.
    named: Vec<(usize, Vec<String>)>,
    /// Those that are there and could not be read.
    left_out: HashSet<ControllerId>,
}

impl Survey {
    /// A survey that has met the root.
    pub(crate) fn of_root(info: TypeInfo) -> Self {
        let mut survey = Self::default();
        survey.push(ControllerId::root(), info, None);
        survey
    }

    fn push(&mut self, id: ControllerId, info: TypeInfo, parent: Option<usize>) -> usize {
        let unit = self.units.len();
        let (after_groups, after_siblings) = (Vec::new(), Vec::new());
        self.units.push(Unit { id, info, parent, end: unit + 1, after_groups, after_siblings });
        unit
    }

    /// Meets a child; its own children follow before [`Survey::leave`].
    pub(crate) fn enter(
        &mut self,
        parent: usize,
        path: &str,
        after: &[String],
        info: TypeInfo,
    ) -> usize {
        let id = self.units[parent].id.join(path);
        let unit = self.push(id, info, Some(parent));
        if !after.is_empty() {
            self.named.push((unit, after.to_vec()));
        }
        unit
    }

    /// Meets a child that could not be read.
    pub(crate) fn leave_out(&mut self, parent: usize, path: &str) {
        self.left_out.insert(self.units[parent].id.join(path));
    }

    /// All controllers below this one were met.
    pub(crate) fn leave(&mut self, unit: usize) {
        self.units[unit].end = self.units.len();
    }

    pub(crate) fn id(&self, unit: usize) -> &ControllerId {
        &self.units[unit].id
    }

    /// The controllers that were met so far.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Draws the edges.
    ///
    /// # Errors
    ///
    /// All at once: ids that are there twice, siblings that are not there, cycles.
    pub(crate) fn plan(mut self) -> Result<Plan, Error> {
        self.leave(0);
        let mut errors = Vec::new();
        let by_id = self.index(&mut errors);
        self.link_siblings(&by_id, &mut errors);
        let groups = self.link_types(&mut errors);
        let Self { units, .. } = self;

        let before_unit = |unit: &Unit| {
            let groups = unit.after_groups.iter().map(|group| units.len() + group);
            let before = unit.parent.into_iter().chain(unit.after_siblings.iter().copied());
            before.chain(groups).collect::<Vec<_>>()
        };
        let before_groups = groups.iter().map(|group: &Group| group.members.clone());
        let dependencies = Edges::new(units.iter().map(before_unit).chain(before_groups));
        let dependents = dependencies.reversed();
        for cycle in cycles(&dependencies, &dependents) {
            // Groups stand for the type that brought a unit into the cycle; they have no name.
            let ids: Vec<_> = cycle.iter().filter_map(|&step| units.get(step)).collect();
            if let Some(first) = ids.first() {
                let way: Vec<_> = ids[1..].iter().map(|unit| unit.id.as_str()).collect();
                let way = way.join(", which comes after ");
                errors.push(
                    Error::invalid(format!(
                        "comes after {way}, which comes after {}: remove one of the `after`s",
                        first.id
                    ))
                    .at_controller(&first.id),
                );
            }
        }
        Error::collect(errors)?;
        Ok(Plan { units, groups, by_id, dependencies, dependents })
    }

    fn index(&self, errors: &mut Vec<Error>) -> HashMap<ControllerId, usize> {
        let mut by_id = HashMap::with_capacity(self.units.len());
        // Reported once, however often the id is there.
        let mut repeated = std::collections::BTreeMap::new();
        for (unit, Unit { id, .. }) in self.units.iter().enumerate() {
            if by_id.insert(id.clone(), unit).is_some() {
                *repeated.entry(id).or_insert(1) += 1;
            }
        }
        errors.extend(repeated.into_iter().map(|(id, times)| {
            let reason = format!("{times} controllers have this id: give each its own name");
            Error::invalid(reason).at_controller(id)
        }));
        by_id
    }

    fn link_siblings(&mut self, by_id: &HashMap<ControllerId, usize>, errors: &mut Vec<Error>) {
        for (unit, paths) in std::mem::take(&mut self.named) {
            let Some(parent) = self.units[unit].parent else { continue };
            for path in paths {
                let id = self.units[parent].id.join(&path);
                match by_id.get(&id) {
                    Some(&sibling) if sibling == unit => errors.push(
                        Error::invalid("comes after itself").at_controller(&self.units[unit].id),
                    ),
                    Some(&sibling) => self.units[unit].after_siblings.push(sibling),
                    None if self.left_out.contains(&id) => {}
                    None => errors.push(
                        Error::invalid(format!("comes after {path:?}, which is not in the set"))
                            .at_controller(&self.units[unit].id),
                    ),
                }
            }
        }
    }

    fn link_types(&mut self, errors: &mut Vec<Error>) -> Vec<Group> {
        let mut by_type: HashMap<TypeId, Vec<usize>> = HashMap::new();
        for (unit, Unit { info, .. }) in self.units.iter().enumerate() {
            by_type.entry(info.controller.id()).or_default().push(unit);
        }
        let mut groups = Vec::new();
        let mut group_of: HashMap<(usize, TypeId), usize> = HashMap::new();
        for unit in 0..self.units.len() {
            let Unit { info, parent, end, .. } = self.units[unit];
            for after in info.after {
                let Some(instances) = by_type.get(&after.id()) else { continue };
                // Of several instances of a type that comes after itself, none could be first.
                let within = match after.id() == info.controller.id() {
                    true => instances.iter().copied().find(|&other| other != unit),
                    false => instances_in(instances, unit + 1..end).first().copied(),
                };
                if let Some(other) = within {
                    errors.push(
                        Error::invalid(format!(
                            "comes after {}, which cannot come before it: remove {} from the \
                             `after` of its type",
                            self.units[other].id,
                            after.short_name()
                        ))
                        .at_controller(&self.units[unit].id),
                    );
                    continue;
                }
                let mut at = parent;
                while let Some(ancestor) = at {
                    let range = ancestor..self.units[ancestor].end;
                    let members = instances_in(instances, range);
                    if !members.is_empty() {
                        let group = *group_of.entry((ancestor, after.id())).or_insert_with(|| {
                            groups
                                .push(Group { controller: after.id(), members: members.to_vec() });
                            groups.len() - 1
                        });
                        self.units[unit].after_groups.push(group);
                        break;
                    }
                    at = self.units[ancestor].parent;
                }
            }
        }
        groups
    }
}

/// The part of an ascending list that lies in a range.
fn instances_in(instances: &[usize], range: Range<usize>) -> &[usize] {
    let from = instances.partition_point(|&unit| unit < range.start);
    let to = instances.partition_point(|&unit| unit < range.end);
    instances.get(from..to).unwrap_or_default()
}
