//! The possible next steps of the model's world.

use snapshot_handover::decision::{Action, Again, Verdict, Written, source};

use super::{Rules, Who, World};

/// The way in which the write of a mark fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trouble {
    /// Reported as failed, and the old record remains.
    Fails,
    /// Reported as failed, but the mark is written.
    FailsAndIsThere,
    /// Reported as failed, and the record is damaged.
    FailsAndTears,
    /// Reported as done, but the old record remains.
    IsLost,
    /// The process is killed meanwhile, and the old record remains.
    Killed,
    /// The process is killed meanwhile, and the mark is written.
    KilledAndIsThere,
    /// The process is killed meanwhile, and the record is damaged.
    KilledAndTears,
}

impl Trouble {
    const ALL: [Trouble; 7] = [
        Trouble::Fails,
        Trouble::FailsAndIsThere,
        Trouble::FailsAndTears,
        Trouble::IsLost,
        Trouble::Killed,
        Trouble::KilledAndIsThere,
        Trouble::KilledAndTears,
    ];

    pub(super) fn kills(self) -> bool {
        matches!(self, Trouble::Killed | Trouble::KilledAndIsThere | Trouble::KilledAndTears)
    }
}

/// A possible next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// A side does its next action, which succeeds.
    Does(Who),
    /// The action is not needed.
    Skips(Who),
    /// The source rehearses once more.
    RehearsesAgain,
    /// The action fails.
    Fails(Who),
    /// The write of a mark fails in some way.
    Writes(Who, Trouble),
    /// The other side is absent for longer than the patience of this one.
    Nobody(Who),
    /// A side receives the next message.
    Gets(Who),
    /// A side notices that its connection is lost.
    Notices(Who),
    /// The operator follows the verdict.
    Operator,
    /// A connection breaks.
    Breaks(u8),
    /// The last message in transit on a broken connection is lost.
    Vanishes(u8, Who),
    Kill(Who),
    Restart(Who),
    /// The source begins the hand-over.
    Begins,
    /// The sandbox changes.
    Changes,
    /// The checkpoint of the change is written.
    Checkpoint,
    /// A restarted process continues the sandbox of its side.
    TakesUp(Who),
    /// A second process is started in addition, and continues the sandbox too if it can.
    Doubles(Who),
    /// The operator starts the sandbox again where the verdict says.
    StartAgain,
}

impl Happening {
    /// Returns whether the two sides and their operator make progress by it. If not, it is a
    /// failure, which need not happen.
    pub(super) fn is_progress(self) -> bool {
        !matches!(
            self,
            Happening::Fails(_)
                | Happening::Writes(..)
                | Happening::Breaks(_)
                | Happening::Vanishes(..)
                | Happening::Kill(_)
                | Happening::Restart(_)
                | Happening::Changes
                | Happening::Doubles(_)
                | Happening::StartAgain
        )
    }
}

impl World {
    pub(super) fn happenings(&self, rules: Rules) -> Vec<Happening> {
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
                    if matches!(self.verdict(rules), Verdict::Tell(_) | Verdict::Look) {
                        all.push(Happening::Operator);
                    }
                }
                Some(action @ (Action::Record(_) | Action::Note(_))) => {
                    all.push(Happening::Does(who));
                    for trouble in Trouble::ALL {
                        let left = match trouble.kills() {
                            true => self.budget.kills,
                            false => self.budget.writes,
                        };
                        let can = trouble != Trouble::IsLost || (rules.ledger.loses)(action);
                        if left > 0 && can {
                            all.push(Happening::Writes(who, trouble));
                        }
                    }
                }
                Some(
                    action @ (Action::Rehearse
                    | Action::Weigh
                    | Action::Freeze
                    | Action::Greet
                    | Action::Prepare
                    | Action::Import
                    | Action::Resume),
                ) => {
                    if action == Action::Rehearse {
                        all.push(Happening::Skips(who));
                    }
                    if action == Action::Weigh {
                        all.push(Happening::RehearsesAgain);
                    }
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
            let (lives, written) = match who {
                Who::Source => (self.source.state.is_some(), self.source.written),
                Who::Destination => (self.destination.state.is_some(), self.destination.written),
            };
            // An unreadable record is refused.
            let readable = match (rules.ledger.reads)(written) {
                Written::Mark(_) => true,
                Written::Nothing => self.budget.idles,
                Written::Unreadable => false,
            };
            if lives && self.budget.kills > 0 {
                all.push(Happening::Kill(who));
            }
            if !lives && readable && self.budget.restarts > 0 {
                all.push(Happening::Restart(who));
            }
            let over = match who {
                Who::Source => self.source.over,
                // It listens while it has the sandbox.
                Who::Destination => true,
            };
            let holders = self.holders[who as usize];
            let may = self.again(rules, who) == Some(Again::TakeUp)
                && self.checkpoints[who as usize].is_some();
            if lives && over && may && holders == 0 && self.is_again(who) {
                all.push(Happening::TakesUp(who));
            }
            if lives && may && holders == 1 && !rules.again.locks && self.budget.restarts > 0 {
                all.push(Happening::Doubles(who));
            }
        }
        let idles = self.source.state == Some(source::State::Idle);
        if idles {
            all.push(Happening::Begins);
        }
        let runs = idles && self.runs_at_source && self.holders[0] > 0;
        if runs && self.budget.changes > 0 {
            all.push(Happening::Changes);
        }
        // The last change may or may not be in the checkpoint when a hand-over begins.
        if runs && self.checkpoints[0] != Some(self.work) {
            all.push(Happening::Checkpoint);
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
        // An operator who looks because of `Look` sees that it runs nowhere, and starts it at the
        // source.
        let again = match self.verdict(rules) {
            Verdict::StartAtSource | Verdict::StartAtDestination => true,
            Verdict::Look => self.source.state.is_none(),
            _ => false,
        };
        if nowhere && again && self.budget.starts > 0 {
            all.push(Happening::StartAgain);
        }
        all
    }
}
