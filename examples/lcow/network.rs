//! A pod's network: its namespace, and the endpoints that are plugged into the VM.

use std::collections::HashMap;
use std::ops::DerefMut;
use std::sync::{Mutex, MutexGuard};

use snapshot_core::{Context, Controller, Error, Gate, Snapshot, refresh};
use snapshot_proto::lcow::v1::{self as pb, network_snapshot};
use uuid::Uuid;

use super::host::{Binding, Host};
use super::ids::{EndpointId, MacAddress, NamespaceId, NicId};
use super::lock;
use super::migration::enter;
use super::plan::PatchPlan;
use super::pod::Pod;
use super::vm::Vm;

/// The stage of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = network_snapshot::Stage)]
pub enum NetworkStage {
    /// Nothing is set up yet.
    #[default]
    NotConfigured,
    /// The endpoints are in the guest.
    Configured,
    /// Setting up or tearing down failed: only teardown is possible.
    Invalid,
    /// Removed for good.
    TornDown,
    /// Imported, but not resumed yet.
    #[snapshot(transient)]
    DestinationMigrating,
    /// Frozen.
    #[snapshot(transient)]
    SourceMigrating,
}

/// One endpoint of the host that is plugged into the VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = network_snapshot::EndpointBinding)]
pub struct Endpoint {
    /// Its id on the host.
    pub endpoint_id: EndpointId,
    /// Its hardware address.
    pub mac_address: MacAddress,
    /// Its name on the host.
    pub endpoint_name: String,
}

/// A network's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(
    message = pb::NetworkSnapshot,
    version = 1,
    controller = Network,
    save_from(Configured),
    freeze_to = SourceMigrating,
    import_as = DestinationMigrating,
    abort_to = TornDown
)]
pub struct NetworkState {
    /// The namespace on the host; the destination replaces it by its own.
    pub namespace_id: NamespaceId,
    /// Whether the guest routes by policy, from the VM's options.
    pub policy_based_routing: bool,
    /// Whether the guest supports namespaces, so that endpoints are in one.
    pub is_namespace_supported_by_guest: bool,
    /// The stage of the network.
    #[snapshot(stage, field = state)]
    pub stage: NetworkStage,
    /// The endpoints in the guest, by their adapter.
    pub vm_endpoints: HashMap<NicId, Endpoint>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    #[snapshot(skip)]
    pub(super) binding: Option<Binding>,
    /// The endpoints of the destination's namespace, between patch and resume.
    #[snapshot(skip)]
    pub(super) replacement: Option<Vec<Endpoint>>,
}

/// The network controller.
#[derive(Debug)]
pub struct Network {
    state: Mutex<NetworkState>,
}

impl Network {
    /// Creates the network of a pod in this VM. `guest_namespaces` is whether the guest supports
    /// namespaces.
    pub fn new(binding: Binding, policy_based_routing: bool, guest_namespaces: bool) -> Self {
        Self::from_state(
            NetworkState {
                policy_based_routing,
                is_namespace_supported_by_guest: guest_namespaces,
                ..NetworkState::default()
            },
            Some(binding),
        )
    }

    pub(super) fn from_state(mut state: NetworkState, binding: Option<Binding>) -> Self {
        state.binding = binding;
        Self { state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, NetworkState> {
        lock(&self.state)
    }

    /// The stage of the network.
    pub fn stage(&self) -> NetworkStage {
        self.lock().stage
    }

    /// Plugs the endpoints of a namespace into the VM.
    ///
    /// # Errors
    ///
    /// The network is configured already or migrating, there is no such namespace, or an endpoint
    /// cannot be plugged in. Then the others are unplugged again; if that fails too, the network
    /// becomes `Invalid`.
    pub fn configure(&self, namespace: NamespaceId) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the network".to_owned())?;
        let binding = match (state.stage, &state.binding) {
            (NetworkStage::NotConfigured, Some(binding)) => binding.clone(),
            (stage, _) => {
                return Err(Error::precondition(format!(
                    "the network is {stage:?}: only a network that is NotConfigured is set up"
                )));
            }
        };
        let endpoints = binding.host.endpoints(&namespace)?;
        state.namespace_id = namespace;
        match state.plug_in(&binding, endpoints) {
            Ok(plugged) => {
                state.vm_endpoints = plugged;
                state.stage = NetworkStage::Configured;
                Ok(())
            }
            Err((error, stuck)) => {
                if stuck.is_empty() {
                    state.namespace_id = NamespaceId::default();
                } else {
                    state.vm_endpoints = stuck;
                    state.stage = NetworkStage::Invalid;
                }
                Err(error)
            }
        }
    }

    /// Unplugs the endpoints from the VM. In a migration it only drops its records: the guest keeps
    /// the endpoints, and the other host manages them.
    ///
    /// # Errors
    ///
    /// An endpoint cannot be unplugged. Then the network becomes `Invalid` and keeps the remaining
    /// ones.
    pub fn teardown(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let state = &mut *state;
        if let (false, Some(Binding { host, vm })) = (state.gate.is_closed(), &state.binding) {
            let mut errors = Vec::new();
            state.vm_endpoints.retain(|nic, _| match host.remove_nic(vm, nic) {
                Ok(()) => false,
                Err(error) => {
                    errors.push(error);
                    true
                }
            });
            if let Err(error) = Error::collect(errors) {
                state.stage = NetworkStage::Invalid;
                return Err(error);
            }
        }
        state.vm_endpoints.clear();
        state.replacement = None;
        state.stage = NetworkStage::TornDown;
        Ok(())
    }
}

impl NetworkState {
    fn check(&self) -> Result<(), Error> {
        match self.vm_endpoints.keys().any(NicId::is_empty) {
            true => Err(Error::invalid("an adapter has an empty id").in_field("vm_endpoints")),
            false => Ok(()),
        }
    }

    /// Plugs endpoints in behind new adapters: all or none. The error contains the adapters that
    /// could not be unplugged again.
    fn plug_in(
        &self,
        Binding { host, vm }: &Binding,
        endpoints: Vec<Endpoint>,
    ) -> Result<HashMap<NicId, Endpoint>, (Error, HashMap<NicId, Endpoint>)> {
        let namespace = self.is_namespace_supported_by_guest.then_some(&self.namespace_id);
        let mut plugged = HashMap::new();
        for endpoint in endpoints {
            let nic = NicId::from(Uuid::new_v4().to_string());
            if let Err(mut error) = host.add_nic(vm, &nic, &endpoint, namespace) {
                plugged.retain(|nic, _| match host.remove_nic(vm, nic) {
                    Ok(()) => false,
                    Err(undo) => {
                        error = error.clone().and(undo);
                        true
                    }
                });
                return Err((error, plugged));
            }
            plugged.insert(nic, endpoint);
        }
        Ok(plugged)
    }

    /// Replaces the source's endpoints in the guest by those of this host's namespace.
    fn replace_endpoints(&mut self, binding: &Binding) -> Result<(), Error> {
        let Some(endpoints) = &self.replacement else { return Ok(()) };
        let plugged = self.plug_in(binding, endpoints.clone()).map_err(|(error, _)| error)?;
        // From here on an abort finds the new endpoints, whatever fails.
        let old = std::mem::replace(&mut self.vm_endpoints, plugged);
        self.replacement = None;
        let removed = old.keys().map(|nic| binding.host.remove_nic(&binding.vm, nic));
        Error::collect(removed.filter_map(Result::err))
    }
}

/// Returns the namespace in the plan and the endpoints in it; `None` if the network stays unchanged.
fn planned_endpoints(cx: &Context) -> Result<Option<(NamespaceId, Vec<Endpoint>)>, Error> {
    let plan = cx.resource::<PatchPlan>()?;
    let pod = cx.controller::<Pod>()?;
    let Some(planned) = plan.pod(&pod.source_id())? else { return Ok(None) };
    let Some(namespace) = planned.namespace.as_ref().filter(|id| !id.is_empty()) else {
        return Err(Error::invalid(format!(
            "the plan gives pod {} no network namespace, but it has a network: name one",
            planned.id
        )));
    };
    let endpoints = cx.resource::<Host>()?.endpoints(namespace)?;
    Ok(Some((namespace.clone(), endpoints)))
}

impl Controller for Network {
    type State = NetworkState;

    fn state(&self) -> impl DerefMut<Target = NetworkState> + '_ {
        self.lock()
    }

    fn import(mut state: NetworkState) -> Result<Self, Error> {
        state.check()?;
        state.gate = Gate::closed();
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

    fn refresh(&self, state: &mut NetworkState, later: NetworkState) -> Result<(), Error> {
        later.check()?;
        refresh(state, later);
        Ok(())
    }

    /// Looks for the endpoints on this host, so that a missing namespace is found before the freeze.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        planned_endpoints(cx).map(drop)
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let Some((namespace, endpoints)) = planned_endpoints(cx)? else { return Ok(()) };
        let mut state = self.lock();
        state.namespace_id = namespace;
        state.replacement = Some(endpoints);
        Ok(())
    }

    async fn resume(&self, cx: &Context) -> Result<(), Error> {
        let binding = cx.controller::<Vm>()?.binding()?;
        let mut state = self.lock();
        state.binding = Some(binding.clone());
        state.replace_endpoints(&binding)?;
        state.gate.open();
        Ok(())
    }

    /// Does nothing to the adapters: they end with the VM.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        let mut state = self.lock();
        state.vm_endpoints.clear();
        state.replacement = None;
        Ok(())
    }
}
