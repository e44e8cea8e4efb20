//! Complete migrations of a sandbox between two hosts: successful ones, rolled-back ones, and ones that
//! fail at each call to a host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use futures_executor::block_on;
use snapshot_core::{Code, Controller, Error, Incoming, Session, Source};
use snapshot_examples::lcow::host::{Exit, ProcessKey};
use snapshot_examples::lcow::{
    Container, ContainerStage, DiskConfig, DiskStage, ExecId, FakeHost, MountConfig, NetworkStage,
    NewContainer, NewPod, NewProcess, NewVm, PatchPlan, ProcessStage, Sandbox, ShareConfig, Slot,
    VmStage, World, sample,
};

use super::fixture::{plan, refused, restore, save, saved, session, start};

/// The answer of each controller's own operation during its migration.
#[track_caller]
fn every_operation_is_refused(sandbox: &Sandbox) {
    let words = "is migrating";
    let code = Code::FailedPrecondition;
    let vm = sandbox.vm().unwrap();
    let pod = &sandbox.pods()[0];
    refused(sandbox.new_pod(NewPod::default()), code, words);
    refused(sandbox.delete_pod(&pod.id()), code, words);
    refused(sandbox.new_container(&pod.id(), NewContainer::default()), code, words);
    refused(pod.delete_container(&"app".into()), code, words);
    refused(vm.next_port(), code, words);
    refused(vm.next_call_id(), code, words);
    refused(vm.terminate(), code, words);
    let scsi = vm.scsi().unwrap();
    let held = *scsi.state().reservations.keys().next().unwrap();
    let disk = || DiskConfig::image("/new.vhd", true);
    refused(scsi.reserve(disk(), 0, MountConfig::default()), code, words);
    refused(scsi.reserve_for_rootfs(disk()), code, words);
    refused(scsi.map_to_guest(held), code, words);
    refused(scsi.unmap_from_guest(held), code, words);
    refused(vm.vpci().unwrap().assign("gpu", 0), code, words);
    refused(vm.vpci().unwrap().remove(held), code, words);
    let plan9 = vm.plan9().unwrap();
    refused(plan9.reserve("/new", ShareConfig::default()), code, words);
    refused(plan9.map_to_guest(held), code, words);
    refused(plan9.unmap_from_guest(held), code, words);
    refused(pod.network().unwrap().configure("ns".into()), code, words);
    for container in pod.containers() {
        refused(container.create(), code, words);
        refused(container.start(), code, words);
        refused(container.exec("sh".into(), NewProcess::default()), code, words);
        refused(container.kill(&ExecId::default(), 9), code, words);
        refused(container.delete_process(&"sh".into()), code, words);
        refused(container.delete(), code, words);
        refused(container.init().unwrap().signal(9), code, words);
    }
}

fn stages(sandbox: &Sandbox) -> (VmStage, NetworkStage, ContainerStage, ProcessStage) {
    let pod = &sandbox.pods()[0];
    let container = &pod.containers()[0];
    (
        sandbox.vm().unwrap().stage(),
        pod.network().unwrap().stage(),
        container.stage(),
        container.init().unwrap().stage(),
    )
}

const LIVE: (VmStage, NetworkStage, ContainerStage, ProcessStage) =
    (VmStage::Running, NetworkStage::Configured, ContainerStage::Running, ProcessStage::Running);

#[test]
fn a_sandbox_moves_to_another_host() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    let before = saved(&source);
    block_on(async {
        let ours = Session::new();
        let frozen = Source::new(&source).freeze(&ours).await.unwrap();
        assert_eq!(
            stages(&source),
            (
                VmStage::SourceMigrating,
                NetworkStage::SourceMigrating,
                ContainerStage::SourceMigrating,
                ProcessStage::SourceMigrating
            )
        );
        assert!(source.is_migrating());
        assert!(here.world().vms[&"sandbox@vm".into()].paused);
        every_operation_is_refused(&source);
        let snapshot = frozen.save().unwrap();

        let theirs = session(&there, plan());
        let imported = Incoming::from(snapshot).import::<Sandbox>().unwrap();
        let destination = Arc::clone(imported.root());
        let migrating = (
            VmStage::DestinationMigrating,
            NetworkStage::DestinationMigrating,
            ContainerStage::DestinationMigrating,
            ProcessStage::DestinationMigrating,
        );
        assert_eq!(stages(&destination), migrating);
        assert_eq!(there.calls(), [""; 0], "an import touches nothing");
        every_operation_is_refused(&destination);

        let patched = imported.patch(&theirs).await.unwrap();
        assert_eq!(stages(&destination), migrating);
        every_operation_is_refused(&destination);
        assert!(there.world().vms.is_empty());

        let live = patched.resume(&theirs).await.unwrap();
        assert!(Arc::ptr_eq(&live, &destination));
        assert_eq!(stages(&live), LIVE);
        assert!(!live.is_migrating());

        frozen.commit().await.unwrap();
    });
    assert_eq!(here.world(), World::default());
    assert_eq!(
        stages(&source),
        (
            VmStage::Terminated,
            NetworkStage::TornDown,
            ContainerStage::Stopped,
            ProcessStage::Terminated
        )
    );
    assert_ne!(saved(&source), before, "the source is over");
}

#[test]
fn the_destination_has_its_own_ids_paths_and_endpoints() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let snapshot = save(&start(&here));
    let sandbox = restore(snapshot, &session(&there, plan())).unwrap();
    let vm = sandbox.vm().unwrap();
    assert_eq!(vm.id().as_str(), "sandbox-2@vm");
    let pod = sandbox.pod(&"web-2".into()).unwrap();
    let ids: Vec<_> = pod.containers().iter().map(|c| c.id().to_string()).collect();
    assert_eq!(ids, ["app-2", "web-2"]);
    let app = sandbox.container(&"app-2".into()).unwrap();
    assert_eq!(app.gcs_id().as_str(), "app", "the guest keeps its name");
    let init = app.init().unwrap();
    assert_eq!(init.state().bundle.to_str(), Some("/bundles-2/app"));
    assert_eq!(init.io().stdout.unwrap().to_str(), Some("/io-2/app"));

    let world = there.world();
    let fake = &world.vms[&"sandbox-2@vm".into()];
    assert!(fake.started && !fake.paused);
    let disks: Vec<_> = fake.disks.values().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        disks,
        ["/boot.vhd", "/images/1.vhd", "/images/2.vhd", "/scratch-2/app.vhdx", "/data-2.vhdx"]
    );
    let access: BTreeSet<_> = world.access.iter().map(|(_, path)| path.to_str().unwrap()).collect();
    assert_eq!(access, disks.iter().copied().collect());
    let attached = &fake.document.as_ref().unwrap()["VirtualMachine"]["Devices"]["Scsi"];
    let first = &attached["df6d0690-79e5-55b6-a5ec-c1e2f77f580a"]["Attachments"]["1"];
    assert_eq!(first["Path"], "/images/1.vhd");
    assert_eq!(fake.shares.values().next().unwrap().to_str(), Some("/shared-2"));
    assert_eq!(fake.devices.values().next().unwrap(), "gpu-2");
    let endpoints: Vec<_> = fake.nics.values().map(|endpoint| endpoint.as_str()).collect();
    assert_eq!(endpoints, ["ns-2-endpoint"]);
    let started = there.calls().into_iter().find(|call| call.starts_with("start_vm")).unwrap();
    assert_eq!(started, "start_vm sandbox-2@vm (migrated, ports from 1073741826, calls from 3)");

    // The destination continues where the source stopped.
    assert_eq!(vm.next_port().unwrap().get(), 0x4000_0002);
    assert_eq!(vm.next_call_id().unwrap().get(), 3);
    app.exec("sh".into(), NewProcess::default()).unwrap();
    for exec in ["sh", ""] {
        exit(&there, "sandbox-2@vm", &app, exec);
    }
    assert_eq!(app.stage(), ContainerStage::Stopped);
    pod.delete_container(&"app-2".into()).unwrap();
    let fake = &there.world().vms[&"sandbox-2@vm".into()];
    assert_eq!((fake.disks.len(), fake.shares.len(), fake.devices.len()), (1, 0, 0));
}

fn exit(host: &FakeHost, vm: &str, container: &Container, exec: &str) {
    let (vm, container, exec) = (vm.into(), container.gcs_id(), ExecId::from(exec));
    let key = ProcessKey { vm: &vm, container: &container, exec: &exec };
    assert!(host.exit(key, Exit { code: 1, at: SystemTime::UNIX_EPOCH }));
}

#[test]
fn a_rolled_back_source_is_as_it_was() {
    let host = FakeHost::new();
    let source = start(&host);
    let (world, before) = (host.world(), saved(&source));
    for _ in 0..2 {
        block_on(async {
            let frozen = Source::new(&source).freeze(&Session::new()).await.unwrap();
            let snapshot = frozen.save().unwrap();
            assert_eq!(snapshot.as_bytes(), frozen.save().unwrap().as_bytes());
            frozen.rollback().await.unwrap();
        });
        assert_eq!(host.world(), world);
        assert_eq!(saved(&source), before);
        assert_eq!(stages(&source), LIVE);
        assert!(!source.is_migrating());
    }
    let app = source.container(&"app".into()).unwrap();
    app.exec("sh".into(), NewProcess::default()).unwrap();
}

/// The operations in these calls, with their counts.
fn counted(calls: &[String]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for call in calls {
        *counts.entry(call.split(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    counts.into_iter().collect()
}

#[test]
fn a_freeze_that_fails_at_any_call_leaves_the_source_as_it_was() {
    let host = FakeHost::new();
    let source = start(&host);
    host.clear_calls();
    save(&source);
    let calls = host.calls();
    let thaws = ["thaw_process", "unpause_vm"];
    let mut tried = 0;
    for (operation, times) in counted(&calls) {
        if thaws.contains(&operation.as_str()) {
            continue;
        }
        for nth in 1..=times {
            let (world, before) = (host.world(), saved(&source));
            host.fail(&operation, nth);
            let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
            assert!(failure.cause().to_string().contains("configured to fail"), "{failure}");
            assert!(failure.undo_error().is_none(), "{failure}");
            assert_eq!(host.world(), world, "{operation}, call {nth}");
            assert_eq!(saved(&source), before, "{operation}, call {nth}");
            assert_eq!(stages(&source), LIVE);
            tried += 1;
        }
    }
    assert_eq!(tried, 4, "two processes, the compatibility blob, the pause: {calls:?}");
    save(&source);
}

#[test]
fn a_restore_that_fails_at_any_call_leaves_the_destination_as_it_was() {
    let snapshot = save(&start(&FakeHost::new()));
    let counting = FakeHost::new();
    restore(snapshot.clone(), &session(&counting, plan())).unwrap();
    let mut tried = 0;
    for (operation, times) in counted(&counting.calls()) {
        for nth in 1..=times {
            let host = FakeHost::new();
            host.fail(&operation, nth);
            let result = restore(snapshot.clone(), &session(&host, plan()));
            refused(result, Code::Internal, "configured to fail");
            assert!(host.has_failed());
            assert_eq!(host.world(), World::default(), "{operation}, call {nth}");
            tried += 1;
        }
    }
    assert_eq!(tried, counting.calls().len());
    assert!(tried >= 15, "{:?}", counting.calls());
}

#[test]
fn an_exit_during_the_freeze_counts_after_the_rollback() {
    let host = FakeHost::new();
    let source = start(&host);
    let app = source.container(&"app".into()).unwrap();
    block_on(async {
        let frozen = Source::new(&source).freeze(&Session::new()).await.unwrap();
        exit(&host, "sandbox@vm", &app, "");
        assert_eq!(app.stage(), ContainerStage::SourceMigrating);
        frozen.save().unwrap();
        frozen.rollback().await.unwrap();
    });
    assert_eq!(app.init().unwrap().stage(), ProcessStage::Terminated);
    assert_eq!(app.init().unwrap().exit().unwrap().code, 1);
    assert_eq!(app.stage(), ContainerStage::Stopped);
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    assert_eq!(failure.code(), Code::FailedPrecondition);
    assert!(failure.to_string().contains("Stopped"), "{failure}");
}

#[test]
fn a_container_with_an_exec_does_not_move() {
    let host = FakeHost::new();
    let source = start(&host);
    let app = source.container(&"app".into()).unwrap();
    app.exec("sh".into(), NewProcess::default()).unwrap();
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    assert!(failure.to_string().contains("besides its init process"), "{failure}");
    assert_eq!(stages(&source), LIVE);
    exit(&host, "sandbox@vm", &app, "sh");
    app.delete_process(&"sh".into()).unwrap();
    save(&source);
}

#[test]
fn a_disk_that_is_only_reserved_comes_back_reserved() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    let disk = DiskConfig::image("/later.vhdx", false);
    let scsi = source.vm().unwrap().scsi().unwrap();
    let id = scsi.reserve(disk, 0, MountConfig::default()).unwrap();
    let restored = restore(save(&source), &session(&there, plan())).unwrap();
    let scsi = restored.vm().unwrap().scsi().unwrap();
    let slot = Slot::new(0, 5).unwrap();
    assert_eq!(scsi.state().disks[&slot].stage, DiskStage::Reserved);
    assert!(!there.world().vms[&"sandbox-2@vm".into()].disks.contains_key(&slot));
    assert_eq!(scsi.map_to_guest(id).unwrap(), "/run/mounts/scsi/0_5_0");
    assert!(there.world().vms[&"sandbox-2@vm".into()].disks.contains_key(&slot));
}

#[test]
fn a_pod_without_a_network_and_a_vm_without_devices_move() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let new = NewVm {
        id: "bare".into(),
        document: serde_json::json!({ "VirtualMachine": {} }),
        ..NewVm::default()
    };
    let sandbox = Arc::new(Sandbox::new(here.handle(), new).unwrap());
    sandbox.vm().unwrap().create().unwrap();
    sandbox.vm().unwrap().start().unwrap();
    sandbox.new_pod(NewPod { id: "p".into(), ..NewPod::default() }).unwrap();
    let restored = restore(save(&sandbox), &session(&there, PatchPlan::same_host())).unwrap();
    assert_eq!(restored.vm().unwrap().id().as_str(), "bare");
    assert!(restored.pod(&"p".into()).unwrap().network().is_none());
    assert!(restored.vm().unwrap().scsi().is_none());
}

#[test]
fn a_preview_names_every_controller() {
    let snapshot = save(&start(&FakeHost::new()));
    let preview = Incoming::from(snapshot).check::<Sandbox>().unwrap();
    let ids: Vec<_> = preview.controllers.iter().map(|c| c.id.to_string()).collect();
    let expected = [
        ".",
        "vm",
        "vm/scsi",
        "vm/vpci",
        "vm/plan9",
        "pods/web",
        "pods/web/network",
        "pods/web/containers/app",
        "pods/web/containers/app/processes/\"\"",
        "pods/web/containers/web",
        "pods/web/containers/web/processes/\"\"",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn a_preflight_finds_a_container_that_does_not_run() {
    let host = FakeHost::new();
    let source = start(&host);
    let manifest = snapshot_core::registry::registry().unwrap().manifest();
    Source::new(&source).preflight(&manifest).unwrap();
    let new = NewContainer { id: "late".into(), gcs_id: "late".into(), ..Default::default() };
    source.new_container(&"web".into(), new).unwrap().create().unwrap();
    host.clear_calls();
    let error = Source::new(&source).preflight(&manifest).unwrap_err().to_string();
    assert!(error.contains("pods/web/containers/late: is in stage Created"), "{error}");
    assert_eq!(host.calls(), [""; 0], "a preflight touches nothing");
    assert_eq!(stages(&source), LIVE);
}

#[test]
fn containers_are_found_in_any_order_of_the_payload() {
    let source = start(&FakeHost::new());
    source.pods()[0].state().containers.reverse();
    let restored = restore(save(&source), &session(&FakeHost::new(), plan())).unwrap();
    let pod = restored.pod(&"web-2".into()).unwrap();
    for id in ["app-2", "web-2"] {
        assert_eq!(pod.container(&id.into()).unwrap().id().as_str(), id);
    }
    assert_eq!(pod.containers()[0].id().as_str(), "app-2");
}

/// Other threads use the sandbox while it is repeatedly frozen, saved and rolled back. Every snapshot is
/// complete, and nothing is lost in the end.
#[test]
fn operations_that_race_with_a_freeze_never_leave_it_half_done() {
    let host = FakeHost::new();
    let source = start(&host);
    let world = host.world();
    let done = AtomicBool::new(false);
    let saved = std::thread::scope(|scope| {
        let shim = |work: &'static (dyn Fn(&Sandbox, &FakeHost) + Sync)| {
            let (source, host, done) = (&source, &host, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    work(source, host);
                }
            });
        };
        shim(&|sandbox, host| {
            let new = NewContainer {
                ro_layers: vec![DiskConfig::image("/layers/1.vhd", true)],
                ..NewContainer { id: "late".into(), gcs_id: "late".into(), ..Default::default() }
            };
            let Ok(container) = sandbox.new_container(&"web".into(), new) else { return };
            until(|| container.create());
            until(|| container.start());
            exit(host, "sandbox@vm", &container, "");
            until(|| sandbox.pods()[0].delete_container(&"late".into()));
        });
        shim(&|sandbox, _| {
            let scsi = sandbox.vm().unwrap().scsi().unwrap();
            let disk = DiskConfig::image("/hot.vhdx", false);
            let Ok(id) = scsi.reserve(disk, 0, MountConfig::default()) else { return };
            until(|| scsi.map_to_guest(id));
            until(|| scsi.unmap_from_guest(id));
        });
        let mut saved = 0;
        for round in 0.. {
            if saved >= 20 || round == 20_000 {
                break;
            }
            let Ok(frozen) = block_on(Source::new(&source).freeze(&Session::new())) else {
                continue;
            };
            let snapshot = frozen.save().unwrap();
            block_on(frozen.rollback()).unwrap();
            Incoming::from(snapshot).import::<Sandbox>().unwrap().abort();
            saved += 1;
        }
        done.store(true, Ordering::Relaxed);
        saved
    });
    assert_eq!(saved, 20);
    assert_eq!(host.world(), world);
    assert_eq!(stages(&source), LIVE);
}

/// Tries the operations that a migration refuses, until it has ended.
fn until<T>(mut attempt: impl FnMut() -> Result<T, Error>) {
    loop {
        match attempt() {
            Ok(_) => return,
            Err(error) => assert!(error.to_string().contains("is migrating"), "{error}"),
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_sample_of_any_size_moves() {
    for containers in [0, 1, 11, 300] {
        let (here, there) = (FakeHost::new(), FakeHost::new());
        let source = sample::sandbox_on(&here, containers).unwrap();
        let plan = sample::plan(&source);
        let snapshot = save(&source);
        let size = snapshot.as_bytes().len();
        let again = save(&sample::sandbox(containers).unwrap());
        assert_eq!(again.as_bytes(), snapshot.as_bytes(), "the same number, the same bytes");
        let restored = restore(snapshot, &session(&there, plan)).unwrap();
        let moved: usize = restored.pods().iter().map(|pod| pod.containers().len()).sum();
        assert_eq!(moved, containers);
        assert_eq!(restored.pods().len(), containers.div_ceil(10));
        if containers == 300 {
            let each = size / containers;
            assert!((3200..3600).contains(&each), "{each} bytes a container");
            let first = restored.container(&"pod-00000-2".into()).unwrap();
            let spec = first.init().unwrap().state().spec.clone().unwrap();
            assert_eq!(spec.text().len(), 2048);
            assert_eq!(spec.get().unwrap().0.user().uid(), 1000);
        }
    }
}
