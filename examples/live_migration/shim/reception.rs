//! The destination's door: receives everybody who connects, each on its own, and lets nobody who is
//! not known, or says nothing, keep others out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snapshot_core::Error;
use snapshot_handover::decision::Mark;
use snapshot_handover::{Accepted, Handover};
use tokio::task::AbortHandle;

use crate::shim::arrival::{Arrival, Desk, News};
use crate::shim::link::{Listener, Stranger};
use crate::shim::lock::lock;

/// How many may be on their way in at a time. One more, and the one that has waited longest is turned
/// away.
const WAITING: usize = 64;

/// How long it waits after the system could not accept a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// How far somebody who has connected is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Has said nothing that counts.
    Waiting,
    /// Has begun a hand-over, or has gone.
    Through,
    /// Has waited too long, and is turned away.
    TurnedAway,
}

struct Visitor {
    way: Arc<Mutex<Way>>,
    task: AbortHandle,
}

/// Receives everybody, until the task is aborted.
pub(crate) async fn receive(listener: Listener, handover: Handover, desk: Arc<Desk>) {
    let mut visitors: VecDeque<Visitor> = VecDeque::new();
    loop {
        let stranger = match listener.accept().await {
            Ok(stranger) => stranger,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        visitors.retain(|visitor| *lock(&visitor.way) == Way::Waiting);
        if visitors.len() >= WAITING
            && let Some(oldest) = visitors.pop_front()
        {
            turn_away(&oldest);
        }
        let way = Arc::new(Mutex::new(Way::Waiting));
        let visit = visit(stranger, handover.clone(), Arc::clone(&desk), Arc::clone(&way));
        let task = tokio::spawn(visit).abort_handle();
        visitors.push_back(Visitor { way, task });
    }
}

/// Turns somebody away who has not begun a hand-over.
fn turn_away(visitor: &Visitor) {
    let mut way = lock(&visitor.way);
    if *way == Way::Waiting {
        *way = Way::TurnedAway;
        visitor.task.abort();
    }
}

async fn visit(stranger: Stranger, handover: Handover, desk: Arc<Desk>, way: Arc<Mutex<Way>>) {
    let link = match stranger.identify().await {
        Ok(link) => link,
        Err(error) => {
            tracing::warn!(%error, "somebody who may not was turned away");
            *lock(&way) = Way::Through;
            return;
        }
    };
    let greeted = {
        let way = Arc::clone(&way);
        move || {
            let mut way = lock(&way);
            match *way {
                Way::TurnedAway => Err(Error::precondition("turned away: too many have come")),
                _ => {
                    *way = Way::Through;
                    Ok(())
                }
            }
        }
    };
    let arrival = Arrival::new(Arc::clone(&desk), greeted);
    match handover.accept(link.into_inner(), arrival).await {
        Accepted::Live(sandbox, report) => {
            if report.settled {
                desk.settled();
            }
            desk.report(News::Live(sandbox, Box::new(report)));
        }
        // A sandbox that this host was ready for; else it was a stranger's word.
        Accepted::Refused(why) if *lock(&way) == Way::Through => {
            desk.forget();
            desk.report(News::Refused(Box::new(why)));
        }
        Accepted::Refused(why) => {
            tracing::warn!(error = %why.error, "somebody offered a sandbox that is not taken here");
        }
        Accepted::Undecided(why) => desk.report(News::Undecided(Box::new(why))),
        Accepted::Answered(record) => {
            tracing::info!(session = %record.session, mark = record.mark.as_str(), "answered");
            if record.mark == Mark::Live {
                desk.settled();
            }
        }
        Accepted::NoSession(error) => {
            tracing::warn!(%error, "somebody connected, and began no hand-over");
        }
    }
    *lock(&way) = Way::Through;
}
