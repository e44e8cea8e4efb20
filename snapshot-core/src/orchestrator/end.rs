//! How a transaction ends.

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
    /// The hook that runs on every controller that was begun.
    pub(crate) fn hook(self) -> Hook {
        match self {
            End::Thaw => Hook::Thaw,
            End::Commit => Hook::Commit,
            End::Abort => Hook::Abort,
        }
    }
}
