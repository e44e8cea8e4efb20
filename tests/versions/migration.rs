//! A tree of controllers between builds of different releases.

use std::sync::Arc;

use futures_executor::block_on;
use prost::Message;
use snapshot_core::registry::{Manifest, registry};
use snapshot_core::{
    Code, Controller, ControllerSet, Incoming, Payload, Session, Snapshot, Source,
};

use super::states::{Disk, DiskState, Label, Shelf, ShelfState, pb, shelf};

/// The manifest of a build that reads these versions of disks and shelves.
fn peer(disks: &[u32], shelves: &[u32]) -> Manifest {
    let mut manifest = registry().unwrap().manifest();
    for payload in &mut manifest.payloads {
        let accepts = match payload.message.as_str() {
            "versions.v1.Disk" => disks,
            "versions.v1.Shelf" => shelves,
            _ => continue,
        };
        payload.accepts = accepts.to_vec();
        payload.version = *accepts.last().unwrap();
    }
    manifest
}

fn saved_for(root: &Arc<Shelf>, peer: &Manifest) -> Snapshot {
    let source = Source::new(root);
    source.preflight(peer).unwrap();
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let snapshot = frozen.save().unwrap();
    assert_eq!(frozen.save().unwrap(), snapshot);
    block_on(frozen.rollback()).unwrap();
    snapshot
}

fn versions(snapshot: &Snapshot) -> Vec<(String, u32)> {
    let preview = Incoming::open(snapshot.clone()).unwrap().preview().unwrap();
    preview.controllers.iter().map(|c| (c.id.to_string(), c.version)).collect()
}

#[test]
fn for_a_peer_of_the_same_build_everything_is_saved_in_its_current_version() {
    let snapshot = saved_for(&shelf(), &peer(&[1, 2, 3, 4], &[1, 2]));
    let expected = [(".", 2), ("disks/a", 4), ("disks/b", 4)];
    assert_eq!(versions(&snapshot), expected.map(|(id, version)| (id.to_owned(), version)));
}

#[test]
fn for_an_older_peer_each_payload_is_saved_in_the_highest_version_that_it_reads() {
    for (disks, shelves, disk, room) in [
        (&[3][..], &[2][..], 3, 2),
        (&[1, 2], &[1], 2, 1),
        (&[1], &[1, 2], 1, 2),
        (&[4, 9], &[1], 4, 1),
    ] {
        let snapshot = saved_for(&shelf(), &peer(disks, shelves));
        let expected = [(".", room), ("disks/a", disk), ("disks/b", disk)];
        assert_eq!(versions(&snapshot), expected.map(|(id, version)| (id.to_owned(), version)));
        let imported = Incoming::open(snapshot).unwrap().import::<Shelf>().unwrap();
        let arrived = imported.root();
        let states: Vec<DiskState> = arrived
            .state()
            .disks
            .values()
            .map(|disk| disk.get().unwrap().state().clone())
            .collect();
        assert_eq!(states, [DiskState::of_size(1 << 20), DiskState::of_size(2 << 20)]);
    }
}

#[test]
fn values_that_an_older_peer_would_lose_fail_the_preflight_with_every_field_and_controller() {
    let root = shelf();
    {
        let mut state = root.state();
        state.room = "attic".into();
        for (name, disk) in &state.disks {
            let mut disk = disk.get().unwrap().state();
            disk.label = Some(Label::Text(name.clone()));
            disk.limits = vec![1];
        }
    }
    let error = Source::new(&root).preflight(&peer(&[3], &[1])).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let lost = |place: &str, since: u32, version: u32| {
        format!(
            "{place}: exists from version {since} on and is not at its default: it would be lost \
             in version {version}"
        )
    };
    let lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            lost(".: versions.v1.Shelf.room", 2, 1),
            lost("disks/a: versions.v1.Disk.limit", 4, 3),
            lost("disks/a: versions.v1.Disk.label", 4, 3),
            lost("disks/b: versions.v1.Disk.limit", 4, 3),
            lost("disks/b: versions.v1.Disk.label", 4, 3),
        ]
    );
    // A peer that reads everything receives everything.
    Source::new(&root).preflight(&peer(&[4], &[2])).unwrap();
}

#[test]
fn a_value_that_is_set_after_the_preflight_is_not_lost() {
    let root = shelf();
    let source = Source::new(&root);
    source.preflight(&peer(&[4], &[1])).unwrap();
    root.state().room = "attic".into();
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let error = frozen.save().unwrap_err().to_string();
    assert!(error.starts_with(".: versions.v1.Shelf.room: exists from version 2 on"), "{error}");
    root.state().room = "cellar".into();
    assert_eq!(versions(&frozen.save().unwrap())[0], (".".to_owned(), 1));
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_peer_without_a_common_version_is_refused() {
    let error = Source::new(&shelf()).preflight(&peer(&[5, 6], &[2])).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.to_string().contains("versions.v1.Disk: version 4"), "{error}");
    assert!(error.to_string().contains("5, 6"), "{error}");
}

#[test]
fn a_preflight_for_another_peer_takes_the_place_of_the_one_before() {
    let root = shelf();
    let source = Source::new(&root);
    source.preflight(&peer(&[3], &[1])).unwrap();
    source.preflight(&peer(&[4], &[2])).unwrap();
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    assert_eq!(versions(&frozen.save().unwrap())[0], (".".to_owned(), 2));
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn members_of_a_set_are_also_saved_for_an_older_peer() {
    let set = Arc::new(ControllerSet::new());
    set.insert("s", shelf()).unwrap();
    let source = Source::new(&set);
    source.preflight(&peer(&[2], &[1])).unwrap();
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let expected = [(".", 1), ("s", 1), ("s/disks/a", 2), ("s/disks/b", 2)];
    let expected = expected.map(|(id, version)| (id.to_owned(), version));
    assert_eq!(versions(&frozen.save().unwrap()), expected);
    block_on(frozen.rollback()).unwrap();
}

fn any<P: Payload>(message: &impl Message) -> prost_types::Any {
    prost_types::Any { type_url: P::TYPE_URL.to_owned(), value: message.encode_to_vec() }
}

#[test]
fn a_snapshot_with_any_mixture_of_older_versions_is_imported() {
    let v1 = pb::DiskV1 { schema_version: 1, size_mib: 3, ..pb::DiskV1::default() };
    let v3 = pb::Disk { schema_version: 3, size: 9, ..pb::Disk::default() };
    let disks = [("a", any::<DiskState>(&v1)), ("b", any::<DiskState>(&v3))];
    let disks = disks.map(|(name, disk)| (name.to_owned(), disk)).into();
    let old = pb::Shelf { schema_version: 1, name: "s".into(), disks, ..pb::Shelf::default() };
    let snapshot = Snapshot::from_any(&any::<ShelfState>(&old)).unwrap();
    let expected = [(".", 1), ("disks/a", 1), ("disks/b", 3)];
    assert_eq!(versions(&snapshot), expected.map(|(id, version)| (id.to_owned(), version)));
    let imported = Incoming::open(snapshot).unwrap().import::<Shelf>().unwrap();
    let arrived = imported.root();
    let state = arrived.state();
    assert_eq!(state.room, "cellar");
    let disk = |name: &str| -> Arc<Disk> { Arc::clone(state.disks[name].get().unwrap()) };
    assert_eq!(disk("a").state().size, 3 << 20);
    assert_eq!(disk("b").state().limits, [7]);
}

#[test]
fn an_unknown_version_is_reported_with_its_controller() {
    let foreign = pb::Disk { schema_version: 7, ..pb::Disk::default() };
    let disks = [("a".to_owned(), any::<DiskState>(&foreign))].into();
    let old = pb::Shelf { schema_version: 1, name: "s".into(), disks, ..pb::Shelf::default() };
    let snapshot = Snapshot::from_any(&any::<ShelfState>(&old)).unwrap();
    let error = Incoming::open(snapshot).unwrap().import::<Shelf>().unwrap_err().to_string();
    let expected = "disks/a: versions.v1.Disk.schema_version: schema version 7, but this build \
                    reads versions 1 to 4 (byte ";
    assert!(error.starts_with(expected), "{error}");
}
