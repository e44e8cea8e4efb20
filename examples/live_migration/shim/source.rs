//! The source: runs a sandbox and gives it away.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use snapshot_core::{ControllerId, Error, Incoming, MigrationReport, Session, SideReport};
use snapshot_examples::lcow::Sandbox;
use snapshot_handover::decision::{Again, Choice, source};
use snapshot_handover::ledger::Record;
use snapshot_handover::{Doubt, Finished, Handover, NotMoved, Offer, Offered, Report};
use tokio::runtime::Runtime;

use crate::shim::cli::{Fault, Options};
use crate::shim::console::say;
use crate::shim::guest::{Guest, at};
use crate::shim::keeper::Keeper;
use crate::shim::link::Endpoint;
use crate::shim::machine::Machine;
use crate::shim::note::{self, Ended, Handed};
use crate::shim::plan;
use crate::shim::processes::Origin;
use crate::shim::progress::Bars;
use crate::shim::proof::prove;
use crate::shim::side::{self, Side};
use crate::shim::storage::Storage;
use crate::shim::table::duration;
use crate::shim::{Outcome, handover, machine_id, report, run_for, sandbox, signals, summary, vm};

/// The name of this side.
pub(crate) const SIDE: &str = "source";

/// The time for a destination to start.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// The time for one question to the destination, before the operator's answer is checked.
const QUESTION: Duration = Duration::from_millis(500);

/// Runs the source.
///
/// # Errors
///
/// If it cannot run a sandbox, or if a proof fails. A failed migration is not an error: the sandbox
/// continues here.
pub(crate) fn run(
    options: &Options,
    endpoint: &Endpoint,
    dir: &Path,
    runtime: &Runtime,
) -> anyhow::Result<Outcome> {
    let side = Side::of(dir, SIDE);
    let ledger = side.open()?;
    if side.ended()?.is_some() {
        // The earlier shim may have died before it switched the VM off.
        vm::switch_off(&dir.join("guest"))?;
        say(SIDE, "the sandbox of this folder has run to its end: start with an empty folder");
        return Ok(Outcome::RanOn);
    }
    let source = Source { options, endpoint, dir, side, handover: handover(&ledger), runtime };
    match source.settle(side::last(&ledger)?)? {
        Whose::Ours => source.serve(),
        Whose::Theirs => {
            source.side.forget_sandbox();
            say(SIDE, "the sandbox is the destination's, and this side has released it");
            Ok(Outcome::Moved)
        }
        Whose::Unknown => {
            say(SIDE, "ends in doubt, and has changed nothing: start it again, or decide");
            Ok(Outcome::InDoubt)
        }
    }
}

/// The owner of the sandbox.
enum Whose {
    Ours,
    Theirs,
    Unknown,
}

/// The end of a migration.
enum Migrated {
    Moved(Box<Report>),
    Kept(Box<Unmoved>),
    /// This shim was asked to end while it was in doubt.
    Left,
}

/// The reason why the sandbox was not moved.
struct Unmoved {
    error: Error,
    /// The error of the thaw.
    undo: Option<Error>,
    /// The report of this side, if a hand-over began.
    report: Option<SideReport>,
    /// Other errors.
    trouble: Vec<Error>,
}

struct Source<'a> {
    options: &'a Options,
    endpoint: &'a Endpoint,
    dir: &'a Path,
    side: Side,
    handover: Handover,
    runtime: &'a Runtime,
}

impl Source<'_> {
    /// Finds out which side owns the sandbox, after the last hand-over of an earlier shim of this
    /// folder.
    fn settle(&self, last: Option<Record>) -> anyhow::Result<Whose> {
        let again = source::again(last.as_ref().map(|record| record.mark));
        let Some(record) = last else { return Ok(Whose::Ours) };
        let session = &record.session;
        match again {
            Again::TakeUp => return Ok(Whose::Ours),
            Again::Ask => {}
            Again::Leave => {
                // The destination waits for this side's last message, if it still runs.
                if let Ok(link) = self.connect(self.patience()) {
                    let finished =
                        self.runtime.block_on(self.handover.finish(session, link.into_inner()));
                    if let Err(error) = finished {
                        tracing::error!(%error, "the last message was not sent");
                    }
                }
                return Ok(Whose::Theirs);
            }
        }
        say(SIDE, &format!("finishes hand-over {session}, in which it gave the sandbox away"));
        let mut doubts = Doubts::new(self);
        loop {
            if let Some(choice) = self.side.decided(session) {
                self.handover.decide(session, choice)?;
                return Ok(match choice {
                    Choice::Commit => Whose::Theirs,
                    Choice::Rollback => Whose::Ours,
                });
            }
            let error = match self.connect(QUESTION) {
                Ok(link) => {
                    let finish = self.handover.finish(session, link.into_inner());
                    match self.runtime.block_on(finish)? {
                        Finished::Committed(_) => return Ok(Whose::Theirs),
                        Finished::Kept(_) => return Ok(Whose::Ours),
                        Finished::InDoubt(error) => error,
                    }
                }
                Err(error) => error,
            };
            if doubts.wait(&error) {
                return Ok(Whose::Unknown);
            }
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.options.patience)
    }

    fn connect(&self, patience: Duration) -> Result<crate::shim::link::Link, Error> {
        self.runtime.block_on(self.endpoint.connect(patience))
    }

    /// Runs the sandbox, moves it, and continues it if it was not moved.
    fn serve(&self) -> anyhow::Result<Outcome> {
        let Started { machine, storage, sandbox, mut keeper } = self.start()?;
        let ids = sandbox::controller_ids(&sandbox)?;
        say(
            SIDE,
            &format!(
                "runs {} containers in {} pods, {} controllers; {}",
                self.options.containers,
                sandbox.pods().len(),
                ids.len(),
                keeper.summary()
            ),
        );
        if let Some(fault) = &self.options.fail
            && !ids.contains(&fault.controller)
        {
            self.end(&machine, &sandbox, false)?;
            anyhow::bail!(
                "--fail {fault}: there is no such controller, only\n  {}",
                ids.join("\n  ")
            );
        }
        run_for(self.options.seconds, || keeper.catch_up(&sandbox));
        if signals::requested() {
            return self.interrupted(&machine, &sandbox);
        }
        let session = session(self.options);
        let kept = match self.migrate(&machine, &storage, &sandbox, &session)? {
            Migrated::Moved(report) => {
                self.side.forget_sandbox();
                if let Some(rehearsed) = &report.rehearsal {
                    summary::rehearsal(SIDE, rehearsed);
                }
                report::write(self.options, || report.side);
                say(SIDE, "has released the sandbox and ends");
                return Ok(Outcome::Moved);
            }
            Migrated::Left => {
                say(
                    SIDE,
                    "ends in doubt; the sandbox stays frozen: start this shim again, or decide",
                );
                return Ok(Outcome::InDoubt);
            }
            Migrated::Kept(kept) => *kept,
        };
        self.tell(kept, &session)?;
        keeper.changed(&sandbox);
        run_for(self.options.seconds, || keeper.catch_up(&sandbox));
        if signals::requested() {
            return self.interrupted(&machine, &sandbox);
        }
        let ended = self.end(&machine, &sandbox, true)?;
        let shims: Vec<&[_]> = ended.shims.iter().map(Vec::as_slice).collect();
        summary::proof(SIDE, &prove(&shims, &ended.exits)?);
        Ok(Outcome::RanOn)
    }

    /// Starts the sandbox, or continues the one that an earlier shim of this folder has left, and
    /// starts its missing containers.
    fn start(&self) -> anyhow::Result<Started> {
        let checkpoint = Incoming::from_checkpoint(self.side.checkpoint())?;
        let (guest, storage) = (self.dir.join("guest"), self.dir.join("storage"));
        let mut keeper = Keeper::new(self.side.checkpoint());
        let (machine, sandbox, storage) = match checkpoint {
            Some(checkpoint) => {
                let guest = Guest::find(&guest)?;
                let machine = Machine::new(self.side.dir(), guest, Origin::TakenUp)?;
                let storage = Storage::build(&storage)?;
                sandbox::make_storage(&machine, &storage, self.options.containers)?;
                let sandbox = sandbox::take_up(&machine, checkpoint, plan::stay)?;
                say(SIDE, "continues the sandbox that an earlier shim has left");
                (machine, sandbox, storage)
            }
            None => {
                self.sweep(&guest)?;
                let guest = Guest::build(&guest)?;
                vm::boot(&guest)?;
                let machine = Machine::new(self.side.dir(), guest, Origin::Built)?;
                machine.processes().take_bridge()?;
                let storage = Storage::build(&storage)?;
                sandbox::make_storage(&machine, &storage, self.options.containers)?;
                let sandbox = sandbox::start(&machine)?;
                (machine, sandbox, storage)
            }
        };
        keeper.changed(&sandbox);
        let containers = self.options.containers;
        sandbox::start_containers(&machine, &sandbox, containers, || keeper.changed(&sandbox))?;
        keeper.catch_up(&sandbox);
        Ok(Started { machine, storage, sandbox, keeper })
    }

    /// Ends the remains of a shim that died before its first checkpoint: a VM without containers.
    fn sweep(&self, guest: &Path) -> Result<(), Error> {
        vm::switch_off(guest)?;
        if guest.exists() {
            std::fs::remove_dir_all(guest).map_err(|error| at(guest, error))?;
        }
        self.side.forget_sandbox();
        self.side.clean()
    }

    fn migrate(
        &self,
        machine: &Arc<Machine>,
        storage: &Storage,
        sandbox: &Arc<Sandbox>,
        session: &Session,
    ) -> anyhow::Result<Migrated> {
        // Otherwise the freeze finds out, which can be undone.
        if let Err(error) = machine.flush_disks() {
            tracing::warn!(%error, "a disk cannot be flushed before the freeze");
        }
        let offered = note::Offered {
            machine: machine_id()?,
            guest: machine.guest().dir().to_owned(),
            storage: storage.dir().to_owned(),
            seen: sandbox::seen(machine, sandbox),
            exits: sandbox::exit_codes(self.options.containers),
        };
        let told = session.clone();
        let offer = Offer::new(sandbox, session)
            .id(side::new_session())
            .note(note::encode(&offered)?)
            .farewell(move |_| {
                let report = MigrationReport::new([told.report(SIDE)]).to_json();
                let handed = Handed { report };
                note::encode(&handed).unwrap_or_default()
            });
        let id = offer.session().clone();
        let cancel = session.cancel_handle();
        let watching = self.runtime.spawn(async move {
            while !signals::requested() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            cancel.cancel();
        });
        let mut offered = match self.connect(CONNECT_PATIENCE) {
            Ok(link) => self.runtime.block_on(self.handover.offer(offer, link.into_inner())),
            Err(error) => {
                watching.abort();
                let (undo, report, trouble) = (None, None, Vec::new());
                return Ok(Migrated::Kept(Box::new(Unmoved { error, undo, report, trouble })));
            }
        };
        watching.abort();
        let mut doubts = Doubts::new(self);
        loop {
            let doubt: Doubt<Sandbox> = match offered {
                Offered::Committed(report) => return Ok(Migrated::Moved(Box::new(report))),
                Offered::Kept(NotMoved { error, undo, report, .. }) => {
                    let (report, trouble) = (Some(report.side), report.trouble);
                    return Ok(Migrated::Kept(Box::new(Unmoved { error, undo, report, trouble })));
                }
                Offered::InDoubt(doubt) => doubt,
            };
            if let Some(choice) = self.side.decided(&id) {
                offered = self.runtime.block_on(doubt.decide(choice));
                continue;
            }
            if doubts.wait(doubt.error()) {
                return Ok(Migrated::Left);
            }
            offered = match self.connect(QUESTION) {
                Ok(link) => self.runtime.block_on(doubt.ask(link.into_inner())),
                Err(_) => Offered::InDoubt(doubt),
            };
        }
    }

    /// Prints and reports the reason why the sandbox was not moved.
    fn tell(&self, kept: Unmoved, session: &Session) -> anyhow::Result<()> {
        let Unmoved { error, undo, report, trouble } = kept;
        let report = report.unwrap_or_else(|| session.report(SIDE));
        let phase = report.failure.as_ref().map(|failure| failure.phase.clone());
        let shown = phase.as_deref().unwrap_or("the hand-over").to_owned();
        report::write(self.options, || match report.failure {
            Some(_) => report,
            None => report.failed_in("hand-over", &error),
        });
        say(SIDE, &format!("the migration failed in {shown}: [{}] {error}", error.code()));
        for trouble in trouble {
            say(SIDE, &format!("also: [{}] {trouble}", trouble.code()));
        }
        match (undo, session.timeline().blackout) {
            (Some(error), _) => anyhow::bail!("it could not be thawed: {error}"),
            (None, None) => say(SIDE, "the sandbox continues here and never stood still"),
            (None, Some(time)) => {
                let time = duration(time);
                say(SIDE, &format!("the sandbox continues here; it stood still for {time}"));
            }
        }
        Ok(())
    }

    /// Ends the sandbox: asks the workloads to stop if there is time, and switches the VM off.
    fn end(&self, machine: &Machine, sandbox: &Sandbox, in_order: bool) -> anyhow::Result<Ended> {
        let mut ended = Ended::default();
        if in_order {
            sandbox::stop(sandbox)?;
            ended.exits = sandbox::exit_codes(self.options.containers);
        }
        ended.shims.push(sandbox::seen(machine, sandbox));
        self.side.end(&ended);
        sandbox.vm()?.terminate()?;
        Ok(ended)
    }

    fn interrupted(&self, machine: &Machine, sandbox: &Sandbox) -> anyhow::Result<Outcome> {
        self.end(machine, sandbox, false)?;
        say(SIDE, "was asked to end, and has ended the sandbox");
        Ok(Outcome::Interrupted)
    }
}

/// A sandbox that runs here.
struct Started {
    machine: Arc<Machine>,
    storage: Storage,
    sandbox: Arc<Sandbox>,
    keeper: Keeper,
}

/// The messages of a source in doubt, and the time of its next question.
struct Doubts<'a> {
    source: &'a Source<'a>,
    began: Instant,
    told: bool,
    asked: bool,
}

impl<'a> Doubts<'a> {
    fn new(source: &'a Source<'a>) -> Self {
        Self { source, began: Instant::now(), told: false, asked: false }
    }

    /// Waits a moment. Returns whether this shim was asked to end.
    fn wait(&mut self, error: &Error) -> bool {
        if !std::mem::replace(&mut self.told, true) {
            say(SIDE, &format!("in doubt: {error}; the sandbox stays frozen here"));
        }
        if self.began.elapsed() >= self.source.patience()
            && !std::mem::replace(&mut self.asked, true)
        {
            let folder = self.source.dir.display();
            say(
                SIDE,
                &format!(
                    "IN DOUBT: the destination was asked to resume and does not answer: {error}\n\
                     The sandbox stays frozen here, so it runs at the destination or nowhere. Ask \
                     there with `live_migration status FOLDER`, then type here\n  \
                     live_migration decide {folder} commit     if it is the destination's\n  \
                     live_migration decide {folder} rollback   if it is not\n\
                     This side goes on to ask the destination meanwhile"
                ),
            );
        }
        signals::pause(Duration::from_millis(50))
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
