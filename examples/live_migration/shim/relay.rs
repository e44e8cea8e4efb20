//! The relay: copies the output of many processes, line by line, from the guest's ports to files.
//!
//! One thread serves all of them. It is suitable for a hand-over because it never holds a byte: it
//! looks at the content of a port with `tee(2)`, which consumes nothing, and moves only whole lines
//! with `splice(2)`. At any instant a byte is either still in the port or already in the log. A
//! relay that is held or killed therefore leaves nothing that would have to be saved, and the next
//! relay of the same port continues with the next line. (Only a line that is longer than a pipe is
//! moved in pieces, because its writer could not finish it otherwise.)

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice, tee};
use snapshot_core::Error;

use crate::shim::lock::lock;

/// The number of bytes of one port that are looked at in one turn: the default size of a pipe.
const WINDOW: usize = 64 * 1024;

/// The interval for a port that epoll cannot wait for: one with half a line in it stays readable.
const LATER: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// The interval at which a failed write to a log is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Ports and processes are watched once, because a port with half a line in it would wake the
/// thread repeatedly.
const WATCH: epoll::EventFlags = epoll::EventFlags::IN.union(epoll::EventFlags::ONESHOT);

/// The epoll key of the eventfd that ends the thread.
const STOP: u64 = 0;

/// Names a member of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberId(u64);

/// An event of the relay.
#[derive(Debug)]
pub(crate) enum Event {
    /// The process has exited, and all its output is in the logs.
    Exited(MemberId),
    /// A log cannot be written. The write is repeated, and nothing is lost: the process waits when
    /// its port is full.
    Failed(MemberId, Error),
    /// The log can be written again.
    Recovered(MemberId),
}

/// One pipe, and the target of its content.
pub(crate) struct Stream {
    from: File,
    to: Sink,
    moved: u64,
    /// The rest of the whole lines that were begun.
    begun: usize,
}

enum Sink {
    /// A log, and its end.
    Log(File, u64),
    /// Another pipe.
    Pipe(File),
}

impl Stream {
    /// Creates an output: copies `port`, the reading end of a non-blocking pipe, to the end of
    /// `log`, which is open for writing but not for appending (`splice` refuses that).
    pub(crate) fn output(port: File, log: File) -> std::io::Result<Self> {
        let end = log.metadata()?.len();
        Ok(Self { from: port, to: Sink::Log(log, end), moved: 0, begun: 0 })
    }

    /// Creates an input: copies the content of `pipe` to `port`. Neither blocks.
    pub(crate) fn input(pipe: File, port: File) -> Self {
        Self { from: pipe, to: Sink::Pipe(port), moved: 0, begun: 0 }
    }

    fn is_output(&self) -> bool {
        matches!(self.to, Sink::Log(..))
    }
}

/// The result of one look at a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing.
    Nothing,
    /// Something for which epoll cannot wait: half a line whose rest is not written yet, or input
    /// for which the guest has no room.
    Later,
    /// More than was moved in one turn.
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Held,
    Flowing,
    Exited,
}

struct Member {
    streams: Vec<Stream>,
    process: OwnedFd,
    flow: Flow,
    /// Whether epoll knows its ports and its process.
    is_watched: bool,
    /// The time of the next turn, if the last one failed.
    failing: Option<Instant>,
}

/// A pipe for looking: `tee` copies into it, and the port keeps its content.
struct Window {
    reading: File,
    writing: OwnedFd,
    bytes: Vec<u8>,
}

impl Window {
    fn new() -> std::io::Result<Self> {
        let (reading, writing) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self { reading: File::from(reading), writing, bytes: Vec::with_capacity(WINDOW) })
    }

    /// Returns the content of the pipe `port`, up to the size of the window, without consuming it.
    fn look(&mut self, port: &File) -> std::io::Result<&[u8]> {
        self.bytes.clear();
        let seen = match tee(port, &self.writing, WINDOW, SpliceFlags::NONBLOCK) {
            Ok(seen) => seen,
            Err(Errno::AGAIN) => 0,
            Err(error) => return Err(error.into()),
        };
        (&self.reading).take(seen as u64).read_to_end(&mut self.bytes)?;
        Ok(&self.bytes)
    }
}

impl Stream {
    /// Moves the whole lines that are in the port. With `to_the_end`, the process has exited, and
    /// the bytes after the last newline are moved as well.
    fn carry(&mut self, window: &mut Window, to_the_end: bool) -> std::io::Result<Left> {
        for _ in 0..4 {
            let begun = self.begun;
            let seen = window.look(&self.from)?;
            let whole = match seen.iter().rposition(|&byte| byte == b'\n') {
                _ if to_the_end => seen.len(),
                // The rest of a line that could not be written before.
                _ if begun > 0 => begun.min(seen.len()),
                Some(newline) => newline + 1,
                None if seen.is_empty() => return Ok(Left::Nothing),
                // A line that is longer than a pipe: its writer would wait forever.
                None if is_full(&self.from)? => seen.len(),
                None => return Ok(Left::Later),
            };
            if whole == 0 {
                return Ok(Left::Nothing);
            }
            self.begun = whole;
            while self.begun > 0 {
                let spliced = match &mut self.to {
                    Sink::Log(log, end) => {
                        splice(&self.from, None, log, Some(end), self.begun, SpliceFlags::MOVE)
                    }
                    Sink::Pipe(port) => {
                        splice(&self.from, None, port, None, self.begun, SpliceFlags::NONBLOCK)
                    }
                };
                let moved = match spliced {
                    Ok(moved @ 1..) => moved,
                    stopped => {
                        if begun == 0 && self.begun == whole {
                            // Not a byte was moved, so it starts again.
                            self.begun = 0;
                        }
                        return match stopped {
                            Err(Errno::AGAIN) => Ok(Left::Later),
                            Err(error) => Err(error.into()),
                            Ok(_) => Err(std::io::ErrorKind::WriteZero.into()),
                        };
                    }
                };
                self.begun -= moved;
                self.moved += moved as u64;
            }
        }
        Ok(Left::More)
    }
}

/// Returns whether a pipe that is open both ways has no room for one more byte.
fn is_full(pipe: &File) -> std::io::Result<bool> {
    let mut fds = [PollFd::new(pipe, PollFlags::OUT)];
    Ok(poll(&mut fds, Some(&Timespec::default()))? == 0)
}

struct Shared {
    epoll: OwnedFd,
    stop: OwnedFd,
    stopping: AtomicBool,
    members: Mutex<HashMap<MemberId, Arc<Mutex<Member>>>>,
    next: AtomicU64,
    events: Sender<Event>,
}

/// The relay of a shim. Dropping it ends its thread between two lines; see [`Relay::add`].
pub(crate) struct Relay {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts the relay's thread, with no members. Its events go to `events`.
    ///
    /// # Errors
    ///
    /// If the operating system has no more descriptors or threads.
    pub(crate) fn start(events: Sender<Event>) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(std::io::Error::from)?,
            stop: eventfd(0, EventfdFlags::CLOEXEC).map_err(std::io::Error::from)?,
            stopping: AtomicBool::new(false),
            members: Mutex::new(HashMap::new()),
            next: AtomicU64::new(STOP + 1),
            events,
        });
        let key = epoll::EventData::new_u64(STOP);
        epoll::add(&shared.epoll, &shared.stop, key, epoll::EventFlags::IN)
            .map_err(std::io::Error::from)?;
        let window = Window::new()?;
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || serving.serve(window))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Adds the streams of the process behind the pidfd `process`. It is held: before
    /// [`Relay::flow`], nothing is copied and no exit is reported.
    pub(crate) fn add(&self, process: OwnedFd, streams: Vec<Stream>) -> MemberId {
        let id = MemberId(self.shared.next.fetch_add(1, Ordering::Relaxed));
        let member =
            Member { streams, process, flow: Flow::Held, is_watched: false, failing: None };
        lock(&self.shared.members).insert(id, Arc::new(Mutex::new(member)));
        id
    }

    /// Releases a held member: its output and exit from meanwhile come through. Does nothing to one
    /// that is released, has exited, or is gone.
    ///
    /// # Errors
    ///
    /// If the operating system cannot watch one more descriptor.
    pub(crate) fn flow(&self, id: MemberId) -> Result<(), Error> {
        let Some(member) = self.shared.member(id) else { return Ok(()) };
        let mut member = lock(&member);
        if member.flow != Flow::Held {
            return Ok(());
        }
        let key = epoll::EventData::new_u64(id.0);
        let watched = member.watched().try_for_each(|watched| match member.is_watched {
            true => epoll::modify(&self.shared.epoll, watched, key, WATCH),
            false => epoll::add(&self.shared.epoll, watched, key, WATCH),
        });
        if let Err(error) = watched {
            member.unwatch(&self.shared.epoll);
            return Err(std::io::Error::from(error).into());
        }
        member.is_watched = true;
        member.flow = Flow::Flowing;
        Ok(())
    }

    /// Holds a member. Afterwards all whole lines that it has copied are in the logs, nothing is in
    /// transit, and neither a line nor an exit comes through until [`Relay::flow`]. Does nothing to
    /// one that is held, has exited, or is gone. Returns whether its logs end with whole lines: a
    /// log that cannot be written may end with the first half of one.
    pub(crate) fn hold(&self, id: MemberId) -> bool {
        let Some(member) = self.shared.member(id) else { return true };
        let mut member = lock(&member);
        if member.flow == Flow::Flowing {
            // Epoll still watches it, once. Events of a held member are ignored.
            member.flow = Flow::Held;
        }
        member.streams.iter().all(|stream| stream.begun == 0 || !stream.is_output())
    }

    /// Removes a member, and closes this side's ends of its ports. Does nothing if it is gone.
    pub(crate) fn remove(&self, id: MemberId) {
        self.hold(id);
        if let Some(member) = lock(&self.shared.members).remove(&id) {
            lock(&member).unwatch(&self.shared.epoll);
        }
    }

    /// Returns the number of bytes of a member that were copied, in all its streams.
    #[cfg(test)]
    pub(crate) fn moved(&self, id: MemberId) -> u64 {
        let Some(member) = self.shared.member(id) else { return 0 };
        lock(&member).streams.iter().map(|stream| stream.moved).sum()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // This cannot fail: the counter of the eventfd has room for one.
        let _ = rustix::io::write(&self.shared.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed.
            let _ = thread.join();
        }
    }
}

impl Member {
    fn watched(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.streams.iter().map(|stream| stream.from.as_fd()).chain([self.process.as_fd()])
    }

    fn unwatch(&mut self, epoll: &OwnedFd) {
        self.is_watched = false;
        for watched in self.watched() {
            // It fails if the member was never watched.
            let _ = epoll::delete(epoll, watched);
        }
    }

    /// Returns whether the process has exited: after that, a pidfd is readable.
    fn has_exited(&self) -> std::io::Result<bool> {
        let mut fds = [PollFd::new(&self.process, PollFlags::IN)];
        Ok(poll(&mut fds, Some(&Timespec::default()))? > 0)
    }

    /// Copies the content of the ports. It checks the exit first: the process has written its output
    /// before that.
    fn carry(&mut self, window: &mut Window) -> std::io::Result<Turn> {
        let exited = self.has_exited()?;
        let mut turn = Turn { later: false, exited };
        for stream in &mut self.streams {
            if exited && !stream.is_output() {
                continue;
            }
            match stream.carry(window, exited)? {
                Left::Nothing => {}
                Left::Later => turn.later = true,
                Left::More => turn.exited = false,
            }
        }
        Ok(turn)
    }
}

/// The result of a member's turn.
struct Turn {
    later: bool,
    /// The process has exited and its ports are empty.
    exited: bool,
}

impl Shared {
    fn member(&self, id: MemberId) -> Option<Arc<Mutex<Member>>> {
        lock(&self.members).get(&id).cloned()
    }

    /// The thread: waits for ports and processes, until it is asked to stop.
    fn serve(&self, mut window: Window) {
        let mut ready: Vec<epoll::Event> = Vec::with_capacity(256);
        let mut later: HashSet<MemberId> = HashSet::new();
        while !self.stopping.load(Ordering::Acquire) {
            ready.clear();
            let timeout = (!later.is_empty()).then_some(LATER);
            let now = Instant::now();
            match epoll::wait(&self.epoll, spare_capacity(&mut ready), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "the relay cannot wait for its ports and stops");
                    return;
                }
            }
            let mut turn: HashSet<MemberId> = std::mem::take(&mut later);
            turn.extend(ready.iter().map(|event| MemberId(event.data.u64())));
            turn.remove(&MemberId(STOP));
            for id in turn {
                if self.serve_one(id, &mut window, now) {
                    later.insert(id);
                }
            }
        }
    }

    /// Runs one member's turn. Returns whether it must be looked at again soon.
    fn serve_one(&self, id: MemberId, window: &mut Window, now: Instant) -> bool {
        let Some(member) = self.member(id) else { return false };
        let mut member = lock(&member);
        if member.flow != Flow::Flowing {
            return false;
        }
        if member.failing.is_some_and(|next| now < next) {
            return true;
        }
        // An error means that the shim is about to end.
        let tell = |event| drop(self.events.send(event));
        let turn = match member.carry(window) {
            Ok(turn) => turn,
            Err(error) => {
                let next = now + AGAIN;
                if member.failing.replace(next).is_none() {
                    tell(Event::Failed(id, Error::from(error)));
                }
                return true;
            }
        };
        if member.failing.take().is_some() {
            tell(Event::Recovered(id));
        }
        if turn.exited {
            member.unwatch(&self.epoll);
            member.flow = Flow::Exited;
            tell(Event::Exited(id));
            return false;
        }
        if !turn.later {
            self.rearm(id, &member);
        }
        turn.later
    }

    fn rearm(&self, id: MemberId, member: &Member) {
        for watched in member.watched() {
            let key = epoll::EventData::new_u64(id.0);
            if let Err(error) = epoll::modify(&self.epoll, watched, key, WATCH) {
                tracing::error!(%error, "the relay cannot watch a port again");
            }
        }
    }
}

#[cfg(test)]
mod tests;
