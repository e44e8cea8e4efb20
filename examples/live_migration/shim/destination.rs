//! The destination: takes a sandbox over and goes on with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_executor::block_on;
use prost::Message as _;
use snapshot_core::{ControllerId, Error, Incoming, Patched, Phase, Session, SideReport, registry};
use snapshot_examples::lcow::{Host, Sandbox};
use snapshot_handover::decision::destination::{State, step};
use snapshot_handover::decision::{Action, Event, Mark, Word};

use crate::shim::afterwards;
use crate::shim::cli::{Fault, Options};
use crate::shim::clock::{now, steps};
use crate::shim::drive::{Hands, Next, drive};
use crate::shim::guest::Guest;
use crate::shim::link::{Address, Listener};
use crate::shim::machine::Machine;
use crate::shim::plan::plan;
use crate::shim::progress::Bars;
use crate::shim::proof::prove;
use crate::shim::protocol::{self, Failure, Hello, Message, Progressed};
use crate::shim::record::{Record, Unwritten};
use crate::shim::storage::Storage;
use crate::shim::talk::Talk;
use crate::shim::{Outcome, machine_id, report, sandbox, say, summary};

/// What lines of this side begin with.
const SIDE: &str = "destination";

/// Runs the destination.
///
/// # Errors
///
/// Whatever keeps it from listening, and a proof that fails. A sandbox that is not taken over is no
/// error by itself: it runs on at the source.
pub(crate) fn run(options: &Options, address: &Address, dir: &Path) -> anyhow::Result<Outcome> {
    let side = dir.join("destination");
    let left = Record::find(&side)?;
    let listener = Listener::bind(address)?;
    say(SIDE, &format!("listens at {address}"));
    if let Some(record) = left {
        return afterwards::destination(options, &listener, record);
    }
    let mut shim = Shim {
        options,
        listener: &listener,
        talk: Talk::new(options, Some(listener.accept(None)?)),
        side,
        machine: None,
        record: None,
        hello: None,
        bytes: Vec::new(),
        session: Session::new(),
        patched: None,
        sandbox: None,
        resumed: Progressed::default(),
        failure: None,
        failed: None,
    };
    let ended = drive(&mut shim, step, (State::Waiting, Vec::new()))?;
    let Shim { talk, machine, record, session, sandbox, resumed, failure, failed, .. } = shim;
    let happened = failed.unwrap_or_else(|| session.report(SIDE));
    // Where no snapshot has come there is nothing to tell of.
    if happened.failure.is_some() || !happened.phases.is_empty() {
        report::write(options, || happened)?;
    }
    // Nobody is waited for any more.
    drop((talk, listener));
    let (State::Live, Some(machine), Some(sandbox), Some(mut record)) =
        (ended, machine, sandbox, record)
    else {
        let error = failure.unwrap_or_else(|| Error::internal("nobody has said why"));
        say(SIDE, &format!("took nothing over: {error}"));
        return Ok(Outcome::NotTaken);
    };
    std::thread::sleep(Duration::from_secs_f64(options.seconds));
    sandbox::stop(&sandbox)?;
    record.seen = sandbox::seen(&machine, &sandbox);
    record.resumed = Some(resumed.clone());
    record.write()?;
    let Some(handed) = &record.handed else {
        say(
            SIDE,
            "the sandbox ran here to its end, and the source's last word has not come: ask both \
             sides with `live_migration status FOLDER`, which proves it by what they have written",
        );
        return Ok(Outcome::TookOver);
    };
    let proof = prove(&[&handed.seen, &record.seen], &handed.exits)?;
    summary::migration(handed, &steps(&session.timeline()), &resumed);
    summary::proof(SIDE, &proof);
    Ok(Outcome::TookOver)
}

/// The destination while it takes over.
struct Shim<'a> {
    options: &'a Options,
    listener: &'a Listener,
    talk: Talk,
    /// This side's folder.
    side: PathBuf,
    machine: Option<Arc<Machine>>,
    record: Option<Record>,
    hello: Option<Hello>,
    bytes: Vec<u8>,
    session: Session,
    patched: Option<Patched<Sandbox>>,
    sandbox: Option<Arc<Sandbox>>,
    resumed: Progressed,
    /// Why nothing is taken over; the first reason counts.
    failure: Option<Error>,
    /// What failed here, for the report.
    failed: Option<SideReport>,
}

impl Hands for Shim<'_> {
    fn act(&mut self, action: Action) -> anyhow::Result<Next> {
        match action {
            Action::Record(mark) => return Ok(self.write(mark, true)),
            Action::Note(mark) => return Ok(self.write(mark, false)),
            Action::Send(word) => {
                let message = self.message(word)?;
                self.talk.send(&message);
            }
            Action::Greet => return Ok(self.tried(Self::greet)),
            Action::Import => return Ok(self.tried(Self::import)),
            Action::Resume => return Ok(self.tried(Self::resume)),
            Action::GoLive => self.go_live(),
            Action::Abort => self.abort(),
            Action::Listen => {
                let why = self.talk.trouble();
                say(SIDE, &format!("{why}; the source may ask what became of this"));
                if !self.talk.listen(self.listener) {
                    return Ok(Next::Happened(Event::Nobody));
                }
            }
            Action::Leave => anyhow::bail!(
                "it is not known whether the last mark was written: start this shim again, which \
                 then goes by what is there"
            ),
            Action::Contradiction => anyhow::bail!(
                "the two sides contradict each other: look at both with `live_migration status`"
            ),
            Action::End => {
                self.why();
                return Ok(Next::End);
            }
            // No source of this example rehearses.
            Action::Check
            | Action::Rehearse
            | Action::Prepare
            | Action::Thaw
            | Action::Commit
            | Action::Ask
            | Action::AskOperator => {
                anyhow::bail!("{action:?} is not for a destination")
            }
        }
        Ok(Next::GoOn)
    }

    fn wait(&mut self) -> Event {
        let Some(mut message) = self.talk.receive() else { return Event::Lost };
        if let (Message::Processes(processes), Some(machine)) = (&message, &self.machine) {
            machine.processes().expect(processes.clone());
            if let Some(record) = &mut self.record {
                record.processes.clone_from(processes);
            }
            match self.talk.receive() {
                Some(next) => message = next,
                None => return Event::Lost,
            }
        }
        let Some(word) = message.word() else { return Event::Lost };
        match message {
            Message::Hello(hello) => {
                // One that comes later is of another migration.
                self.hello.get_or_insert(hello);
            }
            Message::Snapshot(bytes) => self.bytes = bytes,
            Message::Abort(failure) => self.fail(failure.into()),
            Message::Committed(handed) => {
                if let Some(record) = &mut self.record {
                    record.handed = Some(handed);
                }
            }
            Message::Outcome(migration) => {
                let ours = self.record.as_ref().is_some_and(|ours| ours.migration == migration);
                if !ours {
                    let why = format!("migration {migration} is not this one");
                    self.talk.hang_up(Error::invalid(why));
                    return Event::Lost;
                }
            }
            _ => {}
        }
        Event::Got(word)
    }
}

impl Shim<'_> {
    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    /// Why nothing is taken over: if nothing else was said, because of the connection.
    fn why(&mut self) -> Failure {
        let trouble = self.talk.trouble();
        Failure::from(&*self.failure.get_or_insert(trouble))
    }

    fn tried(&mut self, act: fn(&mut Self) -> Result<(), Error>) -> Next {
        Next::Happened(match act(self) {
            Ok(()) => Event::Done,
            Err(error) => {
                self.fail(error);
                Event::Failed
            }
        })
    }

    fn write(&mut self, mark: Mark, needed: bool) -> Next {
        let why = (mark == Mark::Aborted).then(|| self.why());
        let unrecorded = |error| Unwritten { event: Event::Unrecorded, error };
        let written = self.record().map_err(unrecorded).and_then(|record| {
            record.failure = why;
            record.mark(mark)
        });
        match written {
            Ok(()) => Next::GoOn,
            Err(Unwritten { event, error }) if needed => {
                self.fail(error);
                Next::Happened(event)
            }
            // Who finds no mark presumes the same.
            Err(Unwritten { error, .. }) => {
                say(SIDE, &format!("{error}"));
                Next::GoOn
            }
        }
    }

    fn record(&mut self) -> Result<&mut Record, Error> {
        match (&mut self.record, &self.hello) {
            (Some(record), _) => Ok(record),
            (empty, Some(hello)) => Ok(empty.insert(Record::new(&self.side, &hello.migration)?)),
            (None, None) => Err(Error::internal("no source has come")),
        }
    }

    fn message(&mut self, word: Word) -> anyhow::Result<Message> {
        Ok(match word {
            Word::Welcome => Message::Manifest(registry::registry()?.manifest().encode_to_vec()),
            Word::Patched => Message::Patched(Progressed { at: now() }),
            Word::Resumed => Message::Resumed(self.resumed.clone()),
            Word::Refused => Message::Refused(self.why()),
            Word::Settled => Message::Settled,
            other => anyhow::bail!("{other:?} is not for a destination to say"),
        })
    }

    fn machine(&self) -> Result<&Arc<Machine>, Error> {
        self.machine.as_ref().ok_or_else(|| Error::internal("this host is not ready"))
    }

    /// Makes this host ready for the guest; nothing of the guest is touched.
    fn greet(&mut self) -> Result<(), Error> {
        let hello = self.hello.as_ref().ok_or_else(|| Error::internal("no source has come"))?;
        check(hello)?;
        let machine = Machine::new(&self.side, Guest::find(&hello.guest)?, false)?;
        Storage::find(&hello.storage).show(&self.side)?;
        sandbox::equip(&machine, SIDE)?;
        self.machine = Some(machine);
        Ok(())
    }

    /// Verifies the whole snapshot, and only then binds it to this host.
    fn import(&mut self) -> Result<(), Error> {
        // Before the import, so that the report has its time too.
        let session = Session::new().progress(Arc::new(Bars::new(SIDE)));
        self.session = session.clone();
        let imported = Incoming::open(std::mem::take(&mut self.bytes))
            .and_then(Incoming::import::<Sandbox>)
            .inspect_err(|error| {
                self.failed = Some(session.report(SIDE).failed_in(Phase::Import, error));
            })?;
        let machine = Arc::clone(self.machine()?);
        let plan = plan(&machine, imported.root())?;
        let session = session.resource(Arc::new(Host::new(machine))).resource(Arc::new(plan));
        self.session = match &self.options.fail {
            Some(Fault { phase: phase @ (Phase::Patch | Phase::Resume), controller }) => {
                session.fail_at(*phase, ControllerId::from(controller.as_str()))
            }
            _ => session,
        };
        let patched = block_on(imported.patch(&self.session));
        self.patched = Some(patched.map_err(|failure| self.failed_with(failure))?);
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Error> {
        let patched = self.patched.take().context("nothing is patched");
        let patched = patched.map_err(|error| Error::internal(error.to_string()))?;
        let resumed = block_on(patched.resume(&self.session));
        self.sandbox = Some(resumed.map_err(|failure| self.failed_with(failure))?);
        Ok(())
    }

    fn failed_with(&mut self, failure: snapshot_core::Failure) -> Error {
        self.failed = Some(self.session.report(SIDE).failed(&failure));
        failure.into_error()
    }

    /// Now the output is relayed here, and the guest goes on. There is no way back any more, so a
    /// process that cannot be relayed does not stop the others.
    fn go_live(&mut self) {
        let opened = self.machine().and_then(|machine| machine.processes().open());
        self.resumed = Progressed { at: now() };
        if let Err(error) = opened {
            say(SIDE, &format!("not everything goes on: {error}"));
        }
        say(SIDE, "the sandbox runs here");
    }

    /// Takes everything back. The guest has not gone on, so it is the source's as it was.
    fn abort(&mut self) {
        let aborted = match (self.patched.take(), self.sandbox.take()) {
            (Some(patched), _) => block_on(patched.abort()).map_err(|failure| failure.into_error()),
            (None, Some(sandbox)) => sandbox.vm().and_then(|vm| vm.terminate()),
            (None, None) => Ok(()),
        };
        if let Err(error) = aborted {
            say(SIDE, &format!("not everything could be taken back: {error}"));
        }
    }
}

fn check(hello: &Hello) -> Result<(), Error> {
    if hello.version != protocol::VERSION {
        return Err(Error::precondition(format!(
            "the source speaks version {} of the protocol, this is version {}",
            hello.version,
            protocol::VERSION
        )));
    }
    if hello.machine != machine_id()? {
        return Err(Error::precondition(
            "the source is on another machine: its processes, which stand in for the memory of \
             the VM, cannot come along. Run both shims on one kernel",
        ));
    }
    Ok(())
}
