//! The types of this binary: the LCOW sandbox and the payloads of hcsshim.

use snapshot_cli::{Knowledge, registered};
use snapshot_core::registry::{Manifest, registry, require};
use snapshot_core::{Code, ControllerSet, Error, Snapshot};
use snapshot_examples::hcsshim;
use snapshot_examples::lcow::{self, payload};

/// The schemas and the states.
pub(crate) fn knowledge() -> Knowledge<'static> {
    Knowledge {
        descriptors: snapshot_proto::FILE_DESCRIPTOR_SET,
        // The fields that would have `#[snapshot(id)]`.
        // hcsshim's payloads have no controllers here with that attribute.
        ids: &[
            ("hcsshim.controller.pod.save.v1.Payload", "pod_id"),
            ("hcsshim.controller.linuxcontainer.save.v1.Payload", "container_id"),
            ("hcsshim.controller.process.save.v1.Payload", "exec_id"),
        ],
        verifiers: &[of_hcsshim, of_lcow, registered],
        manifests: &[("lcow", manifest_of_lcow), ("hcsshim", hcsshim::manifest)],
    }
}

/// The registered types; the linker has dropped none of them.
fn manifest_of_lcow() -> Result<Manifest, Error> {
    require![
        ControllerSet,
        lcow::Sandbox,
        lcow::Vm,
        lcow::Scsi,
        lcow::Vpci,
        lcow::Plan9,
        lcow::Pod,
        lcow::Network,
        lcow::Container,
        lcow::Process,
    ]?;
    Ok(registry()?.manifest())
}

/// The payloads of hcsshim have no controllers, only states.
fn of_hcsshim(snapshot: &Snapshot) -> Option<Result<(), Error>> {
    snapshot
        .type_url()
        .starts_with("type.microsoft.com/hcsshim.")
        .then(|| hcsshim::verify_any(snapshot.any_bytes()).map(|_| ()))
}

fn of_lcow(snapshot: &Snapshot) -> Option<Result<(), Error>> {
    let kind = payload::Kind::of_any(snapshot.any_bytes()).ok()?;
    let whole = payload::verify_any(snapshot.any_bytes()).map(|_| ());
    Some(match kind {
        // The checks of a destination, including the stages.
        payload::Kind::Sandbox => match (whole, registered(snapshot)) {
            (Err(error), Some(Err(other))) if error.code() != Code::Internal => {
                Err(other.and(error))
            }
            (whole, Some(imported)) => imported.and(whole),
            (whole, None) => whole,
        },
        // A part refers to names in other parts.
        _ => whole,
    })
}
