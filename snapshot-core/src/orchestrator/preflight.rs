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
    /// What stays behind at the source by `may_stay_behind`: each field with the controller whose state it is
    /// in, and each controller in the field. A later save leaves behind nothing else.
    pub left_behind: Vec<Finding>,
}
