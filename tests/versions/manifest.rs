//! Versions in the manifest and the registry.

use prost::Message;
use snapshot_core::registry::{Manifest, Registration, Registry};
use snapshot_core::wire::v1::manifest::Field;

use super::states::{Disk, Shelf};

fn manifest() -> Manifest {
    Registry::new([Registration::of::<Shelf>(), Registration::of::<Disk>()]).unwrap().manifest()
}

fn field(manifest: &Manifest, message: &str, name: &str) -> Field {
    let message = manifest.messages.iter().find(|m| m.name == message).unwrap();
    message.fields.iter().find(|field| field.name == name).unwrap().clone()
}

#[test]
fn the_manifest_has_every_version_that_is_read_and_saved() {
    let manifest = manifest();
    let [disk, shelf] = &manifest.payloads[..] else { panic!("{:?}", manifest.payloads) };
    assert_eq!(
        (disk.version, &disk.accepts[..], &disk.saves[..]),
        (4, &[1, 2, 3, 4][..], &[1, 2, 3, 4][..])
    );
    let older: Vec<_> = disk.older.iter().map(|o| (o.version, o.message.as_str())).collect();
    assert_eq!(older, [(1, "versions.v1.DiskV1"), (2, "versions.v1.DiskV2")]);
    assert_eq!(
        (shelf.version, &shelf.accepts[..], &shelf.saves[..]),
        (2, &[1, 2][..], &[1, 2][..])
    );
    assert!(shelf.older.is_empty());
}

#[test]
fn the_manifest_has_the_older_messages_and_all_that_they_reach() {
    let manifest = manifest();
    assert_eq!(field(&manifest, "versions.v1.DiskV1", "size_mib").kind, "uint32");
    assert!(manifest.enums.iter().any(|e| e.name == "versions.v1.DiskV1.Cache"));
    assert!(manifest.messages.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn the_manifest_has_the_first_version_of_nested_fields_and_members_of_oneofs() {
    let manifest = manifest();
    let since = |message: &str, name: &str| field(&manifest, message, name).since;
    assert_eq!(since("versions.v1.Disk", "limit"), 4);
    assert_eq!(since("versions.v1.Disk", "size"), 0);
    assert_eq!(since("versions.v1.Disk", "text"), 4);
    assert_eq!(since("versions.v1.Disk", "number"), 4);
    assert_eq!(since("versions.v1.Queue", "weight"), 4);
    assert_eq!(since("versions.v1.Queue", "depth"), 0);
    assert_eq!(since("versions.v1.Shelf", "room"), 2);
}

#[test]
fn the_same_registrations_give_the_same_manifest() {
    let back = Registry::new([Registration::of::<Disk>(), Registration::of::<Shelf>()]).unwrap();
    assert_eq!(manifest().encode_to_vec(), back.manifest().encode_to_vec());
}

mod annotated {
    //! References at every place, and a version that the payload has not reached.

    use std::collections::BTreeMap;
    use std::ops::DerefMut;

    use snapshot_core::{Controller, Error, Snapshot};

    use super::super::states::pb;
    use super::*;

    #[derive(Default, Snapshot)]
    #[snapshot(message = pb::DiskV1, version = 1, ignore(cache, offsets, sparse, shift))]
    struct NamedState {
        #[snapshot(defines = "disk")]
        path: String,
        size_mib: u32,
        #[snapshot(refers(keys = "user", values = "slot"))]
        users: BTreeMap<String, u32>,
        queues: Vec<Queue>,
        place: Option<Place>,
    }

    #[derive(Snapshot)]
    #[snapshot(message = pb::Queue)]
    struct Queue {
        #[snapshot(refers = "queue.depth")]
        depth: u32,
        weight: u32,
    }

    #[derive(Snapshot)]
    #[snapshot(oneof = pb::Place)]
    enum Place {
        Shelf(Name),
        Slot(u32),
    }

    #[derive(Snapshot)]
    #[snapshot(transparent)]
    struct Name(String);

    /// A payload with plain fields; an adapter converts them to the types with the references.
    #[derive(Default, Snapshot)]
    #[snapshot(
        message = pb::DiskV1,
        version = 1,
        ignore(path, size_mib, users, place, cache, offsets, sparse, shift)
    )]
    struct ConvertedState {
        #[snapshot(with = depths)]
        queues: Vec<u32>,
    }

    mod depths {
        use super::Queue;

        pub(super) fn to_wire(depths: &[u32]) -> Result<Vec<Queue>, String> {
            Ok(depths.iter().map(|&depth| Queue { depth, weight: 0 }).collect())
        }

        pub(super) fn from_wire(queues: Vec<Queue>) -> Result<Vec<u32>, String> {
            Ok(queues.iter().map(|queue| queue.depth).collect())
        }
    }

    /// A payload with a lower version than its field.
    #[derive(Default, Snapshot)]
    #[snapshot(message = pb::Disk, version = 1, ignore(path, size, limit, label, main_queue))]
    struct EarlyState {
        queues: BTreeMap<String, LaterQueue>,
    }

    #[derive(Snapshot)]
    #[snapshot(message = pb::Queue)]
    struct LaterQueue {
        depth: u32,
        #[snapshot(since = 2)]
        weight: u32,
    }

    macro_rules! controllers {
        ($($controller:ident: $state:ident;)*) => {$(
            struct $controller;

            impl Controller for $controller {
                type State = $state;

                fn state(&self) -> impl DerefMut<Target = $state> + '_ {
                    Box::new($state::default())
                }

                fn import(_: $state) -> Result<Self, Error> {
                    Ok(Self)
                }
            }
        )*};
    }

    controllers! {
        Named: NamedState;
        Converted: ConvertedState;
        Early: EarlyState;
    }

    #[test]
    fn the_manifest_has_definitions_and_references_of_nested_messages() {
        let queue = || Queue { depth: 1, weight: 2 };
        snapshot_core::testing::contract([
            NamedState {
                users: [("u".to_owned(), 1)].into(),
                queues: vec![queue(), queue()],
                place: Some(Place::Shelf(Name("s".to_owned()))),
                ..NamedState::default()
            },
            NamedState { place: Some(Place::Slot(1)), ..NamedState::default() },
        ]);
        let manifest = Registry::new([Registration::of::<Named>()]).unwrap().manifest();
        let names = |message: &str, name: &str| {
            let field = field(&manifest, message, name);
            (field.defines, field.refers)
        };
        let of = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names("versions.v1.DiskV1", "path"), (of(&["disk"]), of(&[])));
        assert_eq!(names("versions.v1.DiskV1", "users"), (of(&[]), of(&["user", "values: slot"])));
        assert_eq!(names("versions.v1.Queue", "depth"), (of(&[]), of(&["queue.depth"])));
        assert_eq!(names("versions.v1.Queue", "weight"), (of(&[]), of(&[])));
    }

    #[test]
    fn the_manifest_has_references_inside_the_result_of_an_adapter() {
        let manifest = Registry::new([Registration::of::<Converted>()]).unwrap().manifest();
        assert_eq!(field(&manifest, "versions.v1.Queue", "depth").refers, ["queue.depth"]);
    }

    #[test]
    fn a_field_that_comes_with_a_later_version_than_its_payload_is_refused_by_the_registry() {
        let error = Registry::new([Registration::of::<Early>()]).unwrap_err().to_string();
        assert!(error.contains("Early"), "{error}");
        assert!(
            error.ends_with(
                "field 2 of versions.v1.Queue exists from version 2 on, and its payload is version \
                 1: raise the version, or remove `since`"
            ),
            "{error}"
        );
    }
}
