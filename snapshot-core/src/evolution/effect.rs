//! The effect of a difference between two builds, and the words for the two sides.

/// The effect of a difference on a snapshot that travels from the source to the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// No effect: the same thing has another name.
    Renamed,
    /// The wire form is the same, and the destination reads all of it. The opposite direction may
    /// fail.
    Tolerable,
    /// The destination refuses the snapshot, or would lose a part of it.
    Breaking,
}

/// The words for the two sides in a reason: first the source, then the destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct SideNames {
    /// The sides as subjects, as in "only the source has".
    pub(super) who: [&'static str; 2],
    /// The sides as places, as in "is 2 at the source".
    pub(super) at: [&'static str; 2],
}

/// The two peers of a migration.
pub(super) const PEERS: SideNames = SideNames {
    who: ["the source", "the destination"],
    at: ["at the source", "at the destination"],
};
