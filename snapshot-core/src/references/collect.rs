//! Collects the names that a tree defines and refers to, with their places.

use std::borrow::Cow;
use std::ops::Range;

use crate::codec::table_of;
use crate::error::Error;
use crate::panics::{caught, quietly};
use crate::path::ControllerId;
use crate::visit::{self, ChildCell, Name, Role, StatePlace, Visit, Visitor, Wants};

/// The memory limit of a collection that has none, because the state is the program's own.
pub(super) const UNLIMITED: u64 = u64::MAX;

/// Collects the names that the fields of a tree define and refer to.
#[derive(Debug)]
pub(super) struct References {
    /// Whether to record paths and to visit names in the order of the wire. Only errors need this, and
    /// it takes most of the time.
    keeps_paths: bool,
    /// The paths to all names, as a tree in which each step points to the one before it. The first
    /// step is the root's payload.
    pub(super) steps: Vec<RecordedStep>,
    pub(super) found: Vec<FoundName>,
    /// The texts of all names, concatenated.
    pub(super) texts: String,
    /// The errors that prevent a complete collection.
    pub(super) failures: Vec<Error>,
    /// The memory that the names and paths may take.
    memory: u64,
    /// Whether they need more. Nothing more is collected then.
    is_exhausted: bool,
}

/// A step of a path.
#[derive(Debug)]
pub(super) struct RecordedStep {
    /// The index of the step before it.
    pub(super) before: usize,
    pub(super) target: StepTarget,
}

/// The target of a step.
#[derive(Debug)]
pub(super) enum StepTarget {
    /// The payload of a controller, with the name that it gives itself and that of its message.
    Payload(Option<String>, Cow<'static, str>),
    Field(&'static str),
    Index(usize),
    Key(String),
    /// A member of a set. Its id does not follow from its place.
    Member(String),
}

/// One occurrence of a name.
#[derive(Debug)]
pub(super) struct FoundName {
    pub(super) role: Role,
    pub(super) namespace: &'static str,
    /// The range of its text in [`References::texts`].
    pub(super) text: Range<usize>,
    /// The step at which it is.
    pub(super) at: usize,
}

impl References {
    /// Creates a collector of names with their paths.
    pub(super) fn with_paths(message: Cow<'static, str>) -> Self {
        let target = StepTarget::Payload(None, message);
        Self {
            keeps_paths: true,
            steps: vec![RecordedStep { before: 0, target }],
            found: Vec::new(),
            texts: String::new(),
            failures: Vec::new(),
            memory: UNLIMITED,
            is_exhausted: false,
        }
    }

    /// Creates a collector of names without paths: all of them appear to be in the root itself.
    pub(super) fn names_alone(message: Cow<'static, str>) -> Self {
        Self { keeps_paths: false, ..Self::with_paths(message) }
    }

    /// Limits the memory of the collection, in bytes.
    pub(super) fn within_memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Returns whether the limit is too low for the names, or for the check of them. The collection
    /// may then be incomplete.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted || (self.memory != UNLIMITED && !self.has_room_for_check())
    }

    fn has_room_for_check(&self) -> bool {
        let table = table_of::<((&str, &str), usize)>(self.found_by(Role::Defines).count());
        let names = self.names_and_steps().saturating_add(self.texts.capacity());
        names.saturating_add(table) as u64 <= self.memory
    }

    /// Returns whether one more name fits.
    #[inline]
    fn has_room(&mut self) -> bool {
        // Without paths, there are no more steps.
        let has_steps = !self.keeps_paths || self.steps.len() < self.steps.capacity();
        match has_steps && self.found.len() < self.found.capacity() {
            true => !self.is_exhausted,
            false => self.can_grow(),
        }
    }

    /// Returns whether the full buffers may grow, or have room again without repeated references.
    #[cold]
    fn can_grow(&mut self) -> bool {
        // While a buffer grows, its old and its new memory exist together.
        let grown = self.names_and_steps().saturating_add(self.texts.capacity()).saturating_mul(3);
        if !self.is_exhausted && grown as u64 > self.memory {
            self.is_exhausted = self.keeps_paths || !self.forget_repeated();
        }
        !self.is_exhausted
    }

    /// Returns the memory of the names and the steps, in bytes.
    fn names_and_steps(&self) -> usize {
        let names = self.found.capacity().saturating_mul(size_of::<FoundName>());
        names.saturating_add(self.steps.capacity().saturating_mul(size_of::<RecordedStep>()))
    }

    /// Keeps only one of the references to each name. Few bytes can refer to one name a million
    /// times. Returns whether half of the room is free now, so that the next call is far away.
    fn forget_repeated(&mut self) -> bool {
        let Self { found, texts, .. } = self;
        // Without paths, the order of names has no meaning.
        let key = |name: &FoundName| (name.role, name.namespace, &texts[name.text.clone()]);
        found.sort_unstable_by(|one, other| key(one).cmp(&key(other)));
        found.dedup_by(|one, other| one.role == Role::Refers && key(one) == key(other));
        let kept_length = found.iter().map(|name| name.text.len()).sum();
        let mut kept = String::with_capacity(kept_length);
        for name in found.iter_mut() {
            let start = kept.len();
            kept.push_str(&texts[name.text.clone()]);
            name.text = start..kept.len();
        }
        *texts = kept;
        found.len() <= found.capacity() / 2
    }

    /// Collects the names that `visit` shows, which are in the root's payload.
    pub(super) fn collect(&mut self, visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>) {
        // The root's own code shows them.
        if let Err(error) = caught(|| visit(&mut Visit::new(self))) {
            let error = self.located(0, error);
            self.failures.push(error);
        }
    }

    /// Returns the number of the last step of a path. Records the steps that are not recorded yet; 0 is
    /// the root's payload.
    fn record(&mut self, way: Option<&visit::Way<'_>>) -> usize {
        let Some(way) = way else { return 0 };
        if way.number.get() == 0 {
            let before = self.record(way.before);
            way.number.set(self.steps.len());
            self.steps.push(RecordedStep { before, target: StepTarget::of(way.step) });
        }
        way.number.get()
    }

    /// Locates an error, even if no paths are recorded.
    fn fail(&mut self, place: StatePlace<'_>, error: Error) {
        let at = self.record(place.way);
        let error = self.located(at, error);
        self.failures.push(error);
    }

    /// Builds the id of the controller whose payload this step enters. The id is not kept, so a
    /// long name above many payloads is in memory once.
    pub(super) fn id_of(&self, payload: usize) -> ControllerId {
        let mut path: Vec<Cow<'_, str>> = Vec::new();
        let mut at = payload;
        loop {
            let RecordedStep { before, target } = &self.steps[at];
            at = match target {
                StepTarget::Payload(own_name, _) if at != 0 => {
                    match (own_name, &self.steps[*before].target) {
                        (Some(name), StepTarget::Index(_) | StepTarget::Key(_)) => {
                            path.push(ControllerId::escape(name));
                            self.steps[*before].before
                        }
                        _ => *before,
                    }
                }
                StepTarget::Payload(..) => return ControllerId::from_reversed(&path),
                StepTarget::Member(id) => {
                    path.push(ControllerId::escape(id));
                    self.payload_at(at)
                }
                StepTarget::Field(name) => {
                    path.push(Cow::Borrowed(name));
                    *before
                }
                StepTarget::Index(index) => {
                    path.push(Cow::Owned(index.to_string()));
                    *before
                }
                StepTarget::Key(key) => {
                    path.push(ControllerId::escape(key));
                    *before
                }
            };
        }
    }

    /// Returns the step that enters the payload which contains a step.
    pub(super) fn payload_at(&self, mut at: usize) -> usize {
        while !matches!(self.steps[at].target, StepTarget::Payload(..)) {
            at = self.steps[at].before;
        }
        at
    }
}

impl StepTarget {
    fn of(step: visit::Step<'_>) -> Self {
        match step {
            visit::Step::Field(name) => StepTarget::Field(name),
            visit::Step::Index(index) => StepTarget::Index(index),
            visit::Step::Key(key) => StepTarget::Key(key.to_owned()),
            visit::Step::Member { id, .. } => StepTarget::Member(id.to_owned()),
            visit::Step::Payload { own_name, message } => {
                StepTarget::Payload(own_name.map(str::to_owned), Cow::Borrowed(message))
            }
        }
    }
}

impl Visitor for References {
    fn wants(&self) -> Wants {
        let places = self.keeps_paths;
        Wants { order: places, places, names: true, ..Wants::CHILDREN }
    }

    /// Collects the names inside of a child, too. Its own name, if it has one, replaces its index or key
    /// in its id.
    fn child(&mut self, place: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        let Some(message) = child.message_name() else {
            // Without a state, its definitions are unknown.
            if let Err(error) = child.visit(&mut Visit::new(self)) {
                self.fail(place, error);
            }
            return Ok(());
        };
        let own_name = match self.keeps_paths {
            // The walk over the tree has already reported a name that panics.
            true => quietly(|| child.own_name()).flatten(),
            false => None,
        };
        Visit::inside(self, place, own_name.as_deref(), message, |inside| {
            // The child's own code shows the names.
            if let Err(error) = caught(|| child.visit(inside)) {
                inside.lost(error);
            }
            Ok(())
        })
    }

    fn name(&mut self, place: StatePlace<'_>, name: Name<'_>) {
        if !self.has_room() {
            return;
        }
        let at = if self.keeps_paths { self.record(place.way) } else { 0 };
        let start = self.texts.len();
        self.texts.push_str(name.text);
        let text = start..self.texts.len();
        self.found.push(FoundName { role: name.role, namespace: name.namespace, text, at });
    }

    fn lost(&mut self, place: StatePlace<'_>, error: Error) {
        self.fail(place, error);
    }
}
