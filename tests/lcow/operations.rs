//! The operations of the controllers without a migration: their effects, their refusals, and their failures,
//! which leave nothing half done.

use std::collections::BTreeSet;
use std::time::SystemTime;

use snapshot_core::{Code, Error};
use snapshot_examples::lcow::host::{Exit, ProcessKey};
use snapshot_examples::lcow::{
    Container, ContainerStage, DeviceStage, DiskConfig, DiskStage, ExecId, FakeHost, MountConfig,
    NetworkStage, NewContainer, NewPod, NewProcess, NewVm, ProcessStage, Sandbox, ShareConfig,
    Slot, VmStage,
};

fn new_vm() -> NewVm {
    NewVm {
        id: "sandbox@vm".into(),
        document: serde_json::json!({ "VirtualMachine": {} }),
        scsi_controllers: 1,
        vpci: true,
        plan9: true,
        ..NewVm::default()
    }
}

/// A sandbox with a running VM and one pod.
fn running(host: &std::sync::Arc<FakeHost>) -> Sandbox {
    let sandbox = Sandbox::new(host.handle(), new_vm()).unwrap();
    let vm = sandbox.vm().unwrap();
    vm.scsi().unwrap().reserve_for_rootfs(DiskConfig::image("/boot.vhd", true)).unwrap();
    vm.create().unwrap();
    vm.start().unwrap();
    sandbox
        .new_pod(NewPod {
            id: "pod".into(),
            gcs_id: "pod".into(),
            namespace: Some("ns".into()),
            guest_namespaces: true,
        })
        .unwrap();
    sandbox
}

fn new_container(id: &str) -> NewContainer {
    NewContainer {
        id: id.into(),
        gcs_id: id.into(),
        ro_layers: vec![
            DiskConfig::image("/layers/1.vhd", true),
            DiskConfig::image("/layers/2.vhd", true),
        ],
        scratch: Some(DiskConfig::image(format!("/scratch/{id}.vhdx"), false)),
        disks: vec![(DiskConfig::image("/data.vhdx", false), 1, MountConfig::default())],
        shares: vec![("/shared".into(), ShareConfig { read_only: true, ..Default::default() })],
        devices: vec![("PCIP\\VEN_1".to_owned(), 0)],
        init: NewProcess { bundle: format!("/bundles/{id}").into(), ..NewProcess::default() },
    }
}

fn end(host: &FakeHost, container: &Container, exec: &str) {
    let (vm, id, exec) = ("sandbox@vm".into(), container.gcs_id(), ExecId::from(exec));
    let key = ProcessKey { vm: &vm, container: &id, exec: &exec };
    assert!(host.exit(key, Exit { code: 3, at: SystemTime::UNIX_EPOCH }));
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, code: Code, words: &str) {
    let Err(error) = result else { panic!("is not refused: {words}") };
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_container_lives_and_leaves_nothing_behind() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let before = host.world();
    let pod = sandbox.pod(&"pod".into()).unwrap();
    let container = sandbox.new_container(&"pod".into(), new_container("c1")).unwrap();
    assert_eq!(container.stage(), ContainerStage::NotCreated);
    container.create().unwrap();
    container.start().unwrap();
    assert_eq!(container.stage(), ContainerStage::Running);
    let created = host.world();
    let vm = &created.vms[&"sandbox@vm".into()];
    assert_eq!((vm.disks.len(), vm.shares.len(), vm.devices.len()), (5, 1, 1));
    assert!(vm.mounts.contains("/run/gcs/c/c1/rootfs"));

    let exec = container.exec("sh".into(), NewProcess::default()).unwrap();
    assert_eq!(exec.stage(), ProcessStage::Running);
    exec.signal(15).unwrap();
    end(&host, &container, "sh");
    assert_eq!(exec.exit().unwrap().code, 3);
    container.delete_process(&"sh".into()).unwrap();

    refused(pod.delete_container(&"c1".into()), Code::FailedPrecondition, "runs");
    end(&host, &container, "");
    assert_eq!(container.stage(), ContainerStage::Stopped);
    container.kill(&ExecId::default(), 9).unwrap();
    pod.delete_container(&"c1".into()).unwrap();
    assert!(pod.containers().is_empty());
    assert_eq!(host.world(), before);

    sandbox.delete_pod(&"pod".into()).unwrap();
    sandbox.vm().unwrap().terminate().unwrap();
    assert_eq!(sandbox.vm().unwrap().stage(), VmStage::Terminated);
    assert_eq!(host.world(), Default::default());
}

/// Each call during the creation of a container fails once, in turn.
#[test]
fn a_failed_creation_of_a_container_releases_everything() {
    let counting = FakeHost::new();
    let sandbox = running(&counting);
    counting.clear_calls();
    sandbox.new_container(&"pod".into(), new_container("c1")).unwrap().create().unwrap();
    let calls = counting.calls();
    let operation = |call: &String| call.split(' ').next().unwrap().to_owned();
    let operations: BTreeSet<String> = calls.iter().map(operation).collect();
    assert!(operations.len() >= 8, "{operations:?}");

    let mut tried = 0;
    for name in &operations {
        let times = calls.iter().filter(|call| operation(call) == *name).count();
        for nth in 1..=times {
            let host = FakeHost::new();
            let sandbox = running(&host);
            let before = host.world();
            let container = sandbox.new_container(&"pod".into(), new_container("c1")).unwrap();
            host.fail(name, nth);
            refused(container.create(), Code::Internal, "was configured to fail");
            assert!(host.has_failed());
            assert_eq!(host.world(), before, "{name}, call {nth}");
            assert_eq!(container.stage(), ContainerStage::NotCreated, "{name}, call {nth}");
            let vm = sandbox.vm().unwrap();
            let scsi = vm.scsi().unwrap();
            assert_eq!(snapshot_core::Controller::state(&*scsi).reservations.len(), 0);
            container.create().unwrap_or_else(|e| panic!("{name}, call {nth}, again: {e}"));
            tried += 1;
        }
    }
    assert_eq!(tried, calls.len());
}

#[test]
fn a_disk_is_shared_by_its_holders_and_goes_with_the_last() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let scsi = sandbox.vm().unwrap().scsi().unwrap();
    let disk = || DiskConfig::image("/d.vhdx", true);
    let first = scsi.reserve(disk(), 0, MountConfig::default()).unwrap();
    let second = scsi.reserve(disk(), 0, MountConfig::default()).unwrap();
    let path = scsi.map_to_guest(first).unwrap();
    assert_eq!(path, "/run/mounts/scsi/0_1_0");
    host.clear_calls();
    assert_eq!(scsi.map_to_guest(second).unwrap(), path);
    assert!(host.calls().is_empty());
    scsi.unmap_from_guest(first).unwrap();
    assert!(host.calls().is_empty());
    refused(scsi.unmap_from_guest(first), Code::InvalidArgument, "no SCSI reservation");
    let writable = DiskConfig::image("/d.vhdx", false);
    let other = scsi.reserve(writable, 0, MountConfig::default());
    refused(other, Code::FailedPrecondition, "other settings");
    scsi.unmap_from_guest(second).unwrap();
    assert_eq!(snapshot_core::Controller::state(&*scsi).disks.len(), 1);
}

#[test]
fn the_release_of_a_disk_continues_where_it_stopped() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let before = host.world();
    let scsi = sandbox.vm().unwrap().scsi().unwrap();
    let id = scsi.reserve(DiskConfig::image("/d.vhdx", false), 0, Default::default()).unwrap();
    scsi.map_to_guest(id).unwrap();
    host.fail("detach_disk", 1);
    refused(scsi.unmap_from_guest(id), Code::Internal, "configured to fail");
    let slot = Slot::new(0, 1).unwrap();
    let stage = snapshot_core::Controller::state(&*scsi).disks[&slot].stage;
    assert_eq!(stage, DiskStage::Ejected);
    host.clear_calls();
    scsi.unmap_from_guest(id).unwrap();
    assert_eq!(host.calls(), ["detach_disk 1", "revoke_access /d.vhdx"]);
    assert_eq!(host.world(), before);
}

#[test]
fn a_bus_has_room_for_64_disks_a_controller() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let scsi = sandbox.vm().unwrap().scsi().unwrap();
    let reserve = |n: usize| {
        scsi.reserve(DiskConfig::image(format!("/{n}.vhd"), true), 0, MountConfig::default())
    };
    for n in 1..64 {
        reserve(n).unwrap();
    }
    refused(reserve(64), Code::FailedPrecondition, "slots");
    refused(snapshot_examples::lcow::Scsi::new(5), Code::InvalidArgument, "at most 4");
    assert_eq!(Slot::of(200).count(), 256);
    assert_eq!(Slot::new(4, 0), None);
    assert_eq!(Slot::new(0, 64), None);
    let last = Slot::new(3, 63).unwrap();
    assert_eq!((last.controller(), last.lun()), (3, 63));
}

#[test]
fn a_vm_without_writable_shares_refuses_one() {
    let host = FakeHost::new();
    let mut new = new_vm();
    new.options.no_writable_file_shares = true;
    let sandbox = Sandbox::new(host.handle(), new).unwrap();
    let plan9 = sandbox.vm().unwrap().plan9().unwrap();
    refused(plan9.reserve("/s", ShareConfig::default()), Code::FailedPrecondition, "read-only");
    let read_only = ShareConfig { read_only: true, ..ShareConfig::default() };
    let id = plan9.reserve("/s", read_only).unwrap();
    refused(plan9.map_to_guest(id), Code::FailedPrecondition, "create it first");
}

#[test]
fn a_device_that_the_guest_cannot_use_is_taken_off_or_marked() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let before = host.world();
    let vpci = sandbox.vm().unwrap().vpci().unwrap();
    host.fail("wait_for_device", 1);
    refused(vpci.assign("gpu", 0), Code::Internal, "configured to fail");
    assert_eq!(host.world(), before);
    host.fail("wait_for_device", 1);
    host.fail("remove_device", 1);
    refused(vpci.assign("gpu", 0), Code::Internal, "configured to fail");
    refused(vpci.assign("gpu", 0), Code::FailedPrecondition, "AssignedInvalid");
    let channel = *snapshot_core::Controller::state(&*vpci).devices.keys().next().unwrap();
    vpci.remove(channel).unwrap();
    let again = vpci.assign("gpu", 0).unwrap();
    assert_eq!(vpci.assign("gpu", 0).unwrap(), again);
    let device = snapshot_core::Controller::state(&*vpci).devices[&again].clone();
    assert_eq!((device.stage, device.ref_count), (DeviceStage::Ready, 2));
}

#[test]
fn a_network_that_cannot_be_set_up_leaves_no_pod() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let before = host.world();
    let new = NewPod { id: "p2".into(), namespace: Some("ns2".into()), ..NewPod::default() };
    host.fail("add_nic", 1);
    refused(sandbox.new_pod(new.clone()), Code::Internal, "configured to fail");
    assert_eq!(host.world(), before);
    assert!(sandbox.pod(&"p2".into()).is_none());
    let pod = sandbox.new_pod(new).unwrap();
    let network = pod.network().unwrap();
    refused(network.configure("ns3".into()), Code::FailedPrecondition, "Configured");
    host.fail("remove_nic", 1);
    refused(sandbox.delete_pod(&"p2".into()), Code::Internal, "configured to fail");
    assert_eq!(network.stage(), NetworkStage::Invalid);
    sandbox.delete_pod(&"p2".into()).unwrap();
    assert_eq!(network.stage(), NetworkStage::TornDown);
    assert_eq!(host.world(), before);
}

#[test]
fn a_container_gets_a_device_once() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let before = host.world();
    let new = NewContainer {
        devices: vec![("gpu".to_owned(), 0), ("nic".to_owned(), 1), ("gpu".to_owned(), 0)],
        ..new_container("c1")
    };
    let container = sandbox.new_container(&"pod".into(), new).unwrap();
    refused(container.create(), Code::InvalidArgument, "function 0 of device gpu twice");
    assert_eq!(host.world(), before);
    assert_eq!(container.stage(), ContainerStage::NotCreated);
}

#[test]
fn an_id_is_taken_only_once() {
    let host = FakeHost::new();
    let sandbox = running(&host);
    let again = NewPod { id: "pod".into(), ..NewPod::default() };
    refused(sandbox.new_pod(again), Code::FailedPrecondition, "already");
    sandbox.new_pod(NewPod { id: "p2".into(), ..NewPod::default() }).unwrap();
    let container = sandbox.new_container(&"pod".into(), new_container("c1")).unwrap();
    for pod in ["pod", "p2"] {
        let again = sandbox.new_container(&pod.into(), new_container("c1"));
        refused(again, Code::FailedPrecondition, "already");
    }
    refused(
        sandbox.new_container(&"p3".into(), new_container("c2")),
        Code::InvalidArgument,
        "no pod p3",
    );
    container.create().unwrap();
    refused(container.create(), Code::FailedPrecondition, "only while it is NotCreated");
    container.start().unwrap();
    refused(container.start(), Code::FailedPrecondition, "only while it is Created");
    let init = container.exec(ExecId::default(), NewProcess::default());
    refused(init, Code::FailedPrecondition, "already");
    refused(sandbox.delete_pod(&"pod".into()), Code::FailedPrecondition, "c1");
}
