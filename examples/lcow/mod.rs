//! The controllers of an LCOW sandbox (Linux containers on Windows), to use and to copy.
//!
//! # The tree
//!
//! ```text
//! Sandbox                 lcow.v1.SandboxSnapshot
//! ├── vm: Vm              lcow.v1.VmSnapshot
//! │   ├── scsi: Scsi      lcow.v1.ScsiSnapshot      disks, mounts, reservations
//! │   ├── vpci: Vpci      lcow.v1.VpciSnapshot      assigned devices
//! │   └── plan9: Plan9    lcow.v1.Plan9Snapshot     shares, mounts, reservations
//! └── pods: Pod*          lcow.v1.PodSnapshot       comes after the VM
//!     ├── network         lcow.v1.NetworkSnapshot   namespace, endpoints
//!     └── containers: *   lcow.v1.ContainerSnapshot comes after the devices and the network
//!         └── processes   lcow.v1.ProcessSnapshot
//! ```
//!
//! Every controller has a payload and a schema version of its own, carried in its parent's payload
//! as `google.protobuf.Any`. The three devices of a VM and the network of a pod are optional.
//!
//! # The work of each controller
//!
//! | | freeze (source) | patch (destination) | resume (destination) | abort (destination) |
//! |---|---|---|---|---|
//! | [`Sandbox`] | checks all references | checks the plan as a whole | | |
//! | [`Vm`] | gets the requirements for a destination; pauses the guest | sets its new id and host | creates and starts the VM with everything that its devices hold | ends the VM |
//! | [`Scsi`] | refuses disks and mounts in a transition | sets the paths of disks on this host | | revokes the access to the disks |
//! | [`Vpci`] | refuses devices in a transition | finds the devices on this host | | |
//! | [`Plan9`] | refuses shares in a transition | sets the folders of shares on this host | | |
//! | [`Pod`] | refuses new containers | sets its new id | | |
//! | [`Network`] | | looks up the namespace on this host | replaces the endpoints in the guest | |
//! | [`Container`] | refuses any process but init | sets its new id and the paths of its layers | takes over the container | |
//! | [`Process`] | stops IO and exit reports | opens its IO on this host | connects to the guest's process | closes its IO |
//!
//! The thaw undoes each freeze. The commit releases the processes' IO and the VM and changes
//! nothing else, since the destination is live.
//!
//! While a controller is frozen, or imported but not resumed, every operation that would change it
//! is refused with [`Code::FailedPrecondition`](snapshot_core::Code::FailedPrecondition) and the
//! words "is migrating".
//!
//! # Stages
//!
//! VM, network, containers, processes, and each disk, mount, share and device have a stage. On the
//! wire it is the stage from before the freeze, which is also the stage after resume and rollback.
//! `SourceMigrating` and `DestinationMigrating` exist only in memory. The sandbox, the pods and the
//! device controllers have no stage, only a [`Gate`](snapshot_core::Gate).
//!
//! # How to copy it
//!
//! 1. Take the folder, and its messages from `proto/lcow/v1/`.
//! 2. Implement the traits of [`host`] for your platform; [`FakeHost`] shows what each must do.
//! 3. At the start of the source: [`Sandbox::new`] with your [`Host`], then `Vm::create`,
//!    `Vm::start`, [`Sandbox::new_pod`], [`Sandbox::new_container`], `Container::create`,
//!    `Container::start`.
//! 4. On the destination: give the session a [`Host`] and a [`PatchPlan`] as resources.
//!
//! # Behaviour
//!
//! The controllers follow hcsshim's, `internal/controller`, with these corrections: a disk that is
//! only reserved is restored as reserved; the slot table is never sized from the payload;
//! reservations, slots, ports and message ids are checked against each other before anything
//! changes at the destination; a duplicate id is refused; resume can be repeated; a pod without a
//! network can move.

mod container;
mod document;
mod fake;
pub mod host;
mod ids;
mod migration;
mod network;
pub mod payload;
mod plan;
mod plan9;
mod pod;
mod process;
mod references;
pub mod sample;
mod sandbox;
mod scsi;
mod spec;
mod vm;
mod vpci;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use container::{Container, ContainerStage, ContainerState, Layer, Layers, NewContainer};
pub use fake::{FakeHost, FakeVm, World};
#[doc(no_inline)]
pub use host::Host;
pub use ids::{
    ContainerId, EndpointId, ExecId, GcsId, MacAddress, NamespaceId, NicId, PodId, VmId,
};
pub use network::{Endpoint, Network, NetworkStage, NetworkState};
pub use plan::{ContainerPlan, LayerPaths, PatchPlan, Placement, PodPlan};
pub use plan9::{Plan9, Plan9State, Share, ShareConfig, ShareMount, ShareMountStage, ShareStage};
pub use pod::{Pod, PodState};
pub use process::{NewProcess, Process, ProcessStage, ProcessState};
pub use sandbox::{NewPod, Sandbox, SandboxState};
pub use scsi::{
    Disk, DiskConfig, DiskKind, DiskStage, LUNS, MAX_CONTROLLERS, Mount, MountConfig, MountStage,
    Reservation, Scsi, ScsiState, Slot,
};
pub use spec::ProcessSpec;
pub use vm::{Confidential, FIRST_PORT, NewVm, SandboxOptions, Vm, VmStage, VmState};
pub use vpci::{Device, DeviceStage, Vpci, VpciState};

/// Locks a state, even after a panic under the lock: the controllers change a state only after the
/// host has done its part, so the state is still true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
