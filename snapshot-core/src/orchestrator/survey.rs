//! The survey of a tree: which controllers there are, before they are put in order.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::plan::Unit;
use crate::ControllerId;
use crate::registry::TypeInfo;

/// Meets the controllers of a tree, in the order of a walk from parents to children.
#[derive(Debug)]
pub(crate) struct Surveyor {
    /// The ids of those who were met, one after the other.
    text: String,
    met: Vec<Met>,
    /// Units and the siblings that they come after, by path.
    named: Vec<(usize, Vec<String>)>,
    left_out: HashSet<ControllerId>,
}

#[derive(Debug)]
struct Met {
    id: Range<usize>,
    info: &'static TypeInfo,
    parent: Option<usize>,
    end: usize,
}

/// The controllers of a tree, in the order in which they were met: each before its children.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(super) units: Vec<Unit>,
    /// Units and the siblings that they come after, by path.
    pub(super) named: Vec<(usize, Vec<String>)>,
    /// Those that are there and could not be read.
    pub(super) left_out: HashSet<ControllerId>,
}

impl Surveyor {
    /// A surveyor who has met the root.
    pub(crate) fn at_root(info: &'static TypeInfo) -> Self {
        let text = ControllerId::ROOT.to_owned();
        let root = Met { id: 0..text.len(), info, parent: None, end: 1 };
        Self { text, met: vec![root], named: Vec::new(), left_out: HashSet::new() }
    }

    /// Meets a child; its own children follow before [`Surveyor::leave`]. `put_path` adds its path
    /// relative to its parent.
    pub(crate) fn enter(
        &mut self,
        parent: usize,
        after: &[String],
        info: &'static TypeInfo,
        put_path: impl FnOnce(&mut String),
    ) -> usize {
        let unit = self.met.len();
        let from = self.put_parent(parent);
        put_path(&mut self.text);
        let id = from..self.text.len();
        self.met.push(Met { id, info, parent: Some(parent), end: unit + 1 });
        if !after.is_empty() {
            self.named.push((unit, after.to_vec()));
        }
        unit
    }

    /// Puts what the ids of the children begin with; gives where it does.
    fn put_parent(&mut self, parent: usize) -> usize {
        let from = self.text.len();
        if parent != 0 {
            let id = self.met[parent].id.clone();
            self.text.extend_from_within(id);
            self.text.push('/');
        }
        from
    }

    /// Meets a child that could not be read.
    pub(crate) fn leave_out(&mut self, parent: usize, put_path: impl FnOnce(&mut String)) {
        let id = self.id_of_child(parent, put_path);
        self.left_out.insert(id);
    }

    /// The id of a child that is not met.
    pub(crate) fn id_of_child(
        &mut self,
        parent: usize,
        put_path: impl FnOnce(&mut String),
    ) -> ControllerId {
        let from = self.put_parent(parent);
        put_path(&mut self.text);
        let id = ControllerId::from(&self.text[from..]);
        self.text.truncate(from);
        id
    }

    /// All controllers below this one were met.
    pub(crate) fn leave(&mut self, unit: usize) {
        self.met[unit].end = self.met.len();
    }

    /// The id of one who was met.
    pub(crate) fn id(&self, unit: usize) -> ControllerId {
        ControllerId::from(&self.text[self.met[unit].id.clone()])
    }

    /// All were met.
    pub(crate) fn finish(mut self) -> Survey {
        self.leave(0);
        let Self { text, met, named, left_out } = self;
        let text = Arc::from(text);
        let unit = |Met { id, info, parent, end }| {
            let id = ControllerId::part(&text, id);
            Unit { id, info, parent, end }
        };
        Survey { units: met.into_iter().map(unit).collect(), named, left_out }
    }
}

impl Survey {
    /// The controllers.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Whether a state defines something that others may refer to, or refers to something.
    pub(crate) fn has_references(&self) -> bool {
        let mut known: Vec<&TypeInfo> = Vec::new();
        self.units.iter().any(|unit| {
            let is_known = known.iter().any(|known| std::ptr::eq(*known, unit.info));
            if !is_known {
                known.push(unit.info);
            }
            !is_known && unit.info.has_references()
        })
    }
}
