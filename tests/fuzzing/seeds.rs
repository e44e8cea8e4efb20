//! The initial inputs: the goldens, valid and invalid, and a sandbox of each schema.

use std::fs;
use std::path::Path;

use futures_executor::block_on;
use prost::Message;
use snapshot_core::{Session, Source};
use snapshot_examples::lcow::payload as lcow_payload;
use snapshot_examples::{hcsshim, lcow};
use snapshot_proto::lcow::v1::{PodSnapshot, SandboxSnapshot};

/// Returns the inputs of the target with this name; `golden` is the folder of the goldens.
pub(crate) fn of(target: &str, golden: &Path) -> Vec<Vec<u8>> {
    match target {
        "hcsshim" => hcsshim_seeds(golden),
        "lcow" => lcow_seeds(golden),
        "envelope" => envelope_seeds(),
        _ => panic!("there is no target {target}"),
    }
}

/// Returns the number of a kind. The number of an `Any` comes after the last.
fn choice<K: PartialEq>(kinds: &[K], kind: Option<K>) -> u8 {
    let at = kind.and_then(|kind| kinds.iter().position(|known| *known == kind));
    at.unwrap_or(kinds.len()) as u8
}

fn seed(first: u8, bytes: &[u8]) -> Vec<u8> {
    [&[first], bytes].concat()
}

fn hcsshim_seeds(golden: &Path) -> Vec<Vec<u8>> {
    let folder = golden.join("hcsshim");
    let table = fs::read_to_string(folder.join("expected.tsv")).expect("the table of the goldens");
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let mut columns = row.split('\t');
        let (file, kind) = columns.next().zip(columns.next()).expect("a file and its kind");
        let bytes = fs::read(folder.join(format!("{file}.binpb"))).expect(file);
        seed(choice(hcsshim::Kind::ALL, kind.parse().ok()), &bytes)
    })
    .collect()
}

fn lcow_seeds(golden: &Path) -> Vec<Vec<u8>> {
    use lcow_payload::Kind;
    let mut seeds = Vec::new();
    for &kind in Kind::ALL {
        let first = choice(Kind::ALL, Some(kind));
        let Ok(files) = fs::read_dir(golden.join("lcow").join(kind.name())) else { continue };
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "binpb")) {
            seeds.push(seed(first, &fs::read(file).expect("a golden")));
        }
    }
    let (any, sandbox) = sample();
    seeds.push(seed(choice(Kind::ALL, None), &any));
    let parts = SandboxSnapshot::decode(&*sandbox).expect("a sandbox");
    seeds.push(seed(choice(Kind::ALL, Some(Kind::Sandbox)), &sandbox));
    let vm = parts.vm.expect("a VM").value;
    seeds.push(seed(choice(Kind::ALL, Some(Kind::Vm)), &vm));
    for pod in parts.pods {
        let containers = PodSnapshot::decode(&*pod.value).expect("a pod").containers;
        seeds.push(seed(choice(Kind::ALL, Some(Kind::Pod)), &pod.value));
        for container in containers {
            let first = choice(Kind::ALL, Some(Kind::LinuxContainer));
            seeds.push(seed(first, &container.value));
        }
    }
    seeds
}

fn envelope_seeds() -> Vec<Vec<u8>> {
    let (any, sandbox) = sample();
    let empty = [&[0x0a, 1][..], b"x"].concat();
    vec![
        seed(0, &super::envelope::with_header(&any)),
        seed(0, &super::envelope::with_header(&empty)),
        seed(1, &any),
        seed(1, &empty),
        seed(2, &sandbox),
    ]
}

/// Creates a sandbox with two containers in its `Any`, and the payload in that `Any`.
fn sample() -> (Vec<u8>, Vec<u8>) {
    let sandbox = lcow::sample::sandbox(2).expect("a sandbox");
    let snapshot = block_on(async {
        let frozen = Source::new(&sandbox).freeze(&Session::new()).await.expect("it is live");
        let snapshot = frozen.save().expect("it can be saved");
        frozen.rollback().await.expect("it goes on");
        snapshot
    });
    let payload = snapshot.payload().to_vec();
    (snapshot.into_any().encode_to_vec(), payload)
}
