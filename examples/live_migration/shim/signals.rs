//! Signals that ask a shim to end, one that must not end it, and waits that they cut short.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The interval at which a wait looks.
const LOOK: Duration = Duration::from_millis(10);

/// Watches for SIGINT, SIGTERM and SIGHUP from now on. SIGXFSZ, which comes with a write beyond the
/// largest size of a file, does nothing: the write fails, and that is reported as on a full disk. Call it
/// inside of the runtime.
///
/// # Errors
///
/// If the system does not permit it.
pub(crate) fn watch() -> std::io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signals = signal(kind)?;
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                REQUESTED.store(true, Ordering::Release);
            }
        });
    }
    // The handler stays when this is dropped.
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    Ok(())
}

/// Returns whether this shim was asked to end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Acquire)
}

/// Waits. Returns whether this shim was asked to end meanwhile.
pub(crate) fn pause(time: Duration) -> bool {
    wait_until(time, || false);
    requested()
}

/// Waits until a condition holds, the time is over, or this shim was asked to end. Returns whether
/// the condition holds.
pub(crate) fn wait_until(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + time;
    loop {
        if holds() {
            return true;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || requested() {
            return false;
        }
        std::thread::sleep(left.min(LOOK));
    }
}
