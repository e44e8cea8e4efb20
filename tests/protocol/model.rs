//! The world around the two sides: connections that break, processes that are killed and restarted,
//! checkpoints from which they continue, and an operator who follows the verdict.

mod budget;
mod happening;
mod properties;

use std::collections::BTreeMap;

use snapshot_handover::decision::{
    Action, Again, Choice, Event, Mark, Side, Verdict, Word, Written, destination, source, verdict,
};
use stateright::{Model, Property};

pub(crate) use budget::Budget;
use happening::{Happening, Trouble};

/// The decisions of a side: the library's own functions, or some with a mistake.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) source: fn(source::State, Event) -> (source::State, Vec<Action>),
    pub(crate) destination: fn(destination::State, Event) -> (destination::State, Vec<Action>),
    /// The behaviour of each side's ledger.
    pub(crate) ledger: Ledger,
    /// The way in which a restarted process continues its sandbox.
    pub(crate) again: TakesUp,
}

/// The way in which a restarted process continues its sandbox.
#[derive(Clone, Copy)]
pub(crate) struct TakesUp {
    pub(crate) source: fn(Option<Mark>) -> Again,
    pub(crate) destination: fn(Option<Mark>) -> Again,
    /// Whether a second process finds the ledger locked.
    pub(crate) locks: bool,
    /// Whether the `patch` hooks detect that the checkpoint is older than the work.
    pub(crate) compares: bool,
    /// Whether the destination keeps the sandbox before it writes that it is live.
    pub(crate) keeps: bool,
}

/// The behaviour of a ledger, beyond writes that succeed or fail.
#[derive(Clone, Copy)]
pub(crate) struct Ledger {
    /// Whether a mark that was reported as written can be lost.
    pub(crate) loses: fn(Action) -> bool,
    /// The record that a reader sees.
    pub(crate) reads: fn(Written) -> Written,
}

/// The model.
pub(crate) struct Protocol {
    rules: Rules,
    /// The number of failures that may happen.
    budget: Budget,
}

impl Protocol {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, budget: Budget::LINKS }
    }

    pub(crate) fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }
}

/// A connection, with the messages in transit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Connection {
    to_source: Vec<Word>,
    to_destination: Vec<Word>,
    broken: bool,
}

/// A shim's process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process<S> {
    /// `None` after it was killed.
    state: Option<S>,
    /// The actions that it has still to do before the next event.
    todo: Vec<Action>,
    /// Whether it has finished its conversation.
    over: bool,
    /// Its record, on its disk.
    written: Written,
    /// Its connection.
    connection: Option<u8>,
    /// Whether it was restarted after a kill.
    is_again: bool,
}

impl<S> Process<S> {
    fn kill(&mut self) {
        (self.state, self.todo, self.connection) = (None, Vec::new(), None);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    source: Process<source::State>,
    destination: Process<destination::State>,
    /// Whether the sandbox runs there. It outlives its shim, as a VM does.
    runs_at_source: bool,
    runs_at_destination: bool,
    /// The number of processes that have it there.
    holders: [u8; 2],
    /// The version of the sandbox, and of the state from which each side could continue.
    work: u8,
    checkpoints: [Option<u8>; 2],
    /// Whether an outdated checkpoint was continued, and nobody has reported it.
    is_silently_stale: bool,
    /// Whether one was continued, and was reported.
    is_reported_stale: bool,
    /// Whether the destination's process holds resources of its host for the tree.
    bound_at_destination: bool,
    connections: BTreeMap<u8, Connection>,
    budget: Budget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Source,
    Destination,
}

impl World {
    fn sides(&self, rules: Rules) -> (Side, Side) {
        let source = Side {
            written: (rules.ledger.reads)(self.source.written),
            // A source that has released the sandbox ends.
            alive: self
                .source
                .state
                .is_some_and(|state| !(self.source.over && state == source::State::Committed)),
        };
        let destination = Side {
            written: (rules.ledger.reads)(self.destination.written),
            alive: self.destination.state.is_some_and(|state| {
                !(self.destination.over && state == destination::State::Aborted)
            }),
        };
        (source, destination)
    }

    fn verdict(&self, rules: Rules) -> Verdict {
        let (source, destination) = self.sides(rules);
        verdict(source, destination)
    }

    /// Returns the decision of a restarted process of this side about the sandbox.
    fn again(&self, rules: Rules, who: Who) -> Option<Again> {
        let (written, again) = match who {
            Who::Source => (self.source.written, rules.again.source),
            Who::Destination => (self.destination.written, rules.again.destination),
        };
        match (rules.ledger.reads)(written) {
            Written::Nothing => Some(again(None)),
            Written::Mark(mark) => Some(again(Some(mark))),
            // It refuses to start.
            Written::Unreadable => None,
        }
    }

    fn runs_mut(&mut self, who: Who) -> &mut bool {
        match who {
            Who::Source => &mut self.runs_at_source,
            Who::Destination => &mut self.runs_at_destination,
        }
    }

    /// Continues the sandbox from a side's checkpoint.
    fn take_up(&mut self, rules: Rules, who: Who) {
        let Some(kept) = self.checkpoints[who as usize] else { return };
        if kept < self.work {
            match rules.again.compares {
                true => self.is_reported_stale = true,
                false => self.is_silently_stale = true,
            }
            // Things that are missing in the checkpoint are removed.
            self.work = kept;
        }
        self.holders[who as usize] += 1;
        *self.runs_mut(who) = true;
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

    /// Returns whether a side only waits for a message.
    fn waits(&self, who: Who) -> bool {
        let (lives, over) = match who {
            Who::Source => (self.source.state.is_some(), self.source.over),
            Who::Destination => (self.destination.state.is_some(), self.destination.over),
        };
        lives && !over && self.head(who).is_none()
    }

    /// Returns a connection that the source has opened and the destination has not accepted yet.
    fn backlog(&self) -> Option<u8> {
        let seen = self.destination.connection;
        self.connections.keys().copied().find(|&id| seen.is_none_or(|seen| id > seen))
    }

    fn hang_up(&mut self, who: Who) {
        let id = match who {
            Who::Source => self.source.connection.take(),
            // Kept, to know the connection after it.
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

    fn written_mut(&mut self, who: Who) -> &mut Written {
        match who {
            Who::Source => &mut self.source.written,
            Who::Destination => &mut self.destination.written,
        }
    }

    /// The sandbox outlives the process.
    fn kill(&mut self, who: Who) {
        self.hang_up(who);
        self.holders[who as usize] = 0;
        match who {
            Who::Source => self.source.kill(),
            Who::Destination => {
                let seen = self.destination.connection;
                // Resources that were only bound end with the process.
                self.bound_at_destination = false;
                self.destination.kill();
                self.destination.connection = seen;
                self.stop_listening();
            }
        }
    }

    /// Lets the write of the mark at the head of a side's list fail.
    fn write(&mut self, rules: Rules, who: Who, trouble: Trouble) {
        let todo = match who {
            Who::Source => &mut self.source.todo,
            Who::Destination => &mut self.destination.todo,
        };
        let action = todo.remove(0);
        let (Action::Record(mark) | Action::Note(mark)) = action else { return };
        match trouble {
            Trouble::FailsAndIsThere | Trouble::KilledAndIsThere => {
                *self.written_mut(who) = Written::Mark(mark);
            }
            Trouble::FailsAndTears | Trouble::KilledAndTears => {
                *self.written_mut(who) = Written::Unreadable;
            }
            Trouble::Fails | Trouble::IsLost | Trouble::Killed => {}
        }
        match (action, trouble) {
            (_, trouble) if trouble.kills() => self.kill(who),
            (Action::Record(_), Trouble::IsLost) | (Action::Note(_), _) => {}
            (_, Trouble::Fails) => self.happen(rules, who, Event::Unrecorded),
            _ => self.happen(rules, who, Event::Unsure),
        }
    }

    /// Does the action at the head of a side's list.
    fn act(&mut self, rules: Rules, who: Who) {
        let todo = match who {
            Who::Source => &mut self.source.todo,
            Who::Destination => &mut self.destination.todo,
        };
        match todo.remove(0) {
            Action::Record(mark) | Action::Note(mark) => {
                *self.written_mut(who) = Written::Mark(mark);
            }
            Action::Send(word) => self.say(who, word),
            Action::Freeze => {
                self.runs_at_source = false;
                self.happen(rules, who, Event::Done);
            }
            Action::Import => {
                self.bound_at_destination = true;
                self.checkpoints[1] = rules.again.keeps.then_some(self.work);
                self.happen(rules, who, Event::Done);
            }
            Action::Prepare => {
                self.bound_at_destination = true;
                self.happen(rules, who, Event::Done);
            }
            Action::Rehearse | Action::Weigh | Action::Greet | Action::Resume => {
                self.happen(rules, who, Event::Done);
            }
            // A restarted process has nothing to thaw: it continues from its checkpoint.
            Action::Thaw => self.runs_at_source |= self.holders[0] > 0,
            Action::Commit => {
                if self.holders[0] > 0 {
                    self.runs_at_source = false;
                }
                (self.holders[0], self.checkpoints[0]) = (0, None);
            }
            Action::GoLive => {
                self.runs_at_destination = true;
                self.holders[1] = 1;
            }
            Action::Abort => {
                (self.runs_at_destination, self.bound_at_destination) = (false, false);
                self.holders[1] = 0;
            }
            Action::Ask => {
                self.hang_up(who);
                let id = self.connections.keys().next_back().map_or(0, |last| last + 1);
                self.connections.insert(id, Connection::default());
                self.source.connection = Some(id);
                self.budget.connections -= 1;
                self.say(who, Word::Ask);
            }
            Action::Listen => {
                self.hang_up(who);
                self.destination.connection = self.backlog();
            }
            // The knowledge of this process no longer counts, as after a kill.
            Action::Leave => self.kill(who),
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
        // These never come back: the next connection is a newer one.
        self.destination.connection = self.connections.keys().next_back().copied();
    }

    /// Returns whether the destination is live and the source has not yet released its frozen tree.
    fn is_between(&self) -> bool {
        self.holders == [1, 1] && !self.runs_at_source
    }

    /// Returns whether a side's process was restarted.
    fn is_again(&self, who: Who) -> bool {
        match who {
            Who::Source => self.source.is_again,
            Who::Destination => self.destination.is_again,
        }
    }

    /// Returns whether only failures can still happen.
    fn is_quiet(&self, rules: Rules) -> bool {
        !self.happenings(rules).into_iter().any(Happening::is_progress)
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Happening;

    fn init_states(&self) -> Vec<World> {
        let (state, todo) = match self.budget.idles {
            true => (source::State::Idle, Vec::new()),
            false => (self.rules.source)(source::State::Idle, Event::Start),
        };
        let source = Process {
            state: Some(state),
            todo,
            over: false,
            written: Written::Nothing,
            connection: Some(0),
            is_again: false,
        };
        let destination = Process {
            state: Some(destination::State::Waiting),
            todo: Vec::new(),
            over: false,
            written: Written::Nothing,
            connection: Some(0),
            is_again: false,
        };
        vec![World {
            source,
            destination,
            runs_at_source: true,
            runs_at_destination: false,
            holders: [1, 0],
            work: 0,
            checkpoints: [Some(0), None],
            is_silently_stale: false,
            is_reported_stale: false,
            bound_at_destination: false,
            connections: BTreeMap::from([(0, Connection::default())]),
            budget: self.budget.clone(),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happening>) {
        actions.extend(world.happenings(self.rules));
    }

    fn next_state(&self, world: &World, happening: Happening) -> Option<World> {
        let mut world = world.clone();
        let rules = self.rules;
        match happening {
            Happening::Does(who) => world.act(rules, who),
            Happening::Fails(who) => {
                world.budget.failures -= 1;
                if let (Who::Destination, Some(Action::Prepare | Action::Import | Action::Resume)) =
                    (who, world.head(who))
                {
                    // A failed step undoes itself, and everything that was prepared before.
                    world.bound_at_destination = false;
                }
                world.happen(rules, who, Event::Failed);
            }
            Happening::Writes(who, trouble) => {
                match trouble.kills() {
                    true => world.budget.kills -= 1,
                    false => world.budget.writes -= 1,
                }
                world.write(rules, who, trouble);
            }
            Happening::Skips(who) => world.happen(rules, who, Event::Unneeded),
            Happening::RehearsesAgain => world.happen(rules, Who::Source, Event::Again),
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
                let choice = match world.verdict(rules) {
                    Verdict::Tell(choice) => choice,
                    Verdict::Look if world.runs_at_destination => Choice::Commit,
                    Verdict::Look => Choice::Rollback,
                    _ => return None,
                };
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
                world.kill(who);
            }
            Happening::Restart(who) => {
                world.budget.restarts -= 1;
                let mark = match (rules.ledger.reads)(*world.written_mut(who)) {
                    Written::Mark(mark) => Some(mark),
                    Written::Nothing => None,
                    Written::Unreadable => return None,
                };
                match who {
                    Who::Source => {
                        let is_taken_up = (rules.again.source)(mark) == Again::TakeUp;
                        let (state, todo) = match mark {
                            Some(mark) if !world.budget.idles || !is_taken_up => {
                                source::restart(mark)
                            }
                            // There is no conversation to finish first.
                            _ => (source::State::Kept, vec![Action::End]),
                        };
                        (world.source.state, world.source.todo) = (Some(state), todo);
                        (world.source.over, world.source.is_again) = (false, true);
                    }
                    Who::Destination => {
                        let nothing = (destination::State::Waiting, vec![Action::Listen]);
                        let (state, todo) = mark.map_or(nothing, destination::restart);
                        (world.destination.state, world.destination.todo) = (Some(state), todo);
                        (world.destination.over, world.destination.is_again) = (false, true);
                    }
                }
            }
            Happening::Begins => world.happen(rules, Who::Source, Event::Start),
            Happening::Changes => {
                world.budget.changes -= 1;
                world.work += 1;
            }
            Happening::Checkpoint => world.checkpoints[0] = Some(world.work),
            Happening::TakesUp(who) => world.take_up(rules, who),
            Happening::Doubles(who) => {
                world.budget.restarts -= 1;
                world.take_up(rules, who);
            }
            Happening::StartAgain => {
                world.budget.starts -= 1;
                match world.verdict(rules) {
                    Verdict::StartAtSource | Verdict::Look => world.runs_at_source = true,
                    Verdict::StartAtDestination => world.runs_at_destination = true,
                    _ => return None,
                }
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
