//! Collecting: where in the tree what is named.

use std::borrow::Cow;
use std::ops::Range;

use crate::Error;
use crate::codec::{Reader, Reference, ReferenceValues};
use crate::path::ControllerId;

/// Collects what the fields of a tree define and refer to. The derive's code leads it through the
/// states; its path grows by fields, keys and indices.
#[derive(Debug)]
pub struct References {
    /// Whether the ways are kept, and names come in the order of the wire. Both are for errors, and
    /// take most of the time.
    keeps_ways: bool,
    /// The ways to all that was found, as a tree: each step knows the one before it. The first is
    /// the root's payload.
    pub(super) steps: Vec<Step>,
    /// The step that the collector is at.
    at: usize,
    pub(super) found: Vec<Found>,
    /// The texts of all that was found, one after the other.
    pub(super) texts: String,
    /// What makes the tree one that cannot be collected.
    pub(super) failures: Vec<Error>,
    /// How many messages the collector is in.
    depth: u32,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) before: usize,
    pub(super) way: Way,
}

#[derive(Debug)]
pub(super) enum Way {
    /// Into the payload of a controller, with the name that it gives itself.
    Payload(Option<String>, Cow<'static, str>),
    Field(&'static str),
    Index(usize),
    Key(String),
    /// To the member of a set, whose id does not follow from its place.
    Member(String),
}

/// What a field does with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Defines,
    Refers,
}

/// A name that a field defines or refers to.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) act: Act,
    pub(super) namespace: &'static str,
    pub(super) text: Range<usize>,
    pub(super) at: usize,
}

/// Collects the names in one field with `defines` or `refers`, see [`Reference`].
#[derive(Debug)]
pub struct Names<'r> {
    references: &'r mut References,
    act: Act,
    namespace: &'static str,
    /// Whether a name is the key of its own place.
    is_key: bool,
}

/// Where to go back to.
struct Mark {
    at: usize,
    steps: usize,
    found: usize,
}

impl References {
    /// Collects names with the ways to them.
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
        }
    }

    /// Collects names alone. All of them seem to be in the root itself.
    pub(super) fn names_alone(message: Cow<'static, str>) -> Self {
        Self { keeps_ways: false, ..Self::with_ways(message) }
    }

    /// Whether it matters which entry of a map comes first, and where it is.
    pub(crate) fn keeps_ways(&self) -> bool {
        self.keeps_ways
    }

    /// Takes a step, which is asked for if ways are kept.
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

    #[inline]
    fn leave(&mut self, mark: &Mark) {
        if !self.keeps_ways {
            return;
        }
        self.at = mark.at;
        // A way on which nothing was found leads nowhere.
        if self.found.len() == mark.found {
            self.steps.truncate(mark.steps);
        }
    }

    #[inline]
    fn within(&mut self, way: impl FnOnce(&Self) -> Way, refer: impl FnOnce(&mut Self)) {
        let mark = self.enter(way);
        refer(self);
        self.leave(&mark);
    }

    /// Goes into a field.
    #[inline]
    pub fn field(&mut self, name: &'static str, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Field(name), refer);
    }

    /// Goes into an element.
    #[inline]
    pub fn index(&mut self, index: usize, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Index(index), refer);
    }

    /// Goes into a map entry.
    #[inline]
    pub fn key(&mut self, key: impl FnOnce() -> String, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Key(key()), refer);
    }

    /// Goes into a nested message.
    pub(crate) fn message(&mut self, refer: impl FnOnce(&mut Self)) {
        // What is read or saved is never so deep; a state that is neither yet may be.
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

    /// Goes into a payload. A name that it gives itself takes the place of its index or key.
    pub(crate) fn payload(
        &mut self,
        own_name: impl FnOnce() -> Option<String>,
        message: &'static str,
        refer: impl FnOnce(&mut Self),
    ) {
        let way = |_: &Self| Way::Payload(own_name(), Cow::Borrowed(message));
        self.within(way, |references| references.message(refer));
    }

    /// Goes into the member of a set.
    pub(crate) fn member(&mut self, id: &str, refer: impl FnOnce(&mut Self)) {
        self.within(|_| Way::Member(id.to_owned()), refer);
    }

    /// Notes that a child is not there: neither it nor what it defines can be known.
    pub(crate) fn lost(&mut self, error: Error) {
        let error = self.located(self.at, error);
        self.failures.push(error);
    }

    /// The id of the controller whose payload this step goes into. It is made when it is asked for, so
    /// that a long name above many payloads is kept once.
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

    /// The step into the payload that a step is in.
    pub(super) fn payload_at(&self, mut at: usize) -> usize {
        while !matches!(self.steps[at].way, Way::Payload(..)) {
            at = self.steps[at].before;
        }
        at
    }

    /// Collects what a field with `defines` names.
    pub(crate) fn defines<T: Reference + ?Sized>(&mut self, namespace: &'static str, value: &T) {
        value.add_names(&mut Names::new(self, Act::Defines, namespace));
    }

    /// Collects what a field with `refers` names.
    pub(crate) fn refers<T: Reference + ?Sized>(&mut self, namespace: &'static str, value: &T) {
        value.add_names(&mut Names::new(self, Act::Refers, namespace));
    }

    /// Collects what a field with `defines(values = ...)` names.
    pub(crate) fn values_define<T: ReferenceValues + ?Sized>(
        &mut self,
        namespace: &'static str,
        value: &T,
    ) {
        value.add_value_names(&mut Names::new(self, Act::Defines, namespace));
    }

    /// Collects what a field with `refers(values = ...)` names.
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

    /// Adds a name: a value as text, as it is on the wire.
    pub fn add(&mut self, text: &str) {
        let Self { references, act, namespace, is_key } = self;
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

    /// Adds keys of a map or elements of a set: the place of each is what it is called.
    pub(crate) fn keys<'k, K: Reference + 'k>(&mut self, keys: impl Iterator<Item = &'k K>) {
        let outer = std::mem::replace(&mut self.is_key, true);
        for key in keys {
            key.add_names(self);
        }
        self.is_key = outer;
    }

    /// As [`Names::keys`], of a collection that has them in another order each time.
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

    /// As [`Names::values`], of a map that has them in another order each time.
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

    fn value<V: Reference>(&mut self, key: String, value: &V) {
        let mark = self.references.enter(|_| Way::Key(key));
        value.add_names(self);
        self.references.leave(&mark);
    }

    /// What a key is called, without adding it.
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
