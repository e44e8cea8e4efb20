//! Keeps transactions that were dropped before their end.

use std::sync::{Mutex, PoisonError};

use super::Transaction;
use crate::orchestrator::claims::{Leftover, Remains};

/// Destinations that were dropped. They are held here, because nobody else holds them and their
/// resources on this host must be released.
static DESTINATIONS: Mutex<Vec<Transaction>> = Mutex::new(Vec::new());

/// Returns all destinations that were dropped in this program since the last call.
pub(crate) fn take_destinations() -> Vec<Transaction> {
    std::mem::take(&mut *DESTINATIONS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps the migration of a source that was dropped before its end.
pub(crate) fn keep_source(transaction: &mut Transaction) {
    let Transaction { tree, journal, end, claim, .. } = transaction;
    let left = Leftover { tree: Remains::of(tree), journal: journal.clone(), end: *end };
    if let Some(claim) = claim.take() {
        claim.leave_source(left);
    }
}

/// Keeps a source that was committed, and now lives elsewhere.
pub(crate) fn keep_moved(transaction: &mut Transaction) {
    let Transaction { tree, claim, .. } = transaction;
    if let Some(claim) = claim.take() {
        claim.leave_moved(Remains::of(tree));
    }
}

/// Keeps a destination that was dropped before its end.
pub(crate) fn keep_destination(transaction: Transaction) {
    if let Some(claim) = &transaction.claim {
        claim.leave_destination(&transaction.tree);
    }
    DESTINATIONS.lock().unwrap_or_else(PoisonError::into_inner).push(transaction);
}
