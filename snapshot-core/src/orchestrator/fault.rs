//! Faults on purpose, to see their effects.

use std::future::pending;
use std::sync::Arc;

use crate::controller::{Phase, Signal};
use crate::{Code, Context, ControllerId, Error};

/// A fault of a hook that [`Session::fault_at`](crate::Session::fault_at) names. It occurs after
/// the hook has done all its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// It fails.
    Error,
    /// It panics.
    Panic,
    /// It never returns, and ignores a cancellation.
    Hang,
    /// The migration is cancelled while it runs. In a phase that cannot be cancelled, this has no
    /// effect.
    Cancel,
}

/// The faults of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<(Phase, ControllerId, Fault)>);

impl Faults {
    pub(crate) fn add(&mut self, phase: Phase, id: ControllerId, fault: Fault) {
        self.0.push((phase, id, fault));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, phase: Phase, id: &ControllerId) -> Option<Fault> {
        self.0.iter().find(|(at, of, _)| *at == phase && of == id).map(|&(_, _, fault)| fault)
    }

    /// Returns the fault of a controller in a phase without hooks.
    ///
    /// # Errors
    ///
    /// If there is one.
    pub(crate) fn check(&self, phase: Phase, id: &ControllerId) -> Result<(), Error> {
        match self.find(phase, id) {
            None => Ok(()),
            Some(Fault::Panic) => panic!("{PURPOSE}"),
            Some(Fault::Error | Fault::Hang | Fault::Cancel) => Err(Error::internal(PURPOSE)),
        }
    }
}

const PURPOSE: &str = "fails on purpose: the session injects this fault";

/// Lets the fault of a hook occur, if it has one.
pub(crate) async fn happen(
    faults: &Faults,
    cancel: &Arc<Signal>,
    cx: &Context,
    stop: bool,
) -> Result<(), Error> {
    match faults.find(cx.phase(), cx.id()) {
        None => Ok(()),
        Some(Fault::Error) => Err(Error::internal(PURPOSE)),
        Some(Fault::Panic) => panic!("{PURPOSE}"),
        Some(Fault::Hang) => pending().await,
        Some(Fault::Cancel) => {
            Signal::raise(cancel);
            if stop {
                cx.cancelled().await;
                return Err(Error::new(Code::Cancelled, PURPOSE));
            }
            Ok(())
        }
    }
}
