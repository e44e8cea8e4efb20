//! A pod's network: package `hcsshim.controller.network.save.v1`.

use std::collections::BTreeMap;

use snapshot_core::Snapshot;
use snapshot_proto::hcsshim::network as pb;

/// A pod's network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.network.save.v1.Payload"
)]
pub struct NetworkState {
    /// The network namespace of the source.
    pub namespace_id: String,
    /// Each endpoint routes by the address that it sends from.
    pub policy_based_routing: bool,
    /// The guest knows namespaces.
    pub is_namespace_supported_by_guest: bool,
    /// What each network adapter of the VM is connected to.
    pub vm_endpoints: BTreeMap<NicId, Endpoint>,
}

/// The id of a network adapter: any text but the empty one. hcsshim makes GUIDs, and takes all text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Snapshot)]
#[snapshot(transparent, validate = NicId::check)]
pub struct NicId(pub String);

impl NicId {
    fn check(&self) -> Result<(), &'static str> {
        if self.0.is_empty() { Err("is empty: a network adapter has an id") } else { Ok(()) }
    }
}

/// The endpoint that an adapter is connected to, as the source's host spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::EndpointBinding)]
pub struct Endpoint {
    /// Its id on the host.
    pub endpoint_id: String,
    /// Its hardware address.
    pub mac_address: String,
    /// Its name.
    pub endpoint_name: String,
}
