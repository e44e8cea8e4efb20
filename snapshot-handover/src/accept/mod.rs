//! The destination's side: takes a tree over, or answers a source that asks.

mod answer;
mod conversation;
mod host;

use std::fmt;
use std::sync::Arc;

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::{Controller, Error};

use conversation::{Conversation, Ended};
pub use host::Host;

use crate::frame::Deadline;
use crate::handover::Handover;
use crate::ledger::Record;
use crate::message::Message;
use crate::report::{NotMoved, Report};
use crate::talk::Talk;

/// The end of an accepted link.
#[must_use = "a live tree runs in this process"]
pub enum Accepted<R: Controller> {
    /// The tree runs here.
    Live(Arc<R>, Report),
    /// Nothing was taken over, and the tree is the source's.
    Refused(NotMoved),
    /// The write of the mark that the tree is live here failed half-way, so the mark may or may not
    /// be in the ledger. The tree does not run here. The record decides, and is the answer to a
    /// source that asks. Repair the disk; if the record says live, start the tree here from its
    /// last snapshot.
    Undecided(NotMoved),
    /// The source asked for the outcome of an earlier session, and this record was the answer.
    Answered(Record),
    /// No session has begun: the peer was a stranger or silent, its bytes were damaged, or this
    /// ledger cannot answer its question. Nothing has changed here; accept the next link.
    NoSession(Error),
}

impl<R: Controller> fmt::Debug for Accepted<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Accepted::Live(_, report) => f.debug_tuple("Live").field(report).finish(),
            Accepted::Refused(why) => f.debug_tuple("Refused").field(why).finish(),
            Accepted::Undecided(why) => f.debug_tuple("Undecided").field(why).finish(),
            Accepted::Answered(record) => f.debug_tuple("Answered").field(record).finish(),
            Accepted::NoSession(error) => f.debug_tuple("NoSession").field(error).finish(),
        }
    }
}

impl Handover {
    /// Takes over the tree that the source on the other end of the link offers. If the source asks
    /// for the outcome of an earlier session, answers it.
    ///
    /// Run it in a task of its own, as [`Handover::offer`]. A program that serves a socket calls it
    /// for each link, possibly concurrently: the ledger keeps the sessions apart.
    pub async fn accept<R: Controller>(
        &self,
        link: impl AsyncRead + AsyncWrite + Unpin + Send,
        host: impl Host<R>,
    ) -> Accepted<R> {
        run(self, link, host).await
    }
}

async fn run<R: Controller>(
    handover: &Handover,
    link: impl AsyncRead + AsyncWrite + Unpin + Send,
    host: impl Host<R>,
) -> Accepted<R> {
    let mut talk = Talk::new(handover, link);
    let deadline = Deadline::after(handover.limits.greeting, "the greeting");
    if let Err(error) = talk.agree(handover, deadline).await {
        return Accepted::NoSession(error);
    }
    match talk.receive(deadline).await {
        Some(Message::Hello(hello)) => {
            let mut conversation = Conversation::new(handover, hello, host);
            let ended = conversation.drive(&mut talk).await;
            outcome(conversation, ended, &talk.trouble())
        }
        Some(Message::Ask(ask)) => match answer::answer(handover, &mut talk, &ask.session).await {
            Ok(record) => Accepted::Answered(record),
            Err(error) => Accepted::NoSession(error),
        },
        _ => Accepted::NoSession(talk.trouble()),
    }
}

fn outcome<R: Controller, H: Host<R>>(
    conversation: Conversation<R, H>,
    ended: Ended,
    trouble: &Error,
) -> Accepted<R> {
    match ended {
        Ended::Live { settled } => match conversation.live(settled) {
            Ok((root, report)) => Accepted::Live(root, report),
            Err(not_moved) => Accepted::Refused(*not_moved),
        },
        Ended::Aborted => Accepted::Refused(conversation.refused(trouble)),
        Ended::Left => Accepted::Undecided(conversation.refused(trouble)),
    }
}
