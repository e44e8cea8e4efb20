//! The ids, paths and devices that replace those of the source at the destination.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapshot_core::Error;

use super::host::ProcessIo;
use super::ids::{ContainerId, NamespaceId, PodId, VmId};

/// The replacements at the destination: a resource of the hooks' context in the patch phase. The
/// keys are the names at the source.
///
/// Every pod and container must have an entry, so that none stays bound to the source by mistake.
/// Disks, shares and devices without an entry stay unchanged: the boot disk has the same path on
/// every host. A [`Placement`] plans what has no entry, such as a container that was started after
/// the plan was made.
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
    /// The plan for each pod, by its id at the source.
    pub pods: HashMap<PodId, PodPlan>,
    /// The plan for each container, by its id at the source.
    pub containers: HashMap<ContainerId, ContainerPlan>,
    /// The new paths of disks, by their paths at the source.
    pub disks: HashMap<PathBuf, PathBuf>,
    /// The new paths of shared folders, by their paths at the source.
    pub shares: HashMap<PathBuf, PathBuf>,
    /// The instance ids of the replacing devices, by those of the source.
    pub devices: HashMap<String, String>,
    /// Whether pods and containers without an entry stay unchanged.
    same_host: bool,
    /// Plans what has no entry.
    placement: Option<Arc<dyn Placement>>,
}

/// Plans the parts of a sandbox that have no entry in a [`PatchPlan`]. `None` stands for a part that
/// has no plan.
///
/// ```
/// use std::sync::Arc;
///
/// use snapshot_core::Error;
/// use snapshot_examples::lcow::{ContainerId, ContainerPlan, PatchPlan, Placement};
///
/// #[derive(Debug)]
/// struct Suffixed;
///
/// impl Placement for Suffixed {
///     fn container(&self, source: &ContainerId) -> Result<Option<ContainerPlan>, Error> {
///         let id = format!("{source}-2");
///         let bundle = format!("/run/{id}").into();
///         Ok(Some(ContainerPlan { id: id.into(), bundle, ..Default::default() }))
///     }
/// }
///
/// let plan = PatchPlan::new("sandbox-2@vm").with_placement(Arc::new(Suffixed));
/// assert_eq!(plan.container(&"web".into())?.unwrap().bundle.to_str(), Some("/run/web-2"));
/// assert!(plan.pod(&"web".into()).is_err());
/// # Ok::<(), Error>(())
/// ```
pub trait Placement: fmt::Debug + Send + Sync {
    /// Plans a pod.
    ///
    /// # Errors
    ///
    /// The pod cannot come to this host.
    fn pod(&self, source: &PodId) -> Result<Option<PodPlan>, Error> {
        let _ = source;
        Ok(None)
    }

    /// Plans a container.
    ///
    /// # Errors
    ///
    /// The container cannot come to this host.
    fn container(&self, source: &ContainerId) -> Result<Option<ContainerPlan>, Error> {
        let _ = source;
        Ok(None)
    }

    /// Returns the new path of the disk that was at `source`.
    fn disk(&self, source: &Path) -> Option<PathBuf> {
        let _ = source;
        None
    }

    /// Returns the new path of the folder that was at `source`.
    fn share(&self, source: &Path) -> Option<PathBuf> {
        let _ = source;
        None
    }

    /// Returns the device that replaces `source`.
    fn device(&self, source: &str) -> Option<String> {
        let _ = source;
        None
    }
}

/// The plan for a pod at the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodPlan {
    /// Its new id, which is also that of its sandbox container, if it has one.
    pub id: PodId,
    /// The namespace whose endpoints it gets, never empty; `None` only for a pod without a network.
    pub namespace: Option<NamespaceId>,
}

/// The plan for a container at the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerPlan {
    /// Its new id.
    pub id: ContainerId,
    /// The paths of its layers' disks; with `None`, [`PatchPlan::disks`] has them.
    pub layers: Option<LayerPaths>,
    /// The OCI bundle of its init process.
    pub bundle: PathBuf,
    /// The IO of its init process.
    pub io: ProcessIo,
}

/// The paths of a container's layers on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerPaths {
    /// The disk of each read-only layer, in the container's order.
    pub read_only: Vec<PathBuf>,
    /// The disk of the scratch layer, if the container has one.
    pub scratch: Option<PathBuf>,
}

impl PatchPlan {
    /// Creates an empty plan for a VM with this id.
    pub fn new(vm: impl Into<VmId>) -> Self {
        Self { vm: Some(vm.into()), ..Self::default() }
    }

    /// Creates the plan in which everything keeps its id, path and namespace, for a shim that is
    /// restarted under its running sandbox.
    pub fn same_host() -> Self {
        Self { same_host: true, ..Self::default() }
    }

    /// Adds the plan for everything that has no entry.
    #[must_use]
    pub fn with_placement(self, placement: Arc<dyn Placement>) -> Self {
        Self { placement: Some(placement), ..self }
    }

    /// Returns the new path of the disk that was at `source`.
    pub fn disk(&self, source: &Path) -> PathBuf {
        self.planned_disk(source).map_or_else(|| source.to_owned(), Cow::into_owned)
    }

    /// Returns the path in the plan of the disk that was at `source`.
    pub(super) fn planned_disk(&self, source: &Path) -> Option<Cow<'_, Path>> {
        match self.disks.get(source) {
            Some(here) => Some(Cow::Borrowed(here)),
            None => self.placement.as_ref()?.disk(source).map(Cow::Owned),
        }
    }

    /// Returns the new path of the folder that was at `source`.
    pub fn share(&self, source: &Path) -> PathBuf {
        let placed = || self.placement.as_ref()?.share(source);
        self.shares.get(source).cloned().or_else(placed).unwrap_or_else(|| source.to_owned())
    }

    /// Returns the device that replaces `source`.
    pub fn device(&self, source: &str) -> String {
        let placed = || self.placement.as_ref()?.device(source);
        self.devices.get(source).cloned().or_else(placed).unwrap_or_else(|| source.to_owned())
    }

    /// Returns the plan for a pod; `None` if it stays unchanged.
    ///
    /// # Errors
    ///
    /// The plan has no entry for it, or the pod cannot come to this host.
    pub fn pod(&self, source: &PodId) -> Result<Option<Cow<'_, PodPlan>>, Error> {
        let place = |placement: &dyn Placement| placement.pod(source);
        self.entry(self.pods.get(source), place, || format!("pod {source}"))
    }

    /// Returns the plan for a container; `None` if it stays unchanged.
    ///
    /// # Errors
    ///
    /// The plan has no entry for it, or the container cannot come to this host.
    pub fn container(&self, source: &ContainerId) -> Result<Option<Cow<'_, ContainerPlan>>, Error> {
        let place = |placement: &dyn Placement| placement.container(source);
        self.entry(self.containers.get(source), place, || format!("container {source}"))
    }

    /// Checks the plan against the pods of a sandbox and their containers: none is missing, no two
    /// get the same id, and a pod and its sandbox container still share one.
    pub(super) fn check(&self, pods: &[(PodId, Vec<ContainerId>)]) -> Result<(), Error> {
        let mut errors = Vec::new();
        let mut pod_ids: HashSet<PodId> = HashSet::new();
        let mut container_ids: HashSet<ContainerId> = HashSet::new();
        if self.vm.as_ref().is_some_and(VmId::is_empty) {
            errors.push(Error::invalid("the plan gives the VM an empty id"));
        }
        for (pod, containers) in pods {
            let planned = self.pod(pod);
            let new_pod = planned
                .map(|planned| planned.map_or_else(|| pod.clone(), |planned| planned.id.clone()));
            match &new_pod {
                Err(error) => errors.push(error.clone()),
                Ok(id) if id.is_empty() => {
                    errors.push(Error::invalid(format!("the plan gives pod {pod} an empty id")));
                }
                Ok(id) if !pod_ids.insert(id.clone()) => {
                    errors.push(Error::invalid(format!("the plan gives two pods the id {id}")));
                }
                Ok(_) => {}
            }
            for container in containers {
                let new = match self.container(container) {
                    Ok(planned) => {
                        planned.map_or_else(|| container.clone(), |planned| planned.id.clone())
                    }
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                };
                if new.is_empty() {
                    let reason = format!("the plan gives container {container} an empty id");
                    errors.push(Error::invalid(reason));
                }
                let was_sandbox = container.as_str() == pod.as_str();
                if let Ok(new_pod) = &new_pod
                    && was_sandbox != (new.as_str() == new_pod.as_str())
                {
                    errors.push(Error::invalid(format!(
                        "the plan makes {container} of pod {pod} {new} of pod {new_pod}: the \
                         sandbox container, and no other, has its pod's id"
                    )));
                }
                if let Some(new) = container_ids.replace(new) {
                    let reason = format!("the plan gives two containers the id {new}");
                    errors.push(Error::invalid(reason));
                }
            }
        }
        Error::collect(errors)
    }

    fn entry<'a, T: Clone>(
        &self,
        found: Option<&'a T>,
        place: impl FnOnce(&dyn Placement) -> Result<Option<T>, Error>,
        what: impl FnOnce() -> String,
    ) -> Result<Option<Cow<'a, T>>, Error> {
        if let Some(found) = found {
            return Ok(Some(Cow::Borrowed(found)));
        }
        let placed = self.placement.as_deref().map(place).transpose()?.flatten();
        if placed.is_none() && !self.same_host {
            return Err(Error::invalid(format!("the plan has no entry for {}: add one", what())));
        }
        Ok(placed.map(Cow::Owned))
    }
}
