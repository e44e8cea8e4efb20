//! Checkpoints of the sandbox while it runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use snapshot_core::Source;
use snapshot_examples::lcow::Sandbox;

use crate::shim::table::duration;

/// A series of quick changes may spend one part in this many of its time on checkpoints.
const SHARE: u32 = 5;

/// After how long a checkpoint that could not be written is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// Keeps the checkpoint of one sandbox.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    /// When the next one may be written, in a series of changes.
    next: Instant,
    /// Whether the sandbox has changed since the last one.
    behind: bool,
    failing: bool,
    written: u32,
    /// How long the last one took.
    took: Duration,
}

impl Keeper {
    /// A keeper that has nothing written yet.
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

    /// Writes a checkpoint after a change. In a series of quick changes some are left out.
    pub(crate) fn changed(&mut self, sandbox: &Arc<Sandbox>) {
        self.behind = true;
        if Instant::now() >= self.next {
            self.write(sandbox);
        }
    }

    /// Writes a checkpoint if the last one is not of the newest state: at the end of a series of
    /// changes, and now and then while one cannot be written.
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
            // It has been logged. The earlier one stays, and the sandbox runs on.
            Err(_) => {
                self.failing = true;
                self.next = Instant::now() + AGAIN;
            }
        }
    }
}
