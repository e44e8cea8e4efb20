//! The payloads of hcsshim, the shim in Go, as Rust states. With them a Rust shim takes a sandbox over
//! from hcsshim and hands one back.
//!
//! ```text
//! MigrationState              hcsshim.controller.migration.save.v1.Payload
//! ├── vm: VmState             ....vm....
//! │   └── scsi: ScsiState     ....scsi....             disks, mounts, reservations
//! └── pods: PodState*         ....pod....
//!     ├── network             ....network....          namespace, endpoints
//!     └── containers: *       ....linuxcontainer....   layers
//!         └── processes: *    ....process....
//! ```
//!
//! Each payload is carried in its parent as `google.protobuf.Any`. The module has only data: these
//! states have no controllers, and the user builds a sandbox from them.
//!
//! [`read_any`] reads the result of hcsshim's `PrepareAndExportSandbox`. [`to_any_bytes`] writes
//! the input of its `ImportSandbox`, with the same bytes as Go's deterministic encoder. The
//! folder's README lists the refused inputs and the reasons.
//!
//! ```
//! use snapshot_core::codec::to_any_bytes;
//! use snapshot_examples::hcsshim::{MigrationState, PodState, read_any};
//!
//! # fn main() -> Result<(), snapshot_core::Error> {
//! let mut sandbox = MigrationState::default();
//! sandbox.vm.vm_id = "sandbox@vm".into();
//! sandbox.pods.push(PodState { pod_id: "web".into(), ..PodState::default() });
//! let bytes = to_any_bytes(&sandbox)?;
//!
//! assert_eq!(read_any::<MigrationState>(&bytes)?, sandbox);
//! # Ok(())
//! # }
//! ```

mod document;
mod earlier;
mod json;
mod linuxcontainer;
mod manifest;
mod migration;
mod network;
mod pod;
mod ports;
mod process;
mod scsi;
mod spec;
mod vm;

use std::fmt;
use std::str::FromStr;

use snapshot_core::codec::{from_any_bytes, from_bytes, split_any, to_any_bytes, to_bytes};
use snapshot_core::{Error, Payload, check_references};

pub use document::{
    Attachment, ComputeSystem, Devices, SchemaVersion, ScsiController, VirtualMachine,
};
pub use json::{Go, GoJson};
pub use linuxcontainer::{Layer, Layers, LinuxContainerState};
pub use manifest::manifest;
pub use migration::MigrationState;
pub use network::{Endpoint, NetworkState, NicId};
pub use pod::PodState;
pub use process::ProcessState;
pub use scsi::{Disk, DiskConfig, LUNS, Mount, MountConfig, Reservation, ScsiState};
pub use spec::{
    Capabilities, ConsoleSize, CpuAffinity, IoPriority, ProcessSpec, Rlimit, Scheduler, User,
};
pub use vm::{SandboxOptions, VmState};

use earlier::{Part, Signs};

/// The state of one of the [`Kind`]s.
pub trait SavedState: Payload {
    /// Its kind.
    const KIND: Kind;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal: $state:ty,)*) => {
        /// The kind of a payload of hcsshim.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        $(impl SavedState for $state {
            const KIND: Kind = Kind::$kind;
        })*

        impl Kind {
            /// All kinds.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// Returns hcsshim's name of the kind, such as `linuxcontainer`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }

            /// Returns the type URL of its payloads.
            pub fn type_url(self) -> &'static str {
                match self {
                    $(Kind::$kind => <$state as Payload>::TYPE_URL,)*
                }
            }
        }

        /// Reads a payload of this kind and returns it as Go's deterministic encoder would write it.
        ///
        /// # Errors
        ///
        /// The errors of [`read`].
        pub fn verify(kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, Error> {
            match kind {
                $(Kind::$kind => to_bytes(&read::<$state>(bytes)?),)*
            }
        }

        /// Reads an `Any` with a payload of any kind and writes it back, as [`verify`] does.
        ///
        /// # Errors
        ///
        /// The errors of [`read_any`], and a type URL of no kind.
        pub fn verify_any(bytes: &[u8]) -> Result<Vec<u8>, Error> {
            match Kind::of_any(bytes)? {
                $(Kind::$kind => to_any_bytes(&read_any::<$state>(bytes)?),)*
            }
        }
    };
}

kinds! {
    /// A whole sandbox.
    Migration = "migration": MigrationState,
    /// The VM.
    Vm = "vm": VmState,
    /// The SCSI controllers of a VM.
    Scsi = "scsi": ScsiState,
    /// The network of a pod.
    Network = "network": NetworkState,
    /// A pod.
    Pod = "pod": PodState,
    /// A Linux container.
    LinuxContainer = "linuxcontainer": LinuxContainerState,
    /// A process of a container.
    Process = "process": ProcessState,
}

/// Reads a payload that is not in an `Any`.
///
/// # Errors
///
/// [`Code::Unimplemented`](snapshot_core::Code::Unimplemented) for another schema version and for a
/// payload, the one itself or one inside it, that looks like one of hcsshim's earlier revision;
/// otherwise one finding for each error in the bytes.
pub fn read<S: SavedState>(bytes: &[u8]) -> Result<S, Error> {
    Signs::of(S::KIND, Some(Part::all(bytes))).judge(from_bytes(bytes).and_then(whole))
}

/// Reads a payload in its `Any`.
///
/// # Errors
///
/// The errors of [`read`], and another type URL.
pub fn read_any<S: SavedState>(bytes: &[u8]) -> Result<S, Error> {
    let payload = Part::all(bytes).payload(S::KIND);
    Signs::of(S::KIND, payload).judge(from_any_bytes(bytes).and_then(whole))
}

/// Checks that every reference in a whole sandbox resolves. A part of a sandbox may refer to names
/// outside of it.
fn whole<S: SavedState>(state: S) -> Result<S, Error> {
    match S::KIND {
        Kind::Migration => check_references(&state).map(|()| state),
        _ => Ok(state),
    }
}

impl Kind {
    /// Returns the kind of the payload in an `Any`.
    ///
    /// # Errors
    ///
    /// Bytes that are no `Any`, and a type URL of no kind.
    pub fn of_any(bytes: &[u8]) -> Result<Self, Error> {
        let (type_url, _) = split_any(bytes)?;
        if let Some(kind) = Self::ALL.iter().find(|kind| kind.type_url() == type_url) {
            return Ok(*kind);
        }
        Err(Error::invalid(match type_url {
            "" => "has no type URL".to_owned(),
            _ if earlier::is_earlier_kind(type_url) => format!(
                "has type URL {type_url:?}, which only the earlier, stage-ful revision of hcsshim has"
            ),
            _ => format!("has type URL {type_url:?}, which no payload of hcsshim has"),
        }))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            Error::invalid(format!("{name:?} is not a kind of payload: {}", known.join(", ")))
        })
    }
}
