//! The output at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use snapshot_core::{MigrationReport, SavedReport, SideReport};
use snapshot_handover::Rehearsed;

use crate::shim::console::{print, say};
use crate::shim::proof::Proof;
use crate::shim::table::{Table, count, duration};

/// The number of controllers in the table.
const SHOWN: usize = 24;

/// The phases in order, with the side on which they run.
const PHASES: [(&str, &str); 6] = [
    ("freeze", "source"),
    ("save", "source"),
    ("refresh", "destination"),
    ("patch", "destination"),
    ("resume", "destination"),
    ("commit", "source"),
];

/// How long one step took, of one controller or of a whole phase.
struct Step {
    phase: String,
    /// The controller's id; empty for the phase as a whole.
    controller: String,
    took: Duration,
}

/// The steps of a report, phases first.
fn steps_of(side: &SideReport) -> impl Iterator<Item = Step> {
    let phases = side.phases.iter().map(|phase| Step {
        phase: phase.phase.clone(),
        controller: String::new(),
        took: Duration::from_nanos(phase.took_ns),
    });
    let hooks = side.hooks.iter().map(|hook| Step {
        phase: hook.phase.clone(),
        controller: hook.controller.clone(),
        took: Duration::from_nanos(hook.took_ns),
    });
    phases.chain(hooks)
}

/// Prints the durations.
pub(crate) fn migration(report: &MigrationReport, bytes: u64) {
    let steps: Vec<Step> = report.sides.iter().flat_map(steps_of).collect();
    let steps: Vec<&Step> = steps.iter().collect();
    let saved: Vec<&SavedReport> = report.sides.iter().flat_map(|side| &side.saved).collect();
    print(format_args!("\n{}", phases(&steps, saved.len())));
    print(controllers(&steps, &saved));
    let blackout = report.blackout().map_or_else(|| "unknown".to_owned(), duration);
    print(format_args!(
        "  blackout      {blackout}\n  snapshot      {} bytes, {} controllers\n",
        count(bytes),
        saved.len()
    ));
}

/// Prints how long the last rehearsal took.
pub(crate) fn rehearsal(side: &str, rehearsed: &Rehearsed) {
    let Rehearsed { bytes, save, transfer, import, prepare, .. } = *rehearsed;
    let [save, transfer, import, prepare] = [save, transfer, import, prepare].map(duration);
    say(
        side,
        &format!(
            "rehearsed {} bytes while the sandbox ran: save {save}, transfer {transfer}, import \
             {import}, prepare {prepare}",
            count(bytes)
        ),
    );
}

/// Prints the result of the proof.
pub(crate) fn proof(side: &str, proof: &Proof) {
    let moved = match proof.moved {
        0 => String::new(),
        moved => format!(", {moved} of them moved"),
    };
    say(
        side,
        &format!(
            "proved: {} processes{moved}, none was restarted; {} lines ({} bytes), each in the \
             logs exactly once and in order; every exit was reported once",
            proof.processes,
            count(proof.lines),
            count(proof.bytes)
        ),
    );
}

fn phases(steps: &[&Step], all: usize) -> Table {
    let mut table = Table::new(&["phase", "side", "controllers", "time", "slowest"]);
    for (phase, side) in PHASES {
        let of_phase = || steps.iter().filter(|step| step.phase == phase);
        let Some(whole) = of_phase().find(|step| step.controller.is_empty()) else { continue };
        let hooks = || of_phase().filter(|step| !step.controller.is_empty());
        let slowest = hooks().max_by_key(|step| step.took);
        table.row([
            phase.to_owned(),
            side.to_owned(),
            match slowest {
                Some(_) => hooks().count().to_string(),
                // A phase without hooks concerns all of them.
                None => all.to_string(),
            },
            duration(whole.took),
            slowest.map_or_else(String::new, |step| {
                format!("{} {}", step.controller, duration(step.took))
            }),
        ]);
    }
    table
}

fn controllers(steps: &[&Step], saved: &[&SavedReport]) -> Table {
    const HOOKS: [&str; 4] = ["freeze", "patch", "resume", "commit"];
    let mut times: BTreeMap<(&str, &str), Duration> = BTreeMap::new();
    for step in steps.iter().filter(|step| !step.controller.is_empty()) {
        times.insert((&step.controller, &step.phase), step.took);
    }
    let total =
        |id: &str| -> Duration { HOOKS.iter().filter_map(|phase| times.get(&(id, *phase))).sum() };
    // All in the order of the tree if they fit, otherwise the slowest.
    let mut shown: Vec<&SavedReport> = saved.to_vec();
    if shown.len() > SHOWN {
        shown.sort_by_key(|saved| std::cmp::Reverse(total(&saved.controller)));
        shown.truncate(SHOWN);
    }
    let head = match saved.len() {
        all if all > SHOWN => format!("controller (the {SHOWN} slowest of {all})"),
        _ => "controller".to_owned(),
    };
    let mut table = Table::new(&[&head, "freeze", "bytes", "patch", "resume", "commit"]);
    for SavedReport { controller: id, bytes, .. } in shown {
        let time =
            |phase| times.get(&(id.as_str(), phase)).map_or_else(String::new, |t| duration(*t));
        table.row([
            id.clone(),
            time("freeze"),
            count(*bytes),
            time("patch"),
            time("resume"),
            time("commit"),
        ]);
    }
    table
}
