//! The stages that prepared controllers have in a later state, while that state is read.
//!
//! A prepared controller is in the stage of its import. If its state is unchanged, a later parent holds it
//! while the parent's `validate` runs, and that must see the child as the source has saved it.

use std::cell::RefCell;
use std::ops::Deref;

use super::ByAddress;
use crate::payload::Payload;

thread_local! {
    static STAGES: RefCell<ByAddress<i32>> = RefCell::default();
}

/// Runs code of this thread that sees controllers in these stages, by their addresses.
pub(crate) fn during<T>(stages: ByAddress<i32>, run: impl FnOnce() -> T) -> T {
    /// Puts the previous stages back, also after a panic.
    struct Restored(ByAddress<i32>);

    impl Drop for Restored {
        fn drop(&mut self) {
            replace(std::mem::take(&mut self.0));
        }
    }

    fn replace(stages: ByAddress<i32>) -> ByAddress<i32> {
        // The thread is about to end if it has none.
        STAGES.try_with(|held| held.replace(stages)).unwrap_or_default()
    }

    let _restored = Restored(replace(stages));
    run()
}

/// Returns the stage in which the controller at this address is to be seen, if it is not its own.
pub(super) fn of(address: usize) -> Option<i32> {
    STAGES.try_with(|stages| stages.borrow().get(&address).copied()).ok().flatten()
}

/// A locked state in the stage that it has on the wire. Its own stage is back before the lock is
/// released, also after a panic.
pub(super) struct AsOnTheWire<'s, S: Payload> {
    state: &'s mut S,
    own: Option<i32>,
}

impl<'s, S: Payload> AsOnTheWire<'s, S> {
    pub(super) fn new(state: &'s mut S, stage: Option<i32>) -> Self {
        let own = stage.and_then(|stage| {
            let own = state.stage_number();
            state.set_stage_number(stage).ok().and(own)
        });
        Self { state, own }
    }
}

impl<S: Payload> Deref for AsOnTheWire<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.state
    }
}

impl<S: Payload> Drop for AsOnTheWire<'_, S> {
    fn drop(&mut self) {
        if let Some(own) = self.own {
            // It was in this stage a moment ago.
            let _ = self.state.set_stage_number(own);
        }
    }
}
