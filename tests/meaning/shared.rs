//! One value behind an `Arc` in two places of a tree.

use std::sync::{Arc, Mutex};

use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};

use crate::pb;

#[derive(Snapshot, Debug)]
#[snapshot(message = pb::Policy)]
struct Policy {
    limit: u64,
    #[snapshot(skip)]
    used: Mutex<u64>,
}

#[derive(Snapshot, Debug)]
#[snapshot(message = pb::Pair, version = 1)]
struct Pair {
    a: Arc<Policy>,
    b: Option<Arc<Policy>>,
    more: Vec<Arc<Policy>>,
}

#[derive(Snapshot, Debug)]
#[snapshot(message = pb::Pair, version = 1)]
struct Copying {
    a: Arc<Policy>,
    #[snapshot(unshared)]
    b: Option<Arc<Policy>>,
    #[snapshot(unshared)]
    more: Vec<Arc<Policy>>,
}

fn policy(limit: u64) -> Arc<Policy> {
    Arc::new(Policy { limit, used: Mutex::new(0) })
}

#[test]
fn one_arc_in_two_fields_is_refused_by_both_names() {
    let shared = policy(10);
    let state = Pair { a: Arc::clone(&shared), b: Some(Arc::clone(&shared)), more: vec![shared] };
    let error = to_bytes(&state).unwrap_err().to_string();
    let reason = "its `Arc` is also in another place of the tree, and each place would get a \
                  separate value: hold it once and refer to it, or allow a separate value here: \
                  #[snapshot(unshared)]";
    assert_eq!(error, format!("a: {reason}\nb: {reason}"));
}

#[test]
fn equal_values_behind_two_arcs_are_two() {
    let held = policy(10);
    let state = Pair { a: Arc::clone(&held), b: Some(policy(10)), more: vec![policy(10)] };
    assert!(from_bytes::<Pair>(&to_bytes(&state).unwrap()).is_ok());
}

#[test]
fn an_unshared_field_becomes_a_value_of_its_own() {
    let shared = policy(10);
    let state =
        Copying { a: Arc::clone(&shared), b: Some(Arc::clone(&shared)), more: vec![shared] };
    let read: Copying = from_bytes(&to_bytes(&state).unwrap()).unwrap();
    assert_eq!(read.b.as_ref().unwrap().limit, 10);
    assert!(!Arc::ptr_eq(&read.a, read.b.as_ref().unwrap()));
    assert_eq!(*read.more[0].used.lock().unwrap(), 0);
}
