//! One pod: its network and its containers.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard};

use snapshot_core::{Child, Context, Controller, Error, Gate, Snapshot, refresh};
use snapshot_proto::lcow::v1 as pb;

use super::container::{Container, NewContainer};
use super::ids::{ContainerId, GcsId, PodId};
use super::lock;
use super::migration::enter;
use super::network::Network;
use super::plan::PatchPlan;
use super::vm::Vm;

/// A pod's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(message = pb::PodSnapshot, version = 1, controller = Pod, after(Vm))]
pub struct PodState {
    /// Its id on the host; the destination may assign another one. The container of the same id is
    /// the pod's sandbox container.
    #[snapshot(id, defines = "pod")]
    pub pod_id: PodId,
    /// Its id inside the guest, which never changes.
    pub gcs_pod_id: GcsId,
    /// Its network; `None` for a pod in the host's network.
    pub network: Option<Child<Network>>,
    /// Its containers, sorted by id.
    pub containers: Vec<Child<Container>>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    #[snapshot(skip)]
    pub(super) vm: Option<Arc<Vm>>,
    /// Its id in the plan, once the patch has changed its id.
    #[snapshot(skip)]
    pub(super) source_id: Option<PodId>,
}

/// The pod controller.
#[derive(Debug)]
pub struct Pod {
    state: Mutex<PodState>,
}

impl Pod {
    pub(super) fn from_state(state: PodState, vm: Option<Arc<Vm>>) -> Self {
        Self { state: Mutex::new(PodState { vm, ..state }) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, PodState> {
        lock(&self.state)
    }

    /// Its id on this host.
    pub fn id(&self) -> PodId {
        self.lock().pod_id.clone()
    }

    /// Returns its id at the source, which is also its id in the destination's plan.
    pub(super) fn source_id(&self) -> PodId {
        let state = self.lock();
        state.source_id.as_ref().unwrap_or(&state.pod_id).clone()
    }

    /// Returns whether it is frozen, or imported and not resumed yet.
    pub fn is_migrating(&self) -> bool {
        self.lock().gate.is_closed()
    }

    /// Its network, if it has one.
    pub fn network(&self) -> Option<Arc<Network>> {
        self.lock().network.as_ref().and_then(Child::get).cloned()
    }

    /// Its containers, sorted by id.
    pub fn containers(&self) -> Vec<Arc<Container>> {
        self.lock().containers.iter().filter_map(Child::get).cloned().collect()
    }

    /// The container with this id.
    pub fn container(&self, id: &ContainerId) -> Option<Arc<Container>> {
        self.containers().into_iter().find(|container| container.id() == *id)
    }

    /// Adds a container, which is still to be created.
    ///
    /// # Errors
    ///
    /// The pod is migrating, or has a container of this id.
    pub(super) fn add_container(&self, new: NewContainer) -> Result<Arc<Container>, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || format!("pod {}", state.pod_id))?;
        let Some(vm) = state.vm.clone() else {
            return Err(Error::precondition(format!("pod {} is in no VM", state.pod_id)));
        };
        match state.position(&new.id) {
            Ok(_) => Err(Error::precondition(format!(
                "pod {} already has a container {}",
                state.pod_id, new.id
            ))),
            Err(at) => {
                let container = Arc::new(Container::new(vm, new));
                state.containers.insert(at, Child::new(Arc::clone(&container)));
                Ok(container)
            }
        }
    }

    /// Deletes a container that does not run, and removes it from the pod.
    ///
    /// # Errors
    ///
    /// The pod is migrating, has no such container, or [`Container::delete`] fails.
    pub fn delete_container(&self, id: &ContainerId) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || format!("pod {}", state.pod_id))?;
        let at = state
            .position(id)
            .map_err(|_| Error::invalid(format!("pod {} has no container {id}", state.pod_id)))?;
        if let Some(container) = state.containers[at].get() {
            container.delete()?;
        }
        state.containers.remove(at);
        Ok(())
    }
}

impl PodState {
    /// Finds the position of the container with this id, or the position to insert it.
    fn position(&self, id: &ContainerId) -> Result<usize, usize> {
        self.containers.binary_search_by(|child| {
            child.with_state(|state| state.container_id.cmp(id)).unwrap_or(std::cmp::Ordering::Less)
        })
    }

    fn sort_containers(&mut self) {
        self.containers.sort_by_cached_key(|child| {
            child.with_state(|state| state.container_id.clone()).unwrap_or_default()
        });
    }
}

impl Controller for Pod {
    type State = PodState;

    fn state(&self) -> impl DerefMut<Target = PodState> + '_ {
        self.lock()
    }

    fn import(mut state: PodState) -> Result<Self, Error> {
        state.gate = Gate::closed();
        // Lookups need sorted containers; a payload may have any order.
        state.sort_containers();
        Ok(Self::from_state(state, None))
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.lock().gate.open();
        Ok(())
    }

    fn refresh(&self, state: &mut PodState, mut later: PodState) -> Result<(), Error> {
        later.sort_containers();
        refresh(state, later);
        Ok(())
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let vm = cx.controller::<Vm>()?;
        let mut state = self.lock();
        let source_id = state.pod_id.clone();
        if let Some(planned) = plan.pod(&source_id)? {
            state.pod_id = planned.id.clone();
        }
        state.source_id = Some(source_id);
        state.vm = Some(vm);
        Ok(())
    }

    /// Runs after its containers have their new ids.
    async fn resume(&self, _: &Context) -> Result<(), Error> {
        let mut state = self.lock();
        state.sort_containers();
        state.source_id = None;
        state.gate.open();
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }
}
