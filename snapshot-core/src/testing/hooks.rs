//! Tests the hooks of a controller by its type.

use crate::controller::Phase;
use crate::controller::{Controller, WrittenHooks};

use super::laws;
use super::report::Report;

/// Tests that every hook of a controller has an undo hook: `freeze` has `thaw`; `prepare`, `patch` and
/// `resume` have `abort`. The test calls no hook and needs no controller.
///
/// [`contract`](super::contract) tests the same for a state that names its controller. A hook in
/// `no_undo` needs no undo, because it has no effects, or its effects end with the controller.
///
/// ```
/// # use std::ops::DerefMut;
/// # use std::sync::{Mutex, PoisonError};
/// # use snapshot_core::{Context, Controller, Error, Phase, Snapshot};
/// # #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
/// # pub struct ClockSnapshot {
/// #     #[prost(uint32, tag = "1")]
/// #     pub schema_version: u32,
/// # }
/// # impl prost::Name for ClockSnapshot {
/// #     const NAME: &'static str = "ClockSnapshot";
/// #     const PACKAGE: &'static str = "doc.v1";
/// # }
/// # #[derive(Snapshot)]
/// # #[snapshot(message = ClockSnapshot, version = 1)]
/// # struct ClockState {}
/// struct Clock {
///     state: Mutex<ClockState>,
/// }
///
/// impl Controller for Clock {
/// #   type State = ClockState;
/// #   fn state(&self) -> impl DerefMut<Target = ClockState> + '_ {
/// #       self.state.lock().unwrap_or_else(PoisonError::into_inner)
/// #   }
/// #   fn import(state: ClockState) -> Result<Self, Error> {
/// #       Ok(Self { state: Mutex::new(state) })
/// #   }
///     // ...
///     /// Only checks that the host has a clock: there is nothing to undo.
///     async fn patch(&self, cx: &Context) -> Result<(), Error> {
///         cx.resource::<std::time::Instant>().map(drop)
///     }
/// }
///
/// // In a `#[test]`:
/// snapshot_core::testing::hooks::<Clock>([Phase::Patch]);
/// ```
///
/// # Panics
///
/// If a hook has no undo and is not in `no_undo`, or if a hook in `no_undo` needs no exemption.
#[track_caller]
pub fn hooks<C: Controller>(no_undo: impl IntoIterator<Item = Phase>) {
    let no_undo: Vec<Phase> = no_undo.into_iter().collect();
    let hooks = WrittenHooks::of::<C>();
    let mut report = Report::default();
    laws::undo(Some(hooks), &no_undo, &mut report);
    if let Some(text) = report.text(hooks.controller, hooks.state) {
        panic!("{text}");
    }
}
