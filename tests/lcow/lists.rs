//! The lists of ids in a container's payload.

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_examples::lcow::ContainerState;
use uuid::Uuid;

/// A container that holds these shares.
fn container(shares: &[u128]) -> ContainerState {
    let mut state = ContainerState::default();
    state.plan9_reservation_ids = shares.iter().map(|&id| Uuid::from_u128(id)).collect();
    state
}

#[test]
fn ids_keep_the_order_of_their_producer() {
    let bytes = to_bytes(&container(&[9, 3, 7])).unwrap();
    let read: ContainerState = from_bytes(&bytes).unwrap();
    assert_eq!(read.plan9_reservation_ids, container(&[9, 3, 7]).plan9_reservation_ids);
    assert_eq!(to_bytes(&read).unwrap(), bytes);
}

#[test]
fn a_duplicate_id_in_a_list_is_refused() {
    let bytes = to_bytes(&container(&[9, 3, 9])).unwrap();
    let error = from_bytes::<ContainerState>(&bytes).unwrap_err();
    let at = "plan9_reservation_ids[2]: 00000000-0000-0000-0000-000000000009 occurs twice";
    assert!(error.to_string().contains(at), "{error}");
}
