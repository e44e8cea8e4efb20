//! The project's protobuf messages: their prost types and their descriptors.
//!
//! The `.proto` files are in this package, beside this folder. The generated code is committed, so
//! that a build needs neither `protoc` nor a build script. After a change of a `.proto` file, run
//! `cargo xtask codegen`; until then `cargo xtask codegen --check` fails.
//!
//! - [`lcow::v1`]: the payloads of an LCOW sandbox (Linux containers on Windows): the VM, its
//!   devices, the pods, their containers and processes.
//! - [`hcsshim`]: the payloads in which hcsshim, the shim in Go, sends a sandbox.
//! - [`example::v1`]: the payloads of the small programs that users copy.
//! - `snapshot.v1` is the framework's own package. Its types are in `snapshot-core`; only its
//!   descriptors are here.
//! - [`FILE_DESCRIPTOR_SET`]: the descriptors of all packages, for tools and for reflection.
//!
//! Every type has snapshot-core's `derive(Schema)`, so that a state struct of any crate can be
//! saved as one of these messages: `#[derive(Snapshot)] #[snapshot(message =
//! snapshot_proto::lcow::v1::...)]`. The states that do so for LCOW and hcsshim are in the crate
//! snapshot-examples. A payload keeps its field numbers and its meaning forever: `schema.lock`,
//! beside the `.proto` files, records every released schema.
//!
//! ```
//! use prost::Message;
//! use prost_types::FileDescriptorSet;
//!
//! let set = FileDescriptorSet::decode(snapshot_proto::FILE_DESCRIPTOR_SET)?;
//! let scsi = set.file.iter().find(|file| file.name() == "lcow/v1/scsi.proto");
//! let messages = scsi.map(|file| file.message_type.as_slice()).unwrap_or_default();
//! assert_eq!(messages[0].name(), "ScsiSnapshot");
//! # Ok::<(), prost::DecodeError>(())
//! ```

#![forbid(unsafe_code)]

/// Payloads of an LCOW sandbox: Linux containers on Windows.
pub mod lcow {
    /// Version 1 of the package: one root message a controller, with what belongs to it nested in
    /// the module of the same name.
    pub mod v1 {
        include!("generated/lcow.v1.rs");
    }
}

/// The payloads that hcsshim ships a sandbox in when it migrates: their names, numbers and types are
/// those of its own `.proto` files.
///
/// Each is the message `Payload` of a package of its own, in an `Any` of the type URL
/// `type.microsoft.com/hcsshim.controller.KIND.save.v1.Payload`.
pub mod hcsshim {
    /// A whole sandbox. Package `hcsshim.controller.migration.save.v1`.
    pub mod migration {
        include!("generated/hcsshim.controller.migration.save.v1.rs");
    }

    /// The VM. Package `hcsshim.controller.vm.save.v1`.
    pub mod vm {
        include!("generated/hcsshim.controller.vm.save.v1.rs");
    }

    /// The SCSI controllers of a VM. Package `hcsshim.controller.scsi.save.v1`.
    pub mod scsi {
        include!("generated/hcsshim.controller.scsi.save.v1.rs");
    }

    /// The network of a pod. Package `hcsshim.controller.network.save.v1`.
    pub mod network {
        include!("generated/hcsshim.controller.network.save.v1.rs");
    }

    /// A pod. Package `hcsshim.controller.pod.save.v1`.
    pub mod pod {
        include!("generated/hcsshim.controller.pod.save.v1.rs");
    }

    /// A Linux container. Package `hcsshim.controller.linuxcontainer.save.v1`.
    pub mod linuxcontainer {
        include!("generated/hcsshim.controller.linuxcontainer.save.v1.rs");
    }

    /// A process of a container. Package `hcsshim.controller.process.save.v1`.
    pub mod process {
        include!("generated/hcsshim.controller.process.save.v1.rs");
    }
}

/// Payloads of the small programs in `examples/`.
pub mod example {
    /// Version 1 of the package.
    pub mod v1 {
        include!("generated/example.v1.rs");
    }
}

/// Messages for the framework's own tests: every kind of field, in every place and shape.
///
/// Not part of the API: they change without notice.
#[doc(hidden)]
pub mod fixture {
    /// Version 1 of the package.
    #[allow(missing_docs)]
    pub mod v1 {
        include!("generated/fixture.v1.rs");
    }
}

/// A `google.protobuf.FileDescriptorSet` with the descriptors of all packages and of the files that
/// they import, each file after its imports, without comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor_set.binpb");
