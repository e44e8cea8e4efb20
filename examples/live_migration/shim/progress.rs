//! Progress bars, one per phase, on a terminal; elsewhere a line per phase.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use snapshot_core::{ControllerId, Error, Phase, Progress};

use crate::shim::console::complain;
use crate::shim::lock::lock;
use crate::shim::table::duration;

/// Shows the progress of one side's phases.
pub(crate) struct Bars {
    side: &'static str,
    terminal: bool,
    running: Mutex<HashMap<Phase, (ProgressBar, Instant)>>,
}

impl Bars {
    /// Creates the bars of one side of the migration, on the standard error.
    pub(crate) fn new(side: &'static str) -> Self {
        Self { side, terminal: std::io::stderr().is_terminal(), running: Mutex::default() }
    }

    fn style(&self) -> ProgressStyle {
        let template =
            format!("{:<11} │ {{msg:<16}} {{bar:40.cyan/dim}} {{pos:>5}}/{{len}}", self.side);
        // The template is valid. If it were not, the default one would show as much.
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }
}

impl Progress for Bars {
    fn phase_started(&self, phase: Phase, controllers: usize) {
        let target = match self.terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(controllers as u64), target)
            .with_style(self.style())
            .with_message(phase.as_str());
        lock(&self.running).insert(phase, (bar, Instant::now()));
    }

    fn controller_ended(&self, phase: Phase, _: &ControllerId, _: Result<(), &Error>) {
        if let Some((bar, _)) = lock(&self.running).get(&phase) {
            bar.inc(1);
        }
    }

    fn phase_ended(&self, phase: Phase, result: Result<(), &Error>) {
        let Some((bar, began)) = lock(&self.running).remove(&phase) else { return };
        let (done, all) = (bar.position(), bar.length().unwrap_or_default());
        let phase = phase.as_str();
        let took = duration(began.elapsed());
        bar.abandon_with_message(format!("{phase:<7} {took:>8}"));
        if !self.terminal {
            complain(format_args!("{:<11} │ {phase:<7} {took:>8} {done:>5}/{all}", self.side));
        }
        if let Err(error) = result {
            complain(format_args!("{:<11} │ {phase} failed: {error}", self.side));
        }
    }
}
