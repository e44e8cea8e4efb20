//! Checkpoints of the sandbox while it runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use snapshot_core::Source;
use snapshot_examples::lcow::Sandbox;

use crate::shim::table::duration;

/// In a series of quick changes, this part of the time may be spent on checkpoints.
const SHARE: u32 = 5;

/// The time after which a failed checkpoint is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// Writes the checkpoints of one sandbox.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    /// The earliest time of the next one, in a series of changes.
    next: Instant,
    /// Whether the sandbox has changed since the last one.
    behind: bool,
    failing: bool,
    written: u32,
    /// How long the last one took.
    took: Duration,
}

impl Keeper {
    /// Creates a keeper that has written nothing yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            next: Instant::now(),
            behind: false,
            failing: false,
            written: 0,
            took: Duration::ZERO,
        }
    }

    /// Writes a checkpoint after a change. In a series of quick changes some are omitted.
    pub(crate) fn changed(&mut self, sandbox: &Arc<Sandbox>) {
        self.behind = true;
        if Instant::now() >= self.next {
            self.write(sandbox);
        }
    }

    /// Writes a checkpoint if the last one is outdated: at the end of a series of changes, and from
    /// time to time while writing fails.
    pub(crate) fn catch_up(&mut self, sandbox: &Arc<Sandbox>) {
        if self.behind && (!self.failing || Instant::now() >= self.next) {
            self.write(sandbox);
        }
    }

    /// How many were written, and how long the last one took.
    pub(crate) fn summary(&self) -> String {
        format!("wrote {} checkpoints, the last one in {}", self.written, duration(self.took))
    }

    fn write(&mut self, sandbox: &Arc<Sandbox>) {
        let began = Instant::now();
        match Source::new(sandbox).checkpoint(&self.path) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::error!("the checkpoint can be written again");
                }
                self.behind = false;
                self.written += 1;
                self.took = began.elapsed();
                self.next = Instant::now() + self.took * (SHARE - 1);
            }
            // It is logged. The earlier one stays, and the sandbox continues.
            Err(_) => {
                self.failing = true;
                self.next = Instant::now() + AGAIN;
            }
        }
    }
}
