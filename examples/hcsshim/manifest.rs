//! The manifest of the payloads, field by field.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use prost::Name;
use snapshot_core::registry::{Registration, Registry};
use snapshot_core::schema::Manifest;
use snapshot_core::{Controller, Error, Payload, State};

use super::{
    LinuxContainerState, MigrationState, NetworkState, PodState, ProcessState, ScsiState, VmState,
};

/// Returns the manifest of the payloads, to compare with other builds.
///
/// # Errors
///
/// The errors of [`Registry::new`], if the payloads contradict each other.
pub fn manifest() -> Result<Manifest, Error> {
    let registry = Registry::new([
        registration::<VmState>(),
        registration::<ScsiState>(),
        registration::<NetworkState>(),
        registration::<LinuxContainerState>(),
        registration::<ProcessState>(),
        registration::<PodState>(),
        registration::<MigrationState>(),
    ])?;
    Ok(registry.manifest())
}

/// A stand-in controller for any of the payloads. They have no controllers here, but a manifest
/// describes controllers.
struct Held<S>(Mutex<S>);

impl<S: Payload + Send + Sync + 'static> Controller for Held<S> {
    type State = S;

    fn state(&self) -> impl DerefMut<Target = S> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: S) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

fn registration<S>() -> Registration
where
    S: Payload + Send + Sync + 'static,
    <S as State>::Message: Name,
{
    Registration::of::<Held<S>>()
}
