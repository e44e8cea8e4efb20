//! Running one hook over the whole plan: what a phase is, and what is told of it.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument;

use super::Phase;
use super::journal::Journal;
use super::plan::First;
use super::progress::tell;
use super::session::Session;
use super::signal::Signal;
use super::sweep::Sweep;
use super::tree::Tree;
use crate::Error;
use crate::controller::{Contexts, Hook, PhaseContext};

impl Hook {
    pub(crate) fn phase(self) -> Phase {
        match self {
            Hook::Freeze => Phase::Freeze,
            Hook::Thaw => Phase::Thaw,
            Hook::Commit => Phase::Commit,
            Hook::Patch => Phase::Patch,
            Hook::Resume => Phase::Resume,
            Hook::Abort => Phase::Abort,
        }
    }

    /// Whose turn is first; an undo goes the other way than what it undoes.
    pub(super) fn first(self) -> First {
        match self {
            Hook::Freeze | Hook::Commit | Hook::Abort => First::Dependents,
            Hook::Patch | Hook::Resume | Hook::Thaw => First::Dependencies,
        }
    }

    /// Whether it undoes other hooks, and runs only where these have begun.
    pub(crate) fn is_undo(self) -> bool {
        matches!(self, Hook::Thaw | Hook::Abort)
    }

    /// Whether the phase stops at the first failure and can be cancelled. An undo goes as far as it
    /// can, and so does a commit, since there is no way back.
    pub(super) fn can_stop(self) -> bool {
        matches!(self, Hook::Freeze | Hook::Patch | Hook::Resume)
    }
}

/// Runs a hook on every controller that the journal says it concerns.
///
/// # Errors
///
/// The errors of all hooks that failed, the deadline, or the cancel. Nothing is undone here.
pub(crate) async fn run(
    hook: Hook,
    tree: &Arc<Tree>,
    session: &Arc<Session>,
    journal: &mut Journal,
) -> Result<(), Error> {
    let phase = hook.phase();
    let controllers = tree.plan.units().len();
    let span = tracing::info_span!("phase", phase = phase.as_str(), controllers);
    let began = Instant::now();
    let result = async {
        let stop = Arc::<Signal>::default();
        let stopped = hook.can_stop().then(|| Arc::clone(&stop));
        let contexts = PhaseContext::new(phase, Arc::clone(tree), Arc::clone(session), stopped);
        let contexts = Contexts::new(contexts);
        let mut sweep = Sweep::new(hook, tree, session, journal, &contexts, stop);
        tell(session.observer(), |observer| observer.phase_started(phase, sweep.concerned()));
        tracing::debug!("begins");
        let result = sweep.drive().await;
        match &result {
            Ok(()) => tracing::info!(took = ?began.elapsed(), "done"),
            Err(error) => {
                tracing::error!(took = ?began.elapsed(), error = %error.on_one_line(), "failed")
            }
        }
        result
    }
    .instrument(span)
    .await;
    session.record_phase(phase, began.elapsed(), result.is_ok());
    tell(session.observer(), |observer| {
        observer.phase_ended(phase, result.as_ref().map(|&()| ()));
    });
    result
}
