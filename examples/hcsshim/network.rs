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
    /// Whether each endpoint routes by its source address.
    pub policy_based_routing: bool,
    /// Whether the guest supports namespaces.
    pub is_namespace_supported_by_guest: bool,
    /// The endpoint of each network adapter of the VM.
    pub vm_endpoints: BTreeMap<NicId, Endpoint>,
}

/// The id of a network adapter: any text except the empty one. hcsshim creates GUIDs, but accepts any
/// text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Snapshot)]
#[snapshot(transparent, validate = NicId::check)]
pub struct NicId(pub String);

impl NicId {
    fn check(&self) -> Result<(), &'static str> {
        if self.0.is_empty() { Err("is empty: a network adapter has an id") } else { Ok(()) }
    }
}

/// The endpoint of an adapter, as the source's host writes it.
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
