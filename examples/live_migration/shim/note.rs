//! What the two programs tell each other besides the sandbox, as notes of the hand-over's messages.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};

use crate::shim::proof::Seen;

/// With the first message: which guest, and what a proof needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Offered {
    /// The machine, `/proc/sys/kernel/random/boot_id`: processes cannot leave it.
    pub(crate) machine: String,
    /// The guest's folder.
    pub(crate) guest: PathBuf,
    /// The folder of the shared storage: disk images and folders under their volume names.
    pub(crate) storage: PathBuf,
    /// What the source has seen of the processes.
    pub(crate) seen: Vec<Seen>,
    /// The exit code that each workload is to end with.
    pub(crate) exits: BTreeMap<String, u32>,
}

/// With the source's last word: how everything went there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// A migration report with the source's side, as JSON.
    pub(crate) report: String,
}

/// A sandbox's end, for the status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// What each shim has seen of the processes, in the order in which they had them.
    pub(crate) shims: Vec<Vec<Seen>>,
    /// The exit code that each workload was to end with; empty if it was ended by a signal.
    pub(crate) exits: BTreeMap<String, u32>,
}

/// Encodes a note.
///
/// # Errors
///
/// None, for the notes of this program.
pub(crate) fn encode(note: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(note)
        .map_err(|error| Error::internal(format!("a note cannot be written: {error}")))
}

/// Decodes a note.
///
/// # Errors
///
/// It is not understood.
pub(crate) fn decode<T: DeserializeOwned>(note: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(note)
        .map_err(|error| Error::new(Code::DataLoss, format!("a note is not understood: {error}")))
}
