//! Hooks that a controller leaves out, recognised by a type.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use crate::Error;

/// The future of a hook that is left out. It does nothing. A hook written by a user never returns
/// it, because nobody else can name it.
#[derive(Debug)]
pub(super) struct LeftOut;

impl Future for LeftOut {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}
