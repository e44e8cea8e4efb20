#![doc = include_str!("front_page.md")]
#![forbid(unsafe_code)]

mod accept;
pub mod decision;
pub mod frame;
mod handover;
pub mod ledger;
pub mod message;
mod offer;
mod panics;
mod report;
mod talk;
#[cfg(feature = "tokio")]
mod tokio_link;

use std::sync::Arc;

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::{Controller, Session};

pub use accept::{Accepted, Host};
pub use frame::Limits;
pub use handover::Handover;
pub use ledger::Ledger;
pub use message::SessionId;
pub use offer::{Doubt, Finished, Next, Offer, Offered};
pub use report::{NotMoved, Rehearsed, Report};
#[cfg(feature = "tokio")]
pub use tokio_link::tokio_link;

/// Offers the tree under `root` to the destination on the other end of the link, with the default
/// settings: [`Handover::offer`].
pub async fn offer<R: Controller>(
    root: &Arc<R>,
    link: impl AsyncRead + AsyncWrite + Unpin + Send,
    ledger: &Ledger,
    session: &Session,
) -> Offered<R> {
    Handover::new(ledger).offer(Offer::new(root, session), link).await
}

/// Takes over the tree that the source on the other end of the link offers, or answers a source
/// that asks for the outcome of an earlier session, with the default settings:
/// [`Handover::accept`].
pub async fn accept<R: Controller>(
    link: impl AsyncRead + AsyncWrite + Unpin + Send,
    ledger: &Ledger,
    session: &Session,
) -> Accepted<R> {
    Handover::new(ledger).accept(link, session.clone()).await
}
