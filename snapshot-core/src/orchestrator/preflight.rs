//! The result of a preflight that passed.

use crate::error::Finding;
use crate::evolution::Compatibility;

/// The result of a [`Source::preflight`](super::Source::preflight) that passed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preflight {
    /// The verdict about each type of payload in the tree, with the tolerable differences.
    pub compatibility: Compatibility,
    /// The values that the destination drops on purpose (`discard(...)`), each with its controller
    /// and field.
    pub dropped: Vec<Finding>,
    /// What stays behind at the source by `may_stay_behind`: each field with the controller whose state it is
    /// in, and each controller in the field. A later save leaves behind nothing else.
    pub left_behind: Vec<Finding>,
}
