//! Snapshots of every released schema of the LCOW sandbox, `corpus/RELEASE/*.snapshot`. The `*.txt`
//! beside each has the state that it must restore to. See `corpus/README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "corpus/text.rs"]
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use futures_executor::block_on;
use prost::Message;
use snapshot_core::registry::{registry, require};
use snapshot_core::schema::{FieldShape, MessageDescriptor, ValueKind};
use snapshot_core::{Child, Controller, Incoming, Payload, Session, Snapshot, Source, codec};
use snapshot_examples::lcow::{
    Container, ContainerState, Network, NetworkState, Plan9, Plan9State, Pod, Process,
    ProcessState, Sandbox, SandboxState, Scsi, ScsiState, Vm, VmState, Vpci, VpciState, sample,
};
use snapshot_proto::fixture::v1 as fixture;
use snapshot_proto::lcow::v1 as lcow;

use self::text::Text;

/// The release that the next snapshots belong to.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// The environment variable that adds missing files. Existing files never change.
const ADD: &str = "SNAPSHOT_ADD_CORPUS";

/// The page that explains how to add files.
const HOW: &str = "SNAPSHOT_ADD_CORPUS=1 cargo test -p snapshot-tests --test corpus";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// A controller for any payload, to read its state without the rules for a whole tree.
#[derive(Snapshot)]
#[snapshot(message = fixture::GroupSnapshot, version = 1, ignore(name, named, leader))]
struct Any {
    members: Vec<Child<dyn Controller>>,
}

/// Restores a payload and returns its state in the current versions of everything in it.
fn restored(any: prost_types::Any) -> prost_types::Any {
    let group =
        fixture::GroupSnapshot { schema_version: 1, members: vec![any], ..Default::default() };
    let group: Any = codec::from_bytes(&group.encode_to_vec()).unwrap();
    let again = codec::to_bytes(&group).unwrap();
    fixture::GroupSnapshot::decode(&*again).unwrap().members.remove(0)
}

/// Returns the snapshots in the corpus by release and name, without the extension.
fn corpus() -> BTreeMap<(String, String), PathBuf> {
    let mut found = BTreeMap::new();
    for release in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        if !release.is_dir() {
            continue;
        }
        let name_of = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        for path in fs::read_dir(&release).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|extension| extension == "snapshot") {
                let release = release.file_name().unwrap().to_str().unwrap().to_owned();
                found.insert((release, name_of(&path)), path.with_extension(""));
            }
        }
    }
    found
}

/// Links the controllers, and adds missing files on request. Runs once, before any test.
fn prepare() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        require![Sandbox, Vm, Scsi, Vpci, Plan9, Pod, Network, Container, Process].unwrap();
        if std::env::var_os(ADD).is_some_and(|value| value == "1") {
            add();
        }
    });
}

/// Creates the current snapshots: a whole sandbox as a shim saves it, and one payload of each
/// controller with every field set, from another implementation's payloads.
fn todays() -> Vec<(&'static str, Snapshot)> {
    let frozen = block_on(Source::new(&sample::sandbox(2).unwrap()).freeze(&Session::new()));
    let frozen = frozen.unwrap();
    let sandbox = frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();
    vec![
        ("sandbox", sandbox),
        ("container-full", part::<ContainerState>("linuxcontainer/full")),
        ("network-typical", part::<NetworkState>("network/typical")),
        ("plan9-typical", part::<Plan9State>("plan9/typical")),
        ("process-full", part::<ProcessState>("process/full")),
        ("scsi-full", part::<ScsiState>("scsi/full")),
        ("scsi-options", changed::<ScsiState>("scsi/full", every_mount_option)),
        ("vm-typical", part::<VmState>("vm/typical")),
        ("vm-options", changed::<VmState>("vm/typical", every_vm_option)),
        ("vpci-full", part::<VpciState>("vpci/full")),
    ]
}

fn every_mount_option(message: &mut lcow::ScsiSnapshot) {
    let mounts = message.disks.values_mut().flat_map(|disk| disk.mounts.values_mut());
    for config in mounts.filter_map(|mount| mount.config.as_mut()) {
        (config.block_dev, config.encrypted, config.ensure_filesystem) = (true, true, true);
    }
}

fn every_vm_option(message: &mut lcow::VmSnapshot) {
    let options = message.sandbox_options.as_mut().expect("the golden has options");
    options.enable_scratch_encryption = true;
    options.fully_physically_backed = true;
    options.no_writable_file_shares = true;
    options.confidential = Some(lcow::vm_snapshot::ConfidentialConfig {
        security_policy: "cG9saWN5".to_owned(),
        security_policy_enforcer: "rego".to_owned(),
        uvm_reference_info_file: "/reference.cose".to_owned(),
    });
}

fn part<P: Payload>(golden: &str) -> Snapshot {
    changed::<P>(golden, |_| {})
}

fn changed<P: Payload>(golden: &str, change: impl FnOnce(&mut P::Message)) -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/lcow").join(golden);
    let bytes = fs::read(path.with_extension("binpb")).unwrap();
    let mut message = P::Message::decode(&*bytes).unwrap();
    change(&mut message);
    let state = P::from_message(&message).unwrap();
    let any = codec::to_any_bytes(&state).unwrap();
    Snapshot::from_any(&prost_types::Any::decode(&*any).unwrap()).unwrap()
}

/// Writes the missing files.
fn add() {
    let release = folder().join(RELEASE);
    fs::create_dir_all(&release).unwrap();
    for (name, snapshot) in todays() {
        let path = release.join(name).with_extension("snapshot");
        if !path.exists() {
            fs::write(path, snapshot.as_bytes()).unwrap();
        }
    }
    for path in corpus().into_values() {
        let text = path.with_extension("txt");
        if !text.exists() {
            fs::write(text, text_of(&path).text).unwrap();
        }
    }
}

fn open(path: &Path) -> Snapshot {
    Snapshot::from_bytes(fs::read(path.with_extension("snapshot")).unwrap()).unwrap()
}

/// Returns the text of the state that a snapshot restores to.
fn text_of(path: &Path) -> Text {
    let restored = restored(open(path).into_any());
    let mut text = Text::default();
    text.payload("", &restored.type_url, &restored.value);
    text
}

#[test]
fn every_snapshot_of_every_release_restores_to_the_recorded_state() {
    prepare();
    let corpus = corpus();
    assert!(!corpus.is_empty());
    for ((release, name), path) in corpus {
        let expected = fs::read_to_string(path.with_extension("txt"))
            .unwrap_or_else(|error| panic!("{release}/{name}.txt: {error}: {HOW}"));
        let found = text_of(&path).text;
        if let Some((line, (found, expected))) = (1..)
            .zip(found.lines().chain([""]).zip(expected.lines().chain([""])))
            .find(|(_, (found, expected))| found != expected)
        {
            panic!(
                "{release}/{name} restores to something else. Line {line} is\n{found}\nand should \
                 be\n{expected}\nIf that is what it should become now, remove the .txt and run\n{HOW}"
            );
        }
        let snapshot = open(&path);
        if snapshot.type_url() == SandboxState::TYPE_URL {
            // The rules for a whole tree: stages, order, references; then its controllers.
            Incoming::open(snapshot).unwrap().import::<Sandbox>().unwrap().abort();
        }
    }
}

#[test]
fn this_release_is_in_the_corpus() {
    prepare();
    let releases: BTreeSet<String> = corpus().into_keys().map(|(release, _)| release).collect();
    assert!(releases.contains(RELEASE), "no snapshot of release {RELEASE} yet: {HOW}");
}

#[test]
fn the_snapshots_of_this_release_have_every_field_of_every_payload() {
    prepare();
    let mut seen = BTreeSet::new();
    for ((release, _), path) in corpus() {
        if release == RELEASE {
            seen.extend(text_of(&path).seen);
        }
    }
    let mut missing = BTreeSet::new();
    for registration in registry().unwrap().iter() {
        if registration.info().message_name.starts_with("lcow.v1.") {
            fields(registration.descriptor(), &mut missing);
        }
    }
    missing.retain(|field| !seen.contains(field));
    let missing: Vec<_> = missing.iter().map(|(m, field)| format!("{m}.{field}")).collect();
    assert!(missing.is_empty(), "no snapshot has {missing:?}");
}

/// Collects the fields of a message and of all messages that it reaches.
fn fields(message: &MessageDescriptor, found: &mut BTreeSet<(String, &'static str)>) {
    let name = (message.full_name)();
    if name.starts_with("google.") {
        return;
    }
    for field in message.fields {
        let (values, members): (Vec<ValueKind>, _) = match field.shape {
            FieldShape::Singular(kind)
            | FieldShape::Optional(kind)
            | FieldShape::Repeated(kind)
            | FieldShape::Packed(kind) => (vec![kind], vec![field]),
            FieldShape::Map(_, value) => (vec![value], vec![field]),
            FieldShape::Oneof(oneof) => (Vec::new(), oneof().members.iter().collect()),
            FieldShape::Opaque => panic!("{name}.{} has no schema", field.name),
        };
        found.extend(members.iter().map(|member| (name.clone(), member.name)));
        for value in values {
            if let ValueKind::Message(inner) = value {
                fields(inner(), found);
            }
        }
    }
}
