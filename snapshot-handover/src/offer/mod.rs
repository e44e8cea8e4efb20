//! The source's side: offers a tree and gives it away.

mod afterwards;
mod conversation;
mod doubt;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::{Controller, Error, Session};

pub(crate) use afterwards::{decide, finish};
use conversation::{Conversation, Paused};
pub use doubt::Doubt;

use crate::SessionId;
use crate::decision::{Event, source};
use crate::handover::Handover;
use crate::report::{NotMoved, Report};
use crate::talk::Talk;

type SnapshotNote<R> = Box<dyn FnOnce(&Arc<R>) -> Result<Vec<u8>, Error> + Send>;
type Farewell<R> = Box<dyn FnOnce(&Arc<R>) -> Vec<u8> + Send>;

/// A tree to be offered, and what the program says with it.
pub struct Offer<R: Controller> {
    root: Arc<R>,
    core: Session,
    session: SessionId,
    note: Vec<u8>,
    rehearses: bool,
    at_most: Option<Duration>,
    snapshot_note: Option<SnapshotNote<R>>,
    farewell: Option<Farewell<R>>,
}

impl<R: Controller> Offer<R> {
    /// An offer of the tree under `root` with a random session id. The session of snapshot-core gives
    /// the deadlines, the blackout budget, the observer and the way to cancel.
    pub fn new(root: &Arc<R>, session: &Session) -> Self {
        Self {
            root: Arc::clone(root),
            core: session.clone(),
            session: SessionId::random(),
            note: Vec::new(),
            rehearses: true,
            at_most: None,
            snapshot_note: None,
            farewell: None,
        }
    }

    /// Sets the id, which must be new to both ledgers.
    #[must_use]
    pub fn id(mut self, session: SessionId) -> Self {
        self.session = session;
        self
    }

    /// The id.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Sets the note of `Hello`, which the destination's [`Host::greet`](crate::Host::greet) gets.
    #[must_use]
    pub fn note(mut self, note: impl Into<Vec<u8>>) -> Self {
        self.note = note.into();
        self
    }

    /// Sets whether the tree is rehearsed before the freeze: saved while it runs, sent, and verified by
    /// the destination with its own types, bounds and `validate` functions. On by default. It is left
    /// out where the destination reads an older version of a payload.
    #[must_use]
    pub fn rehearse(mut self, rehearse: bool) -> Self {
        self.rehearses = rehearse;
        self
    }

    /// Keeps the tree, before anything is frozen, if the rehearsal's
    /// [estimate](crate::Rehearsed::estimate) of the blackout is above this time.
    #[must_use]
    pub fn at_most(mut self, blackout: Duration) -> Self {
        self.at_most = Some(blackout);
        self
    }

    /// Sets a function that makes the note of the snapshot while the tree is frozen, which the
    /// destination's [`Host::bind`](crate::Host::bind) gets. If it fails, the tree is kept.
    #[must_use]
    pub fn snapshot_note(
        mut self,
        note: impl FnOnce(&Arc<R>) -> Result<Vec<u8>, Error> + Send + 'static,
    ) -> Self {
        self.snapshot_note = Some(Box::new(note));
        self
    }

    /// Sets a function that makes the note of `Committed` after the commit. The destination finds it in
    /// its [`Report::note`].
    #[must_use]
    pub fn farewell(mut self, note: impl FnOnce(&Arc<R>) -> Vec<u8> + Send + 'static) -> Self {
        self.farewell = Some(Box::new(note));
        self
    }
}

impl<R: Controller> fmt::Debug for Offer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").field("session", &self.session).finish_non_exhaustive()
    }
}

/// How an offer ended.
#[must_use = "a source in doubt is frozen until it has asked, or an operator has decided"]
pub enum Offered<R: Controller> {
    /// The tree is the destination's, and this side has let go of it.
    Committed(Report),
    /// The tree runs on here, as before.
    Kept(NotMoved),
    /// The destination was told to resume and gave no answer. The tree stays frozen here.
    InDoubt(Doubt<R>),
}

impl<R: Controller> fmt::Debug for Offered<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Offered::Committed(report) => f.debug_tuple("Committed").field(report).finish(),
            Offered::Kept(kept) => f.debug_tuple("Kept").field(kept).finish(),
            Offered::InDoubt(doubt) => f.debug_tuple("InDoubt").field(doubt).finish(),
        }
    }
}

/// How a session ended that a source finished after it was started again.
#[derive(Debug)]
#[must_use = "a session in doubt is unfinished"]
pub enum Finished {
    /// The tree is the destination's.
    Committed(Report),
    /// The tree is the source's: start it again here.
    Kept(NotMoved),
    /// The destination gave no answer: ask again on a new link, or let an operator
    /// [decide](Handover::decide).
    InDoubt(Error),
}

pub(crate) async fn run<R: Controller>(
    handover: &Handover,
    offer: Offer<R>,
    link: impl AsyncRead + AsyncWrite + Unpin + Send,
) -> Offered<R> {
    let mut talk = Talk::new(handover, link);
    let mut conversation = Conversation::of(handover, offer);
    // If this fails, the link is gone, and the first wait reports it.
    let _ = talk.agree(handover, conversation.deadline()).await;
    let (state, actions) = source::step(source::State::Idle, Event::Start);
    let paused = conversation.drive(&mut talk, state, actions).await;
    ended(conversation, paused, &talk.trouble())
}

/// The outcome of a conversation that has paused.
fn ended<R: Controller>(
    conversation: Conversation<R>,
    paused: Paused,
    trouble: &Error,
) -> Offered<R> {
    match paused.state {
        source::State::Committed => Offered::Committed(conversation.committed(paused.settled)),
        source::State::Given | source::State::Doubt => {
            Offered::InDoubt(Doubt::new(conversation, trouble.clone()))
        }
        _ => Offered::Kept(conversation.kept(trouble)),
    }
}
