//! placeholder
#![allow(missing_docs)]

extern crate self as snapshot_core;

pub mod codec;
mod controller;
mod envelope;
mod error;
mod orchestrator;
pub mod registry;
pub mod schema;
mod stage;
mod state;
pub mod wire;

pub use controller::{Child, Context, Controller, ControllerId};
pub use envelope::{SaveBuffer, Snapshot};
pub use error::{Code, Error, FieldPath, Finding, Segment};
pub use orchestrator::{
    Abandoned, CancelHandle, ControllerReport, ControllerTime, Failure, Frozen, Imported, Incoming,
    Outcome, Patched, Phase, PhaseTime, Preview, PreviewedController, Progress, SavedBytes,
    Session, Source, Timeline, Undo,
};
pub use schema::Schema;
pub use snapshot_derive::{Schema, Snapshot};
pub use stage::{Stage, StageRules, StageVariant};
pub use state::{Payload, State};

#[doc(hidden)]
pub mod __private;
