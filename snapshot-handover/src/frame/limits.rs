//! The limits of time and size for everything on a link.

use std::time::Duration;

use snapshot_core::ReadOptions;

/// The limits of one hand-over on one side.
///
/// | limit | default | bounds |
/// |---|---|---|
/// | [`message`](Limits::message) | 30 s | one message, from its first byte to its last |
/// | [`greeting`](Limits::greeting) | 30 s | everything until the source has the welcome |
/// | [`rehearsal`](Limits::rehearsal) | 600 s | destination: from its answer to a rehearsal to the next message; source: the preparation at the destination |
/// | [`freeze`](Limits::freeze) | 150 s | destination: from the welcome to a rehearsal or the snapshot |
/// | [`transfer`](Limits::transfer) | 120 s | all bytes of the snapshot |
/// | [`patch`](Limits::patch) | 150 s | source: from the last byte of the snapshot to the answer |
/// | [`resume`](Limits::resume) | 150 s | the wait for `Resume`, and for its answer |
/// | [`settle`](Limits::settle) | 10 s | all messages after the decision |
/// | [`thaw`](Limits::thaw) | 30 s | source: the time during which a failing thaw is retried |
/// | [`snapshot`](Limits::snapshot) | 256 MiB | the bytes of a snapshot that is read |
///
/// While the source is frozen, the rest of the session's blackout budget also bounds each wait.
///
/// ```
/// use std::time::Duration;
/// use snapshot_handover::Limits;
///
/// let limits = Limits::new().message(Duration::from_secs(5)).snapshot(1 << 30);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub(crate) message: Duration,
    pub(crate) greeting: Duration,
    pub(crate) rehearsal: Duration,
    pub(crate) freeze: Duration,
    pub(crate) transfer: Duration,
    pub(crate) patch: Duration,
    pub(crate) resume: Duration,
    pub(crate) settle: Duration,
    pub(crate) thaw: Duration,
    pub(crate) snapshot: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! durations {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $name(mut self, time: Duration) -> Self {
            self.$name = time;
            self
        }
    )*};
}

impl Limits {
    /// Creates the default limits.
    pub const fn new() -> Self {
        Self {
            message: Duration::from_secs(30),
            greeting: Duration::from_secs(30),
            rehearsal: Duration::from_secs(600),
            freeze: Duration::from_secs(150),
            transfer: Duration::from_secs(120),
            patch: Duration::from_secs(150),
            resume: Duration::from_secs(150),
            settle: Duration::from_secs(10),
            thaw: Duration::from_secs(30),
            snapshot: ReadOptions::DEFAULT_LIMIT,
        }
    }

    durations! {
        /// Sets the time of one message, from its first byte to its last. It bounds the whole
        /// message, so that a peer cannot extend it with an occasional byte.
        message,
        /// Sets the time until the source has the welcome, on both sides.
        greeting,
        /// Sets how long the prepared destination waits while the source decides, rehearses again,
        /// or freezes and saves; and how long the source waits for a preparation. Copying memory
        /// between rehearsals takes time.
        rehearsal,
        /// Sets how long the destination waits for a rehearsal or the snapshot after its welcome.
        freeze,
        /// Sets the time of all bytes of the snapshot.
        transfer,
        /// Sets how long the source waits while the destination imports and patches.
        patch,
        /// Sets how long the destination waits for `Resume`, and the source for its answer.
        resume,
        /// Sets the time of all messages after the decision.
        settle,
        /// Sets for how long the source retries a failing thaw.
        thaw,
    }

    /// Sets the maximum number of bytes of a snapshot that this side reads. The source gets it in
    /// the welcome.
    #[must_use]
    pub const fn snapshot(mut self, bytes: u64) -> Self {
        self.snapshot = bytes;
        self
    }
}
