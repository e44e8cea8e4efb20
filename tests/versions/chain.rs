//! Older messages are upgraded step by step to the current state, or refused.

use prost::Message;
use snapshot_core::codec::{from_any_bytes, from_bytes};
use snapshot_core::{Code, Payload, Snapshot};

use super::states::{DiskState, pb};

fn v1(size_mib: u32) -> pb::DiskV1 {
    pb::DiskV1 { schema_version: 1, path: "/a".into(), size_mib, ..pb::DiskV1::default() }
}

fn read(message: &impl Message) -> Result<DiskState, String> {
    from_bytes(&message.encode_to_vec()).map_err(|error| error.to_string())
}

#[test]
fn every_older_version_reaches_the_current_state_step_by_step() {
    assert_eq!(read(&v1(5)).unwrap(), DiskState::of_size(5 << 20));
    let v2 = pb::DiskV2 { schema_version: 2, path: "/a".into(), size: 5 };
    assert_eq!(read(&v2).unwrap(), DiskState::of_size(5));
    let v2 = pb::DiskV2 { path: String::new(), ..v2 };
    assert_eq!(read(&v2).unwrap(), DiskState { path: None, ..DiskState::of_size(5) });
}

#[test]
fn an_unknown_version_is_refused_first_with_the_known_versions() {
    for version in [5, u32::MAX] {
        // An unknown field, a newer one, invalid UTF-8 in the path: none of them is reported.
        let mut bytes = vec![0x12, 1, 0xff, 0x68, 1, 0xf8, 0x01, 0];
        prost::encoding::uint32::encode(1, &version, &mut bytes);
        let error = from_bytes::<DiskState>(&bytes).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(error.findings().count(), 1);
        let expected = format!("schema version {version}, but this build reads versions 1 to 4");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let error = from_bytes::<DiskState>(&[]).unwrap_err().to_string();
    let expected = "schema_version: has no schema version, but this build reads versions 1 to 4";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_refusal_by_an_upgrade_function_names_its_step() {
    assert_eq!(
        read(&v1(0)).unwrap_err(),
        "the upgrade from version 1 to 2 failed: \"/a\" has no size"
    );
}

#[test]
fn the_result_of_an_upgrade_is_checked_like_a_payload() {
    assert_eq!(read(&v1(13)).unwrap_err(), "after the upgrade, 13 MiB bring bad luck");
}

#[test]
fn an_older_payload_in_an_any_is_read_like_any_other() {
    let any =
        prost_types::Any { type_url: DiskState::TYPE_URL.to_owned(), value: v1(2).encode_to_vec() };
    assert_eq!(
        from_any_bytes::<DiskState>(&any.encode_to_vec()).unwrap(),
        DiskState::of_size(2 << 20)
    );
    let any = prost_types::Any { value: v1(0).encode_to_vec(), ..any };
    let error = from_any_bytes::<DiskState>(&any.encode_to_vec()).unwrap_err().to_string();
    assert_eq!(
        error,
        ".: versions.v1.Disk: the upgrade from version 1 to 2 failed: \"/a\" has no size"
    );
}

mod made {
    //! Upgrades that return the state, the current message, or a message that cannot be read.

    use super::super::states::pb;
    use super::*;

    #[derive(Debug, PartialEq, Snapshot)]
    #[snapshot(message = pb::Disk, version = 5, ignore(queues, label, main_queue))]
    #[snapshot(accept(version = 2, message = pb::DiskV1, upgrade = to_state))]
    #[snapshot(accept(version = 3, message = pb::DiskV2, upgrade = to_message), accept(version = 4))]
    struct Made {
        path: Option<String>,
        #[snapshot(range = 0..=100)]
        size: u64,
        #[snapshot(since = 5, default = 1)]
        limit: u32,
        #[snapshot(skip)]
        from: u32,
    }

    fn to_state(old: pb::DiskV1) -> Result<Made, std::convert::Infallible> {
        let size = u64::from(old.size_mib);
        Ok(Made { path: Some(old.path), size, limit: 2, from: old.schema_version })
    }

    fn to_message(old: pb::DiskV2) -> Result<pb::Disk, std::convert::Infallible> {
        let limit = if old.size > 5 { 3 } else { 0 };
        let schema_version = old.size as u32;
        Ok(pb::Disk { schema_version, path: Some(old.path), size: 1, limit, ..Default::default() })
    }

    fn v2(version: u32, size: u64) -> Vec<u8> {
        pb::DiskV2 { schema_version: version, path: "/a".into(), size }.encode_to_vec()
    }

    #[test]
    fn an_upgrade_can_return_the_state_and_keeps_skipped_fields() {
        let old = pb::DiskV1 { schema_version: 2, ..v1(9) };
        let made = from_bytes::<Made>(&old.encode_to_vec()).unwrap();
        assert_eq!(made, Made { path: Some("/a".into()), size: 9, limit: 2, from: 2 });
        snapshot_core::testing::contract([made]);
    }

    #[test]
    fn a_state_that_an_upgrade_has_made_is_checked() {
        let old = pb::DiskV1 { schema_version: 2, ..v1(101) };
        assert_eq!(
            from_bytes::<Made>(&old.encode_to_vec()).unwrap_err().to_string(),
            "size: after the upgrade, is 101, which is not in 0..=100"
        );
    }

    #[test]
    fn a_message_that_an_upgrade_has_made_is_read_in_the_version_it_says() {
        // No version, or the version before the upgrade, means the next one, without the limit.
        for size in [0, 2, 3, 4] {
            assert_eq!(from_bytes::<Made>(&v2(3, size)).unwrap().limit, 1);
        }
        // The current version keeps its limit.
        assert_eq!(from_bytes::<Made>(&v2(3, 5)).unwrap().limit, 0);
        assert_eq!(
            from_bytes::<Made>(&v2(3, 6)).unwrap_err().to_string(),
            "the upgrade returned version 6, but this build reads version 5"
        );
    }

    #[test]
    fn a_newer_field_in_the_result_of_an_upgrade_is_refused() {
        let old = pb::DiskV2 { schema_version: 3, path: String::new(), size: 1 << 32 | 4 };
        assert_eq!(
            from_bytes::<Made>(&old.encode_to_vec()).unwrap_err().to_string(),
            "limit: after the upgrade, exists from version 5 on, but this payload has version 4"
        );
    }
}

mod generic {
    //! A generic state: its functions can be methods of the state.

    use super::super::states::pb;
    use super::*;
    use snapshot_core::codec::{Wire, to_bytes_as};
    use snapshot_core::schema::kind;

    #[derive(Debug, PartialEq, Snapshot)]
    #[snapshot(message = pb::Shelf, version = 4, ignore(disks))]
    #[snapshot(accept(version = 1, message = pb::DiskV1, upgrade = first, downgrade = last))]
    #[snapshot(accept(version = 2, message = pb::DiskV2, upgrade = Room::<T>::of, downgrade = back))]
    #[snapshot(accept(version = 3))]
    struct Room<
        T: Wire<kind::String> + snapshot_core::codec::WireField<kind::Singular<kind::String>>,
    >
    where
        T: From<String> + Send + 'static,
    {
        name: T,
        #[snapshot(since = 4, default = T::from("cellar".to_owned()))]
        room: T,
    }

    impl<T> Room<T>
    where
        T: Wire<kind::String> + snapshot_core::codec::WireField<kind::Singular<kind::String>>,
        T: From<String> + Send + 'static,
    {
        fn of(old: pb::DiskV2) -> Result<Self, std::convert::Infallible> {
            Ok(Self { name: old.path.clone().into(), room: old.path.into() })
        }
    }

    fn first(old: pb::DiskV1) -> Result<pb::DiskV2, std::convert::Infallible> {
        Ok(pb::DiskV2 { path: old.path, ..Default::default() })
    }

    fn back(new: pb::Shelf) -> Result<pb::DiskV2, std::convert::Infallible> {
        Ok(pb::DiskV2 { path: new.name, ..Default::default() })
    }

    fn last(new: pb::DiskV2) -> Result<pb::DiskV1, std::convert::Infallible> {
        Ok(pb::DiskV1 { path: new.path, ..Default::default() })
    }

    #[test]
    fn a_generic_state_has_versions_like_any_other() {
        let room = Room::<Box<str>> { name: "a".into(), room: "cellar".into() };
        let old = to_bytes_as(&room, 1).unwrap();
        assert_eq!(old, pb::DiskV1 { path: "a".into(), ..v1(0) }.encode_to_vec());
        let read: Room<String> = from_bytes(&old).unwrap();
        assert_eq!(read, Room { name: "a".to_owned(), room: "a".to_owned() });
        let read: Room<String> = from_bytes(&to_bytes_as(&room, 3).unwrap()).unwrap();
        assert_eq!(read.room, "cellar");
        snapshot_core::testing::contract([read]);
        snapshot_core::testing::contract([room]);
    }
}
