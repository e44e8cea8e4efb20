//! A source after a restart. Its tree ended with the process that had it; what remains is to find
//! the owner of the tree, and to record it.

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::{ControllerSet, Error};

use super::{Conversation, Finished};
use crate::SessionId;
use crate::decision::{Action, Choice, Event, Mark, source};
use crate::handover::Handover;
use crate::ledger::{Entry, Role};
use crate::talk::Talk;

fn reopen(handover: &Handover, session: &SessionId) -> Result<Entry, Error> {
    let entry = handover.ledger.reopen(session)?;
    match entry.current().role {
        Role::Source => Ok(entry),
        Role::Destination => Err(Error::precondition(format!(
            "this side was the destination of session {session}: it answers and does not ask"
        ))),
    }
}

pub(super) async fn finish(
    handover: &Handover,
    session: &SessionId,
    link: impl AsyncRead + AsyncWrite + Unpin + Send,
) -> Result<Finished, Error> {
    let entry = reopen(handover, session)?;
    let (state, actions) = source::restart(entry.current().mark);
    // There is no tree, so the type of its root does not matter.
    let mut conversation = Conversation::<ControllerSet>::afterwards(handover, entry);
    let mut talk = Talk::new(handover, link);
    conversation.begin_asking();
    let paused = match actions.as_slice() {
        [Action::Ask] => match talk.agree(handover, conversation.deadline()).await {
            Ok(()) => {
                conversation.ask(&mut talk).await;
                conversation.drive(&mut talk, state, Vec::new()).await
            }
            Err(_) => conversation.drive(&mut talk, state, actions).await,
        },
        _ => conversation.drive(&mut talk, state, actions).await,
    };
    let trouble = talk.trouble();
    Ok(match paused.state {
        source::State::Committed => Finished::Committed(conversation.committed(paused.settled)),
        source::State::Kept => {
            Finished::Kept(conversation.kept(&Error::internal("the source was ended half-way")))
        }
        _ => {
            conversation.leave();
            Finished::InDoubt(trouble)
        }
    })
}

pub(super) fn decide(
    handover: &Handover,
    session: &SessionId,
    choice: Choice,
) -> Result<(), Error> {
    let mut entry = reopen(handover, session)?;
    if entry.current().mark != Mark::Given {
        return Err(Error::precondition(format!(
            "session {session} is not in doubt: its mark is {}",
            entry.current().mark.as_str()
        )));
    }
    let (doubt, _) = source::step(source::State::Given, Event::Nobody);
    let (_, actions) = source::step(doubt, Event::Operator(choice));
    for action in actions {
        if let Action::Note(mark) | Action::Record(mark) = action {
            entry.record(mark, None)?;
        }
    }
    entry.finish();
    Ok(())
}
