//! The settings of a process for its hand-overs.

use std::fmt;
use std::sync::Arc;

use crate::frame::{Limits, Timer, Transferred, default_timer};
use crate::ledger::Ledger;

/// The settings of a process for its hand-overs, on either side. Clones share the ledger.
///
/// | setting | default |
/// |---|---|
/// | [`limits`](Handover::limits) | those of [`Limits`] |
/// | [`build`](Handover::build) | `snapshot-handover` and its version |
/// | [`host`](Handover::host) | empty |
/// | [`timer`](Handover::timer) | [`ThreadTimer`](crate::frame::ThreadTimer) |
/// | [`observer`](Handover::observer) | none |
///
/// ```
/// use snapshot_handover::{Handover, Limits, ledger::{Ledger, MemoryStore}};
///
/// let ledger = Ledger::over(MemoryStore::new());
/// let handover = Handover::new(&ledger)
///     .build("my-shim 1.4.0")
///     .host("node-7")
///     .limits(Limits::new().snapshot(1 << 30))
///     .observer(|bytes| println!("{} of {} bytes", bytes.done, bytes.total));
/// ```
#[derive(Clone)]
pub struct Handover {
    pub(crate) ledger: Ledger,
    pub(crate) limits: Limits,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) build: String,
    pub(crate) host: String,
    pub(crate) observer: Option<Arc<dyn Fn(Transferred) + Send + Sync>>,
}

impl Handover {
    /// Creates the default settings, over a ledger.
    pub fn new(ledger: &Ledger) -> Self {
        Self {
            ledger: ledger.clone(),
            limits: Limits::new(),
            timer: default_timer(),
            build: concat!("snapshot-handover ", env!("CARGO_PKG_VERSION")).to_owned(),
            host: String::new(),
            observer: None,
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the timer for the deadlines.
    #[must_use]
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Sets the name and version of this program, which the other side's errors show.
    #[must_use]
    pub fn build(mut self, build: impl Into<String>) -> Self {
        self.build = build.into();
        self
    }

    /// Sets the name of this host, which the other side receives.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Sets a function that is called after each frame of a snapshot, on both sides.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(Transferred) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover")
            .field("limits", &self.limits)
            .field("build", &self.build)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
