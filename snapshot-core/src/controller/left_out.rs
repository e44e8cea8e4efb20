//! Hooks that a controller leaves out, as a type can tell.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use crate::Error;

/// The future of a hook that is left out: it has nothing to do. No hook that somebody has written
/// returns it, since nobody else can name it.
#[derive(Debug)]
pub(super) struct LeftOut;

impl Future for LeftOut {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}
