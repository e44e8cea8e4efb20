//! The root controller of every build.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Child, Controller, Error, Snapshot};

/// The state of the root: the build's own controller.
#[derive(Snapshot)]
#[snapshot(message = crate::message::Root, version = 1, controller = Root)]
pub struct RootState {
    /// The controller that the builds define.
    pub part: Child<dyn Controller>,
}

/// The root controller.
pub struct Root(Mutex<RootState>);

impl Root {
    /// Creates the root over the controller of a build.
    pub fn new(part: Child<dyn Controller>) -> Self {
        Self(Mutex::new(RootState { part }))
    }
}

impl Controller for Root {
    type State = RootState;

    fn state(&self) -> impl DerefMut<Target = RootState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: RootState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}
