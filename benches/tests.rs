//! Checks that all peers do the same work, without which the comparison is meaningless.

use snapshot_core::Controller;

use crate::migration;
use crate::peers::{bilrost, buffa, hand_written, ours, postcard, prost_own, rkyv, serde_json};
use crate::workload::sandbox;

#[test]
fn the_peers_with_the_same_messages_write_the_same_bytes() {
    for containers in [0, 1, 25, 300] {
        let state = sandbox(containers);
        let bytes = ours::save(&state).unwrap();
        assert!(bytes == hand_written::save(&state).unwrap(), "{containers} containers");
        assert!(ours::restore(&bytes).unwrap() == state, "{containers} containers");
        assert!(hand_written::restore(&bytes).unwrap() == state, "{containers} containers");
        assert!(bytes == buffa::save(&state).unwrap(), "{containers} containers");
        assert!(buffa::restore(&bytes).unwrap() == state, "{containers} containers");
        let message = prost_own::restore(&bytes).unwrap();
        assert!(bytes == prost_own::save(&message), "{containers} containers");
    }
}

#[test]
fn every_peer_restores_what_it_saved() {
    let state = sandbox(25);
    let message = bilrost::convert(&state);
    assert!(bilrost::restore(&bilrost::save(&message)).unwrap() == message);
    assert!(serde_json::restore(&serde_json::save(&state).unwrap()).unwrap() == state);
    assert!(postcard::restore(&postcard::save(&state).unwrap()).unwrap() == state);
    assert!(rkyv::restore(&rkyv::save(&state).unwrap()).unwrap() == state);
}

#[test]
fn a_container_has_the_size_that_was_agreed_on() {
    let [one, hundred, more] = [1, 100, 200].map(|n| ours::save(&sandbox(n)).unwrap().len());
    assert!((8_000..9_000).contains(&one), "{one}");
    assert!((3_350..3_500).contains(&((more - hundred) / 100)), "{hundred} {more}");
}

#[test]
fn a_fleet_migrates_again_and_again() {
    let fleet = migration::fleet(100);
    for _ in 0..2 {
        let arrived = migration::migrate(&fleet).unwrap();
        let bytes = snapshot_core::codec::to_bytes(&*arrived.state()).unwrap();
        assert!(bytes == snapshot_core::codec::to_bytes(&*fleet.state()).unwrap());
        migration::parts(&fleet).unwrap();
    }
}
