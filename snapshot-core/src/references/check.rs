//! Checks the collected names.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use super::TwinNames;
use super::collect::{FoundName, RecordedStep, References, StepTarget};
use crate::codec::Quoted;
use crate::error::Error;
use crate::keyed_hash::HashKeys;
use crate::visit::Role;

/// The fields that define names in a namespace.
struct Definers {
    /// The steps to the first of them.
    first: Vec<usize>,
    /// The number of all such fields.
    count: usize,
}

impl Definers {
    /// The number of fields that an error lists; it counts the others.
    const NAMED: usize = 3;
}

/// A name in a namespace.
#[derive(Eq)]
struct DefinedName<'a> {
    text: &'a str,
    namespace: &'static str,
}

impl PartialEq for DefinedName<'_> {
    fn eq(&self, other: &Self) -> bool {
        // The fields of one namespace nearly always share its constant.
        let is_same_namespace =
            std::ptr::eq(self.namespace, other.namespace) || self.namespace == other.namespace;
        is_same_namespace && self.text == other.text
    }
}

/// Hashes only the text, since few texts are in more than one namespace.
impl Hash for DefinedName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.text.as_bytes());
    }
}

/// The first errors of one kind, as many as an error has findings at most. A snapshot may have any
/// number of names.
#[derive(Default)]
struct FirstErrors {
    errors: Vec<(usize, Error)>,
    /// The number of the others.
    more: usize,
}

impl FirstErrors {
    fn add(&mut self, order: usize, error: impl FnOnce() -> Error) {
        match self.errors.len() < Error::LIMIT {
            true => self.errors.push((order, error())),
            false => self.more += 1,
        }
    }
}

impl References {
    /// Returns whether the collection succeeded, every name is defined once and every reference
    /// resolves. If not, [`check`](Self::check) may still find no error, since it can permit names
    /// that twins define.
    pub(super) fn resolves(&self) -> bool {
        let name =
            |found: &FoundName| DefinedName { text: self.text(found), namespace: found.namespace };
        let defined = self.found_by(Role::Defines).count();
        let mut defined = HashSet::with_capacity_and_hasher(defined, HashKeys::random());
        self.failures.is_empty()
            && self.found_by(Role::Defines).all(|(_, found)| defined.insert(name(found)))
            && self.found_by(Role::Refers).all(|(_, found)| defined.contains(&name(found)))
    }

    /// Returns all errors, in the order of the tree.
    pub(crate) fn check(mut self, twins: TwinNames) -> Vec<Error> {
        let mut errors = std::mem::take(&mut self.failures);
        let mut twice = FirstErrors::default();
        let mut dangling = FirstErrors::default();
        let mut defined: HashMap<(&str, &str), usize> =
            HashMap::with_capacity(self.found_by(Role::Defines).count());
        for (order, found) in self.found_by(Role::Defines) {
            match defined.entry((found.namespace, self.text(found))) {
                Entry::Vacant(entry) => {
                    entry.insert(found.at);
                }
                Entry::Occupied(entry) => {
                    let first = *entry.get();
                    if twins == TwinNames::Reported || !self.are_twins(first, found.at) {
                        twice.add(order, || self.twice(found, first));
                    }
                }
            }
        }
        let mut definers: HashMap<&str, Definers> = HashMap::new();
        for (order, found) in self.found_by(Role::Refers) {
            if !defined.contains_key(&(found.namespace, self.text(found))) {
                dangling.add(order, || {
                    let definers = definers
                        .entry(found.namespace)
                        .or_insert_with(|| self.definers(found.namespace));
                    self.dangling(found, definers)
                });
            }
        }
        let more = twice.more + dangling.more;
        let mut located = twice.errors;
        located.append(&mut dangling.errors);
        located.sort_by_key(|(order, _)| *order);
        errors.extend(located.into_iter().map(|(_, error)| error));
        if let Some(last) = errors.pop() {
            errors.push(last.and_dropped(more));
        }
        errors
    }

    pub(super) fn found_by(&self, role: Role) -> impl Iterator<Item = (usize, &FoundName)> {
        self.found.iter().enumerate().filter(move |(_, found)| found.role == role)
    }

    fn text(&self, found: &FoundName) -> &str {
        &self.texts[found.text.clone()]
    }

    /// Returns whether two places are in different controllers with the same id.
    fn are_twins(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.payload_at(one), self.payload_at(other));
        one != other && self.id_of(one) == self.id_of(other)
    }

    /// Adds the path of a step to an error.
    #[cold]
    pub(super) fn located(&self, mut at: usize, mut error: Error) -> Error {
        loop {
            let RecordedStep { before, target } = &self.steps[at];
            match target {
                StepTarget::Payload(_, message) => {
                    return error.in_message(message.clone()).at_controller(&self.id_of(at));
                }
                StepTarget::Field(name) => error = error.in_field(name),
                StepTarget::Index(index) => error = error.in_index(*index),
                StepTarget::Key(key) | StepTarget::Member(key) => error = error.in_key(key.clone()),
            }
            at = *before;
        }
    }

    /// Renders a place for an error at another place: without the controller if both have the same.
    #[cold]
    fn place(&self, at: usize, seen_from: usize) -> String {
        let located = self.located(at, Error::invalid(""));
        let path = located.first().path();
        let payload = self.payload_at(at);
        match payload != self.payload_at(seen_from) {
            true => format!("{}: {path}", self.id_of(payload)),
            false => path.to_string(),
        }
    }

    /// Returns the error of a second definition.
    #[cold]
    fn twice(&self, found: &FoundName, first: usize) -> Error {
        let (namespace, text) = (found.namespace, self.text(found));
        let first = self.place(first, found.at);
        let reason = format!("defines {namespace} {}, which {first} already defines", Quoted(text));
        self.located(found.at, Error::invalid(reason))
    }

    /// Returns the error of a reference that does not resolve.
    #[cold]
    fn dangling(&self, found: &FoundName, definers: &Definers) -> Error {
        let (namespace, text) = (found.namespace, self.text(found));
        let named: Vec<String> =
            definers.first.iter().map(|field| self.place(*field, found.at)).collect();
        let why = match (named.as_slice(), definers.count - named.len()) {
            ([], _) => {
                format!("but no controller of this snapshot defines any {namespace}")
            }
            ([one], _) => format!("which is not in {one}"),
            ([first @ .., last], 0) => {
                format!("which is neither in {} nor in {last}", first.join(" nor in "))
            }
            (some, more) => {
                format!("which is neither in {} nor in {more} more", some.join(" nor in "))
            }
        };
        let reason = format!("refers to {namespace} {}, {why}", Quoted(text));
        self.located(found.at, Error::invalid(reason))
    }

    /// Finds the fields that define names in a namespace.
    #[cold]
    fn definers(&self, namespace: &str) -> Definers {
        let mut fields: Vec<usize> = self
            .found_by(Role::Defines)
            .filter(|(_, found)| found.namespace == namespace)
            .map(|(_, found)| self.field_of(found.at))
            .collect();
        // The entries of one field are adjacent, unless nested fields between them define names too.
        fields.sort_unstable();
        fields.dedup();
        let count = fields.len();
        fields.truncate(Definers::NAMED);
        Definers { first: fields, count }
    }

    /// Returns the field that contains an element or entry.
    fn field_of(&self, mut at: usize) -> usize {
        while let StepTarget::Index(_) | StepTarget::Key(_) = self.steps[at].target {
            at = self.steps[at].before;
        }
        at
    }
}
