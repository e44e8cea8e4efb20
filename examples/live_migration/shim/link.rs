//! The socket between the shims: Unix on one machine, TCP between network namespaces.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use snapshot_core::{Code, Error};

/// How long the other side may take for its next message; longer than any of its phases.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(150);

/// Where the destination listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A socket file.
    Unix(PathBuf),
    /// A host and port.
    Tcp(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err("expected a path after unix:".to_owned()),
                path => Ok(Address::Unix(path.into())),
            };
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Address::Tcp(text.to_owned()))
            }
            _ => Err("expected HOST:PORT or unix:PATH".to_owned()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(address) => f.write_str(address),
        }
    }
}

/// A connection to the other shim.
#[derive(Debug)]
pub(crate) enum Link {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Link {
    /// Connects to a destination, which may still be on its way up.
    ///
    /// # Errors
    ///
    /// Nobody listens there within `patience`.
    pub(crate) fn connect(address: &Address, patience: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + patience;
        loop {
            let connected = match address {
                Address::Unix(path) => UnixStream::connect(path).map(Link::Unix),
                Address::Tcp(address) => TcpStream::connect(address).map(Link::Tcp),
            };
            match connected.and_then(Link::ready) {
                Ok(link) => return Ok(link),
                Err(error) if Instant::now() >= deadline => {
                    return Err(Error::new(
                        Code::DeadlineExceeded,
                        format!("no destination listens at {address}: {error}"),
                    )
                    .with_source(error));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// How long the next messages may take to come.
    ///
    /// # Errors
    ///
    /// The socket does not take it.
    pub(crate) fn wait_at_most(&self, patience: Duration) -> io::Result<()> {
        // Zero would mean for ever.
        let patience = Some(patience.max(Duration::from_millis(1)));
        match self {
            Link::Unix(stream) => stream.set_read_timeout(patience),
            Link::Tcp(stream) => stream.set_read_timeout(patience),
        }
    }

    fn ready(self) -> io::Result<Self> {
        match &self {
            Link::Unix(stream) => {
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
            }
            Link::Tcp(stream) => {
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
                // The blackout is made of small messages.
                stream.set_nodelay(true)?;
            }
        }
        Ok(self)
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Link::Unix(stream) => stream.read(buffer),
            Link::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Link::Unix(stream) => stream.write(buffer),
            Link::Tcp(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Link::Unix(stream) => stream.flush(),
            Link::Tcp(stream) => stream.flush(),
        }
    }
}

/// Where a destination waits for sources.
#[derive(Debug)]
pub(crate) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// Listens.
    ///
    /// # Errors
    ///
    /// The address cannot be listened at.
    pub(crate) fn bind(address: &Address) -> Result<Self, Error> {
        let bound = match address {
            Address::Unix(path) => UnixListener::bind(path).map(Listener::Unix),
            Address::Tcp(address) => TcpListener::bind(address).map(Listener::Tcp),
        };
        bound.map_err(|error| {
            Error::precondition(format!("cannot listen at {address}: {error}")).with_source(error)
        })
    }

    /// Waits for a source, for as long as it takes or for `patience`.
    ///
    /// # Errors
    ///
    /// None came.
    pub(crate) fn accept(&self, patience: Option<Duration>) -> Result<Link, Error> {
        if let Some(patience) = patience {
            let timeout = Timespec::try_from(patience)
                .map_err(|_| Error::invalid(format!("{patience:?} is too long to wait")))?;
            let mut fds = [PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)];
            if poll(&mut fds, Some(&timeout)).map_err(io::Error::from)? == 0 {
                let reason = format!("no source has come within {patience:?}");
                return Err(Error::new(Code::DeadlineExceeded, reason));
            }
        }
        let link = match self {
            Listener::Unix(listener) => Link::Unix(listener.accept()?.0),
            Listener::Tcp(listener) => Link::Tcp(listener.accept()?.0),
        };
        Ok(link.ready()?)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Unix(listener) => listener.as_fd(),
            Listener::Tcp(listener) => listener.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_a_host_and_port() {
        assert_eq!("unix:/run/s".parse(), Ok(Address::Unix("/run/s".into())));
        assert_eq!("127.0.0.1:70".parse(), Ok(Address::Tcp("127.0.0.1:70".to_owned())));
        assert_eq!("[::1]:70".parse(), Ok(Address::Tcp("[::1]:70".to_owned())));
        for wrong in ["", "unix:", "host", ":70", "host:", "host:99999"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_source_that_does_not_come_is_not_waited_for_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let address = Address::Unix(dir.path().join("socket"));
        let listener = Listener::bind(&address).unwrap();
        let error = listener.accept(Some(Duration::from_millis(10))).unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
        let mut source = Link::connect(&address, Duration::ZERO).unwrap();
        let mut destination = listener.accept(Some(Duration::from_secs(10))).unwrap();
        source.write_all(b"x").unwrap();
        let mut byte = [0];
        destination.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }

    #[test]
    fn nobody_listening_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let address = Address::Unix(dir.path().join("socket"));
        let error = Link::connect(&address, Duration::from_millis(30)).unwrap_err();
        assert!(error.to_string().starts_with("no destination listens at unix:"), "{error}");
    }
}
