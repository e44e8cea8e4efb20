//! Transactions that were dropped before their end.
//!
//! A future may be dropped at any await: for example, a server drops the handler of a client that
//! went away. The hooks that end a transaction cannot run in a destructor. So the transaction is
//! kept ([`left_behind`]) until the program takes it here and ends it.

use std::sync::Arc;

use super::claims::{Claim, Leftover, Remains};
use super::end::End;
use super::report::Failure;
use super::session::Session;
use super::transaction::{Transaction, left_behind};
use super::tree::Tree;
use crate::Error;
use crate::controller::Node;

/// Takes the transaction that a source left behind, to end it now.
///
/// # Errors
///
/// If the transaction belongs to a larger tree, which has another root.
pub(crate) fn take_up(
    root: &Arc<dyn Node>,
    session: &Arc<Session>,
) -> Result<Option<Transaction>, Error> {
    let rebuild = |Leftover { tree: Remains { plan, nodes }, mut journal, end }: Leftover| {
        let mut gone = Vec::new();
        let upgraded = nodes.iter().enumerate().map(|(unit, node)| {
            node.upgrade().unwrap_or_else(|| {
                // A controller that is gone has nothing to end; the root takes its place and is not
                // called for it.
                journal.forget(unit);
                gone.push(unit);
                Arc::clone(root)
            })
        });
        let nodes = upgraded.collect();
        (Arc::new(Tree::with_gone(plan, nodes, gone)), (journal, end))
    };
    let left = Claim::take_up(&**root, rebuild)?;
    Ok(left.map(|(claim, tree, (journal, end))| {
        Transaction::new(tree, Arc::clone(session), journal, end, claim)
    }))
}

/// A destination that was dropped after its patch had begun and before it was resumed or aborted.
/// It still holds everything that it has bound on this host.
///
/// ```no_run
/// # async fn janitor(session: snapshot_core::Session) {
/// for abandoned in snapshot_core::Abandoned::take_all() {
///     if let Err(failure) = abandoned.abort(&session).await {
///         eprintln!("{failure}");
///     }
/// }
/// # }
/// ```
#[must_use = "an abandoned destination holds resources of this host until it is aborted"]
pub struct Abandoned(Transaction);

impl Abandoned {
    /// Returns all destinations that were dropped in this program since the last call.
    pub fn take_all() -> Vec<Abandoned> {
        left_behind::take_destinations().into_iter().map(Abandoned).collect()
    }

    /// Returns the type URL of the root's payload.
    pub fn type_url(&self) -> &'static str {
        self.0.root_type_url()
    }

    /// Runs the `abort` hooks of all controllers whose `patch` had begun, in reverse.
    ///
    /// # Errors
    ///
    /// The errors of the hooks; the other hooks still run.
    pub async fn abort(self, session: &Session) -> Result<(), Failure> {
        let Abandoned(mut transaction) = self;
        transaction.session = Arc::new(session.clone());
        transaction.finish(End::Abort).await
    }
}

impl std::fmt::Debug for Abandoned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Abandoned").field(&self.type_url()).finish()
    }
}
