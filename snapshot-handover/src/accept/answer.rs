//! Answers a source that asks for the outcome of a session, from the record alone.

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::Error;

use crate::SessionId;
use crate::decision::{Action, Event, Word, destination};
use crate::frame::Deadline;
use crate::handover::Handover;
use crate::ledger::{Record, Role};
use crate::message::{Failure, Message};
use crate::talk::Talk;

/// Answers an `Ask`. If a conversation about the session still runs in this process, waits for its end.
///
/// # Errors
///
/// If the ledger has no answer. Nothing was sent then, and the link is closed: a refusal would let
/// the source take the tree back.
pub(super) async fn answer<S>(
    handover: &Handover,
    talk: &mut Talk<S>,
    session: &SessionId,
) -> Result<Record, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let waits = Deadline::after(handover.limits.resume, "the conversation about the session");
    handover.ledger.free(session, &*handover.timer, waits).await?;
    let mut entry = handover.ledger.reopen(session)?;
    if entry.current().role != Role::Destination {
        return Err(Error::precondition(format!(
            "this side was the source of session {session}: it asks and does not answer"
        )));
    }
    let deadline = Deadline::after(handover.limits.settle, "the end of the session");
    let (mut state, restart) = destination::restart(entry.current().mark);
    for action in restart {
        if let Action::Note(mark) = action {
            let why = Error::internal("the destination was ended half-way");
            // If the mark cannot be written, every reader of the record comes to the same
            // conclusion.
            if let Err(unwritten) = entry.record(mark, Some(Failure::from(&why))) {
                tracing::warn!(%session, error = %unwritten, "a mark was not written");
            }
        }
    }
    let mut event = Event::Got(Word::Ask);
    loop {
        let actions;
        (state, actions) = destination::step(state, event);
        for action in actions {
            match action {
                Action::Send(Word::Resumed) => {
                    talk.send(Message::Resumed(Vec::new()), deadline).await
                }
                Action::Send(Word::Settled) => talk.send(Message::Settled, deadline).await,
                Action::Send(Word::Refused) => {
                    let failure = entry.current().failure.clone().unwrap_or_else(|| {
                        Failure::from(&Error::internal(
                            "the destination did not take the tree over",
                        ))
                    });
                    talk.send(Message::Refused(failure), deadline).await;
                }
                Action::Contradiction => tracing::error!(
                    %session,
                    mark = entry.current().mark.as_str(),
                    "the source contradicts this side: compare both ledgers",
                ),
                // `Listen`: the next link is another call.
                _ => {
                    talk.close(deadline).await;
                    return Ok(entry.current().clone());
                }
            }
        }
        event = match talk.receive(deadline).await {
            Some(message) => Event::Got(message.word()),
            None => Event::Lost,
        };
    }
}
