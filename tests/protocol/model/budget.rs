//! The number of failures that a run of the model may have.

/// The number of failures that may still happen. There are several budgets, because everything at
/// once has a million states: each allows more of some failures and fewer of others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(super) losses: u8,
    pub(super) kills: u8,
    pub(super) restarts: u8,
    /// Steps that fail.
    pub(super) failures: u8,
    /// Writes of a mark that fail in some way.
    pub(super) writes: u8,
    pub(super) connections: u8,
    pub(super) starts: u8,
    /// Changes of the sandbox.
    pub(super) changes: u8,
    /// Whether the source may wait before it begins the hand-over.
    pub(super) idles: bool,
}

impl Budget {
    /// Mainly broken links and killed processes, also during writes.
    pub(crate) const LINKS: Self = Self {
        losses: 2,
        kills: 2,
        restarts: 2,
        failures: 1,
        writes: 0,
        connections: 3,
        starts: 1,
        changes: 0,
        idles: false,
    };

    /// Mainly failing writes.
    pub(crate) const WRITES: Self =
        Self { losses: 1, kills: 1, restarts: 2, failures: 0, writes: 2, ..Self::LINKS };

    /// Mainly shims that die at any time, with outdated checkpoints, and are restarted, sometimes
    /// twice at once.
    pub(crate) const CHECKPOINTS: Self = Self {
        losses: 0,
        kills: 2,
        restarts: 3,
        failures: 0,
        connections: 2,
        starts: 0,
        changes: 1,
        idles: true,
        ..Self::LINKS
    };
}
