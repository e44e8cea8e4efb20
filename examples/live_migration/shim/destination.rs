//! The destination: takes a sandbox over and continues it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use snapshot_core::{Error, Incoming, MigrationReport};
use snapshot_examples::lcow::Sandbox;
use snapshot_handover::decision::{Again, destination};
use snapshot_handover::{NotMoved, Report};
use tokio::runtime::Runtime;

use crate::shim::arrival::{Arrived, Desk, News};
use crate::shim::cli::Options;
use crate::shim::console::say;
use crate::shim::guest::Guest;
use crate::shim::keeper::Keeper;
use crate::shim::link::Endpoint;
use crate::shim::machine::Machine;
use crate::shim::note::{self, Ended, Handed, Offered};
use crate::shim::processes::Origin;
use crate::shim::proof::prove;
use crate::shim::reception::receive;
use crate::shim::side::{self, Side};
use crate::shim::storage::Storage;
use crate::shim::{Outcome, handover, plan, report, run_for, sandbox, signals, summary};

/// The name of this side.
pub(crate) const SIDE: &str = "destination";

/// The interval at which the waiting shim checks for other events.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the destination.
///
/// # Errors
///
/// If it cannot listen, or if a proof fails. It is not an error if a sandbox is not taken over: it
/// continues at the source.
pub(crate) fn run(
    options: &Options,
    endpoint: &Endpoint,
    dir: &Path,
    runtime: &Runtime,
) -> anyhow::Result<Outcome> {
    let side = Side::of(dir, SIDE);
    let ledger = side.open()?;
    let last = side::last(&ledger)?;
    let ended = side.ended()?;
    let again = destination::again(last.as_ref().map(|record| record.mark));
    let taken_up = match again == Again::TakeUp && ended.is_none() {
        true => Some(take_up(&side)?),
        false if ended.is_some() => {
            if let Some(Offered { guest, .. }) = side::read(&side.offered())? {
                // The earlier shim may have died before it switched the VM off.
                crate::shim::vm::switch_off(&guest)?;
            }
            say(SIDE, "the sandbox of this folder has run to its end here");
            None
        }
        false => {
            side.forget_sandbox();
            side.forget_arrival();
            side.clean()?;
            None
        }
    };
    let (news, events) = channel();
    let desk = Desk::new(options, dir, side.clone(), news, taken_up.is_none() && ended.is_none());
    let listener = runtime.block_on(endpoint.listen())?;
    say(SIDE, &format!("listens at {}", endpoint.address));
    let receiving = runtime.spawn(receive(listener, handover(&ledger), Arc::clone(&desk)));
    let shim = Destination { options, side, desk, events };
    let outcome = match taken_up {
        Some((arrived, sandbox)) => {
            say(SIDE, "continues the sandbox that an earlier shim has left");
            shim.serve(&arrived, &sandbox, None)
        }
        None => shim.wait(last.is_some()),
    };
    // The listener ends with its task, and removes the socket file.
    receiving.abort();
    let _ = runtime.block_on(receiving);
    outcome
}

/// Continues the sandbox of an earlier shim of this folder, from its last checkpoint or as it
/// arrived.
fn take_up(side: &Side) -> anyhow::Result<(Arrived, Arc<Sandbox>)> {
    let offered: Offered = side::read(&side.offered())?.ok_or_else(|| {
        Error::internal("the ledger says that the sandbox is live here, and the offer is gone")
    })?;
    let machine = Machine::new(side.dir(), Guest::find(&offered.guest)?, Origin::TakenUp)?;
    Storage::find(&offered.storage).show(side.dir())?;
    sandbox::equip(&machine, SIDE)?;
    let sandbox = match Incoming::from_checkpoint(side.checkpoint())? {
        Some(checkpoint) => sandbox::take_up(&machine, checkpoint, plan::stay)?,
        None => match Incoming::from_checkpoint(side.arrived())? {
            Some(arrived) => sandbox::take_up(&machine, arrived, plan::plan)?,
            None => anyhow::bail!(
                "the ledger says that the sandbox is live here, and there is nothing to take it up \
                 from"
            ),
        },
    };
    Ok((Arrived { machine, offered }, sandbox))
}

struct Destination<'a> {
    options: &'a Options,
    side: Side,
    desk: Arc<Desk>,
    events: Receiver<News>,
}

impl Destination<'_> {
    fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.options.patience)
    }

    /// Waits for a source. With `again`, there has been one, which may still ask for the outcome of
    /// a session.
    fn wait(self, again: bool) -> anyhow::Result<Outcome> {
        let mut until = again.then(|| Instant::now() + self.patience());
        let mut refused: Option<NotMoved> = None;
        loop {
            match self.events.recv_timeout(LOOK) {
                Ok(News::Live(sandbox, report)) => {
                    let arrived = self.desk.arrived()?;
                    return self.serve(&arrived, &sandbox, Some(*report));
                }
                Ok(News::Refused(why)) => {
                    say(SIDE, &format!("took nothing over: [{}] {}", why.error.code(), why.error));
                    if let Some(error) = &why.undo {
                        say(SIDE, &format!("not everything could be undone: {error}"));
                    }
                    // Without a snapshot there is nothing to report.
                    if why.report.side.failure.is_some() || !why.report.side.phases.is_empty() {
                        report::write(self.options, || why.report.side.clone());
                    }
                    refused = Some(*why);
                    until = Some(Instant::now() + self.patience());
                }
                Ok(News::Undecided(why)) => anyhow::bail!(
                    "it is not known whether the last mark was written: start this shim again, \
                     which then follows the record: {}",
                    why.error
                ),
                Err(RecvTimeoutError::Disconnected) => anyhow::bail!("nobody listens any more"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let is_over = until.is_some_and(|until| Instant::now() > until) && self.desk.is_free();
            if is_over || signals::requested() {
                if refused.is_none() {
                    say(SIDE, "took nothing over: no source has come");
                }
                return Ok(match (signals::requested(), refused) {
                    (true, None) => Outcome::Interrupted,
                    _ => Outcome::NotTaken,
                });
            }
        }
    }

    /// Runs the sandbox, which is this side's.
    fn serve(
        &self,
        arrived: &Arrived,
        sandbox: &Arc<Sandbox>,
        report: Option<Report>,
    ) -> anyhow::Result<Outcome> {
        say(SIDE, "the sandbox runs here");
        let mut keeper = Keeper::new(self.side.checkpoint());
        keeper.changed(sandbox);
        if let Some(report) = &report {
            report::write(self.options, || report.side.clone());
            for trouble in &report.trouble {
                say(SIDE, &format!("also: [{}] {trouble}", trouble.code()));
            }
        }
        run_for(self.options.seconds, || keeper.catch_up(sandbox));
        let is_asked_to_end = signals::requested();
        let Arrived { machine, offered } = arrived;
        if !is_asked_to_end {
            sandbox::stop(sandbox)?;
        }
        let seen = sandbox::seen(machine, sandbox);
        let exits = if is_asked_to_end { Default::default() } else { offered.exits.clone() };
        let ended = Ended { shims: vec![offered.seen.clone(), seen], exits };
        self.side.end(&ended);
        sandbox.vm()?.terminate()?;
        if is_asked_to_end {
            say(SIDE, "was asked to end, and has ended the sandbox");
            return Ok(Outcome::Interrupted);
        }
        let shims: Vec<&[_]> = ended.shims.iter().map(Vec::as_slice).collect();
        let proof = prove(&shims, &ended.exits)?;
        if let Some(report) = &report
            && let Ok(handed) = note::decode::<Handed>(&report.note)
            && let Ok(source) = MigrationReport::from_json(handed.report.as_bytes())
        {
            let sides = source.sides.into_iter().chain([report.side.clone()]);
            summary::migration(&MigrationReport::new(sides), report.bytes);
        }
        summary::proof(SIDE, &proof);
        self.settle(report.as_ref());
        Ok(Outcome::TookOver)
    }

    /// Waits for a source that may not know that the sandbox is this side's.
    fn settle(&self, report: Option<&Report>) {
        if report.is_some_and(|report| report.settled) {
            return;
        }
        signals::wait_until(self.patience(), || self.desk.is_settled());
        if !self.desk.is_settled() {
            say(
                SIDE,
                "the source's last message has not arrived: ask both sides with `live_migration \
                 status`",
            );
        }
    }
}
