//! The payloads of a sandbox as bytes, by kind: reads a payload, checks it and writes it back
//! without building a controller. For tools and tests.
//!
//! A single payload is read whatever its stage; only a destination decides whether it may be
//! imported in that stage. In a whole [`Kind::Sandbox`], the references of its containers,
//! reservations and processes must resolve too.
//!
//! ```
//! use snapshot_core::codec::to_bytes;
//! use snapshot_examples::lcow::NetworkState;
//! use snapshot_examples::lcow::payload::{Kind, verify};
//!
//! # fn main() -> Result<(), snapshot_core::Error> {
//! let bytes = to_bytes(&NetworkState::default())?;
//! assert_eq!(verify(Kind::Network, &bytes)?, bytes);
//! assert!(verify(Kind::Network, b"\x08\x02").is_err()); // schema version 2
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::str::FromStr;

use snapshot_core::codec::{from_any_bytes, from_bytes, split_any, to_any_bytes, to_bytes};
use snapshot_core::{Error, Payload, check_references};

use super::container::ContainerState;
use super::network::NetworkState;
use super::plan9::Plan9State;
use super::pod::PodState;
use super::process::ProcessState;
use super::sandbox::SandboxState;
use super::scsi::ScsiState;
use super::vm::VmState;
use super::vpci::VpciState;

/// The kind of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole sandbox.
    Sandbox,
    /// The VM, with its devices inside.
    Vm,
    /// The SCSI controllers of a VM.
    Scsi,
    /// The virtual PCI bus of a VM.
    Vpci,
    /// The Plan 9 shares of a VM.
    Plan9,
    /// The network of a pod.
    Network,
    /// A pod, with its network and containers inside.
    Pod,
    /// A Linux container, with its processes inside.
    LinuxContainer,
    /// A process of a container.
    Process,
}

/// The description of a kind.
struct Entry {
    name: &'static str,
    type_url: &'static str,
    again: fn(&[u8]) -> Result<Vec<u8>, Error>,
    any_again: fn(&[u8]) -> Result<Vec<u8>, Error>,
}

impl Entry {
    const fn of<P: Payload>(name: &'static str) -> Self {
        Self {
            name,
            type_url: P::TYPE_URL,
            again: |bytes| to_bytes(&from_bytes::<P>(bytes)?),
            any_again: |bytes| to_any_bytes(&from_any_bytes::<P>(bytes)?),
        }
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: &[Kind] = &[
        Kind::Sandbox,
        Kind::Vm,
        Kind::Scsi,
        Kind::Vpci,
        Kind::Plan9,
        Kind::Network,
        Kind::Pod,
        Kind::LinuxContainer,
        Kind::Process,
    ];

    fn entry(self) -> Entry {
        match self {
            Kind::Sandbox => Entry {
                again: |bytes| to_bytes(&together(from_bytes(bytes)?)?),
                any_again: |bytes| to_any_bytes(&together(from_any_bytes(bytes)?)?),
                ..Entry::of::<SandboxState>("sandbox")
            },
            Kind::Vm => Entry::of::<VmState>("vm"),
            Kind::Scsi => Entry::of::<ScsiState>("scsi"),
            Kind::Vpci => Entry::of::<VpciState>("vpci"),
            Kind::Plan9 => Entry::of::<Plan9State>("plan9"),
            Kind::Network => Entry::of::<NetworkState>("network"),
            Kind::Pod => Entry::of::<PodState>("pod"),
            Kind::LinuxContainer => Entry::of::<ContainerState>("linuxcontainer"),
            Kind::Process => Entry::of::<ProcessState>("process"),
        }
    }

    /// Returns its name, which is hcsshim's if hcsshim has the kind.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the type URL of its payloads.
    pub fn type_url(self) -> &'static str {
        self.entry().type_url
    }

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
            _ => format!("has type URL {type_url:?}, which no payload of a sandbox has"),
        }))
    }
}

/// Reads a payload of this kind and writes it back, in its canonical form.
///
/// # Errors
///
/// One finding for each error in the bytes, and for each dangling reference in a sandbox.
pub fn verify(kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    (kind.entry().again)(bytes)
}

/// Reads an `Any` with a payload of any kind and writes it back, as [`verify`] does.
///
/// # Errors
///
/// The errors of [`verify`], and a type URL of no kind.
pub fn verify_any(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    (Kind::of_any(bytes)?.entry().any_again)(bytes)
}

/// Returns the sandbox if it is consistent: its references resolve, and its devices and containers
/// are consistent in themselves. Their controllers check that only when they are built, together
/// with their stages, which do not matter here.
fn together(sandbox: SandboxState) -> Result<SandboxState, Error> {
    let references = check_references(&sandbox).err();
    let devices = sandbox.vm.with_state(|vm| {
        let scsi = vm.scsi.as_ref().and_then(|scsi| scsi.with_state(ScsiState::check_consistency));
        let plan9 = vm.plan9.as_ref();
        let plan9 = plan9.and_then(|plan9| plan9.with_state(Plan9State::check_consistency));
        [("vm/scsi", scsi), ("vm/plan9", plan9)]
    });
    let devices = devices.into_iter().flatten().filter_map(|(id, checked)| {
        let error = checked?.err()?;
        Some(error.at_controller(&id.into()))
    });
    let containers = sandbox.pods.iter().flat_map(|pod| {
        let found = pod.with_state(|pod| {
            let check = |container: &ContainerState| {
                let error = container.check_exec_ids().err()?;
                let id = format!("pods/{}/containers/{}", pod.pod_id, container.container_id);
                Some(error.at_controller(&id.as_str().into()))
            };
            let containers = pod.containers.iter();
            containers.filter_map(|container| container.with_state(check).flatten()).collect()
        });
        found.unwrap_or_else(Vec::new)
    });
    Error::collect(references.into_iter().chain(devices).chain(containers))?;
    Ok(sandbox)
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
