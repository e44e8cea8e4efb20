//! The source: runs a sandbox and gives it away.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use prost::Message as _;
use snapshot_core::registry::Manifest;
use snapshot_core::{
    Code, ControllerId, Error, Frozen, Phase, Session, Snapshot, Source, WriteOptions,
};
use snapshot_examples::lcow::Sandbox;
use uuid::Uuid;

use crate::shim::cli::{Fault, Options};
use crate::shim::clock::{now, steps};
use crate::shim::foreign::make_foreign;
use crate::shim::guest::Guest;
use crate::shim::link::{Address, Link};
use crate::shim::machine::Machine;
use crate::shim::progress::Bars;
use crate::shim::proof::prove;
use crate::shim::protocol::{self, Channel, Failure, Handed, Hello, Message, unexpected};
use crate::shim::storage::Storage;
use crate::shim::summary;
use crate::shim::table::duration;
use crate::shim::{Outcome, machine_id, report, sandbox, say};

/// What lines of this side begin with.
const SIDE: &str = "source";

/// How long a destination may take to come up.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// How long the destination is asked again what became of the sandbox.
const IN_DOUBT_PATIENCE: Duration = Duration::from_secs(10);

/// Runs the source.
///
/// # Errors
///
/// Whatever keeps it from running a sandbox, and a proof that fails. A migration that fails is no
/// error by itself: the sandbox runs on here.
pub(crate) fn run(options: &Options, address: &Address, dir: &Path) -> anyhow::Result<Outcome> {
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

    let session = session(options);
    let shim = Shim {
        options,
        address,
        machine: &machine,
        sandbox: &sandbox,
        storage: &storage,
        session: &session,
    };
    let migrated = shim.migrate();
    report::write(options, || match &migrated {
        Ok(()) => session.report(SIDE),
        Err(NotMoved { failure: Some(failure), .. }) => session.report(SIDE).failed(failure),
        Err(NotMoved { error, phase, .. }) => session.report(SIDE).failed_in(phase, error),
    })?;
    match migrated {
        Ok(()) => {
            say(SIDE, "has let go of the sandbox and ends");
            Ok(Outcome::Moved)
        }
        Err(NotMoved { error, phase, stood, .. }) => {
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
            summary::proof(SIDE, &proof);
            Ok(Outcome::RanOn)
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

/// Why the sandbox is still here.
struct NotMoved {
    error: Error,
    phase: &'static str,
    /// The failure of a phase on this side.
    failure: Option<snapshot_core::Failure>,
    stood: Stood,
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

/// A failure of this phase, before anything was frozen or while it still is.
fn during(phase: &'static str) -> impl Fn(Error) -> NotMoved {
    move |error| NotMoved { error, phase, failure: None, stood: Stood::Never }
}

/// The source while it migrates.
struct Shim<'a> {
    options: &'a Options,
    address: &'a Address,
    machine: &'a Machine,
    sandbox: &'a Arc<Sandbox>,
    storage: &'a Storage,
    session: &'a Session,
}

impl Shim<'_> {
    fn migrate(&self) -> Result<(), NotMoved> {
        let link = Link::connect(self.address, CONNECT_PATIENCE).map_err(during("preflight"))?;
        let mut channel = Channel::new(link);
        let migration = Uuid::new_v4().to_string();
        let source = self.preflight(&mut channel, &migration);
        let source = self.or_abort(&mut channel, source).map_err(during("preflight"))?;

        let session = self.session;
        let frozen_at = now();
        let frozen = match block_on(source.freeze(session)) {
            Ok(frozen) => frozen,
            Err(failure) => {
                // It has thawed by itself.
                let _ = channel.send(&Message::Abort(Failure::from(failure.cause())));
                let stood = self.stood(session, failure.undo_error().cloned());
                let not_moved = during("freeze")(failure.cause().clone());
                return Err(NotMoved { stood, failure: Some(failure), ..not_moved });
            }
        };
        // Asked before the commit: it forgets the processes.
        let seen = sandbox::seen(self.machine, self.sandbox);
        match self.give(&mut channel, &migration, &frozen) {
            Ok(snapshot) => {
                block_on(frozen.commit()).unwrap_or_else(|failure| {
                    // The sandbox is gone all the same.
                    say(SIDE, &format!("{failure}"));
                });
                let timeline = session.timeline();
                let saved = timeline.saved.iter();
                let handed = Handed {
                    steps: steps(&timeline),
                    saved: saved.map(|s| (s.id.to_string(), s.bytes as u64)).collect(),
                    snapshot,
                    frozen_at,
                    seen,
                    exits: sandbox::exit_codes(self.options.containers),
                };
                if let Err(error) = channel.send(&Message::Committed(Box::new(handed))) {
                    say(SIDE, &format!("committed, and the destination does not hear it: {error}"));
                }
                Ok(())
            }
            Err(kept) => {
                let undone = block_on(frozen.rollback());
                // The last word, if the destination still waits for it.
                let _ = channel.send(&Message::Abort(Failure::from(&kept.error)));
                let stood = self.stood(session, undone.err().map(|failure| failure.into_error()));
                Err(NotMoved { stood, ..kept })
            }
        }
    }

    /// How a thaw ended that went like this. What failed is tried once more.
    fn stood(&self, session: &Session, failed: Option<Error>) -> Stood {
        if failed.is_some()
            && let Err(failure) = block_on(Source::recover(self.sandbox, session))
        {
            return Stood::Still(failure.into_error());
        }
        session.timeline().blackout.map_or(Stood::Never, Stood::For)
    }

    /// Tells the destination of a failure, so that it need not find out.
    fn or_abort<T>(
        &self,
        channel: &mut Channel<Link>,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        result.inspect_err(|error| {
            // If the connection is what failed, the destination knows.
            let _ = channel.send(&Message::Abort(Failure::from(error)));
        })
    }

    /// Whether it can work is known before anything stands still.
    fn preflight(
        &self,
        channel: &mut Channel<Link>,
        migration: &str,
    ) -> Result<Source<Sandbox>, Error> {
        channel.send(&Message::Hello(Hello {
            version: protocol::VERSION,
            migration: migration.to_owned(),
            machine: machine_id()?,
            guest: self.machine.guest().dir().to_owned(),
            storage: self.storage.dir().to_owned(),
        }))?;
        let theirs = match channel.receive()? {
            Message::Manifest(bytes) => Manifest::decode(bytes.as_slice()).map_err(|error| {
                let reason = format!("the destination's manifest cannot be read: {error}");
                Error::new(Code::DataLoss, reason)
            })?,
            Message::Refused(failure) => return Err(failure.into()),
            other => return Err(unexpected(&other, "Manifest")),
        };
        let source = Source::new(self.sandbox);
        source.preflight(&theirs)?;
        say(SIDE, "preflight: the destination can restore this sandbox");
        Ok(source)
    }

    /// Saves, sends, and waits until the destination is live. As long as this returns an error the
    /// sandbox is the source's; see the table in [`protocol`].
    fn give(
        &self,
        channel: &mut Channel<Link>,
        migration: &str,
        frozen: &Frozen<Sandbox>,
    ) -> Result<u64, NotMoved> {
        let saved = self.save(frozen);
        let snapshot = self.or_abort(channel, saved).map_err(during("save"))?;
        let length = snapshot.len() as u64;
        let sent = channel
            .send(&Message::Processes(self.machine.processes().told()))
            .and_then(|()| channel.send(&Message::Snapshot(snapshot.as_bytes().to_vec())))
            .and_then(|()| channel.receive());
        match sent.map_err(during("send"))? {
            Message::Patched(_) => {}
            Message::Refused(failure) => return Err(during("import or patch")(failure.into())),
            other => return Err(during("patch")(unexpected(&other, "Patched"))),
        }
        let asked = channel.send(&Message::Resume).and_then(|()| channel.receive());
        let answer = asked.or_else(|error| {
            say(SIDE, &format!("in doubt: {error}; the sandbox stays frozen here"));
            self.ask_again(channel, migration)
        });
        match answer {
            Ok(Message::Resumed(_)) => Ok(length),
            Ok(Message::Refused(failure)) => Err(during("resume")(failure.into())),
            Ok(other) => decide(&unexpected(&other, "Resumed")).map(|()| length),
            Err(error) => decide(&error).map(|()| length),
        }
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

    /// Asks the destination over a new connection what became of the sandbox.
    fn ask_again(&self, channel: &mut Channel<Link>, migration: &str) -> Result<Message, Error> {
        *channel = Channel::new(Link::connect(self.address, IN_DOUBT_PATIENCE)?);
        channel.send(&Message::Outcome(migration.to_owned()))?;
        channel.receive()
    }
}

/// Nobody but the operator knows whether the destination is live. Waits for a word on the standard
/// input.
fn decide(error: &Error) -> Result<(), NotMoved> {
    say(
        SIDE,
        &format!(
            "IN DOUBT: the destination was told to resume and does not answer: {error}\n\
             The sandbox stays frozen here, so it runs at the destination or nowhere. Look there, \
             then type\n  commit    if it runs there: this side lets go\n  rollback  if it does \
             not: it goes on here"
        ),
    );
    for line in std::io::stdin().lines() {
        match line.unwrap_or_default().trim() {
            "commit" => return Ok(()),
            "rollback" => {
                let error = Error::new(Code::Cancelled, "the operator took the sandbox back");
                return Err(during("resume")(error));
            }
            _ => say(SIDE, "commit or rollback?"),
        }
    }
    loop {
        // Nobody decides. To end would be to decide.
        std::thread::park();
    }
}
