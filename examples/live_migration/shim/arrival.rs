//! The arrival of a sandbox: the work of this host at each step of the hand-over, and the owner of
//! the host.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use rustix::io::fcntl_dupfd_cloexec;
use snapshot_core::{ControllerId, Error, Session, Snapshot, WriteOptions};
use snapshot_examples::lcow::{Host as LcowHost, Sandbox};
use snapshot_handover::message::Hello;
use snapshot_handover::{Host, NotMoved, Report};

use crate::shim::cli::{Fault, Options};
use crate::shim::destination::SIDE;
use crate::shim::guest::Guest;
use crate::shim::lock::lock;
use crate::shim::machine::Machine;
use crate::shim::note::{self, Offered};
use crate::shim::processes::Origin;
use crate::shim::progress::Bars;
use crate::shim::side::{self, Side};
use crate::shim::storage::Storage;
use crate::shim::{confine, machine_id, plan, sandbox};

/// The outcome of a hand-over.
pub(crate) enum News {
    /// The sandbox runs here.
    Live(Arc<Sandbox>, Box<Report>),
    /// Nothing was taken over.
    Refused(Box<NotMoved>),
    /// Only the ledger knows the outcome.
    Undecided(Box<NotMoved>),
}

/// This host, ready for a guest.
#[derive(Clone)]
pub(crate) struct Arrived {
    /// The host.
    pub(crate) machine: Arc<Machine>,
    /// The source's note about the sandbox.
    pub(crate) offered: Offered,
}

/// The owner of this host. It accepts one sandbox at a time, and only one.
pub(crate) struct Desk {
    options: Options,
    /// The only folder that may contain a peer's folders.
    shared: PathBuf,
    side: Side,
    news: Mutex<Sender<News>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether another sandbox may arrive.
    is_free: bool,
    arrived: Option<Arrived>,
    /// Whether the source knows that the sandbox is this side's.
    is_settled: bool,
    /// Whether an arrival that has ended has left files from which the sandbox could be continued.
    has_left: bool,
}

impl Desk {
    /// Creates a host that accepts a sandbox if it `is_free`, and otherwise only answers.
    pub(crate) fn new(
        options: &Options,
        dir: &Path,
        side: Side,
        news: Sender<News>,
        is_free: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            options: options.clone(),
            shared: options.shared.clone().unwrap_or_else(|| dir.to_owned()),
            side,
            news: Mutex::new(news),
            state: Mutex::new(State { is_free, ..State::default() }),
        })
    }

    /// Returns the host and the sandbox that has arrived on it.
    ///
    /// # Errors
    ///
    /// If nothing has arrived.
    pub(crate) fn arrived(&self) -> Result<Arrived, Error> {
        let arrived = lock(&self.state).arrived.clone();
        arrived.ok_or_else(|| Error::internal("no sandbox has arrived"))
    }

    /// Returns whether there is no hand-over, and none has succeeded.
    pub(crate) fn is_free(&self) -> bool {
        lock(&self.state).is_free
    }

    /// Returns whether the source knows that the sandbox is this side's.
    pub(crate) fn is_settled(&self) -> bool {
        lock(&self.state).is_settled
    }

    /// The source has asked, and has the answer.
    pub(crate) fn settled(&self) {
        lock(&self.state).is_settled = true;
    }

    /// Reports the outcome of a hand-over.
    pub(crate) fn report(&self, news: News) {
        // An error means that the shim is on its way out.
        let _ = lock(&self.news).send(news);
    }

    /// Ends a hand-over whose sandbox is certainly not this side's: removes the files from which it
    /// could be continued, unless the next sandbox is here.
    pub(crate) fn forget(&self) {
        let mut state = lock(&self.state);
        if std::mem::take(&mut state.has_left) {
            self.side.forget_arrival();
        }
    }

    /// Takes the host for a sandbox, if it is free.
    fn take(&self) -> bool {
        let mut state = lock(&self.state);
        let is_free = std::mem::take(&mut state.is_free);
        state.has_left &= !is_free;
        is_free
    }

    /// Releases the host for the next sandbox. If the snapshot `was_kept`, only the ledger says
    /// whether the sandbox is this side's.
    fn release(&self, was_kept: bool) {
        if let Err(error) = self.side.clean() {
            tracing::error!(%error, "this host is not as it was before");
        }
        if !was_kept {
            self.side.forget_arrival();
        }
        let mut state = lock(&self.state);
        state.arrived = None;
        state.has_left = was_kept;
        state.is_free = true;
    }
}

/// One hand-over to this host.
pub(crate) struct Arrival {
    desk: Arc<Desk>,
    /// Called when the source is known to offer a sandbox that this host may accept.
    greeted: Box<dyn FnMut() -> Result<(), Error> + Send>,
    has_host: bool,
    was_kept: bool,
    is_live: bool,
}

impl Arrival {
    /// Creates a hand-over about which nothing is known yet.
    pub(crate) fn new(
        desk: Arc<Desk>,
        greeted: impl FnMut() -> Result<(), Error> + Send + 'static,
    ) -> Self {
        Self { desk, greeted: Box::new(greeted), has_host: false, was_kept: false, is_live: false }
    }

    fn machine(&self) -> Result<Arc<Machine>, Error> {
        Ok(self.desk.arrived()?.machine)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if self.has_host && !self.is_live {
            self.desk.release(self.was_kept);
        }
    }
}

impl Host<Sandbox> for Arrival {
    /// Makes this host ready for the guest; nothing of the guest is touched.
    fn greet(&mut self, hello: &Hello) -> Result<Vec<u8>, Error> {
        let mut offered: Offered = note::decode(&hello.note)?;
        if offered.machine != machine_id()? {
            return Err(Error::precondition(
                "the source is on another machine: its processes, which stand for the memory of \
                 the VM, cannot move. Run both shims on one kernel",
            ));
        }
        let shared = &self.desk.shared;
        offered.guest = confine::folder(shared, &offered.guest)?;
        offered.storage = confine::folder(shared, &offered.storage)?;
        if !self.desk.take() {
            return Err(Error::precondition(
                "this destination has a sandbox, or takes one over: start another one",
            ));
        }
        self.has_host = true;
        (self.greeted)()?;
        let dir = self.desk.side.dir();
        let machine = Machine::new(dir, Guest::find(&offered.guest)?, Origin::Handed)?;
        Storage::find(&offered.storage).show(dir)?;
        sandbox::equip(&machine, SIDE)?;
        make_room(offered.seen.len());
        side::write(&self.desk.side.offered(), &offered)?;
        lock(&self.desk.state).arrived = Some(Arrived { machine, offered });
        Ok(Vec::new())
    }

    /// Kept until there is a checkpoint of this host.
    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let Desk { side, options, .. } = &*self.desk;
        self.was_kept = true;
        let writer = WriteOptions::new().replace(true);
        writer.write_to_path(snapshot, side.arrived())?;
        match &options.save {
            Some(path) => writer.write_to_path(snapshot, path),
            None => Ok(()),
        }
    }

    fn bind(&mut self, root: &Arc<Sandbox>, _: &[u8]) -> Result<Session, Error> {
        let machine = self.machine()?;
        // For the containers that came after the greeting.
        make_room(root.pods().iter().map(|pod| pod.containers().len()).sum());
        let plan = plan::plan(&machine);
        let session = Session::new()
            .progress(Arc::new(Bars::new(SIDE)))
            .resource(Arc::new(LcowHost::new(machine)))
            .resource(Arc::new(plan));
        Ok(match &self.desk.options.fail {
            Some(Fault { phase, controller }) if Fault::AT_DESTINATION.contains(phase) => {
                session.fail_at(*phase, ControllerId::from(controller.as_str()))
            }
            _ => session,
        })
    }

    /// From now on the output is relayed here, and the guest runs. There is no way back, so a
    /// process that cannot be relayed does not stop the others.
    fn go_live(&mut self, _: &Arc<Sandbox>) -> Vec<u8> {
        self.is_live = true;
        let live = self.machine().and_then(|machine| {
            let taken = machine.processes().take_bridge();
            Error::collect([taken.err(), machine.processes().open().err()].into_iter().flatten())
        });
        if let Err(error) = live {
            tracing::error!(%error, "not everything could continue");
        }
        Vec::new()
    }

    /// Undoes everything. The guest has not run, so it is the source's, unchanged.
    fn take_back(&mut self, root: &Arc<Sandbox>) -> Option<Result<(), Error>> {
        Some(root.vm().and_then(|vm| vm.terminate()))
    }
}

/// Makes the table of descriptors large enough for this many containers now, because growing it
/// takes long in a process with threads.
fn make_room(containers: usize) {
    let highest = i32::try_from(containers * 9 + 128).unwrap_or(i32::MAX);
    if let Ok(null) = std::fs::File::open("/dev/null") {
        // If there is no room, the table grows later.
        drop(fcntl_dupfd_cloexec(&null, highest));
    }
}
