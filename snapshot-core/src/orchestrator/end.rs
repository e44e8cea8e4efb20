//! How a transaction ends.

use crate::controller::Hook;

/// The way in which a transaction ends if it stops now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The source continues.
    Thaw,
    /// The source releases its resources: the destination is live.
    Commit,
    /// The destination is given up.
    Abort,
}

impl End {
    /// Returns the hook that runs on every controller that was begun.
    pub(crate) fn hook(self) -> Hook {
        match self {
            End::Thaw => Hook::Thaw,
            End::Commit => Hook::Commit,
            End::Abort => Hook::Abort,
        }
    }
}
