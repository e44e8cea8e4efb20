//! The notes that the two programs add to the messages of the hand-over.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};

use crate::shim::proof::Seen;

/// With the first message: the guest, and the data for a proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Offered {
    /// The machine, `/proc/sys/kernel/random/boot_id`: processes cannot leave it.
    pub(crate) machine: String,
    /// The guest's folder.
    pub(crate) guest: PathBuf,
    /// The folder of the shared storage: disk images and folders under their volume names.
    pub(crate) storage: PathBuf,
    /// The source's observations of the processes.
    pub(crate) seen: Vec<Seen>,
    /// The exit code with which each workload must end.
    pub(crate) exits: BTreeMap<String, u32>,
}

/// With the source's last word: how everything went there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// A migration report with the source's side, as JSON.
    pub(crate) report: String,
}

/// The end of a sandbox, for the status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// The observations of each shim, in the order in which they had the processes.
    pub(crate) shims: Vec<Vec<Seen>>,
    /// The exit code with which each workload must end; empty if a signal ended it.
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
/// If it is not understood.
pub(crate) fn decode<T: DeserializeOwned>(note: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(note)
        .map_err(|error| Error::new(Code::DataLoss, format!("a note is not understood: {error}")))
}
