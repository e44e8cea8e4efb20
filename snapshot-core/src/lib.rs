#![doc = include_str!("front_page.md")]

extern crate self as snapshot_core;

pub mod codec;
mod controller;
mod envelope;
mod error;
pub mod evolution;
mod keyed_hash;
mod orchestrator;
mod panics;
mod path;
mod payload;
mod provenance;
mod references;
pub mod registry;
pub mod schema;
#[cfg(feature = "testing")]
pub mod testing;
mod version;
mod visit;
pub mod wire;

pub use controller::{
    Child, ChildTarget, Context, Controller, ControllerSet, Gate, Inside, IntoChild, Origin, Phase,
    Purpose, refresh,
};
pub use envelope::{IncrementalReader, ReadOptions, SaveBuffer, Snapshot, WriteOptions};
pub use error::{Code, Error, Finding};
pub use orchestrator::{
    Abandoned, BlackoutReport, CancelHandle, ControllerOutcome, ControllerReport, ControllerTime,
    Failure, FailureReport, Fault, FindingReport, Frozen, HookReport, Imported, Incoming,
    LateStage, LateStageReport, MigrationReport, Outcome, Patched, PhaseReport, PhaseTime,
    Preflight, Prepared, Preview, PreviewedController, Progress, Resumed, SavedBytes, SavedReport,
    Session, SideReport, Source, Timeline, Undo,
};
pub use path::{ControllerId, Escaped, FieldPath, Segment};
pub use payload::{OlderVersion, Payload, Stage, StageRules, StageVariant, State};
pub use provenance::Provenance;
pub use references::check_references;
pub use schema::Schema;
pub use snapshot_derive::{Schema, Snapshot};

#[doc(hidden)]
pub mod __private;
