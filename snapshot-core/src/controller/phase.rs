//! The phases of a migration, and the hooks that they run.

use std::fmt;

/// A phase of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// Compares the manifests and the stages; nothing changes.
    Preflight,
    /// Stops mutation on the source.
    Freeze,
    /// Encodes the frozen controllers.
    Save,
    /// Verifies a snapshot and builds inert controllers.
    Import,
    /// Gets this host ready for the imported controllers while the source still runs.
    Prepare,
    /// Puts a later state into prepared controllers.
    Refresh,
    /// Binds the imported controllers to this host.
    Patch,
    /// Goes live on the destination.
    Resume,
    /// Releases the source.
    Commit,
    /// Undoes a freeze.
    Thaw,
    /// Undoes `prepare`, `patch` and `resume`.
    Abort,
}

impl Phase {
    /// Returns the name used in errors, spans and reports, such as `freeze`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Preflight => "preflight",
            Phase::Freeze => "freeze",
            Phase::Save => "save",
            Phase::Import => "import",
            Phase::Prepare => "prepare",
            Phase::Refresh => "refresh",
            Phase::Patch => "patch",
            Phase::Resume => "resume",
            Phase::Commit => "commit",
            Phase::Thaw => "thaw",
            Phase::Abort => "abort",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of the seven hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hook {
    Freeze,
    Thaw,
    Commit,
    Prepare,
    Patch,
    Resume,
    Abort,
}

impl Hook {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Hook::Freeze => "freeze",
            Hook::Thaw => "thaw",
            Hook::Commit => "commit",
            Hook::Prepare => "prepare",
            Hook::Patch => "patch",
            Hook::Resume => "resume",
            Hook::Abort => "abort",
        }
    }

    /// Returns the phase that runs this hook.
    pub(crate) fn phase(self) -> Phase {
        match self {
            Hook::Freeze => Phase::Freeze,
            Hook::Thaw => Phase::Thaw,
            Hook::Commit => Phase::Commit,
            Hook::Prepare => Phase::Prepare,
            Hook::Patch => Phase::Patch,
            Hook::Resume => Phase::Resume,
            Hook::Abort => Phase::Abort,
        }
    }

    /// Returns whether the hook undoes other hooks, so that it runs only where one of these has
    /// begun.
    pub(crate) fn is_undo(self) -> bool {
        matches!(self, Hook::Thaw | Hook::Abort)
    }
}
