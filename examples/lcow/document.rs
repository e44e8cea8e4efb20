//! The compute system document: the JSON from which a VM is created.

use serde_json::{Map, Value, json};
use snapshot_core::Error;

use super::scsi::{DiskConfig, Slot};

/// The names by which the guest finds its SCSI controllers, in order. They are the same in every
/// VM, so that a controller keeps its number in the guest, whatever its name on the host. Source:
/// hcsshim, `internal/protocol/guestrequest`, `ScsiControllerGuids`.
const SCSI_CONTROLLERS: [&str; 4] = [
    "df6d0690-79e5-55b6-a5ec-c1e2f77f580a",
    "0110f83b-de10-5172-a266-78bca56bf50a",
    "b5d2d8d4-3a75-51bf-945b-3444dc6b8579",
    "305891a9-b251-5dfe-91a2-c25d9212275b",
];

/// Checks that a document describes a VM.
pub(super) fn check(document: &Value) -> Result<(), Error> {
    match document.get("VirtualMachine") {
        Some(Value::Object(_)) => Ok(()),
        _ => Err(Error::invalid("describes no VM: the object `VirtualMachine` is missing")),
    }
}

/// Returns the document with exactly these disks on its SCSI controllers.
pub(super) fn with_disks(mut document: Value, disks: &[(Slot, DiskConfig)]) -> Value {
    let mut controllers = Map::new();
    for (slot, disk) in disks {
        let name = SCSI_CONTROLLERS[usize::from(slot.controller())];
        let controller = controllers.entry(name).or_insert_with(|| json!({ "Attachments": {} }));
        let mut attachment = json!({
            "Path": disk.host_path,
            "Type": disk.kind.as_str(),
            "ReadOnly": disk.read_only,
        });
        if !disk.evd_type.is_empty() {
            attachment["ExtensibleVirtualDiskType"] = json!(disk.evd_type);
        }
        controller["Attachments"][slot.lun().to_string()] = attachment;
    }
    if let Some(Value::Object(machine)) = document.get_mut("VirtualMachine") {
        let devices = machine.entry("Devices").or_insert_with(|| json!({}));
        if !devices.is_object() {
            *devices = json!({});
        }
        devices["Scsi"] = Value::Object(controllers);
    }
    document
}
