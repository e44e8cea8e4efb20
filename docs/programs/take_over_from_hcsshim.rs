//! A Rust shim takes over the SCSI controllers of a sandbox from hcsshim, and hands them back.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::codec::to_any_bytes;
use snapshot_core::{Context, Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_examples::hcsshim::{self, MigrationState, Reservation};
use snapshot_proto::hcsshim::scsi as pb;
use uuid::Uuid;

fn golden(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/hcsshim");
    fs::read(format!("{folder}/{name}")).unwrap()
}

/// Reads the result of hcsshim's `PrepareAndExportSandbox`, and writes it for its `ImportSandbox`.
fn look(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let sandbox: MigrationState = hcsshim::read_any(bytes)?;
    println!("{} with {} pods", sandbox.vm.vm_id, sandbox.pods.len());
    to_any_bytes(&sandbox)
}

/// Your own state: hcsshim's message and type URL, with your types and rules.
#[derive(Snapshot)]
#[snapshot(message = pb::Payload, version = 1, controller = Scsi)]
#[snapshot(type_url = "type.microsoft.com/hcsshim.controller.scsi.save.v1.Payload")]
struct ScsiState {
    #[snapshot(range = 0..=4)]
    num_controllers: u8,
    disks: BTreeMap<u32, hcsshim::Disk>,
    reservations: BTreeMap<Uuid, Reservation>,
    /// The disks that this host has opened, by slot.
    #[snapshot(skip)]
    opened: BTreeMap<u32, Handle>,
}

struct Handle;

struct Scsi(Mutex<ScsiState>);

impl Controller for Scsi {
    type State = ScsiState;

    fn state(&self) -> impl DerefMut<Target = ScsiState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: ScsiState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn patch(&self, _: &Context) -> Result<(), Error> {
        let state = &mut *self.state();
        state.opened = state.disks.keys().map(|slot| (*slot, Handle)).collect();
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        self.state().opened.clear();
        Ok(())
    }
}

/// Imports a bare `Any` from hcsshim, which has no snapshot header.
async fn take_over(any: &[u8], session: &Session) -> Result<Arc<Scsi>, Error> {
    let incoming = Incoming::from(Snapshot::from_any_bytes(any)?);
    let patched = incoming.import::<Scsi>()?.patch(session).await?;
    Ok(patched.resume(session).await?)
}

/// Hands the controllers back to hcsshim.
async fn hand_back(scsi: &Arc<Scsi>, session: &Session) -> Result<Vec<u8>, Error> {
    let frozen = Source::new(scsi).freeze(session).await?;
    match frozen.save() {
        Ok(snapshot) => {
            frozen.commit().await?;
            Ok(snapshot.any_bytes().to_vec())
        }
        Err(error) => {
            frozen.rollback().await?;
            Err(error)
        }
    }
}

#[test]
fn a_sandbox_is_read_and_written_byte_for_byte() {
    let bytes = golden("envelope/container_with_exec.binpb");
    assert_eq!(look(&bytes).unwrap(), bytes);
}

#[test]
fn scsi_controllers_are_taken_over_and_handed_back() {
    let bytes = golden("any/scsi/typical.binpb");
    let session = Session::new();
    let scsi = block_on(take_over(&bytes, &session)).unwrap();
    let state = scsi.state();
    assert_eq!(state.opened.len(), state.disks.len());
    drop(state);
    assert_eq!(block_on(hand_back(&scsi, &session)).unwrap(), bytes);
}
