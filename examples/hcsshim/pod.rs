//! A pod: package `hcsshim.controller.pod.save.v1`.

use std::collections::HashSet;

use snapshot_core::{Error, Snapshot};
use snapshot_proto::hcsshim::pod as pb;

use super::linuxcontainer::LinuxContainerState;
use super::network::NetworkState;

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.pod.save.v1.Payload",
    validate = PodState::check
)]
pub struct PodState {
    /// Its id on the source. The container of the same id is the pod's own.
    #[snapshot(id, defines = "pod")]
    pub pod_id: String,
    /// Its id in the guest, which does not change.
    pub gcs_pod_id: String,
    /// Its network. hcsshim saves a pod without one, but refuses to import it; this build refuses
    /// it too.
    pub network: NetworkState,
    /// Its containers, in the order of the payload, which hcsshim sorts by id.
    pub containers: Vec<LinuxContainerState>,
}

impl PodState {
    /// Checks that no two containers share an id. hcsshim would silently keep the later one.
    fn check(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let twice = self.containers.iter().enumerate();
        let twice = twice.filter(|(_, container)| !seen.insert(&container.container_id));
        Error::collect(twice.map(|(index, container)| {
            Error::invalid(format!("container {:?} occurs twice", container.container_id))
                .in_index(index)
                .in_field("containers")
        }))
    }
}
