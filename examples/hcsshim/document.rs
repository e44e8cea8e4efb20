//! The compute system document that a VM was created from, as far as a destination changes it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A compute system. What is not here is in the document's text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ComputeSystem {
    /// Who asked for it.
    pub owner: String,
    /// The version of the document's schema.
    pub schema_version: Option<SchemaVersion>,
    /// The VM.
    pub virtual_machine: Option<VirtualMachine>,
    /// It ends when nobody holds it any more.
    pub should_terminate_on_last_handle_closed: bool,
}

/// The version of a document's schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SchemaVersion {
    /// Changes when what was valid is not any more.
    pub major: i32,
    /// Changes when something is added.
    pub minor: i32,
}

/// A VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct VirtualMachine {
    /// What is plugged into it.
    pub devices: Option<Devices>,
}

/// What is plugged into a VM.
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
    /// What is attached to it, by LUN in decimal.
    pub attachments: BTreeMap<String, Attachment>,
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Attachment {
    /// `VirtualDisk`, `PassThru` or `ExtensibleVirtualDisk`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Where it is on the host.
    pub path: String,
    /// The VM cannot write to it.
    pub read_only: bool,
    /// Who provides an `ExtensibleVirtualDisk`.
    #[serde(rename = "ExtensibleVirtualDiskType")]
    pub evd_type: String,
}
