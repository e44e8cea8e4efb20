//! The result of a preflight that passed.

use crate::error::Finding;
use crate::evolution::Compatibility;

/// The result of a [`Source::preflight`](super::Source::preflight) that passed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preflight {
    /// The verdict about each type of payload in the tree, with the bearable differences.
    pub compatibility: Compatibility,
    /// The values that the destination drops on purpose (`discard(...)`), each with its controller
    /// and field.
    pub dropped: Vec<Finding>,
}
