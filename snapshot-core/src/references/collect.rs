//! Collects the names that a tree defines and refers to, with their places.

use std::borrow::Cow;
use std::ops::Range;

use crate::caught::{caught, quietly};
use crate::codec::{Reader, Reference, ReferenceValues};
use crate::error::Error;
use crate::path::ControllerId;

/// The limit of memory of what has none, because the state is the program's own.
pub(super) const UNLIMITED: u64 = u64::MAX;

/// Collects the names that the fields of a tree define and refer to. The derive's code calls it for
/// each state and enters fields, entries and elements.
#[derive(Debug)]
pub struct References {
    /// Whether to record paths and to visit names in the order of the wire. Only errors need this, and
    /// it takes most of the time.
    keeps_ways: bool,
    /// The paths to all names, as a tree in which each step points to the one before it. The first
    /// step is the root's payload.
    pub(super) steps: Vec<Step>,
    /// The current step.
    at: usize,
    pub(super) found: Vec<Found>,
    /// The texts of all names, concatenated.
    pub(super) texts: String,
    /// The errors that prevent a complete collection.
    pub(super) failures: Vec<Error>,
    /// The nesting depth of the current message.
    depth: u32,
    /// How much memory the names and paths may take.
    memory: u64,
    /// Whether they would take more. Nothing more is collected then.
    is_exhausted: bool,
}

/// A step of a path.
#[derive(Debug)]
pub(super) struct Step {
    /// The index of the step before it.
    pub(super) before: usize,
    pub(super) way: Way,
}

/// The target of a step.
#[derive(Debug)]
pub(super) enum Way {
    /// The payload of a controller, with the name that it gives itself and that of its message.
    Payload(Option<String>, Cow<'static, str>),
    Field(&'static str),
    Index(usize),
    Key(String),
    /// A member of a set. Its id does not follow from its place.
    Member(String),
}

/// Whether a field defines a name or refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Defines,
    Refers,
}

/// One occurrence of a name.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) act: Act,
    pub(super) namespace: &'static str,
    /// The range of its text in [`References::texts`].
    pub(super) text: Range<usize>,
    /// The step at which it is.
    pub(super) at: usize,
}

/// Collects the names in one field with `defines` or `refers`. See [`Reference`].
#[derive(Debug)]
pub struct Names<'r> {
    references: &'r mut References,
    act: Act,
    namespace: &'static str,
    /// Whether each name is also a key, and thus part of its own path.
    is_key: bool,
}

/// The position to return to.
struct Mark {
    at: usize,
    steps: usize,
    found: usize,
}

impl References {
    /// Creates a collector of names with their paths.
    pub(super) fn with_ways(message: Cow<'static, str>) -> Self {
        let way = Way::Payload(None, message);
        Self {
            keeps_ways: true,
            steps: vec![Step { before: 0, way }],
            at: 0,
            found: Vec::new(),
            texts: String::new(),
            failures: Vec::new(),
            depth: 0,
            memory: UNLIMITED,
            is_exhausted: false,
        }
    }

    /// Creates a collector of names without paths: all of them appear to be in the root itself.
    pub(super) fn names_alone(message: Cow<'static, str>) -> Self {
        Self { keeps_ways: false, ..Self::with_ways(message) }
    }

    /// Limits the memory of what is collected, in bytes.
    pub(super) fn within_memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Returns whether the limit was too low. What was collected is not complete then.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Returns whether one more name fits.
    #[inline]
    fn has_room(&mut self) -> bool {
        /// The entry of a name in the table of those that are defined, half of which may be empty.
        const DEFINED: usize = 2 * (size_of::<(&str, &str, usize)>() + 1);
        if self.found.len() < self.found.capacity() && self.steps.len() < self.steps.capacity() {
            return !self.is_exhausted;
        }
        // A vector that grows exists twice, the second time twice as large.
        let names = self.found.capacity().saturating_mul(3 * size_of::<Found>() + 2 * DEFINED);
        let steps = self.steps.capacity().saturating_mul(3 * size_of::<Step>());
        let texts = self.texts.capacity().saturating_mul(3);
        self.is_exhausted |= names.saturating_add(steps).saturating_add(texts) as u64 > self.memory;
        !self.is_exhausted
    }

    /// Returns whether paths are recorded, so that the order of map entries matters.
    pub(crate) fn keeps_ways(&self) -> bool {
        self.keeps_ways
    }

    /// Enters a step. Calls `way` only if paths are recorded.
    #[inline]
    fn enter(&mut self, way: impl FnOnce(&Self) -> Way) -> Mark {
        let mark = Mark { at: self.at, steps: self.steps.len(), found: self.found.len() };
        if self.keeps_ways {
            let way = way(self);
            self.steps.push(Step { before: self.at, way });
            self.at = mark.steps;
        }
        mark
    }

    /// Returns to the position before a step.
    #[inline]
    fn leave(&mut self, mark: &Mark) {
        if !self.keeps_ways {
            return;
        }
        self.at = mark.at;
        // No name was found on this path, so nothing points to its steps.
        if self.found.len() == mark.found {
            self.steps.truncate(mark.steps);
        }
    }

    /// Collects inside of a step.
    #[inline]
    fn within(&mut self, way: impl FnOnce(&Self) -> Way, refer: impl FnOnce(&mut Self)) {
        let mark = self.enter(way);
        refer(self);
        self.leave(&mark);
    }

    /// Collects inside of a field.
    #[inline]
    pub fn field(&mut self, name: &'static str, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Field(name), refer);
    }

    /// Collects inside of an element.
    #[inline]
    pub fn index(&mut self, index: usize, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Index(index), refer);
    }

    /// Collects inside of a map entry.
    #[inline]
    pub fn key(&mut self, key: impl FnOnce() -> String, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Key(key()), refer);
    }

    /// Collects inside of a nested message.
    pub(crate) fn message(&mut self, refer: impl FnOnce(&mut Self)) {
        // Reading and saving limit the depth, but this state may not have been read or saved yet.
        if self.depth == Reader::DEPTH_LIMIT {
            let reason = format!("messages are nested more than {} deep", Reader::DEPTH_LIMIT);
            let error = self.located(self.at, Error::invalid(reason));
            self.failures.push(error);
            return;
        }
        self.depth += 1;
        refer(self);
        self.depth -= 1;
    }

    /// Collects inside of a payload. Its own name, if it has one, replaces its index or key in its id.
    pub(crate) fn payload(
        &mut self,
        own_name: impl FnOnce() -> Option<String>,
        message: &'static str,
        refer: impl FnOnce(&mut Self),
    ) {
        // A name that panics was reported when the tree was looked at.
        let way = |_: &Self| Way::Payload(quietly(own_name).flatten(), Cow::Borrowed(message));
        self.within(way, |references| references.caught(|references| references.message(refer)));
    }

    /// Runs `refer`, which calls code of the user; a panic in it is a failure of the place that the
    /// collector is at.
    pub(crate) fn caught(&mut self, refer: impl FnOnce(&mut Self)) {
        let (at, depth) = (self.at, self.depth);
        let referred = caught(|| {
            refer(self);
            Ok(())
        });
        if let Err(error) = referred {
            (self.at, self.depth) = (at, depth);
            self.lost(error);
        }
    }

    /// Collects inside of a member of a set.
    pub(crate) fn member(&mut self, id: &str, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Member(id.to_owned()), refer);
    }

    /// Records that a child could not be visited, so that the names it defines are unknown.
    pub(crate) fn lost(&mut self, error: Error) {
        let error = self.located(self.at, error);
        self.failures.push(error);
    }

    /// Builds the id of the controller whose payload this step enters. Nobody keeps it, so that a long
    /// name above many payloads is in memory once.
    pub(super) fn id_of(&self, payload: usize) -> ControllerId {
        let mut path: Vec<Cow<'_, str>> = Vec::new();
        let mut at = payload;
        loop {
            let Step { before, way } = &self.steps[at];
            at = match way {
                Way::Payload(own_name, _) if at != 0 => {
                    match (own_name, &self.steps[*before].way) {
                        (Some(name), Way::Index(_) | Way::Key(_)) => {
                            path.push(ControllerId::escape(name));
                            self.steps[*before].before
                        }
                        _ => *before,
                    }
                }
                Way::Payload(..) => return ControllerId::from_reversed(&path),
                Way::Member(id) => {
                    path.push(ControllerId::escape(id));
                    self.payload_at(at)
                }
                Way::Field(name) => {
                    path.push(Cow::Borrowed(name));
                    *before
                }
                Way::Index(index) => {
                    path.push(Cow::Owned(index.to_string()));
                    *before
                }
                Way::Key(key) => {
                    path.push(ControllerId::escape(key));
                    *before
                }
            };
        }
    }

    /// Returns the step that enters the payload which contains a step.
    pub(super) fn payload_at(&self, mut at: usize) -> usize {
        while !matches!(self.steps[at].way, Way::Payload(..)) {
            at = self.steps[at].before;
        }
        at
    }

    /// Collects the names in a field with `defines`.
    pub(crate) fn defines<T: Reference + ?Sized>(&mut self, namespace: &'static str, value: &T) {
        value.add_names(&mut Names::new(self, Act::Defines, namespace));
    }

    /// Collects the names in a field with `refers`.
    pub(crate) fn refers<T: Reference + ?Sized>(&mut self, namespace: &'static str, value: &T) {
        value.add_names(&mut Names::new(self, Act::Refers, namespace));
    }

    /// Collects the names in the values of a field with `defines(values = ...)`.
    pub(crate) fn values_define<T: ReferenceValues + ?Sized>(
        &mut self,
        namespace: &'static str,
        value: &T,
    ) {
        value.add_value_names(&mut Names::new(self, Act::Defines, namespace));
    }

    /// Collects the names in the values of a field with `refers(values = ...)`.
    pub(crate) fn values_refer<T: ReferenceValues + ?Sized>(
        &mut self,
        namespace: &'static str,
        value: &T,
    ) {
        value.add_value_names(&mut Names::new(self, Act::Refers, namespace));
    }
}

impl<'r> Names<'r> {
    fn new(references: &'r mut References, act: Act, namespace: &'static str) -> Self {
        Self { references, act, namespace, is_key: false }
    }

    /// Adds a name: the text form of a value on the wire.
    pub fn add(&mut self, text: &str) {
        let Self { references, act, namespace, is_key } = self;
        if !references.has_room() {
            return;
        }
        let mark = is_key.then(|| references.enter(|_| Way::Key(text.to_owned())));
        let start = references.texts.len();
        references.texts.push_str(text);
        let text = start..references.texts.len();
        references.found.push(Found { act: *act, namespace, text, at: references.at });
        if let Some(mark) = mark {
            references.leave(&mark);
        }
    }

    /// Adds the names in an element of a list.
    pub(crate) fn index<T: Reference + ?Sized>(&mut self, index: usize, element: &T) {
        let mark = self.references.enter(|_| Way::Index(index));
        element.add_names(self);
        self.references.leave(&mark);
    }

    /// Adds the keys of a map or the elements of a set. Each name is also the last part of its path.
    pub(crate) fn keys<'k, K: Reference + 'k>(&mut self, keys: impl Iterator<Item = &'k K>) {
        let outer = std::mem::replace(&mut self.is_key, true);
        for key in keys {
            key.add_names(self);
        }
        self.is_key = outer;
    }

    /// Adds the keys of a hashed collection, whose order is arbitrary; sorts them for errors.
    pub(crate) fn hashed_keys<'k, K: Reference + 'k>(&mut self, keys: impl Iterator<Item = &'k K>) {
        let from = self.references.found.len();
        self.keys(keys);
        let References { keeps_ways, found, texts, .. } = &mut *self.references;
        if *keeps_ways {
            found[from..].sort_by(|a, b| texts[a.text.clone()].cmp(&texts[b.text.clone()]));
        }
    }

    /// Adds the names in the values of a map.
    pub(crate) fn values<'e, K: Reference + 'e, V: Reference + 'e>(
        &mut self,
        entries: impl Iterator<Item = (&'e K, &'e V)>,
    ) {
        for (key, value) in entries {
            match self.references.keeps_ways {
                true => {
                    let key = self.text_of(key);
                    self.value(key, value);
                }
                false => value.add_names(self),
            }
        }
    }

    /// Adds the names in the values of a hashed map, whose order is arbitrary; sorts them for errors.
    pub(crate) fn hashed_values<'e, K: Reference + 'e, V: Reference + 'e>(
        &mut self,
        entries: impl Iterator<Item = (&'e K, &'e V)>,
    ) {
        if !self.references.keeps_ways {
            return self.values(entries);
        }
        let mut entries: Vec<(String, &V)> =
            entries.map(|(key, value)| (self.text_of(key), value)).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, value) in entries {
            self.value(key, value);
        }
    }

    /// Adds the names in one value of a map.
    fn value<V: Reference>(&mut self, key: String, value: &V) {
        let mark = self.references.enter(|_| Way::Key(key));
        value.add_names(self);
        self.references.leave(&mark);
    }

    /// Returns the text form of a key, without adding it as a name.
    fn text_of<K: Reference>(&mut self, key: &K) -> String {
        let texts = self.references.texts.len();
        let found = self.references.found.len();
        let steps = self.references.steps.len();
        key.add_names(self);
        self.references.found.truncate(found);
        self.references.steps.truncate(steps);
        self.references.texts.split_off(texts)
    }
}
