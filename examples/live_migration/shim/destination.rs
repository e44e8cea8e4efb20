//! The destination: takes a sandbox over and goes on with it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use prost::Message as _;
use snapshot_core::{ControllerId, Error, Incoming, Patched, Phase, Session, SideReport, registry};
use snapshot_examples::lcow::{Host, Sandbox};

use crate::shim::cli::{Fault, Options};
use crate::shim::clock::{now, steps};
use crate::shim::guest::Guest;
use crate::shim::link::{Address, Link, Listener};
use crate::shim::machine::Machine;
use crate::shim::plan::plan;
use crate::shim::progress::Bars;
use crate::shim::proof::prove;
use crate::shim::protocol::{self, Channel, Failure, Hello, Message, Progressed, unexpected};
use crate::shim::storage::Storage;
use crate::shim::{Outcome, machine_id, report, sandbox, say, summary};

/// What lines of this side begin with.
const SIDE: &str = "destination";

/// How long a source that lost the connection may take to come back and ask.
const RETURN_PATIENCE: Duration = Duration::from_secs(15);

/// Runs the destination.
///
/// # Errors
///
/// Whatever keeps it from listening, and a proof that fails. A sandbox that is not taken over is no
/// error by itself: it runs on at the source.
pub(crate) fn run(options: &Options, address: &Address, dir: &Path) -> anyhow::Result<Outcome> {
    let listener = Listener::bind(address)?;
    say(SIDE, &format!("listens at {address}"));
    let mut channel = Channel::new(listener.accept(None)?);
    let not_taken = |error: Error| {
        say(SIDE, &format!("took nothing over: {error}"));
        Ok(Outcome::NotTaken)
    };
    let (hello, machine) = match greet(&mut channel, dir) {
        Ok(greeted) => greeted,
        Err(error) => return not_taken(error),
    };
    let mut shim = Shim { options, listener: &listener, channel, machine, hello, failed: None };
    let taken = match shim.take_over() {
        Ok(taken) => taken,
        Err(error) => {
            if let Some(side) = shim.failed {
                report::write(options, || side)?;
            }
            return not_taken(error);
        }
    };
    report::write(options, || taken.session.report(SIDE))?;
    say(SIDE, "the sandbox runs here");
    let Taken { sandbox, session, resumed } = taken;
    let handed = match shim.settle(&Message::Resumed(resumed.clone())) {
        Ok(Message::Committed(handed)) => Ok(*handed),
        Ok(other) => Err(unexpected(&other, "Committed")),
        Err(error) => Err(error),
    };
    std::thread::sleep(Duration::from_secs_f64(options.seconds));
    sandbox::stop(&sandbox)?;
    let seen = sandbox::seen(&shim.machine, &sandbox);
    let handed = match handed {
        Ok(handed) => handed,
        Err(error) => anyhow::bail!(
            "the sandbox ran here to its end, but the source never told what it had relayed, so \
             nothing is proved: {error}"
        ),
    };
    let proof = prove(&[&handed.seen, &seen], &handed.exits)?;
    summary::migration(&handed, &steps(&session.timeline()), &resumed);
    summary::proof(SIDE, &proof);
    Ok(Outcome::TookOver)
}

/// Gets to know the source, and tells it what can be imported here. Makes this host ready for the
/// guest; nothing of the guest is touched.
fn greet(channel: &mut Channel<Link>, dir: &Path) -> Result<(Hello, Arc<Machine>), Error> {
    let hello = match channel.receive()? {
        Message::Hello(hello) => hello,
        other => return Err(unexpected(&other, "Hello")),
    };
    let greeted = check(&hello).and_then(|()| {
        let host = dir.join("destination");
        let machine = Machine::new(&host, Guest::find(&hello.guest)?, false)?;
        Storage::find(&hello.storage).show(&host)?;
        sandbox::equip(&machine, SIDE)?;
        let manifest = registry::registry()?.manifest().encode_to_vec();
        channel.send(&Message::Manifest(manifest))?;
        Ok(machine)
    });
    match greeted {
        Ok(machine) => Ok((hello, machine)),
        Err(error) => {
            // If the connection is what failed, the source knows.
            let _ = channel.send(&Message::Refused(Failure::from(&error)));
            Err(error)
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

/// A sandbox that was taken over.
struct Taken {
    sandbox: Arc<Sandbox>,
    session: Session,
    resumed: Progressed,
}

/// The destination while it takes over.
struct Shim<'a> {
    options: &'a Options,
    listener: &'a Listener,
    channel: Channel<Link>,
    machine: Arc<Machine>,
    hello: Hello,
    /// What failed here, once a snapshot had come.
    failed: Option<SideReport>,
}

impl Shim<'_> {
    fn take_over(&mut self) -> Result<Taken, Error> {
        let bytes = self.receive_snapshot()?;
        let session = self.session();
        let patched = self.patch(bytes, session.clone());
        let (patched, session) = patched.inspect_err(|error| {
            let _ = self.channel.send(&Message::Refused(Failure::from(error)));
        })?;
        let progressed = Progressed { at: now() };
        let told = self.channel.send(&Message::Patched(progressed));
        match told.and_then(|()| self.channel.receive()) {
            Ok(Message::Resume) => {}
            other => {
                // The sandbox is still the source's: whatever it is, this side takes itself back.
                block_on(patched.abort()).map_err(|failure| failure.into_error())?;
                let error = match other {
                    Ok(Message::Abort(failure)) => failure.into(),
                    Ok(other) => unexpected(&other, "Resume"),
                    Err(error) => error,
                };
                self.failed = Some(session.report(SIDE).failed_in("resume", &error));
                return Err(error);
            }
        }
        match block_on(patched.resume(&session)) {
            Ok(sandbox) => {
                // From here on every process is relayed here, and the guest goes on. There is no
                // way back any more, so a process that cannot be relayed does not stop the others.
                if let Err(error) = self.machine.processes().open() {
                    say(SIDE, &format!("not everything goes on: {error}"));
                }
                Ok(Taken { sandbox, session, resumed: Progressed { at: now() } })
            }
            Err(failure) => {
                self.failed = Some(session.report(SIDE).failed(&failure));
                let error = failure.into_error();
                if let Err(error) = self.settle(&Message::Refused(Failure::from(&error))) {
                    say(SIDE, &format!("the source may not know that this failed: {error}"));
                }
                Err(error)
            }
        }
    }

    fn receive_snapshot(&mut self) -> Result<Vec<u8>, Error> {
        match self.channel.receive()? {
            Message::Processes(processes) => self.machine.processes().expect(processes),
            Message::Abort(failure) => return Err(failure.into()),
            other => return Err(unexpected(&other, "Processes")),
        }
        match self.channel.receive()? {
            Message::Snapshot(bytes) => Ok(bytes),
            Message::Abort(failure) => Err(failure.into()),
            other => Err(unexpected(&other, "Snapshot")),
        }
    }

    fn session(&self) -> Session {
        let session = Session::new()
            .progress(Arc::new(Bars::new(SIDE)))
            .resource(Arc::new(Host::new(Arc::clone(&self.machine))));
        match &self.options.fail {
            Some(Fault { phase: phase @ (Phase::Patch | Phase::Resume), controller }) => {
                session.fail_at(*phase, ControllerId::from(controller.as_str()))
            }
            _ => session,
        }
    }

    /// Verifies the whole snapshot, and only then binds it to this host.
    fn patch(
        &mut self,
        bytes: Vec<u8>,
        session: Session,
    ) -> Result<(Patched<Sandbox>, Session), Error> {
        let imported = Incoming::open(bytes).and_then(Incoming::import::<Sandbox>);
        let imported = imported.and_then(|imported| {
            let plan = plan(&self.machine, imported.root())?;
            Ok((imported, plan))
        });
        let (imported, plan) = imported.inspect_err(|error| {
            self.failed = Some(session.report(SIDE).failed_in(Phase::Import, error));
        })?;
        let session = session.resource(Arc::new(plan));
        let patched = block_on(imported.patch(&session)).map_err(|failure| {
            self.failed = Some(session.report(SIDE).failed(&failure));
            failure.into_error()
        })?;
        Ok((patched, session))
    }

    /// Answers the source's `Resume`, and waits for its last word. If the connection is lost the
    /// source does not know what became of its sandbox, so it may come back and ask.
    fn settle(&mut self, answer: &Message) -> Result<Message, Error> {
        let mut settled = self.channel.send(answer).and_then(|()| self.channel.receive());
        while settled.is_err() {
            say(SIDE, "the source is not heard any more, and may ask what became of this");
            self.channel = Channel::new(self.listener.accept(Some(RETURN_PATIENCE))?);
            settled = match self.channel.receive() {
                Ok(Message::Outcome(migration)) if migration == self.hello.migration => {
                    self.channel.send(answer).and_then(|()| self.channel.receive())
                }
                Ok(other) => Err(unexpected(&other, "Outcome of this migration")),
                Err(error) => Err(error),
            };
        }
        settled
    }
}
