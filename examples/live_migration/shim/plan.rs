//! The decisions of this host's operator about a sandbox: its ids, and the places of its parts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapshot_core::Error;
use snapshot_examples::lcow::{ContainerId, ContainerPlan, PatchPlan, Placement, PodId, PodPlan};

use crate::shim::confine::step;
use crate::shim::machine::Machine;
use crate::shim::sandbox::{bundle, io};

/// What the source's names of devices begin with, and this host's.
const DEVICES: (&str, &str) = ("source-", "destination-");

/// Plans the move of a sandbox to this host: every id is a new one, every path one of this host's.
/// The rules name each part by its name at the source, so that they also hold for a container that
/// the source starts after the rehearsal.
pub(crate) fn plan(machine: &Machine) -> PatchPlan {
    let placement = Moved { host: machine.dir().to_owned() };
    PatchPlan::new("sandbox@destination").with_placement(Arc::new(placement))
}

/// Plans that a sandbox stays where it is, for a shim that continues it.
pub(crate) fn stay(machine: &Machine) -> PatchPlan {
    let placement = InPlace { host: machine.dir().to_owned() };
    PatchPlan::same_host().with_placement(Arc::new(placement))
}

/// The id at the destination.
pub(crate) fn moved(id: &str) -> String {
    format!("{id}-moved")
}

/// Moves everything that comes from a source into the folder of this host.
#[derive(Debug)]
struct Moved {
    host: PathBuf,
}

impl Moved {
    fn here(&self, kind: &str, source: &Path) -> Option<PathBuf> {
        Some(self.host.join(kind).join(source.file_name()?))
    }
}

impl Placement for Moved {
    fn pod(&self, source: &PodId) -> Result<Option<PodPlan>, Error> {
        let source = step(source.as_str())?;
        let namespace = Some(format!("destination-{source}").into());
        Ok(Some(PodPlan { id: moved(source).into(), namespace }))
    }

    fn container(&self, source: &ContainerId) -> Result<Option<ContainerPlan>, Error> {
        container(&self.host, moved(step(source.as_str())?).into())
    }

    fn disk(&self, source: &Path) -> Option<PathBuf> {
        self.here("disks", source)
    }

    fn share(&self, source: &Path) -> Option<PathBuf> {
        self.here("shares", source)
    }

    fn device(&self, source: &str) -> Option<String> {
        let (theirs, ours) = DEVICES;
        Some(format!("{ours}{}", source.strip_prefix(theirs)?))
    }
}

/// Finds the containers of a sandbox in the folder of this host, which they never left.
#[derive(Debug)]
struct InPlace {
    host: PathBuf,
}

impl Placement for InPlace {
    fn container(&self, source: &ContainerId) -> Result<Option<ContainerPlan>, Error> {
        step(source.as_str())?;
        container(&self.host, source.clone())
    }
}

fn container(host: &Path, id: ContainerId) -> Result<Option<ContainerPlan>, Error> {
    let bundle = bundle(host, id.as_str());
    Ok(Some(ContainerPlan { io: io(&bundle), bundle, id, ..Default::default() }))
}
