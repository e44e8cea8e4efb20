//! What a preflight that passed has found out.

use crate::error::Finding;
use crate::evolution::Compatibility;

/// What a [`Source::preflight`](super::Source::preflight) that passed has found out about the destination.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preflight {
    /// What the destination makes of the types of payloads in the tree, with the bearable differences.
    pub compatibility: Compatibility,
    /// The values that the destination drops on purpose, `discard(...)`, each with its controller and
    /// field.
    pub dropped: Vec<Finding>,
}
