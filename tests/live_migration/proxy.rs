//! A proxy between the shims that loses the connection at a message.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The messages by the number of their type, as the example's protocol has them.
const MESSAGES: [&str; 13] = [
    "",
    "Hello",
    "Manifest",
    "Processes",
    "Snapshot",
    "Patched",
    "Resume",
    "Resumed",
    "Refused",
    "Abort",
    "Committed",
    "Outcome",
    "Settled",
];

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Direction(bool);

pub(crate) const FROM_SOURCE: Direction = Direction(true);
pub(crate) const FROM_DESTINATION: Direction = Direction(false);

pub(crate) struct Proxy {
    dir: tempfile::TempDir,
    listener: UnixListener,
    cut: Cut,
}

/// Where the connection is lost, once.
#[derive(Clone)]
struct Cut {
    direction: Direction,
    kind: u8,
    /// Whether the message still arrives.
    delivered: bool,
    /// Whether another connection is let through afterwards.
    again: bool,
    done: Arc<AtomicBool>,
}

impl Proxy {
    /// Loses the connection in place of the first `message` that goes in this direction. With
    /// `again` the source can connect once more, otherwise nobody listens any more.
    pub(crate) fn cutting(direction: Direction, message: &str, again: bool) -> Self {
        Self::losing(direction, message, false, again)
    }

    /// Loses the connection at the first `message` that goes in this direction: in place of it, or
    /// if it is `delivered`, right after it.
    pub(crate) fn losing(
        direction: Direction,
        message: &str,
        delivered: bool,
        again: bool,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("source")).unwrap();
        let kind = MESSAGES.iter().position(|known| *known == message).unwrap();
        let kind = u8::try_from(kind).unwrap();
        Self { dir, listener, cut: Cut { direction, kind, delivered, again, done: Arc::default() } }
    }

    /// Where the source connects to.
    pub(crate) fn source(&self) -> String {
        format!("unix:{}", self.dir.path().join("source").display())
    }

    /// Where the destination listens.
    pub(crate) fn destination(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("destination")
    }

    /// Relays in the background. The folder lives as long as what is returned.
    pub(crate) fn start(self) -> tempfile::TempDir {
        let socket = self.socket();
        let Proxy { dir, listener, cut } = self;
        let path = dir.path().join("source");
        std::thread::spawn(move || {
            for source in listener.incoming() {
                serve(source.unwrap(), connect(&socket), &cut);
                if !cut.again {
                    // Whoever has started this may be gone.
                    let _ = std::fs::remove_file(&path);
                    break;
                }
            }
        });
        dir
    }
}

fn connect(socket: &std::path::Path) -> UnixStream {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn serve(source: UnixStream, destination: UnixStream, cut: &Cut) {
    let there = (source.try_clone().unwrap(), destination.try_clone().unwrap());
    let back = (destination, source);
    let other = cut.clone();
    let over = Arc::new(AtomicBool::new(false));
    let its = Arc::clone(&over);
    let relaying = std::thread::spawn(move || relay(there.0, there.1, FROM_SOURCE, &other, &its));
    relay(back.0, back.1, FROM_DESTINATION, cut, &over);
    relaying.join().unwrap();
}

/// Passes whole messages on until one side ends or the connection is to be lost.
fn relay(
    mut from: UnixStream,
    mut to: UnixStream,
    direction: Direction,
    cut: &Cut,
    over: &AtomicBool,
) {
    let mut head = [0; 5];
    while from.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length];
        if from.read_exact(&mut body).is_err() {
            break;
        }
        let is_it = direction == cut.direction && head[0] == cut.kind;
        if is_it && !cut.done.swap(true, Ordering::SeqCst) {
            // An answer to what is delivered must not slip through before the connection is closed.
            over.store(true, Ordering::SeqCst);
            if cut.delivered {
                to.write_all(&head).and_then(|()| to.write_all(&body)).unwrap();
            }
            break;
        }
        if over.load(Ordering::SeqCst) {
            break;
        }
        if to.write_all(&head).and_then(|()| to.write_all(&body)).is_err() {
            break;
        }
    }
    // Both ends, so that the other direction ends as well.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
