//! The peers do the same work, or the comparison says nothing.

use crate::peers::{hand_written, ours, postcard, rkyv, serde_json};
use crate::workload::sandbox;

#[test]
fn the_hand_written_peer_writes_the_same_bytes() {
    for containers in [0, 1, 25, 300] {
        let state = sandbox(containers);
        let bytes = ours::save(&state).unwrap();
        assert!(bytes == hand_written::save(&state).unwrap(), "{containers} containers");
        assert!(ours::restore(&bytes).unwrap() == state, "{containers} containers");
        assert!(hand_written::restore(&bytes).unwrap() == state, "{containers} containers");
    }
}

#[test]
fn every_peer_restores_what_it_saved() {
    let state = sandbox(25);
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
