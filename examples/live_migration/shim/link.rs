//! The link between the shims: a Unix socket on one machine, TLS over TCP elsewhere.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use snapshot_core::{Code, Error};
use snapshot_handover::tokio_link;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream, lookup_host};
use tokio_util::compat::Compat;

use crate::shim::signals;
use crate::shim::tls::Tls;

/// The time for one attempt to connect, and for a handshake.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The pause after a failed attempt.
const AGAIN: Duration = Duration::from_millis(20);

/// The address at which the destination listens.
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

/// An address, and the identification of the peer there.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// The address.
    pub(crate) address: Address,
    /// The certificates of a TCP link; `None` for a plain one.
    pub(crate) tls: Option<Tls>,
    /// Whether a plain link may leave the machine.
    pub(crate) insecure: bool,
}

/// A stream whose peer is known.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A link to a known peer.
pub(crate) struct Link(Compat<Box<dyn Stream>>);

impl Link {
    fn new(stream: impl Stream + 'static) -> Self {
        Self(tokio_link(Box::new(stream)))
    }

    /// The link as the hand-over takes it.
    pub(crate) fn into_inner(
        self,
    ) -> impl futures_io::AsyncRead + futures_io::AsyncWrite + Send + Unpin {
        self.0
    }
}

impl Endpoint {
    /// Connects to a destination, which may still be starting.
    ///
    /// # Errors
    ///
    /// If no permitted peer is there within `patience`, or if this shim was asked to end.
    pub(crate) async fn connect(&self, patience: Duration) -> Result<Link, Error> {
        let until = Instant::now() + patience;
        loop {
            let attempt = tokio::time::timeout(ATTEMPT, self.attempt());
            let error = match attempt.await.unwrap_or_else(|_| Err(too_long("connect"))) {
                Ok(link) => return Ok(link),
                Err(error) => error,
            };
            if Instant::now() >= until || signals::requested() {
                return Err(Error::new(
                    Code::DeadlineExceeded,
                    format!("no destination listens at {}: {error}", self.address),
                )
                .with_source(error));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn attempt(&self) -> io::Result<Link> {
        match &self.address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await?;
                check_user(&stream)?;
                Ok(Link::new(stream))
            }
            Address::Tcp(address) => {
                let stream = TcpStream::connect(&*self.resolve(address).await?).await?;
                // The blackout consists of small messages.
                stream.set_nodelay(true)?;
                match &self.tls {
                    Some(tls) => Ok(Link::new(tls.connect(stream).await?)),
                    None => Ok(Link::new(stream)),
                }
            }
        }
    }

    /// Returns the socket addresses of a host and port. Without certificates, only those of this
    /// machine.
    async fn resolve(&self, address: &str) -> io::Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = lookup_host(address).await?.collect();
        if self.tls.is_none()
            && !self.insecure
            && let Some(far) = found.iter().find(|found| !found.ip().is_loopback())
        {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{} is not on this machine, and its peer cannot be identified: give \
                     --tls-cert, --tls-key and --tls-ca, or --insecure if everybody on that \
                     network is trusted",
                    far.ip()
                ),
            ));
        }
        Ok(found)
    }

    /// Listens for sources.
    ///
    /// # Errors
    ///
    /// If it cannot listen at the address, or if another destination listens there.
    pub(crate) async fn listen(&self) -> Result<Listener, Error> {
        let listening = async {
            Ok(match &self.address {
                Address::Unix(path) => {
                    remove_left_behind(path).await?;
                    Listening::Unix(UnixListener::bind(path)?, path.clone())
                }
                Address::Tcp(address) => {
                    Listening::Tcp(TcpListener::bind(&*self.resolve(address).await?).await?)
                }
            })
        };
        let listening = listening.await.map_err(|error: io::Error| {
            Error::precondition(format!("cannot listen at {}: {error}", self.address))
                .with_source(error)
        })?;
        Ok(Listener { listening, tls: self.tls.clone() })
    }
}

/// Removes the socket file of a shim that was killed, at which nobody listens.
async fn remove_left_behind(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks that the process on the other end of a Unix socket belongs to this user, or to root.
fn check_user(stream: &UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    match may_speak(peer, own) {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the process on the other end is of user {peer}, this one of user {own}"),
        )),
    }
}

/// Whether a process of user `peer` may be the other side of one of user `own`.
fn may_speak(peer: u32, own: u32) -> bool {
    const ROOT: u32 = 0;
    peer == own || peer == ROOT
}

/// The socket at which a destination waits for sources. Dropping it removes a socket file.
pub(crate) struct Listener {
    listening: Listening,
    tls: Option<Tls>,
}

enum Listening {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener),
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listening::Unix(_, path) = &self.listening {
            // A remaining file does not prevent the next one.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A connection whose peer is not yet identified.
pub(crate) enum Stranger {
    Unix(UnixStream),
    Tcp(TcpStream, Option<Tls>),
}

impl Listener {
    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// The system may have no more descriptors, for instance. The next attempt may succeed.
    pub(crate) async fn accept(&self) -> io::Result<Stranger> {
        Ok(match &self.listening {
            Listening::Unix(listener, _) => Stranger::Unix(listener.accept().await?.0),
            Listening::Tcp(listener) => Stranger::Tcp(listener.accept().await?.0, self.tls.clone()),
        })
    }
}

impl Stranger {
    /// Identifies the peer.
    ///
    /// # Errors
    ///
    /// If the peer is not permitted, or does not identify itself in time.
    pub(crate) async fn identify(self) -> io::Result<Link> {
        let identify = async {
            match self {
                Stranger::Unix(stream) => {
                    check_user(&stream)?;
                    Ok(Link::new(stream))
                }
                Stranger::Tcp(stream, tls) => {
                    stream.set_nodelay(true)?;
                    match tls {
                        Some(tls) => Ok(Link::new(tls.accept(stream).await?)),
                        None => Ok(Link::new(stream)),
                    }
                }
            }
        };
        let identified = tokio::time::timeout(ATTEMPT, identify).await;
        identified.unwrap_or_else(|_| Err(too_long("identify itself")))
    }
}

fn too_long(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("it took longer than {ATTEMPT:?} to {what}"))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures_util::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn endpoint(address: &str) -> Endpoint {
        Endpoint { address: address.parse().unwrap(), tls: None, insecure: false }
    }

    fn unix(dir: &tempfile::TempDir) -> Endpoint {
        endpoint(&format!("unix:{}", dir.path().join("socket").display()))
    }

    #[test]
    fn an_address_is_a_path_or_a_host_and_port() {
        assert_eq!("unix:/run/s".parse(), Ok(Address::Unix("/run/s".into())));
        assert_eq!("127.0.0.1:70".parse(), Ok(Address::Tcp("127.0.0.1:70".to_owned())));
        assert_eq!("[::1]:70".parse(), Ok(Address::Tcp("[::1]:70".to_owned())));
        for wrong in ["", "unix:", "host", ":70", "host:", "host:99999"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_process_of_this_user_is_known_on_a_unix_socket() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = unix(&dir);
        let listener = endpoint.listen().await.unwrap();
        let source = endpoint.connect(Duration::ZERO).await.unwrap();
        let destination = listener.accept().await.unwrap().identify().await.unwrap();
        let (mut source, mut destination) = (source.into_inner(), destination.into_inner());
        source.write_all(b"x").await.unwrap();
        let mut byte = [0];
        destination.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"x");
    }

    #[test]
    fn a_peer_is_of_the_same_user_or_of_root() {
        let (root, alice, bob) = (0, 1000, 1001);
        for (peer, own) in [(root, root), (alice, alice), (root, alice)] {
            assert!(may_speak(peer, own), "{peer} to {own}");
        }
        for (peer, own) in [(alice, root), (alice, bob)] {
            assert!(!may_speak(peer, own), "{peer} to {own}");
        }
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_no_obstacle_and_one_in_use_is() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = unix(&dir);
        // The standard library does not remove the file.
        drop(std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap());
        let first = endpoint.listen().await.unwrap();
        let refused = endpoint.listen().await.err().unwrap();
        assert!(refused.to_string().contains("in use"), "{refused}");
        drop(first);
        assert!(!dir.path().join("socket").exists());
        std::fs::write(dir.path().join("socket"), "not a socket").unwrap();
        assert!(endpoint.listen().await.is_err());
        assert!(dir.path().join("socket").exists(), "nothing but a socket is removed");
    }

    #[tokio::test]
    async fn a_plain_link_stays_on_this_machine() {
        for far in ["192.0.2.1:7", "[2001:db8::1]:7", "0.0.0.0:0"] {
            let mut endpoint = endpoint(far);
            let Address::Tcp(address) = endpoint.address.clone() else { unreachable!() };
            let refused = endpoint.resolve(&address).await.unwrap_err().to_string();
            assert!(refused.contains("--tls-cert") && refused.contains("--insecure"), "{refused}");
            endpoint.insecure = true;
            endpoint.resolve(&address).await.unwrap();
        }
        let found = endpoint("127.0.0.1:7").resolve("127.0.0.1:7").await.unwrap();
        assert_eq!(found[0].ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    }

    #[tokio::test]
    async fn nobody_listening_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let error = unix(&dir).connect(Duration::from_millis(30)).await.err().unwrap();
        assert!(error.to_string().starts_with("no destination listens at unix:"), "{error}");
    }
}
