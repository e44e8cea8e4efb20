//! The source's side: offers a tree and gives it away.

mod afterwards;
mod conversation;
mod doubt;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::{Controller, Error, Session};

use afterwards::{decide, finish};
use conversation::{Conversation, Paused};
pub use doubt::Doubt;

use crate::SessionId;
use crate::decision::{Choice, Event, source};
use crate::handover::Handover;
use crate::report::{NotMoved, Rehearsed, Report};
use crate::talk::Talk;

type SnapshotNote<R> = Box<dyn FnMut(&Arc<R>) -> Result<Vec<u8>, Error> + Send>;
type AfterRehearsal = Box<dyn FnMut(Rehearsed) -> Deciding + Send>;
type Deciding = Pin<Box<dyn Future<Output = Result<Next, Error>> + Send>>;

/// The step of a source after a rehearsal, see [`Offer::after_rehearsal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It freezes and hands over.
    Freeze,
    /// It rehearses once more.
    RehearseAgain,
}

type Farewell<R> = Box<dyn FnOnce(&Arc<R>) -> Vec<u8> + Send>;

/// A tree to be offered, with the notes of the program.
pub struct Offer<R: Controller> {
    root: Arc<R>,
    core: Session,
    session: SessionId,
    note: Vec<u8>,
    rehearses: bool,
    at_most: Option<Duration>,
    after_rehearsal: Option<AfterRehearsal>,
    snapshot_note: Option<SnapshotNote<R>>,
    farewell: Option<Farewell<R>>,
}

impl<R: Controller> Offer<R> {
    /// Creates an offer of the tree under `root` with a random session id. The session of
    /// snapshot-core provides the deadlines, the blackout budget, the observer and the
    /// cancellation.
    pub fn new(root: &Arc<R>, session: &Session) -> Self {
        Self {
            root: Arc::clone(root),
            core: session.clone(),
            session: SessionId::random(),
            note: Vec::new(),
            rehearses: true,
            at_most: None,
            after_rehearsal: None,
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

    /// Returns the id.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Sets the note of `Hello`, which the destination's [`Host::greet`](crate::Host::greet) gets.
    #[must_use]
    pub fn note(mut self, note: impl Into<Vec<u8>>) -> Self {
        self.note = note.into();
        self
    }

    /// Sets whether the tree is rehearsed before the freeze: saved while it runs, sent, verified by
    /// the destination with its own types, bounds and `validate` functions, and prepared there: see
    /// [`Controller::prepare`](snapshot_core::Controller::prepare). On by default.
    #[must_use]
    pub fn rehearse(mut self, rehearse: bool) -> Self {
        self.rehearses = rehearse;
        self
    }

    /// Sets the function that chooses the next step after each rehearsal, when the destination's
    /// host is ready for the tree as it was then. The function may take its time, for example to
    /// copy memory, because the tree continues to run; the destination waits for
    /// [`Limits::rehearsal`](crate::Limits::rehearsal). An error keeps the tree. By default there
    /// is one rehearsal, and then the freeze.
    ///
    /// ```
    /// use snapshot_core::{ControllerSet, Session};
    /// use snapshot_handover::{Next, Offer};
    /// # use std::sync::Arc;
    ///
    /// let tree = Arc::new(ControllerSet::new());
    /// // Until the rehearsal is small enough, three times at most.
    /// let offer = Offer::new(&tree, &Session::new()).after_rehearsal(|rehearsed| async move {
    ///     match rehearsed.bytes > 1 << 20 && rehearsed.rounds < 3 {
    ///         true => Ok(Next::RehearseAgain),
    ///         false => Ok(Next::Freeze),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn after_rehearsal<F>(
        mut self,
        mut decide: impl FnMut(Rehearsed) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Next, Error>> + Send + 'static,
    {
        self.after_rehearsal = Some(Box::new(move |rehearsed| Box::pin(decide(rehearsed))));
        self
    }

    /// Keeps the tree, before anything is frozen, if the rehearsal's
    /// [estimate](crate::Rehearsed::estimate) of the blackout is above this time. By default that is the
    /// [blackout budget](Session::blackout_budget) of the session, if it has one.
    #[must_use]
    pub fn at_most(mut self, blackout: Duration) -> Self {
        self.at_most = Some(blackout);
        self
    }

    /// Sets a function that creates the note of the snapshot, for the destination's
    /// [`Host::bind`](crate::Host::bind). It is called for each rehearsal while the tree runs, and
    /// for the snapshot while it is frozen. If it fails, the tree is kept.
    #[must_use]
    pub fn snapshot_note(
        mut self,
        note: impl FnMut(&Arc<R>) -> Result<Vec<u8>, Error> + Send + 'static,
    ) -> Self {
        self.snapshot_note = Some(Box::new(note));
        self
    }

    /// Sets a function that creates the note of `Committed` after the commit. The destination finds
    /// it in its [`Report::note`].
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

/// The end of an offer.
#[must_use = "a source in doubt is frozen until it has asked, or an operator has decided"]
pub enum Offered<R: Controller> {
    /// The tree is the destination's, and this side has released it.
    Committed(Report),
    /// The tree continues here, as before.
    Kept(NotMoved),
    /// The destination was asked to resume and gave no answer. The tree stays frozen here.
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

/// The end of a session that a source finished after its restart.
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

impl Handover {
    /// Offers a tree to the destination on the other end of the link.
    ///
    /// Run it in a task of its own. If the future is dropped half-way, the tree may stay frozen until
    /// [`Source::recover`](snapshot_core::Source::recover), and the session is held until
    /// [`Ledger::release`](crate::ledger::Ledger::release).
    pub async fn offer<R: Controller>(
        &self,
        offer: Offer<R>,
        link: impl AsyncRead + AsyncWrite + Unpin + Send,
    ) -> Offered<R> {
        run(self, offer, link).await
    }

    /// Finishes a session of which this process was the source before its restart: asks the
    /// destination for the outcome, and records the answer. The tree is no longer here.
    ///
    /// # Errors
    ///
    /// If this ledger has no such session as a source, or its record cannot be read.
    pub async fn finish(
        &self,
        session: &SessionId,
        link: impl AsyncRead + AsyncWrite + Unpin + Send,
    ) -> Result<Finished, Error> {
        finish(self, session, link).await
    }

    /// Records an operator's decision about a session of which this process was the source before
    /// its restart, if the destination cannot be asked. Decide by
    /// [`verdict`](crate::decision::verdict()).
    ///
    /// # Errors
    ///
    /// If the session is not in doubt, its record cannot be read, or the decision cannot be
    /// written.
    pub fn decide(&self, session: &SessionId, choice: Choice) -> Result<(), Error> {
        decide(self, session, choice)
    }
}

async fn run<R: Controller>(
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

/// Returns the outcome of a conversation that has paused.
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
