//! The inputs that take the most memory for their length, which determine the bound in `fuzzing`.

use prost::encoding::encode_varint;
use prost_types::Any;
use snapshot_core::{Incoming, Payload, Snapshot};
use snapshot_examples::hcsshim;
use snapshot_examples::lcow::{PodState, Sandbox, SandboxState, VmState, payload as lcow};

use crate::fuzzing::bound::{MULTIPLE, peak};

const COUNT: usize = 20_000;

/// A length-delimited field.
fn field(number: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut field = Vec::new();
    encode_varint(number << 3 | 2, &mut field);
    encode_varint(content.len() as u64, &mut field);
    field.extend(content);
    field
}

fn payload(fields: &[Vec<u8>]) -> Vec<u8> {
    [b"\x08\x01".to_vec(), fields.concat()].concat()
}

fn any(type_url: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    [field(1, type_url), field(2, value)].concat()
}

/// The maximum number of fields, each with its own text.
fn many(number: u64, content: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
    (0..COUNT).flat_map(|n| field(number, content(&format!("{n:x}")))).collect()
}

fn list_of(element: &str) -> String {
    format!("{{\"a\":[{}]}}", vec![element; COUNT].join(","))
}

/// JSON that takes much memory, in unknown and in known members.
fn documents() -> Vec<(&'static str, String)> {
    let deep = |open: &str, close: &str| {
        let one = format!("{}0{}", open.repeat(125), close.repeat(125));
        format!("{{\"a\":[{}]}}", vec![one; COUNT / 125].join(","))
    };
    let named =
        |name: &str, element: &str| format!("{{\"{name}\":[{}]}}", vec![element; COUNT].join(","));
    vec![
        ("numbers", list_of("0")),
        ("arrays", list_of("[]")),
        ("arrays in arrays", deep("[", "]")),
        ("objects", list_of("{\"\":0}")),
        ("objects in objects", deep("{\"\":", "}")),
        ("args", named("args", "\"\"")),
        ("rlimits", named("rlimits", "{\"type\":\"RLIMIT_AS\",\"hard\":0,\"soft\":0}")),
    ]
}

/// The memory for each byte, and whether the input is valid.
fn ratio(bytes: &[u8], run: impl FnOnce() -> bool) -> (u64, bool) {
    let (peak, is_right) = peak(run);
    (peak.div_ceil(bytes.len() as u64), is_right)
}

#[track_caller]
fn takes(what: &str, bytes: &[u8], most: u64, run: impl FnOnce() -> bool) -> u64 {
    let (ratio, is_right) = ratio(bytes, run);
    assert!(is_right, "{what} is refused: not what the test is about");
    assert!(ratio <= most, "{what} takes {ratio} times its length, more than {most}");
    ratio
}

/// The payload of a kind of hcsshim's.
fn hcsshim_takes(what: &str, kind: hcsshim::Kind, bytes: &[u8], most: u64) -> u64 {
    takes(what, bytes, most, || hcsshim::verify(kind, bytes).is_ok())
}

fn lcow_takes(what: &str, kind: lcow::Kind, bytes: &[u8], most: u64) -> u64 {
    takes(what, bytes, most, || lcow::verify(kind, bytes).is_ok())
}

#[test]
fn json_takes_the_most() {
    let mut largest = 0;
    for (what, json) in documents() {
        let process = payload(&[field(5, &json)]);
        let vm = payload(&[field(7, &json)]);
        let ours = payload(&[field(10, &json)]);
        largest = largest
            .max(hcsshim_takes(what, hcsshim::Kind::Process, &process, MULTIPLE))
            .max(hcsshim_takes(what, hcsshim::Kind::Vm, &vm, MULTIPLE))
            .max(lcow_takes(what, lcow::Kind::Vm, &ours, MULTIPLE));
    }
    // The bound is not larger than necessary.
    assert!(largest > MULTIPLE * 9 / 10, "{largest}");
}

#[test]
fn protobuf_takes_less_than_half_of_that() {
    use hcsshim::Kind::{Network, Scsi};
    const MOST: u64 = MULTIPLE / 2;
    let options = field(1, b"\x1a\0".repeat(COUNT));
    let scsi = |mounts: &[u8]| {
        let disk = field(3, [&b"\x08\0"[..], &field(2, mounts)].concat());
        payload(&[b"\x10\x01".to_vec(), disk])
    };
    let mount = [&b"\x08\0"[..], &field(2, options)].concat();
    hcsshim_takes("options", Scsi, &scsi(&field(2, mount)), MOST);
    let mounts: Vec<u8> = (0..COUNT as u64)
        .flat_map(|partition| {
            let mut key = vec![0x08];
            encode_varint(partition, &mut key);
            field(2, key)
        })
        .collect();
    let disk = [b"\x08\0".to_vec(), field(2, mounts)].concat();
    hcsshim_takes("mounts", Scsi, &payload(&[b"\x10\x01".to_vec(), field(3, disk)]), MOST);
    let endpoints = |number| payload(&[many(number, |key| field(1, key))]);
    hcsshim_takes("endpoints", Network, &endpoints(5), MOST);
    lcow_takes("endpoints", lcow::Kind::Network, &endpoints(6), MOST);
    let shares = many(4, |key| [field(1, key), field(2, field(2, b""))].concat());
    lcow_takes("shares", lcow::Kind::Plan9, &payload(&[shares]), MOST);
}

#[test]
fn invalid_input_takes_little_memory() {
    let wrong = [
        ("unknown fields", hcsshim::Kind::Process, b"\xf8\x01\0".repeat(COUNT)),
        ("fields twice", hcsshim::Kind::Process, b"\x18\x01".repeat(COUNT)),
        ("ids that are none", hcsshim::Kind::LinuxContainer, field(6, b"").repeat(COUNT)),
        ("layers without an id", hcsshim::Kind::LinuxContainer, field(5, b"\x0a\0".repeat(COUNT))),
        ("empty containers", hcsshim::Kind::Pod, b"\x2a\0".repeat(COUNT)),
    ];
    for (what, kind, bytes) in wrong {
        let bytes = payload(&[bytes]);
        let (ratio, is_right) = ratio(&bytes, || hcsshim::verify(kind, &bytes).is_ok());
        assert!(!is_right, "{what}");
        assert!(ratio <= 12, "{what} take {ratio} times their length");
    }
}

#[test]
fn controllers_take_no_more() {
    // A sandbox with the maximum number of pods for its bytes.
    let document = field(10, b"{\"VirtualMachine\":{}}");
    let vm = payload(&[b"\x18\x02".to_vec(), document]);
    let pods = many(2 + 1, |id| any(PodState::TYPE_URL, payload(&[field(2, id)])));
    let sandbox = payload(&[field(2, any(VmState::TYPE_URL, vm)), pods]);
    lcow_takes("pods", lcow::Kind::Sandbox, &sandbox, MULTIPLE / 2);
    let any = Any { type_url: SandboxState::TYPE_URL.to_owned(), value: sandbox.clone() };
    let snapshot = Snapshot::from_any(&any).unwrap();
    takes("controllers", &sandbox, MULTIPLE / 2, || {
        Incoming::from(snapshot).import::<Sandbox>().is_ok()
    });
}
