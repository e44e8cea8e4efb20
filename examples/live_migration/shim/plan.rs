//! What the destination's operator decides: new ids, and where things are on this host.

use std::path::{Path, PathBuf};

use snapshot_core::Controller;
use snapshot_core::Error;
use snapshot_examples::lcow::{ContainerPlan, PatchPlan, PodPlan, Sandbox};

use crate::shim::guest::at;
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
        let planned = PodPlan {
            id: moved(pod.id().as_str()).into(),
            namespace: pod.network().map(|_| format!("destination-{}", pod.id()).into()),
        };
        plan.pods.insert(pod.id(), planned);
        for container in pod.containers() {
            let id = moved(container.id().as_str());
            let bundle = bundle(machine.dir(), &id);
            std::fs::create_dir_all(&bundle).map_err(|error| at(&bundle, error))?;
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

fn moved(id: &str) -> String {
    format!("{id}-moved")
}
