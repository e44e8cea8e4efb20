//! Performs the actions that the destination decides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};
use prost::Message as _;
use snapshot_core::{
    Controller, Error, Failure as Failed, Incoming, Patched, Payload, Phase, Prepared, ReadOptions,
    Resumed, Session, SideReport, Snapshot, registry,
};

use super::Host;
use crate::decision::{Action, Event, Mark, Word, destination};
use crate::frame::Deadline;
use crate::handover::Handover;
use crate::ledger::{Entry, Role};
use crate::message::{Failure, Hello, Message, Ready, Welcome};
use crate::panics::caught;
use crate::report::{NotMoved, Report};
use crate::talk::Talk;

/// The prefix of the lines in this side's report.
const SIDE: &str = "destination";

/// A destination's conversation on one link.
pub(super) struct Conversation<R: Controller, H> {
    handover: Handover,
    hello: Hello,
    host: H,
    entry: Option<Entry>,
    deadline: Deadline,
    /// The note of `Welcome`, then that of `Resumed`.
    next_note: Vec<u8>,
    snapshot_note: Vec<u8>,
    bytes: Vec<u8>,
    length: u64,
    /// The duration of the import of the rehearsed tree, in nanoseconds.
    import_ns: u64,
    /// The duration of the preparation of this host, in nanoseconds.
    prepare_ns: u64,
    core: Session,
    prepared: Option<Prepared<R>>,
    patched: Option<Patched<R>>,
    resumed: Option<Resumed<R>>,
    root: Option<Arc<R>>,
    /// The reason why nothing is taken over; the first reason counts.
    failure: Option<Error>,
    undo: Option<Error>,
    /// The report of a phase that failed.
    failed: Option<SideReport>,
    peer: String,
    last_note: Vec<u8>,
    trouble: Vec<Error>,
}

/// The end of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Live {
        settled: bool,
    },
    Aborted,
    /// The record decides.
    Left,
}

/// The step after an action.
enum AfterAction {
    GoOn,
    Happened(Event),
    End(End),
}

/// The reason why there are no more actions.
enum End {
    Settled,
    /// The source may ask on a new link, which is another call.
    Listen,
    Left,
}

impl<R: Controller, H: Host<R>> Conversation<R, H> {
    pub(super) fn new(handover: &Handover, hello: Hello, host: H) -> Self {
        Self {
            handover: handover.clone(),
            hello,
            host,
            entry: None,
            deadline: Deadline::after(handover.limits.greeting, "the greeting"),
            next_note: Vec::new(),
            snapshot_note: Vec::new(),
            bytes: Vec::new(),
            length: 0,
            import_ns: 0,
            prepare_ns: 0,
            core: Session::new(),
            prepared: None,
            patched: None,
            resumed: None,
            root: None,
            failure: None,
            undo: None,
            failed: None,
            peer: String::new(),
            last_note: Vec::new(),
            trouble: Vec::new(),
        }
    }

    /// Goes from decision to decision until this link has no more messages.
    pub(super) async fn drive<S>(&mut self, talk: &mut Talk<S>) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        talk.peer().clone_into(&mut self.peer);
        let hello = Event::Got(Word::Hello);
        let (mut state, actions) = destination::step(destination::State::Waiting, hello);
        let mut todo = VecDeque::from(actions);
        loop {
            let event = match todo.pop_front() {
                None => self.wait(talk).await,
                Some(action) => match self.act(talk, action).await {
                    AfterAction::GoOn => continue,
                    AfterAction::Happened(event) => event,
                    AfterAction::End(end) => {
                        let deadline = Deadline::after(self.handover.limits.settle, "closing");
                        talk.close(deadline).await;
                        return match (end, state) {
                            (End::Left, _) => Ended::Left,
                            (end, destination::State::Live) => {
                                Ended::Live { settled: matches!(end, End::Settled) }
                            }
                            _ => Ended::Aborted,
                        };
                    }
                },
            };
            let actions;
            (state, actions) = destination::step(state, event);
            todo = actions.into();
        }
    }

    async fn wait<S>(&mut self, talk: &mut Talk<S>) -> Event
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(message) = talk.receive(self.deadline).await else { return Event::Lost };
        let word = message.word();
        match message {
            Message::Rehearsal(follows) => {
                if let Err(event) = self.receive_bytes(talk, follows.length).await {
                    return event;
                }
                self.snapshot_note = follows.note;
            }
            Message::Snapshot(follows) => {
                if let Err(event) = self.receive_bytes(talk, follows.length).await {
                    return event;
                }
                self.length = follows.length;
                self.snapshot_note = follows.note;
            }
            Message::Abort(failure) => self.fail(failure.into()),
            Message::Committed(note) => self.last_note = note,
            Message::Ask(ask) if ask.session != self.hello.session => return Event::Lost,
            _ => {}
        }
        Event::Got(word)
    }

    /// Receives the bytes of a snapshot.
    async fn receive_bytes<S>(&mut self, talk: &mut Talk<S>, length: u64) -> Result<(), Event>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limit = self.handover.limits.snapshot;
        if length > limit {
            self.fail(Error::precondition(format!(
                "the snapshot has {length} bytes, but this side reads at most {limit}: raise \
                 `Limits::snapshot` here"
            )));
            return Err(Event::Failed);
        }
        let transfer = self.handover.limits.transfer;
        let deadline = Deadline::after(transfer, "the transfer of the snapshot");
        self.bytes = talk.receive_bytes(length, deadline).await.ok_or(Event::Lost)?;
        Ok(())
    }

    async fn act<S>(&mut self, talk: &mut Talk<S>, action: Action) -> AfterAction
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match action {
            Action::Record(mark) => return self.record(mark),
            Action::Note(mark) => self.note(mark, talk),
            Action::Send(word) => self.send(talk, word).await,
            Action::Greet => {
                let greeted = self.greet();
                return AfterAction::Happened(self.tried(greeted));
            }
            Action::Prepare => {
                let prepared = self.prepare().await;
                return AfterAction::Happened(self.tried(prepared));
            }
            Action::Import => {
                let imported = self.import().await;
                return AfterAction::Happened(self.tried(imported));
            }
            Action::Resume => {
                let resumed = self.resume().await;
                return AfterAction::Happened(self.tried(resumed));
            }
            Action::GoLive => self.go_live(),
            Action::Abort => self.abort().await,
            Action::Listen => return AfterAction::End(End::Listen),
            Action::Leave => return AfterAction::End(End::Left),
            Action::End => return AfterAction::End(End::Settled),
            Action::Contradiction => self.trouble.push(Error::internal(format!(
                "session {}: the source contradicts this side: compare both ledgers",
                self.hello.session
            ))),
            // Never requested by the decisions of a destination.
            Action::Rehearse
            | Action::Weigh
            | Action::Freeze
            | Action::Thaw
            | Action::Commit
            | Action::Ask
            | Action::AskOperator => {
                return AfterAction::End(End::Listen);
            }
        }
        AfterAction::GoOn
    }

    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    fn tried(&mut self, result: Result<(), Error>) -> Event {
        match result {
            Ok(()) => Event::Done,
            Err(error) => {
                self.fail(error);
                Event::Failed
            }
        }
    }

    fn record(&mut self, mark: Mark) -> AfterAction {
        let written = match (&mut self.entry, mark) {
            (entry @ None, Mark::Begun) => {
                let begun = self.handover.ledger.begin(&self.hello.session, Role::Destination);
                begun.map(|begun| *entry = Some(begun))
            }
            (Some(entry), mark) => entry.record(mark, None),
            (None, _) => Ok(()),
        };
        match written {
            Ok(()) => AfterAction::GoOn,
            Err(unwritten) => {
                let event = unwritten.event();
                self.fail(unwritten.error);
                AfterAction::Happened(event)
            }
        }
    }

    fn note<S>(&mut self, mark: Mark, talk: &Talk<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let failure = self.reason(talk);
        // Without an entry, the session does not belong to this conversation.
        let Some(entry) = &mut self.entry else { return };
        if let Err(unwritten) = entry.record(mark, Some(failure)) {
            self.trouble.push(unwritten.error);
        }
    }

    /// Returns the reason why nothing is taken over. Without another reason, it is the link.
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
        let settle = Deadline::after(limits.settle, "the end of the session");
        let (message, next) = match word {
            Word::Welcome => match registry::registry() {
                Ok(registry) => (
                    Message::Welcome(Welcome {
                        manifest: registry.manifest().encode_to_vec(),
                        snapshot_limit: limits.snapshot,
                        host: self.handover.host.clone(),
                        note: std::mem::take(&mut self.next_note),
                    }),
                    Deadline::after(
                        limits.freeze,
                        "a rehearsal, or freeze and save, at the source",
                    ),
                ),
                // `greet` has found it already.
                Err(error) => (Message::Refused(Failure::from(&error)), settle),
            },
            Word::Ready => {
                let Self { import_ns, prepare_ns, .. } = *self;
                (
                    Message::Ready(Ready { import_ns, prepare_ns }),
                    Deadline::after(
                        limits.rehearsal,
                        "a further rehearsal, or the freeze, at the source",
                    ),
                )
            }
            Word::Patched => {
                (Message::Patched, Deadline::after(limits.resume, "the source's `Resume`"))
            }
            Word::Resumed => (Message::Resumed(std::mem::take(&mut self.next_note)), settle),
            Word::Refused => (Message::Refused(self.reason(talk)), settle),
            Word::Settled => (Message::Settled, settle),
            // Not for a destination.
            Word::Hello
            | Word::Rehearsal
            | Word::Snapshot
            | Word::Resume
            | Word::Abort
            | Word::Committed
            | Word::Ask => return,
        };
        // All messages that are repeated after the decision share one budget.
        let is_decided = matches!(word, Word::Resumed | Word::Refused | Word::Settled);
        self.deadline = match is_decided && self.deadline.is_for(&settle) {
            true => self.deadline,
            false => next,
        };
        talk.send(message, self.deadline).await;
    }

    fn greet(&mut self) -> Result<(), Error> {
        if self.hello.root != R::State::TYPE_URL {
            return Err(Error::invalid(format!(
                "the source offers {:?}, but this side accepts {}: connect it to the right \
                 destination",
                self.hello.root,
                R::State::TYPE_URL
            )));
        }
        registry::registry()?;
        let (host, hello) = (&mut self.host, &self.hello);
        self.next_note = caught("Host::greet", || host.greet(hello))?;
        Ok(())
    }

    /// Verifies the rehearsed tree and gets this host ready for it.
    async fn prepare(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let incoming = Incoming::from(self.read()?);
        let prepared = match self.prepared.take() {
            None => {
                let imported = incoming.import::<R>()?;
                self.core = self.bind(imported.root())?;
                self.import_ns = nanoseconds(began);
                let began = Instant::now();
                let prepared = imported.prepare(&self.core).await;
                self.prepare_ns = nanoseconds(began);
                prepared
            }
            Some(prepared) => {
                match self.bind(prepared.root()) {
                    Ok(core) => self.core = core,
                    Err(error) => {
                        self.prepared = Some(prepared);
                        return Err(error);
                    }
                }
                let earlier = self.core.timeline().phases.len();
                let prepared = prepared.prepare_again(incoming, &self.core).await;
                let phases = self.core.timeline().phases;
                let hooks = phases.iter().skip(earlier).filter(|time| time.phase == Phase::Prepare);
                let hooks: Duration = hooks.map(|time| time.took).sum();
                self.prepare_ns = as_nanoseconds(hooks);
                self.import_ns = as_nanoseconds(began.elapsed().saturating_sub(hooks));
                prepared
            }
        };
        self.prepared = Some(prepared.map_err(|failure| self.failed_with(failure))?);
        Ok(())
    }

    /// Verifies the whole snapshot, and only then binds it to this host.
    async fn import(&mut self) -> Result<(), Error> {
        let snapshot = self.read().inspect_err(|error| {
            self.failed = Some(self.core.report(SIDE).failed_in("import", error));
        })?;
        let incoming = Incoming::from(snapshot.clone());
        let patched = match self.prepared.take() {
            Some(prepared) => match self.bind(prepared.root()) {
                Ok(core) => {
                    self.core = core;
                    prepared.patch(incoming, &self.core).await
                }
                Err(error) => {
                    self.prepared = Some(prepared);
                    return Err(error);
                }
            },
            None => {
                let imported = incoming.import::<R>().inspect_err(|error| {
                    self.failed = Some(self.core.report(SIDE).failed_in("import", error));
                })?;
                self.core = self.bind(imported.root())?;
                imported.patch(&self.core).await
            }
        };
        self.patched = Some(patched.map_err(|failure| self.failed_with(failure))?);
        let host = &mut self.host;
        caught("Host::keep", || host.keep(&snapshot))
    }

    /// Returns the snapshot that has arrived.
    fn read(&mut self) -> Result<Snapshot, Error> {
        let options = ReadOptions::new().limit(self.handover.limits.snapshot);
        options.from_bytes(std::mem::take(&mut self.bytes))
    }

    fn bind(&mut self, root: &Arc<R>) -> Result<Session, Error> {
        let (host, note) = (&mut self.host, self.snapshot_note.as_slice());
        let session = caught("Host::bind", || host.bind(root, note))?;
        Ok(session.origin(self.hello.session.origin()))
    }

    async fn resume(&mut self) -> Result<(), Error> {
        let patched = self.patched.take().ok_or_else(|| Error::internal("nothing is patched"))?;
        let resumed = patched.resume_revocably(&self.core).await;
        self.resumed = Some(resumed.map_err(|failure| self.failed_with(failure))?);
        Ok(())
    }

    fn failed_with(&mut self, failure: Failed) -> Error {
        self.failed = Some(self.core.report(SIDE).failed(&failure));
        self.undo = failure.undo_error().cloned();
        failure.into_error()
    }

    fn go_live(&mut self) {
        let Some(resumed) = self.resumed.take() else { return };
        let root = &*self.root.insert(resumed.go_live());
        let host = &mut self.host;
        // There is no way back: the tree is this side's, and a failure here is only reported.
        match caught("Host::go_live", || Ok(host.go_live(root))) {
            Ok(note) => self.next_note = note,
            Err(error) => self.trouble.push(error),
        }
    }

    /// Undoes everything.
    async fn abort(&mut self) {
        let undone = match (self.prepared.take(), self.patched.take(), self.resumed.take()) {
            (_, _, Some(resumed)) => self.take_back(resumed).await,
            (_, Some(patched), _) => patched.abort().await.map_err(Failed::into_error),
            (Some(prepared), ..) => prepared.abort().await.map_err(Failed::into_error),
            // A failed step has undone itself, and has reported that.
            (None, None, None) => return,
        };
        self.undo = undone.err();
    }

    async fn take_back(&mut self, resumed: Resumed<R>) -> Result<(), Error> {
        let (host, root) = (&mut self.host, Arc::clone(resumed.root()));
        let by_host = caught("Host::take_back", || Ok(host.take_back(&root)));
        drop(root);
        match by_host {
            Ok(Some(result)) => {
                // The host has undone everything, so there is nothing for the hooks to abort.
                drop(resumed.go_live());
                result
            }
            Ok(None) => resumed.abort().await.map_err(Failed::into_error),
            Err(panicked) => {
                let aborted = resumed.abort().await.map_err(Failed::into_error);
                Err(aborted.err().map_or(panicked.clone(), |error| panicked.and(error)))
            }
        }
    }

    /// Returns the live tree.
    ///
    /// # Errors
    ///
    /// If there is none, which the decisions rule out.
    pub(super) fn live(mut self, settled: bool) -> Result<(Arc<R>, Report), Box<NotMoved>> {
        match self.root.take() {
            Some(root) => Ok((root, self.report(settled))),
            None => Err(Box::new(self.refused(&Error::internal("there is no tree")))),
        }
    }

    pub(super) fn refused(mut self, trouble: &Error) -> NotMoved {
        let error = self.failure.take().unwrap_or_else(|| trouble.clone());
        let undo = self.undo.take();
        NotMoved { error, undo, report: self.report(true) }
    }

    fn report(&mut self, settled: bool) -> Report {
        if let Some(entry) = self.entry.take() {
            entry.finish();
        }
        Report {
            session: self.hello.session.clone(),
            side: self.failed.take().unwrap_or_else(|| self.core.report(SIDE)),
            peer: std::mem::take(&mut self.peer),
            bytes: self.length,
            rehearsal: None,
            settled,
            note: std::mem::take(&mut self.last_note),
            trouble: std::mem::take(&mut self.trouble),
        }
    }
}

fn nanoseconds(since: Instant) -> u64 {
    as_nanoseconds(since.elapsed())
}

fn as_nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
