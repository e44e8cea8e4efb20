//! Runs one hook over the whole plan. Defines a phase and its events.

use std::any::{Any, TypeId};
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use super::journal::Journal;
use super::plan::First;
use super::progress::{self, Entered, tell};
use super::session::Session;
use super::sweep::Sweep;
use super::tree::Tree;
use crate::controller::{Contexts, Hook, Migration, Origin, PhaseContext, Signal};
use crate::error::Error;
use crate::panics::quietly;
use crate::path::ControllerId;
use crate::payload::TypeInfo;

impl Hook {
    /// Returns whose turn is first. An undo has the opposite order of the hook that it undoes.
    pub(super) fn first(self) -> First {
        match self {
            Hook::Freeze | Hook::Commit | Hook::Abort => First::Dependents,
            Hook::Prepare | Hook::Patch | Hook::Resume | Hook::Thaw => First::Dependencies,
        }
    }

    /// Returns whether the phase stops at the first failure and can be cancelled. An undo goes as
    /// far as it can, and so does a commit, because there is no way back.
    pub(super) fn can_stop(self) -> bool {
        matches!(self, Hook::Freeze | Hook::Prepare | Hook::Patch | Hook::Resume)
    }
}

/// The migration around the hooks of a phase.
struct Around {
    tree: Arc<Tree>,
    session: Arc<Session>,
}

impl Migration for Around {
    fn id(&self, unit: usize) -> &ControllerId {
        self.tree.id(unit)
    }

    fn info(&self, unit: usize) -> &'static TypeInfo {
        self.tree.nodes()[unit].info()
    }

    fn controller(&self, unit: usize) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.tree.nodes()[unit]).into_any()
    }

    fn nearest(&self, unit: usize, controller: TypeId) -> Vec<usize> {
        self.tree.plan.nearest(unit, controller)
    }

    fn find(&self, unit: usize, id: &ControllerId) -> Option<(usize, bool)> {
        let found = self.tree.plan.find(id)?;
        Some((found, self.tree.plan.comes_after(unit, found)))
    }

    fn resource(&self, of: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.session.find_resource(of)
    }

    fn origin(&self) -> &Origin {
        self.session.find_origin()
    }

    fn cancel(&self) -> &Arc<Signal> {
        self.session.cancel_signal()
    }
}

/// Runs a hook on every controller that it concerns according to the journal.
///
/// # Errors
///
/// The errors of all hooks that failed, the deadline, or the cancellation. Nothing is undone here.
pub(crate) async fn run(
    hook: Hook,
    tree: &Arc<Tree>,
    session: &Arc<Session>,
    journal: &mut Journal,
) -> Result<(), Error> {
    let phase = hook.phase();
    let controllers = tree.plan.units().len();
    let make_span = || tracing::info_span!("phase", phase = phase.as_str(), controllers);
    let span = progress::span(make_span);
    let began = Instant::now();
    // The previous phases have recorded theirs.
    let late_before = journal.late_stage_count();
    let run = async {
        let stop = Arc::<Signal>::default();
        let stopped = hook.can_stop().then(|| Arc::clone(&stop));
        let around = Arc::new(Around { tree: Arc::clone(tree), session: Arc::clone(session) });
        let purpose = journal.purpose_of(hook);
        let contexts =
            Contexts::new(PhaseContext::new(phase, purpose, around, stopped), controllers);
        let mut sweep = Sweep::new(hook, tree, session, journal, &contexts, stop);
        tell(session.observer(), phase, None, |observer| {
            observer.phase_started(phase, sweep.concerned());
        });
        quietly(|| tracing::debug!("begins"));
        let result = sweep.drive().await;
        quietly(|| match &result {
            Ok(()) => tracing::info!(took = ?began.elapsed(), "done"),
            Err(error) => {
                tracing::error!(took = ?began.elapsed(), error = %error.on_one_line(), "failed")
            }
        });
        result
    };
    let result = {
        let mut run = std::pin::pin!(run);
        std::future::poll_fn(|task| {
            let _in_span = Entered::into(&span);
            run.as_mut().poll(task)
        })
        .await
    };
    session.record_phase(phase, began.elapsed(), result.is_ok());
    session.record_late_stages(journal.late_stages_after(late_before, &tree.plan));
    tell(session.observer(), phase, None, |observer| {
        observer.phase_ended(phase, result.as_ref().map(|&()| ()));
    });
    result
}
