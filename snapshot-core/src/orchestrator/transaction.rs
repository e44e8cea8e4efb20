//! What holds a transaction together: whatever was begun is ended, or it is loudly left behind.

use std::sync::Arc;

use super::Phase;
use super::abandoned;
use super::journal::Journal;
use super::phase;
use super::report::Failure;
use super::session::Session;
use super::tree::Tree;
use crate::Error;
use crate::caught::quietly;
use crate::controller::Hook;

/// How a transaction ends if it goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The source goes on.
    Thaw,
    /// The source lets go: the destination is live.
    Commit,
    /// The destination is given up.
    Abort,
}

impl End {
    fn hook(self) -> Hook {
        match self {
            End::Thaw => Hook::Thaw,
            End::Commit => Hook::Commit,
            End::Abort => Hook::Abort,
        }
    }
}

/// A tree in migration, with the journal of what was begun on it.
///
/// Its end runs hooks, which a destructor cannot wait for. So if it is dropped before, its journal
/// is kept (see [`abandoned`]) for a recovery, and an error is logged.
pub(crate) struct Transaction {
    pub(crate) tree: Arc<Tree>,
    pub(crate) session: Arc<Session>,
    pub(crate) journal: Journal,
    pub(crate) end: End,
    /// Whether it still has to end.
    open: bool,
}

impl Transaction {
    pub(crate) fn new(tree: Arc<Tree>, session: Arc<Session>, journal: Journal, end: End) -> Self {
        Self { tree, session, journal, end, open: true }
    }

    /// Runs a hook on all controllers; if it fails, ends the transaction.
    pub(crate) async fn advance(&mut self, hook: Hook) -> Result<(), Failure> {
        match phase::run(hook, &self.tree, &self.session, &mut self.journal).await {
            Ok(()) => Ok(()),
            Err(cause) => Err(self.fail(hook.phase(), cause).await),
        }
    }

    /// Ends the transaction because of an error.
    pub(crate) async fn fail(&mut self, phase: Phase, cause: Error) -> Failure {
        let undo = self.run_end().await.err();
        Failure::new(phase, cause, undo, self.journal.report(&self.tree.plan))
    }

    /// Ends the transaction because the program says so.
    pub(crate) async fn finish(&mut self, end: End) -> Result<(), Failure> {
        self.end = end;
        match self.run_end().await {
            Ok(()) => Ok(()),
            Err(error) => {
                let controllers = self.journal.report(&self.tree.plan);
                Err(Failure::new(end.hook().phase(), error, None, controllers))
            }
        }
    }

    /// Runs the hooks that end the transaction, where something was begun.
    async fn run_end(&mut self) -> Result<(), Error> {
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

    /// The transaction has ended.
    pub(crate) fn close(&mut self) {
        self.open = false;
        self.session.end_blackout();
        match self.end {
            // A thaw hook failed: it can be tried again.
            End::Thaw if self.journal.anything_touched() => abandoned::keep_source(self),
            End::Thaw | End::Commit => abandoned::release(self),
            End::Abort => {}
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
            (false, End::Abort) => {}
            (false, _) => abandoned::release(self),
            (true, End::Abort) => {
                quietly(|| {
                    tracing::error!(
                        type_url,
                        "a patched destination was dropped without resume or abort, its abort hooks \
                     did not run: take it with `Abandoned::take_all` and abort it"
                    )
                });
                abandoned::keep_destination(Self {
                    tree: Arc::clone(&self.tree),
                    session: Arc::clone(&self.session),
                    journal: self.journal.clone(),
                    end: End::Abort,
                    open: true,
                });
            }
            (true, end) => {
                quietly(|| {
                    tracing::error!(
                        type_url,
                        missing = end.hook().as_str(),
                        "a frozen source was dropped without commit or rollback, hooks did not run \
                     and its controllers stay as they are: call `Source::recover`"
                    )
                });
                abandoned::keep_source(self);
            }
        }
    }
}
