//! What the destination's operator decides: new ids, and where things are on this host.

use std::path::{Path, PathBuf};

use snapshot_core::Controller;
use snapshot_core::Error;
use snapshot_examples::lcow::{ContainerPlan, PatchPlan, PodPlan, Sandbox};

use crate::shim::confine::{private_folder, step};
use crate::shim::machine::Machine;
use crate::shim::sandbox::{bundle, io};

/// What the source's names of devices begin with, and this host's.
const DEVICES: (&str, &str) = ("source-", "destination-");

/// Plans the move of an imported sandbox to this host: every id is a new one, every path one of
/// this host's. Makes the folders for the bundles.
///
/// # Errors
///
/// A bundle cannot be made.
pub(crate) fn plan(machine: &Machine, sandbox: &Sandbox) -> Result<PatchPlan, Error> {
    let mut plan = PatchPlan::new("sandbox@destination");
    for pod in sandbox.pods() {
        step(pod.id().as_str())?;
        let planned = PodPlan {
            id: moved(pod.id().as_str()).into(),
            namespace: pod.network().map(|_| format!("destination-{}", pod.id()).into()),
        };
        plan.pods.insert(pod.id(), planned);
        for container in pod.containers() {
            let id = moved(step(container.id().as_str())?);
            let bundle = bundle(machine.dir(), &id);
            private_folder(&bundle)?;
            let planned =
                ContainerPlan { io: io(&bundle), bundle, id: id.into(), ..Default::default() };
            plan.containers.insert(container.id(), planned);
        }
    }
    let here = |kind: &str, source: &Path| -> Option<(PathBuf, PathBuf)> {
        Some((source.to_owned(), machine.dir().join(kind).join(source.file_name()?)))
    };
    let vm = sandbox.vm()?;
    if let Some(scsi) = vm.scsi() {
        let scsi = scsi.state();
        plan.disks =
            scsi.disks.values().filter_map(|disk| here("disks", &disk.config.host_path)).collect();
    }
    if let Some(plan9) = vm.plan9() {
        plan.shares = plan9.state().shares.keys().filter_map(|path| here("shares", path)).collect();
    }
    if let Some(vpci) = vm.vpci() {
        let (theirs, ours) = DEVICES;
        let devices = vpci.state();
        let ids = devices.devices.values().map(|device| device.device_instance_id.clone());
        plan.devices = ids
            .filter_map(|id| Some((id.clone(), format!("{ours}{}", id.strip_prefix(theirs)?))))
            .collect();
    }
    Ok(plan)
}

/// Plans that a sandbox stays where it is, for a shim that takes it up.
///
/// # Errors
///
/// A container's id is not the name of a folder.
pub(crate) fn stay(machine: &Machine, sandbox: &Sandbox) -> Result<PatchPlan, Error> {
    let mut plan = PatchPlan::same_host();
    for container in sandbox.pods().iter().flat_map(|pod| pod.containers()) {
        let id = container.id();
        let bundle = bundle(machine.dir(), step(id.as_str())?);
        let planned =
            ContainerPlan { io: io(&bundle), bundle, id: id.clone(), ..Default::default() };
        plan.containers.insert(id, planned);
    }
    Ok(plan)
}

/// The id at the destination.
pub(crate) fn moved(id: &str) -> String {
    format!("{id}-moved")
}
