//! What the two programs tell each other besides the sandbox, as notes of the hand-over's messages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

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

/// With the answer that the sandbox is live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Resumed {
    /// When, in nanoseconds of the machine's monotonic clock.
    pub(crate) at: u64,
}

/// With the source's last word: how long everything took there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// How long which step took.
    pub(crate) steps: Vec<Step>,
    /// How many bytes each controller saved, without its children.
    pub(crate) saved: Vec<(String, u64)>,
    /// When the freeze began, in nanoseconds of the machine's monotonic clock.
    pub(crate) frozen_at: u64,
}

/// How long one step took, of one controller or of a whole phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The phase.
    pub(crate) phase: String,
    /// The controller's id; empty for the phase as a whole.
    pub(crate) controller: String,
    /// How long.
    pub(crate) took: Duration,
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
