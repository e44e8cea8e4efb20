//! The compute system document that a VM was created from: the parts that a destination changes.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A compute system. The document's text contains all members, including those that are not here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ComputeSystem {
    /// The program that created it.
    pub owner: String,
    /// The version of the document's schema.
    pub schema_version: Option<SchemaVersion>,
    /// The VM.
    pub virtual_machine: Option<VirtualMachine>,
    /// Whether it ends when its last handle is closed.
    pub should_terminate_on_last_handle_closed: bool,
}

/// The version of a document's schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SchemaVersion {
    /// Changes with every incompatible change.
    pub major: i32,
    /// Changes with every addition.
    pub minor: i32,
}

/// A VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct VirtualMachine {
    /// Its devices.
    pub devices: Option<Devices>,
}

/// The devices of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Devices {
    /// SCSI controllers by name. A destination replaces them by those of the SCSI payload.
    pub scsi: BTreeMap<String, ScsiController>,
}

/// A SCSI controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ScsiController {
    /// Its disks, by LUN in decimal.
    pub attachments: BTreeMap<String, Attachment>,
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Attachment {
    /// `VirtualDisk`, `PassThru` or `ExtensibleVirtualDisk`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Its path on the host.
    pub path: String,
    /// Whether the VM can only read it.
    pub read_only: bool,
    /// The provider of an `ExtensibleVirtualDisk`.
    #[serde(rename = "ExtensibleVirtualDiskType")]
    pub evd_type: String,
}
