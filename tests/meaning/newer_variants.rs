//! Variants of enums and members of oneofs that a later version added.

use prost::Message;
use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes, to_bytes_as};

use crate::pb;

#[derive(Snapshot, Clone, Copy, Debug, PartialEq)]
#[snapshot(enumeration = pb::Power)]
enum Power {
    Off = 0,
    On = 1,
    #[snapshot(since = 2)]
    Paused = 2,
}

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(oneof = pb::Place)]
enum Place {
    Slot(u32),
    #[snapshot(since = 3)]
    Shelf(String),
}

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(message = pb::Vm, version = 3, accept(version = 2), accept(version = 1))]
struct Vm {
    power: Power,
    history: Vec<Power>,
    place: Option<Place>,
}

fn vm() -> Vm {
    Vm { power: Power::On, history: vec![Power::Off, Power::On], place: Some(Place::Slot(7)) }
}

#[test]
fn what_every_version_has_is_saved_in_every_version() {
    for version in 1..=3 {
        let bytes = to_bytes_as(&vm(), version).unwrap();
        assert_eq!(from_bytes::<Vm>(&bytes).unwrap(), vm());
    }
}

#[test]
fn a_newer_variant_is_saved_only_in_versions_that_have_it() {
    let state = Vm { power: Power::Paused, history: vec![Power::On, Power::Paused], ..vm() };
    assert_eq!(
        to_bytes_as(&state, 1).unwrap_err().to_string(),
        "power: is Paused, which exists from version 2 on: version 1 cannot express it\n\
         history[1]: is Paused, which exists from version 2 on: version 1 cannot express it"
    );
    for version in 2..=3 {
        assert_eq!(from_bytes::<Vm>(&to_bytes_as(&state, version).unwrap()).unwrap(), state);
    }
    assert_eq!(from_bytes::<Vm>(&to_bytes(&state).unwrap()).unwrap(), state);
}

#[test]
fn a_newer_member_is_saved_only_in_versions_that_have_it() {
    let state = Vm { place: Some(Place::Shelf("top".into())), ..vm() };
    assert_eq!(
        to_bytes_as(&state, 2).unwrap_err().to_string(),
        "shelf: exists from version 3 on: version 2 cannot express it"
    );
    assert_eq!(from_bytes::<Vm>(&to_bytes_as(&state, 3).unwrap()).unwrap(), state);
}

#[test]
fn an_older_payload_with_a_newer_variant_or_member_is_refused() {
    let message = |schema_version| pb::Vm {
        schema_version,
        power: 2,
        history: vec![1],
        place: Some(pb::Place::Shelf("s".into())),
    };
    let refusal =
        |version| from_bytes::<Vm>(&message(version).encode_to_vec()).map_err(|e| e.to_string());
    assert_eq!(
        refusal(1).unwrap_err(),
        "power: is Paused, which exists from version 2 on, but this payload has version 1 (byte 2 \
         of 10)\n\
         shelf: exists from version 3 on, but this payload has version 1 (byte 7 of 10)"
    );
    assert_eq!(
        refusal(2).unwrap_err(),
        "shelf: exists from version 3 on, but this payload has version 2 (byte 7 of 10)"
    );
    assert!(refusal(3).is_ok());
}
