//! Save and restore the state of running controllers: strictly, by version, as one transaction.
//!
//! A shim is made of controllers: a VM, its devices, networks, containers, processes. For a live
//! migration or a live upgrade each one's state is saved, checked, carried over, rebuilt and bound
//! to the new host; and if anything fails, both sides are as they were. You annotate the state
//! structs with [`derive(Snapshot)`](macro@Snapshot) and implement [`Controller`]; what cannot be
//! done right does not compile.
//!
//! # From the bottom up
//!
//! 1. **A typed schema.** prost-build is told once to add [`derive(Schema)`](macro@Schema) to its
//!    types: [`schema`].
//! 2. **A state struct.** [`derive(Snapshot)`](macro@Snapshot) ties it to its message, field by
//!    field, and maps its lifecycle [`Stage`]. [`codec::to_bytes`] and [`codec::from_bytes`] are all
//!    that a program without controllers needs.
//! 3. **A controller** owns a state: [`Controller`], with children in its state as [`Child`]. Hooks
//!    reach what they come after through [`Context`].
//! 4. **A migration**: [`Source`] → [`Frozen`] on one side, [`Incoming`] → [`Imported`] →
//!    [`Patched`] on the other, under the settings of a [`Session`]. What travels is a
//!    [`Snapshot`](struct@Snapshot).
//! 5. **A program without a static root** has a [`ControllerSet`] and the [`registry`].
//!
//! # Example
//!
//! ```
//! use std::ops::DerefMut;
//! use std::sync::{Arc, Mutex, PoisonError};
//!
//! use snapshot_core::{Context, Controller, Error, Incoming, Session, Snapshot, Source};
//!
//! // prost-build writes this, from a .proto file.
//! #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
//! pub struct DiskSnapshot {
//!     #[prost(uint32, tag = "1")]
//!     pub schema_version: u32,
//!     #[prost(string, tag = "2")]
//!     pub image: String,
//!     #[prost(uint64, tag = "3")]
//!     pub size: u64,
//! }
//! # impl prost::Name for DiskSnapshot {
//! #     const NAME: &'static str = "DiskSnapshot";
//! #     const PACKAGE: &'static str = "doc.v1";
//! # }
//!
//! #[derive(Snapshot)]
//! #[snapshot(message = DiskSnapshot, version = 1, controller = Disk)]
//! struct DiskState {
//!     image: std::path::PathBuf,
//!     size: u64,
//! }
//!
//! struct Disk(Mutex<DiskState>);
//!
//! impl Controller for Disk {
//!     type State = DiskState;
//!
//!     fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
//!         self.0.lock().unwrap_or_else(PoisonError::into_inner)
//!     }
//!
//!     fn import(state: DiskState) -> Result<Self, Error> {
//!         Ok(Self(Mutex::new(state)))
//!     }
//!
//!     async fn patch(&self, _: &Context) -> Result<(), Error> {
//!         self.state().image = "/images/on/this/host".into();
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_executor::block_on(async {
//! let disk = Arc::new(Disk(Mutex::new(DiskState { image: "/images/root".into(), size: 4096 })));
//! let session = Session::new();
//!
//! let frozen = Source::new(&disk).freeze(&session).await?;
//! let snapshot = frozen.save()?;
//!
//! let imported = Incoming::open(snapshot.into_bytes())?.import::<Disk>()?;
//! let arrived = imported.patch(&session).await?.resume(&session).await?;
//! assert_eq!(arrived.state().size, 4096);
//!
//! frozen.commit().await?; // the destination is live; before that, `rollback` takes all back
//! # Ok(()) }) }
//! ```
//!
//! # Test your types
//!
//! One line for each state struct is the first test to write, with the feature `testing` among the
//! `dev-dependencies`:
//!
//! ```ignore
//! #[test]
//! fn a_disk_keeps_the_contract() {
//!     snapshot_core::testing::contract::<DiskState>([a_disk(), another_disk()]);
//! }
//! ```
//!
//! It tries every truncation, unknown field, wrong wire type, duplicate and enum number on the samples,
//! changes every field and sees it restored, and compares with prost. See the module `testing`.
//!
//! # Features
//!
//! - `json` (default): [`codec::Json`] and the adapters [`codec::json`] and [`codec::json_text`].
//! - `uuid` (default): `uuid::Uuid` as a field, element or map key.
//! - `testing`: the contract kit, module `testing`, for `dev-dependencies`.

extern crate self as snapshot_core;

mod caught;
pub mod codec;
mod controller;
mod envelope;
mod error;
mod orchestrator;
mod references;
pub mod registry;
pub mod schema;
mod stage;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;

pub use controller::{
    Child, ChildTarget, Context, Controller, ControllerId, ControllerSet, IntoChild,
};
pub use envelope::{SaveBuffer, Snapshot};
pub use error::{Code, Error, FieldPath, Finding, Segment};
pub use orchestrator::{
    Abandoned, CancelHandle, ControllerReport, ControllerTime, Failure, Frozen, Imported, Incoming,
    Outcome, Patched, Phase, PhaseTime, Preview, PreviewedController, Progress, SavedBytes,
    Session, Source, Timeline, Undo,
};
pub use references::check_references;
pub use schema::Schema;
pub use snapshot_derive::{Schema, Snapshot};
pub use stage::{Stage, StageRules, StageVariant};
pub use state::{Payload, State};

#[doc(hidden)]
pub mod __private;
