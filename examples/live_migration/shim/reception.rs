//! The entrance of the destination: serves each connection separately, so that an unknown or silent
//! peer cannot block the others.

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

/// The maximum number of connections that wait. If there is one more, the one that has waited
/// longest is refused.
const WAITING: usize = 64;

/// The pause after the system could not accept a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The progress of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Has sent nothing that counts.
    Waiting,
    /// Has begun a hand-over, or is closed.
    Through,
    /// Has waited too long, and is refused.
    TurnedAway,
}

struct Visitor {
    way: Arc<Mutex<Way>>,
    task: AbortHandle,
}

/// Serves all connections, until the task is aborted.
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

/// Refuses a connection without a hand-over.
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
            tracing::warn!(%error, "an unauthorised peer was refused");
            *lock(&way) = Way::Through;
            return;
        }
    };
    let greeted = {
        let way = Arc::clone(&way);
        move || {
            let mut way = lock(&way);
            match *way {
                Way::TurnedAway => Err(Error::precondition("refused: too many connections wait")),
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
        // A sandbox for which this host was ready. Otherwise it was only a stranger's claim.
        Accepted::Refused(why) if *lock(&way) == Way::Through => {
            desk.forget();
            desk.report(News::Refused(Box::new(why)));
        }
        Accepted::Refused(why) => {
            tracing::warn!(error = %why.error, "a peer offered a sandbox that is not accepted here");
        }
        Accepted::Undecided(why) => desk.report(News::Undecided(Box::new(why))),
        Accepted::Answered(record) => {
            tracing::info!(session = %record.session, mark = record.mark.as_str(), "answered");
            if record.mark == Mark::Live {
                desk.settled();
            }
        }
        Accepted::NoSession(error) => {
            tracing::warn!(%error, "a peer connected but began no hand-over");
        }
    }
    *lock(&way) = Way::Through;
}
