//! Keeps a transaction whole: everything that was begun is ended, or is left behind with an error
//! event.

pub(super) mod left_behind;

use std::sync::Arc;

use super::Phase;
use super::changes::When;
use super::claims::Claim;
use super::end::End;
use super::journal::Journal;
use super::phase;
use super::report::Failure;
use super::session::Session;
use super::tree::Tree;
use super::waiting::Waiting;
use crate::Error;
use crate::controller::Hook;
use crate::panics::quietly;

/// A tree in migration, with the journal of its hooks.
///
/// Its end runs hooks, for which a destructor cannot wait. If it is dropped before its end, its
/// journal is kept (see [`left_behind`]) for a recovery, and an error is logged.
pub(crate) struct Transaction {
    pub(crate) tree: Arc<Tree>,
    pub(crate) session: Arc<Session>,
    pub(crate) journal: Journal,
    pub(crate) end: End,
    /// The controllers belong to this transaction for as long as it holds the claim.
    pub(super) claim: Option<Claim>,
    /// Whether it has still to be ended.
    open: bool,
}

impl Transaction {
    pub(crate) fn new(
        tree: Arc<Tree>,
        session: Arc<Session>,
        journal: Journal,
        end: End,
        claim: Claim,
    ) -> Self {
        Self { tree, session, journal, end, claim: Some(claim), open: true }
    }

    /// Runs a hook on all controllers; if it fails, ends the transaction.
    pub(crate) async fn advance(&mut self, hook: Hook) -> Result<(), Failure> {
        match phase::run(hook, &self.tree, &self.session, &mut self.journal).await {
            Ok(()) => {
                // They are in the session's record.
                self.journal.clear_late_stages();
                Ok(())
            }
            Err(cause) => {
                let strays = self.strays().err();
                Err(self.fail_with(hook.phase(), cause, strays).await)
            }
        }
    }

    /// Checks that the tree contains only controllers to be aborted. A controller that was added
    /// since the import is not in the journal, and no hook runs on it.
    fn strays(&self) -> Result<(), Error> {
        match self.end {
            End::Abort => self.compare(Phase::Abort, When::Abort),
            End::Thaw | End::Commit => Ok(()),
        }
    }

    /// Checks that the tree is unchanged since the transaction began. If it has changed, ends the
    /// transaction.
    pub(crate) async fn check_unchanged(
        &mut self,
        phase: Phase,
        when: When,
    ) -> Result<(), Failure> {
        match self.compare(phase, when) {
            Ok(()) => Ok(()),
            Err(cause) => Err(self.fail(phase, cause).await),
        }
    }

    /// Compares the tree with the one at the beginning of the transaction. Meanwhile the timer
    /// thread sees whose state is awaited.
    pub(crate) fn compare(&self, phase: Phase, when: When) -> Result<(), Error> {
        let waiting = Waiting::of_session(phase, &self.session);
        waiting.know(Arc::clone(&self.tree) as _);
        // The comparison does not need a timer: an end must not depend on one.
        let _watch = waiting.watch();
        waiting
            .during(|| self.tree.check_unchanged(when))
            .map_err(|error| error.named(|address| self.tree.id_at(address)))
    }

    /// Ends the transaction because of an error.
    pub(crate) async fn fail(&mut self, phase: Phase, cause: Error) -> Failure {
        self.fail_with(phase, cause, None).await
    }

    /// Does the same, with other known errors of the undo.
    pub(crate) async fn fail_with(
        &mut self,
        phase: Phase,
        cause: Error,
        strays: Option<Error>,
    ) -> Failure {
        let undo = self.run_end().await.err().into_iter().chain(strays).reduce(Error::and);
        Failure::new(phase, cause, undo, self.journal.report(&self.tree.plan))
    }

    /// Ends the transaction as the program asks. Whatever has changed since the freeze, the hooks
    /// run on everything that was frozen; the changes are reported afterwards.
    pub(crate) async fn finish(&mut self, end: End) -> Result<(), Failure> {
        self.end = end;
        // Before the hooks, which may remove controllers from the tree.
        let unchanged = match end {
            End::Thaw => self.compare(Phase::Thaw, When::Rollback),
            End::Commit => self.compare(Phase::Commit, When::Commit),
            End::Abort => self.strays(),
        };
        let ran = self.run_end().await;
        let late = match end {
            End::Commit => self.journal.late_stage_errors(&self.tree),
            End::Thaw | End::Abort => Vec::new(),
        };
        let errors = ran.err().into_iter().chain(late).chain(unchanged.err());
        Error::collect(errors).map_err(|error| {
            let controllers = self.journal.report(&self.tree.plan);
            Failure::new(end.hook().phase(), error, None, controllers)
        })
    }

    /// Runs the hooks that end the transaction, on the controllers where something was begun.
    pub(crate) async fn run_end(&mut self) -> Result<(), Error> {
        let hook = self.end.hook();
        let result = match self.journal.anything_touched() {
            true => phase::run(hook, &self.tree, &self.session, &mut self.journal).await,
            false => Ok(()),
        };
        if self.end == End::Abort {
            self.journal.retire(&self.tree, &self.session);
        }
        self.close();
        result
    }

    /// Closes the transaction, which has ended.
    pub(crate) fn close(&mut self) {
        self.open = false;
        self.session.end_blackout();
        match self.end {
            // A thaw hook failed, and can be tried again.
            End::Thaw if self.journal.anything_touched() => left_behind::keep_source(self),
            // A second freeze would make it live twice.
            End::Commit => left_behind::keep_moved(self),
            End::Thaw | End::Abort => self.claim = None,
        }
    }

    pub(crate) fn root_type_url(&self) -> &'static str {
        self.tree.nodes()[0].info().type_url
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let type_url = self.root_type_url();
        match (self.journal.anything_touched(), self.end) {
            (false, _) => {}
            (true, End::Abort) => {
                quietly(|| {
                    tracing::error!(
                        type_url,
                        "a prepared or patched destination was dropped without resume or abort: \
                         its abort hooks did not run; take it with `Abandoned::take_all` and abort \
                         it"
                    )
                });
                left_behind::keep_destination(Self {
                    tree: Arc::clone(&self.tree),
                    session: Arc::clone(&self.session),
                    journal: self.journal.clone(),
                    end: End::Abort,
                    claim: self.claim.take(),
                    open: true,
                });
            }
            (true, end) => {
                quietly(|| {
                    tracing::error!(
                        type_url,
                        missing = end.hook().as_str(),
                        "a frozen source was dropped without commit or rollback: its hooks did not \
                         run, and its controllers stay as they are: call `Source::recover`"
                    )
                });
                left_behind::keep_source(self);
            }
        }
    }
}
