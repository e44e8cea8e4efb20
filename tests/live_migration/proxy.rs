//! A proxy between the shims. It reads the frames of `snapshot-handover` and acts at one message:
//! it loses the link, or kills a side.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use snapshot_handover::message::Message;

/// The bit of a frame's header that says that the message continues.
const MORE: u32 = 1 << 31;

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Direction(bool);

pub(crate) const FROM_SOURCE: Direction = Direction(true);
pub(crate) const FROM_DESTINATION: Direction = Direction(false);

/// The action at the message.
type Act = Box<dyn FnOnce() + Send>;

/// The behaviour of the proxy at one message.
pub(crate) struct At {
    pub(crate) direction: Direction,
    pub(crate) message: &'static str,
    /// Whether the message still arrives.
    pub(crate) delivered: bool,
    /// The action before the link is lost; if the message arrives, after that.
    pub(crate) act: Act,
}

pub(crate) struct Proxy {
    dir: tempfile::TempDir,
    listener: UnixListener,
    at: Arc<Mutex<Option<At>>>,
}

impl Proxy {
    /// Creates a proxy that forwards everything.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("source")).unwrap();
        Self { dir, listener, at: Arc::default() }
    }

    /// Acts at the first message of this name in this direction, and then loses the link. Later
    /// links are not affected.
    pub(crate) fn at(self, at: At) -> Self {
        *self.at.lock().unwrap() = Some(at);
        self
    }

    /// Loses the link.
    pub(crate) fn losing(direction: Direction, message: &'static str, delivered: bool) -> Self {
        Self::new().at(At { direction, message, delivered, act: Box::new(|| {}) })
    }

    /// Returns the address to which the source connects.
    pub(crate) fn source(&self) -> String {
        format!("unix:{}", self.dir.path().join("source").display())
    }

    /// Returns the address at which the destination listens.
    pub(crate) fn destination(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("destination")
    }

    /// Relays in the background. The folder lives as long as the result.
    pub(crate) fn start(self) -> tempfile::TempDir {
        let socket = self.socket();
        let Proxy { dir, listener, at } = self;
        std::thread::spawn(move || {
            for source in listener.incoming().map_while(Result::ok) {
                // If nobody listens, the source sees it by the closed link.
                if let Some(destination) = connect(&socket) {
                    let at = Arc::clone(&at);
                    std::thread::spawn(move || serve(&source, &destination, &at));
                }
            }
        });
        dir
    }
}

fn connect(socket: &std::path::Path) -> Option<UnixStream> {
    let deadline = Instant::now() + Duration::from_millis(200);
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Some(stream),
            Err(_) if Instant::now() > deadline => return None,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn serve(source: &UnixStream, destination: &UnixStream, at: &Arc<Mutex<Option<At>>>) {
    std::thread::scope(|scope| {
        scope.spawn(|| relay(source, destination, FROM_SOURCE, at));
        relay(destination, source, FROM_DESTINATION, at);
    });
}

/// Forwards whole messages until one side ends or the link is to be lost.
fn relay(from: &UnixStream, mut to: &UnixStream, direction: Direction, at: &Mutex<Option<At>>) {
    let mut pass = || -> io::Result<()> {
        // The versions are not a `Message`.
        to.write_all(&read(from)?.0)?;
        loop {
            let (mut bytes, body) = read(from)?;
            let message = Message::decode(&body).map_err(io::Error::other)?;
            if matches!(message, Message::Rehearsal(_) | Message::Snapshot(_)) {
                bytes.extend(read(from)?.0);
            }
            let is_it =
                |at: &mut At| at.direction == direction && at.message == message.word().as_str();
            let done = at.lock().unwrap().take_if(is_it);
            match done {
                None => to.write_all(&bytes)?,
                Some(At { delivered, act, .. }) => {
                    if delivered {
                        to.write_all(&bytes)?;
                    }
                    act();
                    return Ok(());
                }
            }
        }
    };
    // An error means that a side is gone.
    let _ = pass();
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Reads the frames of one message. Returns them unchanged, with their content.
fn read(mut from: &UnixStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut frames, mut body) = (Vec::new(), Vec::new());
    loop {
        let mut head = [0; 4];
        from.read_exact(&mut head)?;
        let head_value = u32::from_be_bytes(head);
        let mut frame = vec![0; (head_value & !MORE) as usize];
        from.read_exact(&mut frame)?;
        frames.extend(head);
        frames.extend(&frame);
        body.extend(frame);
        if head_value & MORE == 0 {
            return Ok((frames, body));
        }
    }
}
