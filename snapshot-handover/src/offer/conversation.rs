//! Performs the actions that the source decides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::registry::Manifest;
use snapshot_core::{Controller, Error, Frozen, Payload, Session, SideReport, Source};

use super::{AfterRehearsal, Farewell, Next, Offer, SnapshotNote};
use crate::SessionId;
use crate::decision::{Action, Event, Mark, Word, source};
use crate::frame::Deadline;
use crate::handover::Handover;
use crate::ledger::{Entry, Role};
use crate::message::{Ask, Failure, Hello, Message, Rehearsal, SnapshotFollows, Welcome};
use crate::panics::{caught, caught_later};
use crate::report::{NotMoved, Rehearsed, Report};
use crate::talk::Talk;

/// The prefix of the lines in this side's report.
const SIDE: &str = "source";

/// The pause before a failing thaw is retried.
const THAW_PAUSE: Duration = Duration::from_millis(20);

/// A source's conversation, over as many links as necessary.
pub(super) struct Conversation<R: Controller> {
    handover: Handover,
    session: SessionId,
    entry: Option<Entry>,
    core: Session,
    root: Option<Arc<R>>,
    note: Vec<u8>,
    snapshot_note: Option<SnapshotNote<R>>,
    farewell: Option<Farewell<R>>,
    deadline: Deadline,
    welcome: Option<Welcome>,
    rehearses: bool,
    at_most: Option<Duration>,
    after_rehearsal: Option<AfterRehearsal>,
    /// After the preflight.
    source: Option<Source<R>>,
    rehearsed: Option<Rehearsed>,
    /// The time at which the rehearsal was sent.
    sent: Option<Instant>,
    /// Whether the freeze has begun.
    was_frozen: bool,
    frozen: Option<Frozen<R>>,
    snapshot: Bytes,
    /// The note of the snapshot, then that of the commit.
    next_note: Vec<u8>,
    /// The reason why the tree is not moved; the first reason counts.
    failure: Option<Error>,
    undo: Option<Error>,
    /// The report of a phase that failed.
    failed: Option<SideReport>,
    bytes: u64,
    peer: String,
    last_note: Vec<u8>,
    trouble: Vec<Error>,
}

/// The point at which a conversation has stopped.
pub(super) struct Paused {
    pub(super) state: source::State,
    /// Whether both sides know the outcome.
    pub(super) settled: bool,
}

/// The step after an action.
enum Step {
    GoOn,
    Happened(Event),
    /// A link or an operator is needed.
    Pause,
    End,
}

impl<R: Controller> Conversation<R> {
    pub(super) fn of(handover: &Handover, offer: Offer<R>) -> Self {
        let Offer {
            root,
            core,
            session,
            note,
            rehearses,
            at_most,
            after_rehearsal,
            snapshot_note,
            farewell,
        } = offer;
        let core = core.origin(session.origin());
        Self {
            rehearses,
            at_most: at_most.or(core.blackout_left()),
            after_rehearsal,
            snapshot_note,
            farewell,
            note,
            ..Self::without_tree(handover, session, None, Some(root), core)
        }
    }

    /// Creates the conversation of a source after a restart.
    pub(super) fn afterwards(handover: &Handover, entry: Entry) -> Self {
        let session = entry.current().session.clone();
        Self::without_tree(handover, session, Some(entry), None, Session::new())
    }

    fn without_tree(
        handover: &Handover,
        session: SessionId,
        entry: Option<Entry>,
        root: Option<Arc<R>>,
        core: Session,
    ) -> Self {
        Self {
            handover: handover.clone(),
            session,
            entry,
            core,
            root,
            note: Vec::new(),
            snapshot_note: None,
            farewell: None,
            deadline: Deadline::after(handover.limits.greeting, "the greeting"),
            welcome: None,
            rehearses: false,
            at_most: None,
            after_rehearsal: None,
            source: None,
            rehearsed: None,
            sent: None,
            was_frozen: false,
            frozen: None,
            snapshot: Bytes::new(),
            next_note: Vec::new(),
            failure: None,
            undo: None,
            failed: None,
            bytes: 0,
            peer: String::new(),
            last_note: Vec::new(),
            trouble: Vec::new(),
        }
    }

    pub(super) fn handover(&self) -> &Handover {
        &self.handover
    }

    pub(super) fn session(&self) -> &SessionId {
        &self.session
    }

    /// Returns the deadline of the current phase. While the tree is frozen and not given away, the
    /// rest of the blackout budget bounds it too.
    pub(super) fn deadline(&self) -> Deadline {
        let left = self.frozen.as_ref().and_then(Frozen::blackout_left);
        match left.filter(|_| self.mark() == Some(Mark::Begun)) {
            Some(left) => self.deadline.part(left, "the blackout budget"),
            None => self.deadline,
        }
    }

    pub(super) fn begin_asking(&mut self) {
        self.deadline =
            Deadline::after(self.handover.limits.resume, "waiting for the outcome of the session");
    }

    /// Asks for the outcome of the session, on a link with an agreed version.
    pub(super) async fn ask<S>(&mut self, talk: &mut Talk<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let ask = Message::Ask(Ask { session: self.session.clone() });
        talk.send(ask, self.deadline()).await;
    }

    fn mark(&self) -> Option<Mark> {
        self.entry.as_ref().map(|entry| entry.current().mark)
    }

    /// Goes from decision to decision until the conversation is over, or needs a link or an operator.
    pub(super) async fn drive<S>(
        &mut self,
        talk: &mut Talk<S>,
        mut state: source::State,
        actions: Vec<Action>,
    ) -> Paused
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut todo = VecDeque::from(actions);
        loop {
            let event = match todo.pop_front() {
                None => self.wait(talk).await,
                Some(action) => match self.act(talk, action).await {
                    Step::GoOn => continue,
                    Step::Happened(event) => event,
                    Step::Pause => return Paused { state, settled: false },
                    Step::End => {
                        let deadline = Deadline::after(self.handover.limits.settle, "closing");
                        talk.close(deadline).await;
                        return Paused { state, settled: true };
                    }
                },
            };
            let actions;
            (state, actions) = source::step(state, event);
            todo = actions.into();
        }
    }

    async fn wait<S>(&mut self, talk: &mut Talk<S>) -> Event
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(message) = talk.receive(self.deadline()).await else { return Event::Lost };
        talk.peer().clone_into(&mut self.peer);
        let word = message.word();
        match message {
            Message::Welcome(welcome) if self.welcome.is_none() => self.welcome = Some(welcome),
            Message::Ready(ready) => {
                if let (Some(rehearsed), Some(sent)) = (&mut self.rehearsed, self.sent.take()) {
                    rehearsed.import = Duration::from_nanos(ready.import_ns);
                    rehearsed.prepare = Duration::from_nanos(ready.prepare_ns);
                    let there = rehearsed.import.saturating_add(rehearsed.prepare);
                    rehearsed.transfer = sent.elapsed().saturating_sub(there);
                }
            }
            Message::Refused(failure) => self.fail(failure.into()),
            Message::Resumed(note) => self.last_note = note,
            _ => {}
        }
        Event::Got(word)
    }

    async fn act<S>(&mut self, talk: &mut Talk<S>, action: Action) -> Step
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match action {
            Action::Record(mark) => return self.record(mark, talk),
            Action::Note(mark) => self.note(mark, talk),
            Action::Send(word) => self.send(talk, word).await,
            Action::Rehearse => {
                return Step::Happened(match self.rehearse() {
                    Ok(true) => Event::Done,
                    Ok(false) => Event::Unneeded,
                    Err(error) => {
                        self.fail(error);
                        Event::Failed
                    }
                });
            }
            Action::Weigh => {
                return Step::Happened(match self.weigh().await {
                    Ok(Next::Freeze) => Event::Done,
                    Ok(Next::RehearseAgain) => Event::Again,
                    Err(error) => {
                        self.fail(error);
                        Event::Failed
                    }
                });
            }
            Action::Freeze => {
                return Step::Happened(match self.freeze().await {
                    Ok(()) => Event::Done,
                    Err(error) => {
                        self.fail(error);
                        Event::Failed
                    }
                });
            }
            Action::Thaw => self.thaw().await,
            Action::Commit => self.commit().await,
            Action::Ask | Action::AskOperator => return Step::Pause,
            Action::Contradiction => self.trouble.push(Error::internal(format!(
                "session {}: this side has committed, and the destination says that it refused: \
                 compare both ledgers",
                self.session
            ))),
            Action::End => return Step::End,
            // Never requested by the decisions of a source.
            Action::Greet
            | Action::Prepare
            | Action::Import
            | Action::Resume
            | Action::GoLive
            | Action::Abort
            | Action::Listen
            | Action::Leave => return Step::End,
        }
        Step::GoOn
    }

    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    fn record<S>(&mut self, mark: Mark, talk: &Talk<S>) -> Step
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let failure = self.why(mark, talk);
        let written = match (&mut self.entry, mark) {
            (entry @ None, Mark::Begun) => {
                let begun = self.handover.ledger.begin(&self.session, Role::Source);
                begun.map(|begun| *entry = Some(begun))
            }
            (Some(entry), mark) => entry.record(mark, failure),
            (None, _) => Ok(()),
        };
        match written {
            Ok(()) => Step::GoOn,
            Err(unwritten) => {
                let event = unwritten.event();
                self.fail(unwritten.error);
                Step::Happened(event)
            }
        }
    }

    fn note<S>(&mut self, mark: Mark, talk: &Talk<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let failure = self.why(mark, talk);
        // Without an entry the session never began.
        let Some(entry) = &mut self.entry else { return };
        if let Err(unwritten) = entry.record(mark, failure) {
            self.trouble.push(unwritten.error);
        }
    }

    fn why<S>(&self, mark: Mark, talk: &Talk<S>) -> Option<Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        (mark == Mark::Kept).then(|| self.reason(talk))
    }

    /// Returns the reason why the tree is not moved. Without another reason, it is the link.
    fn reason<S>(&self, talk: &Talk<S>) -> Failure
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match &self.failure {
            Some(error) => Failure::from(error),
            None => Failure::from(&talk.trouble()),
        }
    }

    async fn send<S>(&mut self, talk: &mut Talk<S>, word: Word)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limits = self.handover.limits;
        let message = match word {
            Word::Hello => Message::Hello(Hello {
                session: self.session.clone(),
                root: R::State::TYPE_URL.to_owned(),
                host: self.handover.host.clone(),
                note: std::mem::take(&mut self.note),
            }),
            Word::Rehearsal => {
                let snapshot = std::mem::take(&mut self.snapshot);
                let note = std::mem::take(&mut self.next_note);
                let follows = Rehearsal { length: snapshot.len() as u64, note };
                self.deadline = Deadline::after(limits.transfer, "the transfer of the rehearsal");
                self.sent = Some(Instant::now());
                let deadline = self.deadline();
                talk.send_with(Message::Rehearsal(follows), &snapshot, deadline).await;
                self.deadline =
                    Deadline::after(limits.rehearsal, "the preparation at the destination");
                return;
            }
            Word::Snapshot => {
                let snapshot = std::mem::take(&mut self.snapshot);
                let note = std::mem::take(&mut self.next_note);
                let follows = SnapshotFollows { length: snapshot.len() as u64, note };
                self.deadline = Deadline::after(limits.transfer, "the transfer of the snapshot");
                let deadline = self.deadline();
                talk.send_with(Message::Snapshot(follows), &snapshot, deadline).await;
                self.deadline =
                    Deadline::after(limits.patch, "import and patch at the destination");
                return;
            }
            Word::Resume => {
                self.deadline = Deadline::after(limits.resume, "resume at the destination");
                Message::Resume
            }
            Word::Abort => {
                self.deadline = Deadline::after(limits.settle, "the end of the session");
                Message::Abort(self.reason(talk))
            }
            Word::Committed => {
                self.deadline = Deadline::after(limits.settle, "the end of the session");
                Message::Committed(std::mem::take(&mut self.next_note))
            }
            // Not for a source.
            Word::Welcome
            | Word::Ready
            | Word::Patched
            | Word::Resumed
            | Word::Refused
            | Word::Ask
            | Word::Settled => return,
        };
        talk.send(message, self.deadline()).await;
    }

    /// Finds out whether the destination can accept the tree, while the tree runs. Returns whether
    /// there is a rehearsal to be sent.
    fn rehearse(&mut self) -> Result<bool, Error> {
        let (Some(root), Some(welcome)) = (&self.root, &self.welcome) else {
            return Err(Error::internal("there is no tree to rehearse"));
        };
        let theirs = Manifest::from_bytes(&welcome.manifest).map_err(|error| {
            let reason = format!("the destination's manifest cannot be read: {error}");
            Error::new(error.code(), reason).with_source(error)
        })?;
        let source = self.source.get_or_insert_with(|| Source::new(root));
        if !self.rehearses {
            source.preflight(&theirs)?;
            return Ok(false);
        }
        let snapshot = source.rehearse(&theirs)?;
        let (bytes, save) = (snapshot.len() as u64, source.rehearsed_save().unwrap_or_default());
        check_length(bytes, welcome.snapshot_limit)?;
        if let Some(note) = &mut self.snapshot_note {
            self.next_note = caught("the note of the rehearsal", || note(root))?;
        }
        let (none, before) = (Duration::ZERO, self.rehearsed.map_or(0, |before| before.rounds));
        self.rehearsed = Some(Rehearsed {
            rounds: before + 1,
            bytes,
            save,
            transfer: none,
            import: none,
            prepare: none,
        });
        self.snapshot = snapshot.into_bytes();
        Ok(true)
    }

    /// The destination is ready: decides whether the tree is frozen now.
    async fn weigh(&mut self) -> Result<Next, Error> {
        let rehearsed =
            self.rehearsed.ok_or_else(|| Error::internal("there was no rehearsal to weigh"))?;
        let next = match &mut self.after_rehearsal {
            Some(decide) => {
                let name = "Offer::after_rehearsal";
                let deciding = caught(name, || Ok(decide(rehearsed)))?;
                caught_later(name, deciding).await?
            }
            None => Next::Freeze,
        };
        let estimate = rehearsed.estimate();
        match self.at_most.filter(|&at_most| next == Next::Freeze && estimate > at_most) {
            Some(at_most) => Err(Error::precondition(format!(
                "by the rehearsal, the blackout would take at least {estimate:?}, but {at_most:?} \
                 is allowed: allow more, or move the tree when it is smaller or the link is faster"
            ))),
            None => Ok(next),
        }
    }

    /// Freezes and saves the tree.
    async fn freeze(&mut self) -> Result<(), Error> {
        let (Some(source), Some(welcome)) = (self.source.take(), &self.welcome) else {
            return Err(Error::internal("there is no tree to freeze"));
        };
        let limit = welcome.snapshot_limit;
        self.was_frozen = true;
        let frozen = match source.freeze(&self.core).await {
            Ok(frozen) => frozen,
            Err(failure) => {
                self.failed = Some(self.core.report(SIDE).failed(&failure));
                return Err(failure.into_error());
            }
        };
        let frozen = self.frozen.insert(frozen);
        let snapshot = frozen.save().inspect_err(|error| {
            self.failed = Some(self.core.report(SIDE).failed_in("save", error));
        })?;
        self.bytes = snapshot.len() as u64;
        check_length(self.bytes, limit)?;
        if let Some(mut note) = self.snapshot_note.take() {
            let root = frozen.root();
            self.next_note = caught("the note of the snapshot", || note(root))?;
        }
        self.snapshot = snapshot.into_bytes();
        Ok(())
    }

    /// Continues here. The destination may need a moment to release its resources.
    async fn thaw(&mut self) {
        let Some(root) = self.root.clone().filter(|_| self.was_frozen) else { return };
        let deadline = Deadline::after(self.handover.limits.thaw, "the thaw");
        let mut thawed = match self.frozen.take() {
            Some(frozen) => frozen.rollback().await,
            None => Source::recover(&root, &self.core).await,
        };
        let first = thawed.as_ref().err().map(|failure| failure.cause().clone());
        while thawed.is_err() && !deadline.left().is_zero() {
            match self.handover.timer.sleep(THAW_PAUSE) {
                Ok(pause) => pause.await,
                Err(_) => break,
            }
            thawed = Source::recover(&root, &self.core).await;
        }
        // A second thaw succeeds after the first has reported that the tree did not stand still.
        self.trouble.extend(first.filter(|_| thawed.is_ok()));
        self.undo = thawed.err().map(snapshot_core::Failure::into_error);
    }

    async fn commit(&mut self) {
        // Taken in any case: without a tree there is nothing to release.
        let Some(frozen) = self.frozen.take() else { return };
        if let Err(failure) = frozen.commit().await {
            // The tree is the destination's nevertheless.
            self.trouble.push(failure.into_error());
        }
        if let (Some(farewell), Some(root)) = (self.farewell.take(), &self.root) {
            match caught("the farewell", || Ok(farewell(root))) {
                Ok(note) => self.next_note = note,
                Err(error) => self.trouble.push(error),
            }
        }
    }

    pub(super) fn committed(mut self, settled: bool) -> Report {
        self.report(settled)
    }

    pub(super) fn kept(mut self, trouble: &Error) -> NotMoved {
        let error = self.failure.take().unwrap_or_else(|| trouble.clone());
        let undo = self.undo.take();
        NotMoved { error, undo, report: self.report(true) }
    }

    fn report(&mut self, settled: bool) -> Report {
        if let Some(entry) = self.entry.take() {
            entry.finish();
        }
        Report {
            session: self.session.clone(),
            side: self.failed.take().unwrap_or_else(|| self.core.report(SIDE)),
            peer: std::mem::take(&mut self.peer),
            bytes: self.bytes,
            rehearsal: self.rehearsed,
            settled,
            note: std::mem::take(&mut self.last_note),
            trouble: std::mem::take(&mut self.trouble),
        }
    }

    /// Ends the conversation of a source that was restarted and is still in doubt.
    pub(super) fn leave(mut self) {
        if let Some(entry) = self.entry.take() {
            entry.finish();
        }
    }
}

fn check_length(bytes: u64, limit: u64) -> Result<(), Error> {
    match bytes <= limit {
        true => Ok(()),
        false => Err(Error::precondition(format!(
            "the snapshot has {bytes} bytes, but the destination reads at most {limit}: raise \
             `Limits::snapshot` there"
        ))),
    }
}
