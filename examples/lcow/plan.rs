//! What the destination gives the sandbox instead of what it had on the source.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use snapshot_core::Error;

use super::host::ProcessIo;
use super::ids::{ContainerId, NamespaceId, PodId, VmId};

/// The destination's answers: a resource of the hooks' context in the patch phase. Keys are what the
/// source called things.
///
/// Every pod and container must have an entry, so that none is left bound to the source by mistake.
/// Disks, shares and devices without one keep what they had: the boot disk has the same path on
/// every host.
///
/// ```
/// use snapshot_examples::lcow::{ContainerPlan, PatchPlan, PodPlan};
///
/// let mut plan = PatchPlan::new("sandbox-2@vm");
/// plan.pods.insert("web".into(), PodPlan { id: "web-2".into(), namespace: Some("ns-2".into()) });
/// plan.containers.insert(
///     "web".into(),
///     ContainerPlan { id: "web-2".into(), bundle: "/run/web-2".into(), ..Default::default() },
/// );
/// plan.disks.insert("/layers/1.vhd".into(), "/images/1.vhd".into());
/// assert_eq!(plan.disk("/layers/1.vhd".as_ref()).to_str(), Some("/images/1.vhd"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PatchPlan {
    /// The VM's new id; `None` keeps the old one.
    pub vm: Option<VmId>,
    /// What each pod becomes.
    pub pods: HashMap<PodId, PodPlan>,
    /// What each container becomes.
    pub containers: HashMap<ContainerId, ContainerPlan>,
    /// Where disks are, by where they were.
    pub disks: HashMap<PathBuf, PathBuf>,
    /// Where shared folders are, by where they were.
    pub shares: HashMap<PathBuf, PathBuf>,
    /// The instance ids of the devices that take the place of the source's, by theirs.
    pub devices: HashMap<String, String>,
    /// Whether pods and containers without an entry keep what they had.
    same_host: bool,
}

/// What a pod becomes on the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodPlan {
    /// Its new id; that of its sandbox container, if it has one.
    pub id: PodId,
    /// The namespace whose endpoints it gets, never empty; `None` only for a pod without a network.
    pub namespace: Option<NamespaceId>,
}

/// What a container becomes on the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerPlan {
    /// Its new id.
    pub id: ContainerId,
    /// Where the disks of its layers are; `None` leaves that to [`PatchPlan::disks`].
    pub layers: Option<LayerPaths>,
    /// The OCI bundle of its init process.
    pub bundle: PathBuf,
    /// The IO of its init process.
    pub io: ProcessIo,
}

/// Where the disks of a container's layers are on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerPaths {
    /// Of the read-only layers, as many as the container has, in its order.
    pub read_only: Vec<PathBuf>,
    /// Of the scratch layer, if the container has one.
    pub scratch: Option<PathBuf>,
}

impl PatchPlan {
    /// A plan for a VM with this id, to be filled.
    pub fn new(vm: impl Into<VmId>) -> Self {
        Self { vm: Some(vm.into()), ..Self::default() }
    }

    /// The plan in which everything keeps its id, path and namespace: for a shim that is restarted
    /// under its running sandbox.
    pub fn same_host() -> Self {
        Self { same_host: true, ..Self::default() }
    }

    /// Where the disk that was at `source` is.
    pub fn disk(&self, source: &Path) -> PathBuf {
        self.disks.get(source).map_or(source, PathBuf::as_path).to_owned()
    }

    /// Where the folder that was at `source` is.
    pub fn share(&self, source: &Path) -> PathBuf {
        self.shares.get(source).map_or(source, PathBuf::as_path).to_owned()
    }

    /// The device that takes the place of `source`.
    pub fn device(&self, source: &str) -> String {
        self.devices.get(source).map_or(source, String::as_str).to_owned()
    }

    /// What a pod becomes; `None` if it keeps what it had.
    ///
    /// # Errors
    ///
    /// The plan says nothing of it.
    pub fn pod(&self, source: &PodId) -> Result<Option<&PodPlan>, Error> {
        self.entry(self.pods.get(source), || format!("pod {source}"))
    }

    /// What a container becomes; `None` if it keeps what it had.
    ///
    /// # Errors
    ///
    /// The plan says nothing of it.
    pub fn container(&self, source: &ContainerId) -> Result<Option<&ContainerPlan>, Error> {
        self.entry(self.containers.get(source), || format!("container {source}"))
    }

    /// Checks the plan against the pods of a sandbox and their containers: nothing is left out, no
    /// two get one id, and a pod and its sandbox container keep sharing theirs.
    pub(super) fn check(&self, pods: &[(PodId, Vec<ContainerId>)]) -> Result<(), Error> {
        let mut errors = Vec::new();
        let mut pod_ids: HashSet<&PodId> = HashSet::new();
        let mut container_ids: HashSet<&ContainerId> = HashSet::new();
        if self.vm.as_ref().is_some_and(VmId::is_empty) {
            errors.push(Error::invalid("the plan gives the VM an empty id"));
        }
        for (pod, containers) in pods {
            let new_pod = self.pod(pod).map(|planned| planned.map_or(pod, |planned| &planned.id));
            match &new_pod {
                Err(error) => errors.push(error.clone()),
                Ok(id) if id.is_empty() => {
                    errors.push(Error::invalid(format!("the plan gives pod {pod} an empty id")));
                }
                Ok(id) if !pod_ids.insert(id) => {
                    errors.push(Error::invalid(format!("the plan gives two pods the id {id}")));
                }
                Ok(_) => {}
            }
            for container in containers {
                let new = match self.container(container) {
                    Ok(planned) => planned.map_or(container, |planned| &planned.id),
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                };
                if new.is_empty() {
                    let reason = format!("the plan gives container {container} an empty id");
                    errors.push(Error::invalid(reason));
                }
                if !container_ids.insert(new) {
                    let reason = format!("the plan gives two containers the id {new}");
                    errors.push(Error::invalid(reason));
                }
                let was_sandbox = container.as_str() == pod.as_str();
                if let Ok(new_pod) = new_pod
                    && was_sandbox != (new.as_str() == new_pod.as_str())
                {
                    errors.push(Error::invalid(format!(
                        "the plan makes {container} of pod {pod} {new} of pod {new_pod}: the \
                         sandbox container, and no other, has its pod's id"
                    )));
                }
            }
        }
        Error::collect(errors)
    }

    fn entry<'a, T>(
        &self,
        found: Option<&'a T>,
        what: impl FnOnce() -> String,
    ) -> Result<Option<&'a T>, Error> {
        if found.is_none() && !self.same_host {
            return Err(Error::invalid(format!(
                "the plan says nothing of {}: add an entry for it",
                what()
            )));
        }
        Ok(found)
    }
}
