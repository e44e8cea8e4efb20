//! Collections that a later version added: an older payload has none, which is not the same as an empty one.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes, to_bytes_as};
use snapshot_core::evolution::compatible;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::registry::{Registration, Registry};
use snapshot_core::schema::Manifest;

use crate::pb;

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(message = pb::Tray, version = 2, accept(version = 1))]
pub(crate) struct Tray {
    name: String,
    #[snapshot(since = 2, max = 3)]
    labels: Option<Vec<String>>,
    #[snapshot(since = 2)]
    slots: Option<Vec<u8>>,
    #[snapshot(since = 2)]
    sizes: Option<BTreeMap<String, u32>>,
}

fn full() -> Tray {
    Tray {
        name: "a".into(),
        labels: Some(vec!["x".into(), "y".into()]),
        slots: Some(vec![1, 2]),
        sizes: Some([("s".to_owned(), 7)].into()),
    }
}

fn empty() -> Tray {
    Tray {
        name: "a".into(),
        labels: Some(Vec::new()),
        slots: Some(Vec::new()),
        sizes: Some(BTreeMap::new()),
    }
}

fn older() -> Tray {
    Tray { name: "a".into(), labels: None, slots: None, sizes: None }
}

fn bytes(schema_version: u32) -> Vec<u8> {
    pb::Tray { schema_version, name: "a".into(), ..pb::Tray::default() }.encode_to_vec()
}

#[test]
fn an_older_payload_has_no_collection_and_a_newer_one_has_an_empty_one() {
    assert_eq!(from_bytes::<Tray>(&bytes(1)).unwrap(), older());
    assert_eq!(from_bytes::<Tray>(&bytes(2)).unwrap(), empty());
}

#[test]
fn an_empty_collection_and_a_full_one_come_back_as_they_were() {
    for state in [empty(), full()] {
        assert_eq!(from_bytes::<Tray>(&to_bytes(&state).unwrap()).unwrap(), state);
    }
    assert_eq!(to_bytes(&empty()).unwrap(), bytes(2));
}

#[test]
fn a_collection_that_is_not_there_is_saved_as_an_older_version_only() {
    assert_eq!(to_bytes_as(&older(), 1).unwrap(), bytes(1));
    let reason = "is `None`, which stands for a payload from before the field was added: give it a value \
                  before it is saved, an empty one too";
    assert_eq!(
        to_bytes(&older()).unwrap_err().to_string(),
        format!("labels: {reason}\nslots: {reason}\nsizes: {reason}")
    );
}

#[test]
fn an_empty_collection_would_be_lost_in_an_older_version() {
    let lost = |field: &str| {
        format!(
            "{field}: exists from version 2 on and is not at its default: it would be lost in version 1"
        )
    };
    for state in [empty(), full()] {
        let error = to_bytes_as(&state, 1).unwrap_err().to_string();
        assert_eq!(error, [lost("labels"), lost("slots"), lost("sizes")].join("\n"));
    }
}

#[test]
fn the_elements_are_checked_as_without_the_option() {
    let long = Tray { labels: Some(vec![String::new(); 4]), ..full() };
    let error = to_bytes(&long).unwrap_err().to_string();
    assert_eq!(error, "labels: has 4 elements, but the maximum is 3");
    let wide = pb::Tray { schema_version: 2, slots: vec![1, 300], ..pb::Tray::default() };
    let error = from_bytes::<Tray>(&wide.encode_to_vec()).unwrap_err().to_string();
    assert!(error.starts_with("slots[1]: 300 does not fit in u8"), "{error}");
    let early = pb::Tray { schema_version: 1, slots: vec![1], ..pb::Tray::default() };
    let error = from_bytes::<Tray>(&early.encode_to_vec()).unwrap_err().to_string();
    assert!(error.starts_with("slots: exists from version 2 on"), "{error}");
}

#[test]
fn the_contract_holds() {
    let more = Tray { name: "b".into(), labels: Some(vec!["z".into()]), ..full() };
    snapshot_core::testing::contract([empty(), full(), more]);
}

/// A build that reads an empty collection from older payloads.
mod plain {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = pb::Tray, version = 2, accept(version = 1))]
    pub(crate) struct State {
        pub name: String,
        #[snapshot(since = 2)]
        pub labels: Vec<String>,
        #[snapshot(since = 2)]
        pub slots: Vec<u8>,
        #[snapshot(since = 2)]
        pub sizes: HashMap<String, u32>,
    }
    controller!(Build);
}

mod optional {
    use super::*;

    pub(crate) type State = Tray;
    controller!(Build);
}

fn manifests() -> [Manifest; 2] {
    let plain = Registration::of::<plain::Build>();
    let optional = Registration::of::<optional::Build>();
    [plain, optional].map(|one| Registry::new([one]).unwrap().manifest())
}

#[test]
fn manifest_and_lock_tell_no_value_from_an_empty_one() {
    let [plain, optional] = manifests();
    let labels = |manifest: &Manifest| {
        let tray = manifest.messages.iter().find(|message| message.name == "meaning.v1.Tray");
        tray.unwrap().fields[2].meanings[0].to_string()
    };
    assert_eq!([labels(&plain), labels(&optional)], ["default absent", "max 3; default none"]);
    let lock = Lock::of(&optional).unwrap();
    assert_eq!(lock.to_string().parse::<Lock>().unwrap(), lock);
    let error = lock.check(&plain).unwrap_err().to_string();
    let reason =
        "field 4 (slots) is read from older payloads as no value in the lock and absent now";
    assert!(error.contains(reason), "{error}");
    // What version 2 saves is the same in both.
    let report = compatible(&optional, &plain);
    assert!(report.is_compatible(), "{report}");
}
