//! What a reader takes at most, and how a source learns of it before the freeze.

use std::sync::Arc;

use allocation_counter::measure;
use futures_executor::block_on;

use crate::registry::registry;
use crate::{Code, ControllerSet, Incoming, ReadOptions, Session, Snapshot, Source};

const SET: &str = "type.googleapis.com/snapshot.v1.ControllerSetSnapshot";

/// A length-delimited field.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(value.len() as u64, &mut bytes);
    [bytes, value.to_vec()].concat()
}

/// A set of sets: of these ids with these payloads.
fn set<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut payload = vec![0x08, 1];
    for (id, member) in members {
        let any = [field(1, SET.as_bytes()), field(2, member)].concat();
        payload.extend(field(2, &[field(1, id.as_bytes()), field(3, &any)].concat()));
    }
    payload
}

/// One member with this name, and as many below it.
fn named_above(name: &str, count: usize) -> Snapshot {
    let ids: Vec<String> = (0..count).map(|id| format!("{id:05}")).collect();
    let inner = set(ids.iter().map(|id| (id.as_str(), &b"\x08\x01"[..])));
    let payload = set([(name, inner.as_slice())]);
    Snapshot::from_any(&prost_types::Any { type_url: SET.to_owned(), value: payload }).unwrap()
}

fn read(snapshot: &Snapshot, options: &ReadOptions) -> Incoming {
    Incoming::from(options.from_bytes(snapshot.clone().into_bytes()).unwrap())
}

#[test]
fn a_long_name_above_many_controllers_is_in_memory_once() {
    const COUNT: usize = 4_000;
    let snapshot = named_above(&"n".repeat(1 << 20), COUNT);
    let options = ReadOptions::new().name_limit(1 << 20);
    let budget = ReadOptions::default_memory(snapshot.payload().len());
    let mut previewed = None;
    let info = measure(|| {
        let preview = read(&snapshot, &options).preview().unwrap();
        let imported = read(&snapshot, &options).import::<ControllerSet>().unwrap();
        previewed = Some((preview.controllers.len(), preview.controllers[COUNT].id.clone()));
        imported.abort();
    });
    // Each id with its ancestors' text would be 4 GiB.
    assert!(info.bytes_max < budget / 4, "{} of {budget}", info.bytes_max);
    let (count, id) = previewed.unwrap();
    assert_eq!(count, COUNT + 2);
    assert!(id.as_str().ends_with("n/03998"), "{}", id.as_str().len());
}

#[test]
fn a_name_above_the_limit_is_refused_with_its_length() {
    let snapshot = named_above(&"n".repeat(1025), 3);
    let expected = format!(
        "{}...: has a name of 1025 bytes in its id, and the limit is 1024: give it a shorter one, or \
         raise the limit with `Source::name_limit` and `ReadOptions::name_limit`",
        "n".repeat(80)
    );
    let error = Incoming::from(snapshot.clone()).import::<ControllerSet>().unwrap_err();
    assert_eq!((error.code(), error.to_string()), (Code::ResourceExhausted, expected.clone()));
    let error = Incoming::from(snapshot.clone()).preview().unwrap_err();
    assert_eq!(error.to_string(), expected);
    read(&snapshot, &ReadOptions::new().name_limit(1025)).preview().unwrap();
    Incoming::from(named_above(&"n".repeat(1024), 3)).preview().unwrap();
}

#[test]
fn very_many_long_names_are_refused_in_little_memory() {
    let names: Vec<String> = (0..2_000).map(|n| format!("{n:04}{}", "n".repeat(2_000))).collect();
    let payload = set(names.iter().map(|name| (name.as_str(), &b"\x08\x01"[..])));
    let any = prost_types::Any { type_url: SET.to_owned(), value: payload };
    let snapshot = Snapshot::from_any(&any).unwrap();
    let mut error = None;
    let info = measure(|| error = Incoming::from(snapshot.clone()).preview().err());
    let error = error.unwrap();
    assert_eq!((error.findings().count(), error.dropped()), (256, 2_000 - 256));
    assert!(info.bytes_max < 8 * snapshot.len() as u64, "{} bytes", info.bytes_max);
}

#[test]
fn an_import_beyond_its_budget_of_memory_names_the_place_and_the_cure() {
    let snapshot = named_above("pods", 1_000);
    let options = ReadOptions::new().memory(100_000);
    let mut results = None;
    let info = measure(|| {
        let error = read(&snapshot, &options).import::<ControllerSet>().unwrap_err();
        results = Some((error, read(&snapshot, &options).preview().unwrap_err()));
    });
    let (imported, previewed) = results.unwrap();
    assert_eq!(imported.code(), Code::ResourceExhausted);
    assert_eq!(imported.findings().count(), 1);
    let text = imported.to_string();
    let place = "pods: snapshot.v1.ControllerSetSnapshot.entries[\"00";
    assert!(text.starts_with(place), "{text}");
    assert!(
        text.contains(
            "needs more memory than the 100000 bytes that this read may use: raise the limit with \
             `ReadOptions::memory`"
        ),
        "{text}"
    );
    assert_eq!(previewed.to_string(), text);
    assert!(info.bytes_max < 200_000, "{} bytes", info.bytes_max);
    read(&snapshot, &ReadOptions::new().memory(10_000_000))
        .import::<ControllerSet>()
        .unwrap()
        .abort();
}

/// A running set with one member of this name.
fn running(name: &str) -> Arc<ControllerSet> {
    let root = ControllerSet::new();
    root.insert(name, ControllerSet::new()).unwrap();
    Arc::new(root)
}

#[test]
fn a_source_refuses_a_long_name_before_it_freezes() {
    let root = running(&"n".repeat(2_000));
    let manifest = registry().unwrap().manifest();
    let error = Source::new(&root).preflight(&manifest).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.to_string().contains("has a name of 2000 bytes"), "{error}");
    let failure = block_on(Source::new(&root).freeze(&Session::new())).unwrap_err();
    assert_eq!(failure.cause().to_string(), error.to_string());
    // The source allows it and the destination does not; then both do.
    let source = || Source::new(&root).name_limit(2_000);
    let error = source().preflight(&manifest).unwrap_err();
    assert!(error.to_string().contains("has a name of 2000 bytes"), "{error}");
    let theirs = manifest.with_limits(&ReadOptions::new().name_limit(2_000));
    source().preflight(&theirs).unwrap();
    let frozen = block_on(source().freeze(&Session::new())).unwrap();
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_snapshot_above_the_destinations_limit_is_found_before_the_freeze() {
    let root = running("vm");
    let theirs = |options: ReadOptions| registry().unwrap().manifest().with_limits(&options);
    let source = Source::new(&root);
    let length = |limit| {
        let error = source.preflight(&theirs(ReadOptions::new().limit(limit))).unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
        error.to_string()
    };
    let error = length(10);
    let (before, after) = error.split_once(" bytes").unwrap();
    let bytes: u64 = before.strip_prefix("the snapshot has ").unwrap().parse().unwrap();
    assert_eq!(
        after,
        ", but the destination accepts 10: raise its `ReadOptions::limit` and state it with \
         `Manifest::with_limits`, or move less"
    );
    length(bytes - 1);
    source.preflight(&theirs(ReadOptions::new().limit(bytes))).unwrap();
    // A manifest from before the field was there has the defaults.
    let mut older = registry().unwrap().manifest();
    older.limits = None;
    source.preflight(&older).unwrap();
    let error = source.preflight(&theirs(ReadOptions::new().memory(100))).unwrap_err();
    assert!(error.to_string().contains("needs more memory than the 100 bytes"), "{error}");
}
