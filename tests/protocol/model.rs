//! The world around the two sides: connections that break, processes that are killed and started
//! again, an operator who does what the verdict says.

use std::collections::BTreeMap;

use stateright::{Model, Property};

use crate::decision::verdict::{Side, Verdict, verdict};
use crate::decision::{Action, Event, Mark, Word, destination, source};

/// How a side decides: the shim's own function, or one with a mistake in it.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) source: fn(source::State, Event) -> (source::State, Vec<Action>),
    pub(crate) destination: fn(destination::State, Event) -> (destination::State, Vec<Action>),
}

/// The model.
pub(crate) struct Protocol {
    rules: Rules,
}

impl Protocol {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules }
    }
}

/// A connection, with what is on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Connection {
    to_source: Vec<Word>,
    to_destination: Vec<Word>,
    broken: bool,
}

/// A shim's process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process<S> {
    /// `None` once it was killed.
    state: Option<S>,
    /// What it still has to do before it looks for the next event.
    todo: Vec<Action>,
    /// It has said all that it had to say.
    over: bool,
    /// What is on its disk.
    mark: Option<Mark>,
    /// Its connection.
    connection: Option<u8>,
}

impl<S> Process<S> {
    fn kill(&mut self) {
        (self.state, self.todo, self.connection) = (None, Vec::new(), None);
    }
}

/// How often something bad may still happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    losses: u8,
    kills: u8,
    restarts: u8,
    /// Steps that fail, and marks that cannot be written.
    failures: u8,
    connections: u8,
    starts: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    source: Process<source::State>,
    destination: Process<destination::State>,
    /// Whether the sandbox runs there. It outlives its shim, as a VM does.
    runs_at_source: bool,
    runs_at_destination: bool,
    connections: BTreeMap<u8, Connection>,
    budget: Budget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Source,
    Destination,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// A side does the next thing that it has to do, which succeeds.
    Does(Who),
    /// It fails.
    Fails(Who),
    /// The other side is not there for as long as its patience lasts.
    Nobody(Who),
    /// A side gets the next message.
    Gets(Who),
    /// A side notices that its connection is lost.
    Notices(Who),
    /// The operator does what the verdict says.
    Operator,
    /// A connection breaks.
    Breaks(u8),
    /// The last message on its way on a broken connection does not arrive.
    Vanishes(u8, Who),
    Kill(Who),
    Restart(Who),
    /// The operator starts the sandbox again where the verdict says.
    StartAgain,
}

impl Happening {
    /// Whether the two sides and their operator get on by it; if not, it is bad luck, which need not
    /// come.
    fn is_progress(self) -> bool {
        !matches!(
            self,
            Happening::Fails(_)
                | Happening::Breaks(_)
                | Happening::Vanishes(..)
                | Happening::Kill(_)
                | Happening::Restart(_)
                | Happening::StartAgain
        )
    }
}

impl World {
    fn sides(&self) -> (Side, Side) {
        let source = Side {
            mark: self.source.mark,
            // A source that has let go of the sandbox ends.
            alive: self
                .source
                .state
                .is_some_and(|state| !(self.source.over && state == source::State::Committed)),
        };
        let destination = Side {
            mark: self.destination.mark,
            alive: self.destination.state.is_some_and(|state| {
                !(self.destination.over && state == destination::State::Aborted)
            }),
        };
        (source, destination)
    }

    fn verdict(&self) -> Verdict {
        let (source, destination) = self.sides();
        verdict(source, destination)
    }

    fn head(&self, who: Who) -> Option<Action> {
        match who {
            Who::Source => self.source.todo.first().copied(),
            Who::Destination => self.destination.todo.first().copied(),
        }
    }

    fn connection_of(&self, who: Who) -> Option<u8> {
        match who {
            Who::Source => self.source.connection,
            Who::Destination => self.destination.connection,
        }
    }

    fn inbox(&self, who: Who) -> Option<&Vec<Word>> {
        let connection = self.connections.get(&self.connection_of(who)?)?;
        Some(match who {
            Who::Source => &connection.to_source,
            Who::Destination => &connection.to_destination,
        })
    }

    fn is_broken(&self, who: Who) -> bool {
        self.connection_of(who)
            .and_then(|id| self.connections.get(&id))
            .is_none_or(|connection| connection.broken)
    }

    /// Whether a side does nothing but wait for a message.
    fn waits(&self, who: Who) -> bool {
        let (lives, over) = match who {
            Who::Source => (self.source.state.is_some(), self.source.over),
            Who::Destination => (self.destination.state.is_some(), self.destination.over),
        };
        lives && !over && self.head(who).is_none()
    }

    /// A connection that the source has opened and the destination has not accepted yet.
    fn backlog(&self) -> Option<u8> {
        let seen = self.destination.connection;
        self.connections.keys().copied().find(|&id| seen.is_none_or(|seen| id > seen))
    }

    fn hang_up(&mut self, who: Who) {
        let id = match who {
            Who::Source => self.source.connection.take(),
            // Kept, to know which one comes after it.
            Who::Destination => self.destination.connection,
        };
        if let Some(connection) = id.and_then(|id| self.connections.get_mut(&id)) {
            connection.broken = true;
        }
    }

    fn say(&mut self, who: Who, word: Word) {
        let Some(id) = self.connection_of(who) else { return };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.broken {
            match who {
                Who::Source => connection.to_destination.push(word),
                Who::Destination => connection.to_source.push(word),
            }
        }
    }

    fn happen(&mut self, rules: Rules, who: Who, event: Event) {
        match who {
            Who::Source => {
                let Some(state) = self.source.state else { return };
                let (next, todo) = (rules.source)(state, event);
                (self.source.state, self.source.todo) = (Some(next), todo);
            }
            Who::Destination => {
                let Some(state) = self.destination.state else { return };
                let (next, todo) = (rules.destination)(state, event);
                (self.destination.state, self.destination.todo) = (Some(next), todo);
            }
        }
    }

    /// Does the head of a side's list.
    fn act(&mut self, rules: Rules, who: Who) {
        let todo = match who {
            Who::Source => &mut self.source.todo,
            Who::Destination => &mut self.destination.todo,
        };
        match todo.remove(0) {
            Action::Record(mark) => match who {
                Who::Source => self.source.mark = Some(mark),
                Who::Destination => self.destination.mark = Some(mark),
            },
            Action::Send(word) => self.say(who, word),
            Action::Prepare => {
                self.runs_at_source = false;
                self.happen(rules, who, Event::Done);
            }
            Action::Greet | Action::Import | Action::Resume => {
                self.happen(rules, who, Event::Done);
            }
            Action::Thaw => self.runs_at_source = true,
            Action::Commit => self.runs_at_source = false,
            Action::GoLive => self.runs_at_destination = true,
            Action::Abort => self.runs_at_destination = false,
            Action::Ask => {
                self.hang_up(who);
                let id = self.connections.keys().next_back().map_or(0, |last| last + 1);
                self.connections.insert(id, Connection::default());
                self.source.connection = Some(id);
                self.budget.connections -= 1;
                self.say(who, Word::Outcome);
            }
            Action::Listen => {
                self.hang_up(who);
                self.destination.connection = self.backlog();
            }
            Action::Contradiction => {}
            Action::AskOperator => {}
            Action::End => {
                self.hang_up(who);
                match who {
                    Who::Source => self.source.over = true,
                    Who::Destination => {
                        self.destination.over = true;
                        self.stop_listening();
                    }
                }
            }
        }
    }

    /// Connections that wait to be accepted are reset.
    fn stop_listening(&mut self) {
        let seen = self.destination.connection;
        for (&id, connection) in &mut self.connections {
            connection.broken |= seen.is_none_or(|seen| id > seen);
        }
        // And they never come back: the next one is a newer one.
        self.destination.connection = self.connections.keys().next_back().copied();
    }

    fn happenings(&self) -> Vec<Happening> {
        let mut all = Vec::new();
        for who in [Who::Source, Who::Destination] {
            match self.head(who) {
                Some(Action::Ask) => {
                    let there = self.destination.state.is_some() && !self.destination.over;
                    if there && self.budget.connections > 0 {
                        all.push(Happening::Does(who));
                    }
                    all.push(Happening::Nobody(who));
                }
                Some(Action::Listen) => {
                    if self.backlog().is_some() {
                        all.push(Happening::Does(who));
                    }
                    all.push(Happening::Nobody(who));
                }
                Some(Action::AskOperator) => {
                    if matches!(self.verdict(), Verdict::Tell(_)) {
                        all.push(Happening::Operator);
                    }
                }
                Some(Action::Record(Mark::Given | Mark::Live)) => {
                    all.push(Happening::Does(who));
                    if self.budget.failures > 0 {
                        all.push(Happening::Fails(who));
                    }
                }
                Some(Action::Prepare | Action::Greet | Action::Import | Action::Resume) => {
                    all.push(Happening::Does(who));
                    if self.budget.failures > 0 {
                        all.push(Happening::Fails(who));
                    }
                }
                Some(_) => all.push(Happening::Does(who)),
                None if self.waits(who) => {
                    match self.inbox(who).is_some_and(|box_| !box_.is_empty()) {
                        true => all.push(Happening::Gets(who)),
                        false if self.is_broken(who) => all.push(Happening::Notices(who)),
                        false => {}
                    }
                }
                None => {}
            }
            let (lives, mark) = match who {
                Who::Source => (self.source.state.is_some(), self.source.mark),
                Who::Destination => (self.destination.state.is_some(), self.destination.mark),
            };
            if lives && self.budget.kills > 0 {
                all.push(Happening::Kill(who));
            }
            if !lives && mark.is_some() && self.budget.restarts > 0 {
                all.push(Happening::Restart(who));
            }
        }
        for (&id, connection) in &self.connections {
            if !connection.broken && self.budget.losses > 0 {
                all.push(Happening::Breaks(id));
            }
            if connection.broken && !connection.to_source.is_empty() {
                all.push(Happening::Vanishes(id, Who::Source));
            }
            if connection.broken && !connection.to_destination.is_empty() {
                all.push(Happening::Vanishes(id, Who::Destination));
            }
        }
        let nowhere = !self.runs_at_source && !self.runs_at_destination;
        let again = matches!(self.verdict(), Verdict::StartAtSource | Verdict::StartAtDestination);
        if nowhere && again && self.budget.starts > 0 {
            all.push(Happening::StartAgain);
        }
        all
    }

    /// Whether nothing but bad luck can happen any more.
    fn is_quiet(&self) -> bool {
        !self.happenings().into_iter().any(Happening::is_progress)
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Happening;

    fn init_states(&self) -> Vec<World> {
        let (state, todo) = (self.rules.source)(source::State::Idle, Event::Start);
        let source =
            Process { state: Some(state), todo, over: false, mark: None, connection: Some(0) };
        let destination = Process {
            state: Some(destination::State::Waiting),
            todo: Vec::new(),
            over: false,
            mark: None,
            connection: Some(0),
        };
        vec![World {
            source,
            destination,
            runs_at_source: true,
            runs_at_destination: false,
            connections: BTreeMap::from([(0, Connection::default())]),
            budget: Budget {
                losses: 2,
                kills: 2,
                restarts: 2,
                failures: 1,
                connections: 3,
                starts: 1,
            },
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happening>) {
        actions.extend(world.happenings());
    }

    fn next_state(&self, world: &World, happening: Happening) -> Option<World> {
        let mut world = world.clone();
        let rules = self.rules;
        match happening {
            Happening::Does(who) => world.act(rules, who),
            Happening::Fails(who) => match world.head(who) {
                Some(Action::Record(_)) => {
                    world.budget.failures -= 1;
                    world.happen(rules, who, Event::Unrecorded);
                }
                _ => {
                    world.budget.failures -= 1;
                    world.happen(rules, who, Event::Failed);
                }
            },
            Happening::Nobody(who) => world.happen(rules, who, Event::Nobody),
            Happening::Gets(who) => {
                let id = world.connection_of(who)?;
                let connection = world.connections.get_mut(&id)?;
                let word = match who {
                    Who::Source => connection.to_source.remove(0),
                    Who::Destination => connection.to_destination.remove(0),
                };
                world.happen(rules, who, Event::Got(word));
            }
            Happening::Notices(who) => world.happen(rules, who, Event::Lost),
            Happening::Operator => {
                let Verdict::Tell(choice) = world.verdict() else { return None };
                world.happen(rules, Who::Source, Event::Operator(choice));
            }
            Happening::Breaks(id) => {
                world.budget.losses -= 1;
                world.connections.get_mut(&id)?.broken = true;
            }
            Happening::Vanishes(id, who) => {
                let connection = world.connections.get_mut(&id)?;
                match who {
                    Who::Source => connection.to_source.pop(),
                    Who::Destination => connection.to_destination.pop(),
                };
            }
            Happening::Kill(who) => {
                world.budget.kills -= 1;
                world.hang_up(who);
                match who {
                    Who::Source => world.source.kill(),
                    Who::Destination => {
                        let seen = world.destination.connection;
                        world.destination.kill();
                        world.destination.connection = seen;
                        world.stop_listening();
                    }
                }
            }
            Happening::Restart(who) => {
                world.budget.restarts -= 1;
                match who {
                    Who::Source => {
                        let (state, todo) = source::restart(world.source.mark?);
                        (world.source.state, world.source.todo) = (Some(state), todo);
                        world.source.over = false;
                    }
                    Who::Destination => {
                        let (state, todo) = destination::restart(world.destination.mark?);
                        (world.destination.state, world.destination.todo) = (Some(state), todo);
                        world.destination.over = false;
                    }
                }
            }
            Happening::StartAgain => {
                world.budget.starts -= 1;
                match world.verdict() {
                    Verdict::StartAtSource => world.runs_at_source = true,
                    Verdict::StartAtDestination => world.runs_at_destination = true,
                    _ => return None,
                }
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never two live sides", |_, world: &World| {
                !(world.runs_at_source && world.runs_at_destination)
            }),
            Property::always("never two that say it is theirs", |_, world: &World| {
                world.verdict() != Verdict::Both
            }),
            Property::always(
                "the source commits on the destination's word only",
                |_, world: &World| {
                    world.source.mark != Some(Mark::Committed)
                        || world.destination.mark == Some(Mark::Live)
                },
            ),
            Property::always(
                "in the end one side is live, or the way back has a name",
                |_, world: &World| {
                    let (source, destination) = (world.runs_at_source, world.runs_at_destination);
                    !world.is_quiet()
                        || match world.verdict() {
                            Verdict::RunsAtSource => !destination,
                            Verdict::RunsAtDestination => !source,
                            Verdict::StartAtSource => !destination,
                            Verdict::StartAtDestination => !source,
                            Verdict::Tell(_) | Verdict::Wait | Verdict::Both => false,
                        }
                },
            ),
            Property::always("without a kill, one side is live in the end", |_, world: &World| {
                world.budget.kills < 2
                    || !world.is_quiet()
                    || match world.verdict() {
                        Verdict::RunsAtSource => world.runs_at_source,
                        Verdict::RunsAtDestination => world.runs_at_destination,
                        _ => false,
                    }
            }),
            Property::sometimes("it moves", |_, world: &World| {
                world.budget == Protocol::full() && world.is_quiet() && world.runs_at_destination
            }),
            Property::sometimes("the operator commits", |_, world: &World| {
                world.source.state == Some(source::State::Doubt)
                    && world.verdict() == Verdict::Tell(crate::decision::Choice::Commit)
            }),
            Property::sometimes("the operator rolls back", |_, world: &World| {
                world.source.state == Some(source::State::Doubt)
                    && world.verdict() == Verdict::Tell(crate::decision::Choice::Rollback)
            }),
            Property::sometimes("a destination that was killed is asked", |_, world: &World| {
                world.budget.restarts < 2
                    && world.destination.over
                    && world.destination.state == Some(destination::State::Aborted)
                    && world.source.state == Some(source::State::Kept)
                    && world.source.mark == Some(Mark::Kept)
                    && world.budget.connections < 3
            }),
            Property::sometimes("it is started again at the destination", |_, world: &World| {
                world.budget.starts == 0 && world.runs_at_destination
            }),
        ]
    }
}

impl Protocol {
    fn full() -> Budget {
        let mut worlds = Self::new(crate::REAL).init_states();
        worlds.remove(0).budget
    }
}
