//! A source that does not know whether the destination is live.

use std::fmt;

use futures_io::{AsyncRead, AsyncWrite};
use futures_util::io::Cursor;
use snapshot_core::{Code, Controller, Error};

use super::{Conversation, Offered, ended};
use crate::SessionId;
use crate::decision::{Action, Choice, Event, source};
use crate::talk::Talk;

/// A source that has asked the destination to resume and has no answer. Its tree stays frozen: it
/// runs at the destination, or nowhere.
///
/// [Ask](Doubt::ask) on a new link as long as there is hope. Otherwise an operator looks at both
/// ledgers, gets a [`verdict`](crate::decision::verdict()), and [decides](Doubt::decide).
#[must_use = "the tree is frozen until the doubt is resolved"]
pub struct Doubt<R: Controller> {
    conversation: Box<Conversation<R>>,
    trouble: Error,
}

impl<R: Controller> Doubt<R> {
    pub(super) fn new(conversation: Conversation<R>, trouble: Error) -> Self {
        Self { conversation: Box::new(conversation), trouble }
    }

    /// Returns the session.
    pub fn session(&self) -> &SessionId {
        self.conversation.session()
    }

    /// Returns the reason why there is no answer.
    pub fn error(&self) -> &Error {
        &self.trouble
    }

    /// Asks the destination on a new link for the outcome of the session.
    pub async fn ask(mut self, link: impl AsyncRead + AsyncWrite + Unpin + Send) -> Offered<R> {
        let handover = self.conversation.handover().clone();
        let mut talk = Talk::new(&handover, link);
        self.conversation.begin_asking();
        if let Err(error) = talk.agree(&handover, self.conversation.deadline()).await {
            self.trouble = error;
            return Offered::InDoubt(self);
        }
        self.conversation.ask(&mut talk).await;
        let paused = self.conversation.drive(&mut talk, source::State::Given, Vec::new()).await;
        ended(*self.conversation, paused, &talk.trouble())
    }

    /// Does what an operator has decided: releases the tree, or takes it back. Nothing checks the
    /// decision. A rollback while the destination is live makes two of the tree.
    pub async fn decide(mut self, choice: Choice) -> Offered<R> {
        let reason = match choice {
            Choice::Commit => "the operator gave the tree to the destination",
            Choice::Rollback => "the operator took the tree back",
        };
        let trouble = Error::new(Code::Cancelled, reason);
        let mut talk = Talk::<Cursor<Vec<u8>>>::without_link(trouble.clone());
        let (doubt, asks) = source::step(source::State::Given, Event::Nobody);
        debug_assert_eq!(asks, [Action::AskOperator]);
        let (state, actions) = source::step(doubt, Event::Operator(choice));
        let paused = self.conversation.drive(&mut talk, state, actions).await;
        ended(*self.conversation, paused, &trouble)
    }
}

impl<R: Controller> fmt::Debug for Doubt<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doubt")
            .field("session", self.session())
            .field("trouble", &self.trouble)
            .finish_non_exhaustive()
    }
}
