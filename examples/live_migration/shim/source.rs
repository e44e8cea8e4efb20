//! The source: runs a sandbox and gives it away.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_executor::block_on;
use snapshot_core::registry::Manifest;
use snapshot_core::{
    Code, ControllerId, Error, Frozen, Phase, Session, SideReport, Snapshot, Source, WriteOptions,
};
use snapshot_examples::lcow::Sandbox;
use snapshot_handover::decision::source::{State, step};
use snapshot_handover::decision::{Action, Choice, Event, Mark, Word};
use uuid::Uuid;

use crate::shim::afterwards;
use crate::shim::cli::{Fault, Options};
use crate::shim::clock::{now, steps};
use crate::shim::drive::{Hands, Next, drive};
use crate::shim::foreign::make_foreign;
use crate::shim::guest::Guest;
use crate::shim::link::{Address, Link};
use crate::shim::machine::Machine;
use crate::shim::progress::Bars;
use crate::shim::proof::prove;
use crate::shim::protocol::{self, Failure, Handed, Hello, Message};
use crate::shim::record::{Record, Unwritten};
use crate::shim::storage::Storage;
use crate::shim::summary;
use crate::shim::table::duration;
use crate::shim::talk::Talk;
use crate::shim::{Outcome, machine_id, report, sandbox, say};

/// What lines of this side begin with.
const SIDE: &str = "source";

/// How long a destination may take to come up.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// How long the destination may take to give back the disks that it has opened already.
const THAW_PATIENCE: Duration = Duration::from_secs(30);

/// Runs the source.
///
/// # Errors
///
/// Whatever keeps it from running a sandbox, and a proof that fails. A migration that fails is no
/// error by itself: the sandbox runs on here.
pub(crate) fn run(options: &Options, address: &Address, dir: &Path) -> anyhow::Result<Outcome> {
    let side = dir.join("source");
    if let Some(record) = Record::find(&side)? {
        return afterwards::source(options, address, record);
    }
    let storage = Storage::build(&dir.join("storage"))?;
    let guest = Guest::build(&dir.join("guest"))?;
    let machine = Machine::new(&dir.join("source"), guest, true)?;
    let sandbox = sandbox::start(&machine, &storage, options.containers)?;
    let ids = sandbox::controller_ids(&sandbox)?;
    say(
        SIDE,
        &format!(
            "runs {} containers in {} pods, {} controllers",
            options.containers,
            sandbox.pods().len(),
            ids.len()
        ),
    );
    if let Some(fault) = &options.fail
        && !ids.contains(&fault.controller)
    {
        sandbox::stop(&sandbox)?;
        anyhow::bail!("--fail {fault}: there is no such controller, only\n  {}", ids.join("\n  "));
    }
    std::thread::sleep(Duration::from_secs_f64(options.seconds));

    let migration = Uuid::new_v4().to_string();
    let mut shim = Shim {
        options,
        address,
        machine: &machine,
        sandbox: &sandbox,
        storage: &storage,
        talk: Talk::new(options, None),
        record: Record::new(&side, &migration)?,
        migration,
        session: None,
        manifest: Vec::new(),
        frozen: None,
        frozen_at: 0,
        snapshot: Vec::new(),
        phase: "preflight",
        failure: None,
        thawed: None,
        failed_here: None,
        stood: Stood::Never,
    };
    match Link::connect(address, CONNECT_PATIENCE) {
        Ok(link) => shim.talk = Talk::new(options, Some(link)),
        Err(error) => shim.fail(error),
    }
    let ended = drive(&mut shim, step, step(State::Idle, Event::Start));
    let Shim { mut record, phase, failure, stood, session, thawed, failed_here, .. } = shim;
    report::write(options, || {
        let report = thawed.unwrap_or_else(|| session.unwrap_or_default().report(SIDE));
        match (failed_here, &failure) {
            (Some(here), _) => report.failed(&here),
            (None, Some(error)) => report.failed_in(phase, error),
            (None, None) => report,
        }
    })?;
    if ended? == State::Committed {
        say(SIDE, "has let go of the sandbox and ends");
        return Ok(Outcome::Moved);
    }
    let error = failure.unwrap_or_else(|| Error::internal("nobody has said why"));
    say(SIDE, &format!("the migration failed in {phase}: [{}] {error}", error.code()));
    match stood {
        Stood::Never => say(SIDE, "the sandbox runs on here, and never stood still"),
        Stood::For(time) => {
            let time = duration(time);
            say(SIDE, &format!("the sandbox runs on here; it stood still for {time}"));
        }
        Stood::Still(error) => anyhow::bail!("it could not be thawed: {error}"),
    }
    std::thread::sleep(Duration::from_secs_f64(options.seconds));
    sandbox::stop(&sandbox)?;
    let seen = sandbox::seen(&machine, &sandbox);
    let proof = prove(&[&seen], &sandbox::exit_codes(options.containers))?;
    record.seen = seen;
    record.write()?;
    summary::proof(SIDE, &proof);
    Ok(Outcome::RanOn)
}

/// Whether the sandbox stood still.
enum Stood {
    /// It was not frozen.
    Never,
    /// It was frozen for so long, and everything is as it was before.
    For(Duration),
    /// Not all of it could be thawed.
    Still(Error),
}

/// The source while it migrates.
struct Shim<'a> {
    options: &'a Options,
    address: &'a Address,
    machine: &'a Machine,
    sandbox: &'a Arc<Sandbox>,
    storage: &'a Storage,
    talk: Talk,
    record: Record,
    migration: String,
    session: Option<Session>,
    manifest: Vec<u8>,
    frozen: Option<Frozen<Sandbox>>,
    /// When the freeze began, in nanoseconds of the machine's monotonic clock.
    frozen_at: u64,
    snapshot: Vec<u8>,
    /// What is going on, for the report of a failure.
    phase: &'static str,
    /// Why the sandbox is not moved; the first reason counts.
    failure: Option<Error>,
    /// What happened until it went on here, for the report.
    thawed: Option<SideReport>,
    /// The failure of a phase on this side, for the report.
    failed_here: Option<snapshot_core::Failure>,
    stood: Stood,
}

impl Hands for Shim<'_> {
    fn act(&mut self, action: Action) -> anyhow::Result<Next> {
        match action {
            Action::Record(mark) => return Ok(self.write(mark, true)),
            Action::Note(mark) => return Ok(self.write(mark, false)),
            Action::Send(word) => {
                let message = self.message(word)?;
                self.send(message);
            }
            // It has a preflight, and no rehearsal.
            Action::Rehearse => return Ok(Next::Happened(Event::Unneeded)),
            Action::Prepare => {
                return Ok(Next::Happened(match self.prepare() {
                    Ok(()) => Event::Done,
                    Err(error) => {
                        self.fail(error);
                        Event::Failed
                    }
                }));
            }
            Action::Thaw => self.thaw(),
            Action::Commit => self.commit(),
            Action::Ask => {
                // Afterwards it is not about the sandbox any more.
                if self.record.mark == Mark::Given {
                    let why = self.talk.trouble();
                    say(SIDE, &format!("in doubt: {why}; the sandbox stays frozen here"));
                }
                if !self.talk.ask(self.address, &self.migration) {
                    return Ok(Next::Happened(Event::Nobody));
                }
            }
            Action::AskOperator => {
                let choice = decide(&self.talk.trouble());
                if choice == Choice::Rollback {
                    self.fail(Error::new(Code::Cancelled, "the operator took the sandbox back"));
                }
                return Ok(Next::Happened(Event::Operator(choice)));
            }
            Action::Contradiction => anyhow::bail!(
                "this side has committed, and the destination says that it refused: look at both \
                 with `live_migration status`"
            ),
            Action::End => {
                return Ok(Next::End);
            }
            Action::Greet
            | Action::Check
            | Action::Import
            | Action::Resume
            | Action::GoLive
            | Action::Abort
            | Action::Leave
            | Action::Listen => anyhow::bail!("{action:?} is not for a source"),
        }
        Ok(Next::GoOn)
    }

    fn wait(&mut self) -> Event {
        let Some(message) = self.talk.receive() else { return Event::Lost };
        let Some(word) = message.word() else { return Event::Lost };
        match message {
            Message::Manifest(bytes) => self.manifest = bytes,
            Message::Refused(failure) => self.fail(failure.into()),
            _ => {}
        }
        Event::Got(word)
    }
}

impl Shim<'_> {
    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    /// Why it is not moved: if nothing else was said, because of the connection.
    fn why(&mut self) -> Failure {
        let trouble = self.talk.trouble();
        Failure::from(&*self.failure.get_or_insert(trouble))
    }

    fn write(&mut self, mark: Mark, needed: bool) -> Next {
        match mark {
            // Who is started again after a kill finds them standing still.
            Mark::Begun | Mark::Given => self.record.processes = self.machine.processes().told(),
            Mark::Kept => self.record.failure = Some(self.why()),
            _ => {}
        }
        match self.record.mark(mark) {
            Ok(()) => Next::GoOn,
            Err(Unwritten { event, error }) if needed => {
                self.fail(error);
                Next::Happened(event)
            }
            // What is missing then is what would be said afterwards, and not whose the sandbox is.
            Err(Unwritten { error, .. }) => {
                say(SIDE, &format!("{error}"));
                Next::GoOn
            }
        }
    }

    fn send(&mut self, message: Message) {
        match message {
            Message::Snapshot(_) => {
                self.talk.send(&Message::Processes(self.machine.processes().told()));
                self.phase = "import or patch";
            }
            Message::Resume => self.phase = "resume",
            _ => {}
        }
        self.talk.send(&message);
    }

    fn message(&mut self, word: Word) -> anyhow::Result<Message> {
        Ok(match word {
            Word::Hello => Message::Hello(Hello {
                version: protocol::VERSION,
                migration: self.migration.clone(),
                machine: machine_id()?,
                guest: self.machine.guest().dir().to_owned(),
                storage: self.storage.dir().to_owned(),
            }),
            Word::Snapshot => Message::Snapshot(std::mem::take(&mut self.snapshot)),
            Word::Resume => Message::Resume,
            Word::Abort => Message::Abort(self.why()),
            Word::Committed => {
                let handed = self.record.handed.clone();
                Message::Committed(handed.context("there is no commit to tell of")?)
            }
            other => anyhow::bail!("{other:?} is not for a source to say"),
        })
    }

    /// Whether it can work is known before anything stands still. Then everything is frozen and
    /// saved.
    fn prepare(&mut self) -> Result<(), Error> {
        let theirs = Manifest::from_bytes(&self.manifest)?;
        let source = Source::new(self.sandbox);
        source.preflight(&theirs)?;
        say(SIDE, "preflight: the destination can restore this sandbox");

        self.phase = "freeze";
        let session = self.session.insert(session(self.options)).clone();
        self.frozen_at = now();
        let frozen = block_on(source.freeze(&session)).map_err(|failure| {
            // It has thawed by itself; what could not be is tried again later.
            let cause = failure.cause().clone();
            self.failed_here = Some(failure);
            cause
        })?;
        // Asked before the commit, which forgets the processes; and before anything is given away, so
        // that what a killed source has written is enough for a proof.
        let mut handed = Handed {
            frozen_at: self.frozen_at,
            seen: sandbox::seen(self.machine, self.sandbox),
            exits: sandbox::exit_codes(self.options.containers),
            ..Handed::default()
        };
        self.phase = "save";
        let saved = self.save(&frozen);
        self.frozen = Some(frozen);
        self.snapshot = saved?.as_bytes().to_vec();
        handed.snapshot = self.snapshot.len() as u64;
        self.record.handed = Some(Box::new(handed));
        self.phase = "send";
        Ok(())
    }

    fn save(&self, frozen: &Frozen<Sandbox>) -> Result<Snapshot, Error> {
        let mut snapshot = frozen.save()?;
        if let Some(Fault { phase: Phase::Import, controller }) = &self.options.fail {
            snapshot = make_foreign(&snapshot, controller)?;
        }
        if let Some(path) = &self.options.save {
            WriteOptions::new().replace(true).write_to_path(&snapshot, path)?;
            say(SIDE, &format!("the snapshot is kept in {}", path.display()));
        }
        Ok(snapshot)
    }

    /// Goes on here. The destination may need a moment to give back what it has taken already.
    fn thaw(&mut self) {
        let Some(session) = self.session.take() else { return };
        let deadline = Instant::now() + THAW_PATIENCE;
        let mut thawed = match self.frozen.take() {
            Some(frozen) => block_on(frozen.rollback()),
            None => block_on(Source::recover(self.sandbox, &session)),
        };
        while thawed.is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
            thawed = block_on(Source::recover(self.sandbox, &session));
        }
        self.stood = match thawed {
            Ok(()) => session.timeline().blackout.map_or(Stood::Never, Stood::For),
            Err(failure) => Stood::Still(failure.into_error()),
        };
        self.thawed = Some(session.report(SIDE));
    }

    fn commit(&mut self) {
        let (Some(frozen), Some(session)) = (self.frozen.take(), &self.session) else { return };
        if let Err(failure) = block_on(frozen.commit()) {
            // The sandbox is gone all the same.
            say(SIDE, &format!("{failure}"));
        }
        let timeline = session.timeline();
        if let Some(handed) = &mut self.record.handed {
            handed.steps = steps(&timeline);
            let saved = timeline.saved.iter();
            handed.saved = saved.map(|s| (s.id.to_string(), s.bytes as u64)).collect();
        }
        if let Err(error) = self.record.write() {
            say(SIDE, &format!("{error}"));
        }
    }
}

fn session(options: &Options) -> Session {
    let session = Session::new().progress(Arc::new(Bars::new(SIDE)));
    match &options.fail {
        Some(Fault { phase, controller }) => {
            session.fail_at(*phase, ControllerId::from(controller.as_str()))
        }
        None => session,
    }
}

/// Nobody but the operator knows whether the destination is live. Waits for a word on the standard
/// input.
pub(crate) fn decide(error: &Error) -> Choice {
    say(
        SIDE,
        &format!(
            "IN DOUBT: the destination was told to resume and does not answer: {error}\n\
             The sandbox stays frozen here, so it runs at the destination or nowhere. Ask there with \
             `live_migration status FOLDER`, then type\n  commit    if it is the destination's: \
             this side lets go\n  rollback  if it is not: it goes on here"
        ),
    );
    for line in std::io::stdin().lines() {
        match line.unwrap_or_default().trim() {
            "commit" => return Choice::Commit,
            "rollback" => return Choice::Rollback,
            _ => say(SIDE, "commit or rollback?"),
        }
    }
    loop {
        // Nobody decides. To end would be to decide.
        std::thread::park();
    }
}
