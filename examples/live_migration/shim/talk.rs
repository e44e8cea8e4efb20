//! One side's end of the conversation, over as many connections as it takes.

use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};
use snapshot_core::{Code, Error};

use crate::shim::cli::{Death, Moment, Options};
use crate::shim::link::{Address, Link, Listener};
use crate::shim::protocol::{Channel, Message};

/// A conversation about one migration.
pub(crate) struct Talk {
    channel: Option<Channel<Link>>,
    /// What is wrong with the connection, or with what came last.
    trouble: Option<Error>,
    patience: Duration,
    /// Until when the other side is waited for, since it was lost.
    until: Option<Instant>,
    death: Option<Death>,
}

impl Talk {
    /// A conversation over this connection, if there is one yet.
    pub(crate) fn new(options: &Options, link: Option<Link>) -> Self {
        Self {
            channel: link.map(Channel::new),
            trouble: None,
            patience: Duration::from_secs_f64(options.patience),
            until: None,
            death: options.die.clone(),
        }
    }

    /// Sends a message. If it cannot be sent, the next wait tells.
    pub(crate) fn send(&mut self, message: &Message) {
        self.die(Moment::Sending, message);
        let sent = match &mut self.channel {
            Some(channel) => channel.send(message),
            None => return,
        };
        match sent {
            Ok(()) => self.die(Moment::Sent, message),
            Err(error) => self.hang_up(error),
        }
    }

    /// Waits for a message; `None` if the connection is lost.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        match self.channel.as_mut()?.receive() {
            Ok(message) => {
                self.die(Moment::Got, &message);
                self.until = None;
                self.trouble = Some(Error::new(
                    Code::FailedPrecondition,
                    format!("the other side sent {} where it does not belong", message.name()),
                ));
                Some(message)
            }
            Err(error) => {
                self.hang_up(error);
                None
            }
        }
    }

    /// Closes the connection.
    pub(crate) fn hang_up(&mut self, why: Error) {
        self.channel = None;
        self.trouble = Some(why);
    }

    /// What went wrong last.
    pub(crate) fn trouble(&self) -> Error {
        self.trouble.clone().unwrap_or_else(|| Error::internal("nothing was said"))
    }

    /// Asks the destination on a new connection what became of the migration. Says whether the
    /// patience has lasted so long.
    pub(crate) fn ask(&mut self, address: &Address, migration: &str) -> bool {
        let Some(left) = self.time_left() else { return false };
        let asked = Link::connect(address, left).and_then(|link| {
            link.wait_at_most(left)?;
            Ok(link)
        });
        match asked {
            Ok(link) => {
                self.channel = Some(Channel::new(link));
                self.send(&Message::Outcome(migration.to_owned()));
                true
            }
            Err(error) => {
                self.hang_up(error);
                false
            }
        }
    }

    /// Waits for the source on a new connection. Says whether it has come while the patience lasts.
    pub(crate) fn listen(&mut self, listener: &Listener) -> bool {
        self.channel = None;
        let Some(left) = self.time_left() else { return false };
        let accepted = listener.accept(Some(left)).and_then(|link| {
            link.wait_at_most(left)?;
            Ok(link)
        });
        match accepted {
            Ok(link) => {
                self.channel = Some(Channel::new(link));
                true
            }
            Err(error) => {
                self.hang_up(error);
                false
            }
        }
    }

    /// What is left of the patience; `None` if it was used up by an earlier try.
    fn time_left(&mut self) -> Option<Duration> {
        let now = Instant::now();
        match self.until {
            None => {
                self.until = now.checked_add(self.patience);
                Some(self.patience)
            }
            Some(until) => until.checked_duration_since(now),
        }
    }

    /// The rehearsal of a kill.
    fn die(&self, moment: Moment, message: &Message) {
        let is_it = |death: &Death| death.moment == moment && death.message == message.name();
        if self.death.as_ref().is_some_and(is_it) {
            // There is no way to go on, and none to be told of it.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }
}
