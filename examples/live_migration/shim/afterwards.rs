//! A shim that is started again after one that was killed. It migrates nothing: the sandbox ended, or
//! stands still, with the shim that had it. It finishes the conversation, so that the other side
//! knows whose the sandbox is.

use rustix::process::{Signal, pidfd_send_signal};
use snapshot_core::Error;
use snapshot_handover::decision::{Action, Event, Mark, Verdict, Word, destination, source};

use crate::shim::cli::Options;
use crate::shim::drive::{Hands, Next, drive};
use crate::shim::link::{Address, Listener};
use crate::shim::protocol::{Failure, Message};
use crate::shim::record::Record;
use crate::shim::source::decide;
use crate::shim::talk::Talk;
use crate::shim::verdict::sentence;
use crate::shim::{Outcome, say};

/// Who the other side is.
enum Other<'a> {
    /// A destination that listens there.
    Destination(&'a Address),
    /// A source that comes.
    Source(&'a Listener),
}

struct Afterwards<'a> {
    name: &'static str,
    other: Other<'a>,
    talk: Talk,
    record: Record,
}

/// Finishes a source's conversation.
///
/// # Errors
///
/// The shim that was to be killed still runs.
pub(crate) fn source(
    options: &Options,
    address: &Address,
    record: Record,
) -> anyhow::Result<Outcome> {
    let mut shim = Afterwards::new("source", Other::Destination(address), options, record)?;
    let restart = source::restart(shim.record.mark);
    drive(&mut shim, source::step, restart)?;
    power_off(&shim.record);
    let kept = shim.record.mark == Mark::Kept;
    let verdict = if kept { Verdict::StartAtSource } else { Verdict::RunsAtDestination };
    say("source", sentence(verdict));
    Ok(if kept { Outcome::RanOn } else { Outcome::Moved })
}

/// Finishes a destination's conversation.
///
/// # Errors
///
/// The shim that was to be killed still runs.
pub(crate) fn destination(
    options: &Options,
    listener: &Listener,
    record: Record,
) -> anyhow::Result<Outcome> {
    let mut shim = Afterwards::new("destination", Other::Source(listener), options, record)?;
    let restart = destination::restart(shim.record.mark);
    drive(&mut shim, destination::step, restart)?;
    let live = shim.record.mark == Mark::Live;
    if live {
        power_off(&shim.record);
        say("destination", sentence(Verdict::StartAtDestination));
    } else {
        say("destination", "took nothing over: the sandbox is the source's");
    }
    Ok(if live { Outcome::TookOver } else { Outcome::NotTaken })
}

impl<'a> Afterwards<'a> {
    fn new(
        name: &'static str,
        other: Other<'a>,
        options: &Options,
        mut record: Record,
    ) -> Result<Self, Error> {
        record.take_over()?;
        let mark = record.mark.as_str();
        say(name, &format!("finishes migration {}, which it left {mark}", record.migration));
        Ok(Self { name, other, talk: Talk::new(options, None), record })
    }

    fn failure(&self) -> Failure {
        self.record.failure.clone().unwrap_or_else(|| {
            Failure::from(&Error::internal(format!("the {}'s shim was killed", self.name)))
        })
    }
}

impl Hands for Afterwards<'_> {
    fn act(&mut self, action: Action) -> anyhow::Result<Next> {
        match (action, &self.other) {
            (Action::Record(mark) | Action::Note(mark), _) => {
                if matches!(mark, Mark::Kept | Mark::Aborted) {
                    self.record.failure = Some(self.failure());
                }
                self.record.mark(mark).map_err(|unwritten| unwritten.error)?;
            }
            (Action::Send(word), _) => {
                let message = match word {
                    Word::Resumed => {
                        Message::Resumed(self.record.resumed.clone().unwrap_or_default())
                    }
                    Word::Refused => Message::Refused(self.failure()),
                    Word::Abort => Message::Abort(self.failure()),
                    Word::Committed => {
                        Message::Committed(self.record.handed.clone().unwrap_or_default())
                    }
                    Word::Settled => Message::Settled,
                    other => anyhow::bail!("{other:?} is not said afterwards"),
                };
                self.talk.send(&message);
            }
            (Action::Ask, Other::Destination(address)) => {
                if !self.talk.ask(address, &self.record.migration) {
                    return Ok(Next::Happened(Event::Nobody));
                }
            }
            (Action::Listen, Other::Source(listener)) => {
                if !self.talk.listen(listener) {
                    return Ok(Next::Happened(Event::Nobody));
                }
            }
            (Action::AskOperator, _) => {
                return Ok(Next::Happened(Event::Operator(decide(&self.talk.trouble()))));
            }
            // What there was to thaw, to commit and to abort ended with the shim that had it.
            (Action::Thaw | Action::Commit | Action::Abort, _) => {}
            (Action::Contradiction, _) => anyhow::bail!(
                "the two sides contradict each other: look at both with `live_migration status`"
            ),
            (Action::End, _) => return Ok(Next::End),
            (action, _) => anyhow::bail!("{action:?} is not done afterwards"),
        }
        Ok(Next::GoOn)
    }

    fn wait(&mut self) -> Event {
        let Some(message) = self.talk.receive() else { return Event::Lost };
        match &message {
            Message::Outcome(migration) if *migration != self.record.migration => {
                let why = format!("migration {migration} is not this one");
                self.talk.hang_up(Error::invalid(why));
                return Event::Lost;
            }
            Message::Committed(handed) => {
                self.record.handed = Some(handed.clone());
                if let Err(error) = self.record.write() {
                    say(self.name, &format!("{error}"));
                }
            }
            _ => {}
        }
        message.word().map_or(Event::Lost, Event::Got)
    }
}

/// Lets processes of the guest go on that were left standing still, so that they notice that nobody
/// holds the guest's power any more, and end.
fn power_off(record: &Record) {
    for process in &record.processes {
        if let Ok(pidfd) = process.identity.open()
            && let Err(error) = pidfd_send_signal(&pidfd, Signal::CONT)
        {
            tracing::warn!(pid = process.identity.pid, %error, "a process is left standing still");
        }
    }
}
