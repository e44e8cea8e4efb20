//! The whole sandbox: one utility VM and the pods in it. The root of a snapshot.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard};

use snapshot_core::{Child, Context, Controller, Error, Gate, Snapshot};
use snapshot_proto::lcow::v1 as pb;

use super::container::{Container, NewContainer};
use super::host::Host;
use super::ids::{ContainerId, GcsId, NamespaceId, PodId};
use super::lock;
use super::migration::enter;
use super::network::Network;
use super::plan::PatchPlan;
use super::pod::{Pod, PodState};
use super::references;
use super::vm::{NewVm, Vm};

/// The sandbox's state.
#[derive(Debug, Snapshot)]
#[snapshot(
    message = pb::SandboxSnapshot,
    version = 1,
    controller = Sandbox,
    validate = references::check
)]
pub struct SandboxState {
    /// The utility VM.
    pub vm: Child<Vm>,
    /// The pods that run in it.
    pub pods: Vec<Child<Pod>>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
}

/// The parameters of a new pod.
#[derive(Clone, Debug, Default)]
pub struct NewPod {
    /// Its id on this host.
    pub id: PodId,
    /// Its id inside the guest.
    pub gcs_id: GcsId,
    /// The namespace whose endpoints it gets; `None` for a pod without a network of its own.
    pub namespace: Option<NamespaceId>,
    /// Whether the guest has network namespaces.
    pub guest_namespaces: bool,
}

/// The sandbox controller.
#[derive(Debug)]
pub struct Sandbox {
    state: Mutex<SandboxState>,
}

impl Sandbox {
    /// Creates a sandbox whose VM does not exist yet.
    ///
    /// # Errors
    ///
    /// The errors of [`Vm::new`].
    pub fn new(host: Host, vm: NewVm) -> Result<Self, Error> {
        Ok(Self::from_parts(Vm::new(host, vm)?, Vec::new()))
    }

    pub(super) fn from_parts(vm: impl Into<Arc<Vm>>, pods: Vec<Child<Pod>>) -> Self {
        let state = SandboxState { vm: Child::new(vm), pods, gate: Gate::new() };
        Self { state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, SandboxState> {
        lock(&self.state)
    }

    /// Returns whether it is frozen, or imported and not resumed yet.
    pub fn is_migrating(&self) -> bool {
        self.lock().gate.is_closed()
    }

    /// The VM.
    ///
    /// # Errors
    ///
    /// Never fails for a sandbox that was created by [`Sandbox::new`] or imported.
    pub fn vm(&self) -> Result<Arc<Vm>, Error> {
        self.lock().vm()
    }

    /// The pods, in the order in which they were added.
    pub fn pods(&self) -> Vec<Arc<Pod>> {
        self.lock().pods.iter().filter_map(Child::get).cloned().collect()
    }

    /// The pod with this id.
    pub fn pod(&self, id: &PodId) -> Option<Arc<Pod>> {
        self.pods().into_iter().find(|pod| pod.id() == *id)
    }

    /// The container with this id, whatever pod it is in.
    pub fn container(&self, id: &ContainerId) -> Option<Arc<Container>> {
        self.pods().iter().find_map(|pod| pod.container(id))
    }

    /// Adds a pod and sets up its network.
    ///
    /// # Errors
    ///
    /// The sandbox is migrating, has a pod with this id, or the network cannot be set up. Then no
    /// pod is added.
    pub fn new_pod(&self, new: NewPod) -> Result<Arc<Pod>, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the sandbox".to_owned())?;
        if state.pods.iter().filter_map(Child::get).any(|pod| pod.id() == new.id) {
            return Err(Error::precondition(format!("the sandbox already has a pod {}", new.id)));
        }
        let vm = state.vm()?;
        let network = match new.namespace {
            None => None,
            Some(namespace) => {
                let options = vm.lock().sandbox_options.clone().unwrap_or_default();
                let policy = options.policy_based_routing;
                let network = Network::new(vm.binding()?, policy, new.guest_namespaces);
                network.configure(namespace)?;
                Some(Child::new(network))
            }
        };
        let pod =
            PodState { pod_id: new.id, gcs_pod_id: new.gcs_id, network, ..PodState::default() };
        let pod = Arc::new(Pod::from_state(pod, Some(vm)));
        state.pods.push(Child::new(Arc::clone(&pod)));
        Ok(pod)
    }

    /// Adds a container to a pod, without creating it in the guest. Its id must be new in the whole
    /// sandbox, not only in the pod.
    ///
    /// # Errors
    ///
    /// The sandbox is migrating, has no such pod, or has a container of this id.
    pub fn new_container(&self, pod: &PodId, new: NewContainer) -> Result<Arc<Container>, Error> {
        let state = self.lock();
        let _inside = enter(&state.gate, || "the sandbox".to_owned())?;
        let pods: Vec<_> = state.pods.iter().filter_map(Child::get).collect();
        if let Some(other) = pods.iter().find(|pod| pod.container(&new.id).is_some()) {
            return Err(Error::precondition(format!(
                "pod {} already has a container {}",
                other.id(),
                new.id
            )));
        }
        match pods.iter().find(|known| known.id() == *pod) {
            Some(pod) => pod.add_container(new),
            None => Err(Error::invalid(format!("the sandbox has no pod {pod}"))),
        }
    }

    /// Removes a pod without containers, and its network.
    ///
    /// # Errors
    ///
    /// The sandbox is migrating, there is no such pod, it has containers, or its network cannot be
    /// taken down.
    pub fn delete_pod(&self, id: &PodId) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the sandbox".to_owned())?;
        let is_it = |child: &Child<Pod>| child.get().is_some_and(|pod| pod.id() == *id);
        let Some(at) = state.pods.iter().position(is_it) else {
            return Err(Error::invalid(format!("the sandbox has no pod {id}")));
        };
        if let Some(pod) = state.pods[at].get() {
            if let Some(container) = pod.containers().first() {
                return Err(Error::precondition(format!(
                    "pod {id} has container {}: delete it first",
                    container.id()
                )));
            }
            if let Some(network) = pod.network() {
                network.teardown()?;
            }
        }
        state.pods.remove(at);
        Ok(())
    }
}

impl Sandbox {
    fn check_plan(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let pods: Vec<_> = self
            .pods()
            .iter()
            .map(|pod| (pod.id(), pod.containers().iter().map(|c| c.id()).collect()))
            .collect();
        plan.check(&pods)
    }
}

impl SandboxState {
    fn vm(&self) -> Result<Arc<Vm>, Error> {
        let vm = self.vm.get().cloned();
        vm.ok_or_else(|| Error::internal("the sandbox's VM was not imported"))
    }
}

impl Controller for Sandbox {
    type State = SandboxState;

    fn state(&self) -> impl DerefMut<Target = SandboxState> + '_ {
        self.lock()
    }

    fn import(mut state: SandboxState) -> Result<Self, Error> {
        state.gate = Gate::closed();
        Ok(Self { state: Mutex::new(state) })
    }

    /// Runs after everything below is frozen. Finds errors that a destination would refuse, while a
    /// rollback is still possible.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        references::check(&self.lock())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.lock().gate.open();
        Ok(())
    }

    /// Runs before all other hooks: an incomplete plan is refused before anything has changed.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        self.check_plan(cx)
    }

    /// Runs before all other hooks, as `prepare`.
    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        self.check_plan(cx)
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.lock().gate.open();
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }
}
