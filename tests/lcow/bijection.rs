//! The content of a snapshot matches the expectations of the destination in both directions. All
//! differences are reported together, each once and with its place.

use prost::Message as _;
use prost_types::Any;
use snapshot_core::{Incoming, Snapshot};
use snapshot_examples::lcow::{FakeHost, NewPod, Sandbox};
use snapshot_proto::lcow::v1 as pb;

use super::fixture::{save, start};

/// The sandbox of the tests, and a second pod.
fn sandbox() -> pb::SandboxSnapshot {
    let source = start(&FakeHost::new());
    source.new_pod(NewPod { id: "spare".into(), ..NewPod::default() }).unwrap();
    let any = save(&source).into_any();
    pb::SandboxSnapshot::decode(any.value.as_slice()).unwrap()
}

fn change<M: prost::Message + Default>(any: &mut Any, change: impl FnOnce(&mut M)) {
    let mut message = M::decode(any.value.as_slice()).unwrap();
    change(&mut message);
    any.value = message.encode_to_vec();
}

/// The findings of an import, without their byte offsets.
fn findings(sandbox: &pb::SandboxSnapshot) -> Vec<String> {
    let any = Any {
        type_url: "type.googleapis.com/lcow.v1.SandboxSnapshot".to_owned(),
        value: sandbox.encode_to_vec(),
    };
    let incoming = Incoming::from(Snapshot::from_any(&any).unwrap());
    let checked = incoming.check::<Sandbox>().unwrap_err().to_string();
    let error = incoming.import::<Sandbox>().unwrap_err().to_string();
    assert_eq!(checked, error, "the check without an import says the same");
    let findings: Vec<String> =
        error.lines().map(|line| line.split(" (byte").next().unwrap().to_owned()).collect();
    let mut once = findings.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), findings.len(), "something is told twice: {findings:#?}");
    findings
}

#[track_caller]
fn all_told(findings: &[String], expected: &[&[&str]]) {
    for parts in expected {
        let told = findings.iter().filter(|line| parts.iter().all(|part| line.contains(part)));
        assert_eq!(told.count(), 1, "{parts:?} in {findings:#?}");
    }
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
}

#[test]
fn unknown_types_versions_and_fields_and_duplicate_ids_are_reported_together() {
    let mut sandbox = sandbox();
    let spare = sandbox.pods[1].clone();
    sandbox.pods.push(spare);
    change::<pb::VmSnapshot>(sandbox.vm.as_mut().unwrap(), |vm| {
        vm.scsi.as_mut().unwrap().type_url = "type.googleapis.com/no.Such".to_owned();
        change::<pb::VpciSnapshot>(vm.vpci.as_mut().unwrap(), |vpci| vpci.schema_version = 7);
    });
    change::<pb::PodSnapshot>(&mut sandbox.pods[0], |pod| {
        pod.network.as_mut().unwrap().value.extend([0xf8, 0x07, 0x01]);
        pod.containers[0].type_url = "type.googleapis.com/lcow.v1.PodSnapshot".to_owned();
    });
    all_told(
        &findings(&sandbox),
        &[
            &["vm", "scsi", "has type URL \"type.googleapis.com/no.Such\""],
            &["vm/vpci", "schema version 7, but this build reads version 1"],
            &["pods/web/network", "unknown field 127"],
            &["pods/web", "containers", "has type URL \"type.googleapis.com/lcow.v1.PodSnapshot\""],
            &["pods/spare", "2 controllers have this id"],
        ],
    );
}

#[test]
fn a_missing_required_child_is_reported_with_the_other_problems() {
    let mut sandbox = sandbox();
    sandbox.vm = None;
    change::<pb::PodSnapshot>(&mut sandbox.pods[0], |pod| {
        change::<pb::ContainerSnapshot>(&mut pod.containers[0], |container| {
            container.schema_version = 2;
        });
        change::<pb::ContainerSnapshot>(&mut pod.containers[1], |container| {
            change::<pb::ProcessSnapshot>(container.processes.get_mut("").unwrap(), |p| {
                p.schema_version = 3;
            });
        });
    });
    all_told(
        &findings(&sandbox),
        &[
            &["lcow.v1.SandboxSnapshot", "vm"],
            &["pods/web/containers/", "schema version 2, but this build reads version 1"],
            &["pods/web/containers/web/processes/\"\"", "schema version 3"],
        ],
    );
}
