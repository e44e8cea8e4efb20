//! A state is saved for an older peer only if nothing is lost.

use prost::Message;
use snapshot_core::codec::{from_bytes, to_bytes, to_bytes_as};
use snapshot_core::{Code, Snapshot};

use super::states::{DiskState, Label, Queue, pb};

fn refusal(state: &DiskState, version: u32) -> String {
    to_bytes_as(state, version).unwrap_err().to_string()
}

#[test]
fn an_older_version_of_the_same_message_has_no_newer_field() {
    let queues = [("q".to_owned(), Queue { depth: 1, weight: 100 })].into();
    let state = DiskState { queues, ..DiskState::of_size(5) };
    let bytes = to_bytes_as(&state, 3).unwrap();
    let queues = [("q".to_owned(), pb::Queue { depth: 1, weight: 0 })].into();
    let expected = pb::Disk {
        schema_version: 3,
        path: Some("/a".into()),
        size: 5,
        queues,
        ..pb::Disk::default()
    };
    assert_eq!(bytes, expected.encode_to_vec());
    assert_eq!(from_bytes::<DiskState>(&bytes).unwrap(), state);
}

#[test]
fn the_current_version_is_saved_by_default() {
    let state = DiskState { limits: vec![1], ..DiskState::of_size(5) };
    assert_eq!(to_bytes_as(&state, 4).unwrap(), to_bytes(&state).unwrap());
}

#[test]
fn every_newer_field_that_is_not_at_its_default_is_named() {
    let state =
        DiskState { limits: vec![8], label: Some(Label::Number(0)), ..DiskState::of_size(5) };
    assert_eq!(
        refusal(&state, 3),
        "limit: exists from version 4 on and is not at its default: it would be lost in version 3\n\
         label: exists from version 4 on and is not at its default: it would be lost in version 3"
    );
    // An older payload does not get the proto3 default.
    let state = DiskState { limits: vec![0], ..DiskState::of_size(5) };
    assert!(refusal(&state, 3).starts_with("limit: exists from version 4 on"));
    let queues = [("q".to_owned(), Queue { depth: 1, weight: 0 })].into();
    let state = DiskState { queues, ..DiskState::of_size(5) };
    assert!(refusal(&state, 3).starts_with("queues[\"q\"].weight: exists from version 4 on"));
    let error = to_bytes_as(&state, 3).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
}

#[test]
fn downgrade_functions_chain_to_the_oldest_version() {
    let state = DiskState::of_size(5 << 20);
    let v2 = pb::DiskV2 { schema_version: 2, path: "/a".into(), size: 5 << 20 };
    assert_eq!(to_bytes_as(&state, 2).unwrap(), v2.encode_to_vec());
    let v1 =
        pb::DiskV1 { schema_version: 1, path: "/a".into(), size_mib: 5, ..pb::DiskV1::default() };
    let bytes = to_bytes_as(&state, 1).unwrap();
    assert_eq!(bytes, v1.encode_to_vec());
    assert_eq!(from_bytes::<DiskState>(&bytes).unwrap(), state);
}

#[test]
fn a_refusal_by_a_downgrade_function_names_its_version() {
    let queues = [("q".to_owned(), Queue { depth: 1, weight: 100 })].into();
    let state = DiskState { queues, ..DiskState::of_size(1 << 20) };
    assert_eq!(refusal(&state, 2), "cannot be saved as version 2: it has queues");
    assert_eq!(refusal(&state, 1), "cannot be saved as version 2: it has queues");
    assert_eq!(
        refusal(&DiskState::of_size(5), 1),
        "size: cannot be saved as version 1: is not a whole number of MiB"
    );
    // Fields that are newer than the function's message are checked first.
    let state = DiskState { limits: vec![1], ..DiskState::of_size(1 << 20) };
    assert!(refusal(&state, 1).starts_with("limit: exists from version 4 on"));
}

#[test]
fn a_version_that_is_not_saved_is_refused_with_those_that_are() {
    for version in [0, 5] {
        assert_eq!(
            refusal(&DiskState::of_size(5), version),
            format!(
                ".: versions.v1.Disk: cannot be saved as version {version}: this build saves \
                 versions 1 to 4"
            )
        );
    }
    assert_eq!(
        to_bytes_as(&OneWay { path: None }, 1).unwrap_err().to_string(),
        ".: versions.v1.Disk: cannot be saved as version 1: this build saves version 2"
    );
}

/// A state that reads an older version but does not save it.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::Disk, version = 2, ignore(size, limit, queues, label, main_queue))]
#[snapshot(accept(version = 1, message = pb::DiskV1, upgrade = upgrade))]
struct OneWay {
    path: Option<String>,
}

fn upgrade(old: pb::DiskV1) -> Result<OneWay, std::convert::Infallible> {
    Ok(OneWay { path: Some(old.path) })
}

#[test]
fn a_version_without_a_downgrade_is_still_read() {
    snapshot_core::testing::contract([OneWay { path: Some("/a".into()) }]);
    let old = pb::DiskV1 { schema_version: 1, path: "/b".into(), ..pb::DiskV1::default() };
    let state: OneWay = from_bytes(&old.encode_to_vec()).unwrap();
    assert_eq!(state.path.as_deref(), Some("/b"));
}

/// A downgrade with a result that the older build would refuse.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::Disk, version = 2, ignore(path, limit, queues, label, main_queue))]
#[snapshot(accept(version = 1, message = pb::DiskV1, upgrade = up, downgrade = down))]
struct Careless {
    size: u64,
}

fn up(_: pb::DiskV1) -> Result<pb::Disk, std::convert::Infallible> {
    Ok(pb::Disk::default())
}

fn down(new: pb::Disk) -> Result<pb::DiskV1, std::convert::Infallible> {
    Ok(pb::DiskV1 { cache: new.size as i32, ..pb::DiskV1::default() })
}

#[test]
fn a_message_that_the_older_build_would_refuse_is_not_written() {
    snapshot_core::testing::contract([Careless { size: 1 }]);
    assert!(to_bytes_as(&Careless { size: 1 }, 1).is_ok());
    assert_eq!(
        to_bytes_as(&Careless { size: 9 }, 1).unwrap_err().to_string(),
        "cache: the downgrade did not make a valid message of version 1: 9 is not a value of Cache"
    );
}

mod canonical {
    //! A downgrade to a message with maps in the order of their hashes.

    use std::collections::HashMap;

    use snapshot_core::Schema;

    use super::*;

    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    struct Hashed {
        #[prost(uint32, tag = "1")]
        schema_version: u32,
        #[prost(map = "sint32, message", tag = "2")]
        numbers: HashMap<i32, Names>,
    }

    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    struct Names {
        #[prost(map = "string, fixed32", tag = "1")]
        names: HashMap<String, u32>,
        #[prost(message, repeated, tag = "2")]
        inner: Vec<Names>,
    }

    #[derive(Debug, Snapshot)]
    #[snapshot(message = pb::Disk, version = 2, ignore(path, limit, queues, label, main_queue))]
    #[snapshot(accept(version = 1, message = Hashed, upgrade = up, downgrade = down))]
    struct State {
        size: u64,
    }

    fn up(_: Hashed) -> Result<pb::Disk, std::convert::Infallible> {
        Ok(pb::Disk::default())
    }

    fn down(new: pb::Disk) -> Result<Hashed, std::convert::Infallible> {
        let names = |count| Names {
            names: (0..count).map(|i| ("x".repeat(i as usize), i)).collect(),
            inner: Vec::new(),
        };
        let half = new.size as i32;
        let numbers = (-half..=half).map(|i| {
            let inner = vec![names(2), names(0)];
            (i, Names { inner, ..names(3) })
        });
        Ok(Hashed { schema_version: 0, numbers: numbers.collect() })
    }

    #[test]
    fn an_older_message_has_one_encoding_in_any_order_of_its_maps() {
        // In canonical order: -1, 0, 1; each entry with an explicit key and value.
        let names: &[u8] = b"\x0a\x07\x0a\0\x15\0\0\0\0\x0a\x08\x0a\x01x\x15\x01\0\0\0";
        let more = b"\x0a\x09\x0a\x02xx\x15\x02\0\0\0";
        let value = [names, more, &[0x12, names.len() as u8], names, b"\x12\0"].concat();
        let entry = |key: u8| {
            let content = [&[0x08, key, 0x12, value.len() as u8], &value[..]].concat();
            [&[0x12, content.len() as u8], &content[..]].concat()
        };
        let expected = [vec![0x08, 1], entry(1), entry(0), entry(2)].concat();
        for _ in 0..8 {
            assert_eq!(to_bytes_as(&State { size: 1 }, 1).unwrap(), expected);
        }
        let many = to_bytes_as(&State { size: 40 }, 1).unwrap();
        assert_eq!(to_bytes_as(&State { size: 40 }, 1).unwrap(), many);
        assert!(from_bytes::<State>(&many).is_ok());
        snapshot_core::testing::contract([State { size: 40 }]);
    }
}
