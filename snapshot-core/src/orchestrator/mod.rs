//! Orchestration: moving a tree of controllers as one transaction.
//!
//! The source goes through [`Source`] and [`Frozen`]; the destination goes through [`Incoming`],
//! [`Imported`] and [`Patched`] to the live root. Each step consumes the one before it, so a wrong
//! order does not compile. A step that fails undoes everything that was begun.

mod abandoned;
mod build;
mod changes;
mod checkpoint;
mod child_addresses;
mod claims;
mod cycle;
mod destination;
mod edges;
mod end;
mod fault;
mod frozen;
mod hook_run;
mod importing;
mod in_flight;
mod index;
mod journal;
mod left_behind;
mod migration_report;
mod phase;
mod plan;
mod preflight;
mod prepared;
mod preview;
mod progress;
mod record;
mod recorder;
mod reference_check;
mod report;
mod session;
mod source;
mod survey;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod timer;
mod transaction;
mod tree;
mod tree_save;
mod unchanged;
mod units;
mod unwinding;
mod versions;
mod waiting;

use crate::controller::Phase;

pub use abandoned::Abandoned;
pub use destination::{Imported, Incoming, Patched, Resumed};
pub use fault::Fault;
pub use frozen::Frozen;
pub use migration_report::{
    BlackoutReport, ControllerOutcome, FailureReport, FindingReport, HookReport, LateStageReport,
    MigrationReport, PhaseReport, SavedReport, SideReport,
};
pub use preflight::Preflight;
pub use prepared::Prepared;
pub use preview::{Preview, PreviewedController};
pub use progress::Progress;
pub use report::{ControllerReport, Failure, Outcome, Undo};
pub use session::{CancelHandle, Session};
pub use source::Source;
pub use timeline::{ControllerTime, LateStage, PhaseTime, SavedBytes, Timeline};
