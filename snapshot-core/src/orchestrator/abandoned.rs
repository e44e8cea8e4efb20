//! Transactions that were dropped before their end.
//!
//! A future may be dropped at any await: a server drops the handler of a client that went away.
//! The hooks that end a transaction cannot run in a destructor, so what was begun is kept here until
//! somebody runs them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::journal::Journal;
use super::plan::Plan;
use super::report::Failure;
use super::session::Session;
use super::transaction::{End, Transaction};
use super::tree::Tree;
use crate::Error;
use crate::controller::{Node, address};

/// Roots of sources whose migration has begun and not ended.
static SOURCES: Mutex<Vec<Claim>> = Mutex::new(Vec::new());

/// Destinations that were dropped. Held, since nobody else does, and what they have bound on this
/// host must be given back.
static DESTINATIONS: Mutex<Vec<Abandoned>> = Mutex::new(Vec::new());

/// A source in migration. Weak throughout: a program that gives its controllers up gives up their
/// recovery.
struct Claim {
    root: Weak<dyn Node>,
    left: Option<Leftover>,
}

struct Leftover {
    plan: Arc<Plan>,
    nodes: Vec<Weak<dyn Node>>,
    journal: Journal,
    end: End,
}

fn sources() -> MutexGuard<'static, Vec<Claim>> {
    let mut claims = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    claims.retain(|claim| claim.root.strong_count() > 0);
    claims
}

fn is_root(claim: &Claim, root: &Arc<dyn Node>) -> bool {
    // The weak reference keeps the address from being used again.
    claim.root.as_ptr().cast::<()>().addr() == address(&**root)
}

/// Claims a source for one migration.
///
/// # Errors
///
/// If another migration of the same root has begun and not ended.
pub(crate) fn claim(root: &Arc<dyn Node>) -> Result<(), Error> {
    let mut claims = sources();
    match claims.iter().find(|claim| is_root(claim, root)) {
        None => {
            claims.push(Claim { root: Arc::downgrade(root), left: None });
            Ok(())
        }
        Some(Claim { left: None, .. }) => {
            Err(Error::precondition("is in migration already: end that one first"))
        }
        Some(Claim { left: Some(_), .. }) => Err(Error::precondition(
            "was left frozen by a migration that did not end: call `Source::recover` first",
        )),
    }
}

/// What was left behind of a source, to be ended now.
pub(crate) fn reclaim(root: &Arc<dyn Node>, session: &Arc<Session>) -> Option<Transaction> {
    let left = sources().iter_mut().find(|claim| is_root(claim, root))?.left.take()?;
    let Leftover { plan, nodes, mut journal, end } = left;
    let upgrade = |(unit, node): (usize, &Weak<dyn Node>)| {
        node.upgrade().unwrap_or_else(|| {
            // Nothing to end on what is gone; the root takes its place and is not called for it.
            journal.forget(unit);
            Arc::clone(root)
        })
    };
    let nodes = nodes.iter().enumerate().map(upgrade).collect();
    let tree = Arc::new(Tree::new(plan, nodes));
    Some(Transaction::new(tree, Arc::clone(session), journal, end))
}

/// The migration of a source has ended.
pub(crate) fn release(transaction: &Transaction) {
    sources().retain(|claim| !is_root(claim, &transaction.tree.nodes()[0]));
}

/// The migration of a source was left before its end.
pub(crate) fn keep_source(transaction: &Transaction) {
    let Transaction { tree, journal, end, .. } = transaction;
    let left = Leftover {
        plan: Arc::clone(&tree.plan),
        nodes: tree.nodes().iter().map(Arc::downgrade).collect(),
        journal: journal.clone(),
        end: *end,
    };
    let root = &tree.nodes()[0];
    let mut claims = sources();
    match claims.iter_mut().find(|claim| is_root(claim, root)) {
        Some(claim) => claim.left = Some(left),
        None => claims.push(Claim { root: Arc::downgrade(root), left: Some(left) }),
    }
}

/// A destination was left before its end.
pub(crate) fn keep_destination(transaction: Transaction) {
    DESTINATIONS.lock().unwrap_or_else(PoisonError::into_inner).push(Abandoned(transaction));
}

/// A destination that was dropped after its patch had begun and before it was resumed or aborted,
/// with everything that it has bound on this host.
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
    /// Takes all destinations that were dropped in this program since the last call.
    pub fn take_all() -> Vec<Abandoned> {
        std::mem::take(&mut *DESTINATIONS.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The type URL of the root's payload.
    pub fn type_url(&self) -> &'static str {
        self.0.root_type_url()
    }

    /// Runs the `abort` hooks of all controllers whose `patch` had begun, in reverse.
    ///
    /// # Errors
    ///
    /// What the hooks fail with; the others run all the same.
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
