//! Links over tokio's traits.

use tokio::io::AsyncRead;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// Creates a link from a tokio stream: a `TcpStream`, a `UnixStream`, a TLS stream, a named pipe.
///
/// ```no_run
/// use snapshot_core::{ControllerSet, Session};
/// use snapshot_handover::{Accepted, Ledger, accept, tokio_link};
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let ledger = Ledger::open("/run/shim/destination")?;
/// let listener = tokio::net::UnixListener::bind("/run/shim/handover.sock")?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     match accept::<ControllerSet>(tokio_link(stream), &ledger, &Session::new()).await {
///         Accepted::Live(root, report) => println!("{} runs here", report.session),
///         other => println!("{other:?}"),
///     }
/// }
/// # }
/// ```
pub fn tokio_link<S: AsyncRead>(stream: S) -> Compat<S> {
    stream.compat()
}
