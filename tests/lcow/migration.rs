//! Whole migrations of a sandbox between two hosts: that succeed, that are rolled back, and that
//! fail at every call to a host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use futures_executor::block_on;
use snapshot_core::{Code, Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_examples::lcow::host::{Exit, ProcessIo, ProcessKey};
use snapshot_examples::lcow::{
    Container, ContainerPlan, ContainerStage, DiskConfig, DiskStage, ExecId, FakeHost, LayerPaths,
    Migration, MountConfig, NetworkStage, NewContainer, NewPod, NewProcess, NewVm, PatchPlan,
    PodPlan, ProcessStage, Sandbox, ShareConfig, Slot, VmStage, World, sample,
};

/// A sandbox with a pod `web` of two containers: its sandbox container, and `app` with layers, a
/// share and a device. Built by the operations that a shim uses.
fn start(host: &Arc<FakeHost>) -> Arc<Sandbox> {
    let new = NewVm {
        id: "sandbox@vm".into(),
        document: serde_json::json!({ "VirtualMachine": { "Devices": {} } }),
        scsi_controllers: 2,
        vpci: true,
        plan9: true,
        ..NewVm::default()
    };
    let sandbox = Sandbox::new(host.handle(), new).unwrap();
    let vm = sandbox.vm().unwrap();
    vm.scsi().unwrap().reserve_for_rootfs(DiskConfig::image("/boot.vhd", true)).unwrap();
    vm.create().unwrap();
    vm.start().unwrap();
    sandbox
        .new_pod(NewPod {
            id: "web".into(),
            gcs_id: "web".into(),
            namespace: Some("ns".into()),
            guest_namespaces: true,
        })
        .unwrap();
    let init = |id: &str| NewProcess {
        bundle: format!("/bundles/{id}").into(),
        io: ProcessIo { stdout: Some(format!("/io/{id}").into()), ..ProcessIo::default() },
        ..NewProcess::default()
    };
    let pause = NewContainer {
        id: "web".into(),
        gcs_id: "web".into(),
        init: init("web"),
        ..NewContainer::default()
    };
    let app = NewContainer {
        id: "app".into(),
        gcs_id: "app".into(),
        ro_layers: vec![
            DiskConfig::image("/layers/1.vhd", true),
            DiskConfig::image("/layers/2.vhd", true),
        ],
        scratch: Some(DiskConfig::image("/scratch/app.vhdx", false)),
        disks: vec![(DiskConfig::image("/data.vhdx", false), 1, MountConfig::default())],
        shares: vec![("/shared".into(), ShareConfig { read_only: true, ..Default::default() })],
        devices: vec![("gpu".to_owned(), 0)],
        init: init("app"),
    };
    for new in [pause, app] {
        let container = sandbox.new_container(&"web".into(), new).unwrap();
        container.create().unwrap();
        container.start().unwrap();
    }
    Arc::new(sandbox)
}

fn plan() -> PatchPlan {
    let mut plan = PatchPlan::new("sandbox-2@vm");
    let namespace = Some("ns-2".into());
    plan.pods.insert("web".into(), PodPlan { id: "web-2".into(), namespace });
    let moved = |id: &str| ContainerPlan {
        id: format!("{id}-2").into(),
        bundle: format!("/bundles-2/{id}").into(),
        io: ProcessIo { stdout: Some(format!("/io-2/{id}").into()), ..ProcessIo::default() },
        layers: None,
    };
    plan.containers.insert("web".into(), moved("web"));
    let layers = LayerPaths {
        read_only: vec!["/images/1.vhd".into(), "/images/2.vhd".into()],
        scratch: Some("/scratch-2/app.vhdx".into()),
    };
    plan.containers.insert("app".into(), ContainerPlan { layers: Some(layers), ..moved("app") });
    plan.disks.insert("/data.vhdx".into(), "/data-2.vhdx".into());
    plan.shares.insert("/shared".into(), "/shared-2".into());
    plan.devices.insert("gpu".to_owned(), "gpu-2".to_owned());
    plan
}

fn session(host: &Arc<FakeHost>, plan: PatchPlan) -> Session {
    Session::new().resource(Arc::new(host.handle())).resource(Arc::new(plan))
}

fn save(sandbox: &Arc<Sandbox>) -> Snapshot {
    block_on(async {
        let frozen = Source::new(sandbox).freeze(&Session::new()).await.unwrap();
        let snapshot = frozen.save().unwrap();
        frozen.rollback().await.unwrap();
        snapshot
    })
}

fn restore(snapshot: Snapshot, session: &Session) -> Result<Arc<Sandbox>, Error> {
    block_on(async {
        let imported = Incoming::from(snapshot).import::<Sandbox>()?;
        let patched = imported.patch(session).await.map_err(|failure| failure.into_error())?;
        patched.resume(session).await.map_err(|failure| failure.into_error())
    })
}

/// Everything that a sandbox saves, to compare before and after. The order of hash maps does not
/// show.
fn saved(sandbox: &Sandbox) -> Vec<u8> {
    snapshot_core::codec::to_bytes(&*sandbox.state()).unwrap()
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, code: Code, words: &str) {
    let Err(error) = result else { panic!("is not refused: {words}") };
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

/// What each controller's own operation answers while it is migrating.
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
        assert_eq!(source.migration(), Migration::Source);
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
        assert_eq!(live.migration(), Migration::None);

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

    // Life goes on where the source stopped.
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
        assert_eq!(source.migration(), Migration::None);
    }
    let app = source.container(&"app".into()).unwrap();
    app.exec("sh".into(), NewProcess::default()).unwrap();
}

/// The operations of these calls and how often each is there.
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
            assert!(failure.cause().to_string().contains("told to fail"), "{failure}");
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
            refused(result, Code::Internal, "told to fail");
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
    assert!(failure.to_string().contains("beside its init process"), "{failure}");
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

/// Changes the plan and says how the patch refuses it.
fn patch_refused(change: impl FnOnce(&mut PatchPlan), words: &str) {
    let snapshot = save(&start(&FakeHost::new()));
    let host = FakeHost::new();
    let mut plan = plan();
    change(&mut plan);
    refused(restore(snapshot, &session(&host, plan)), Code::InvalidArgument, words);
    assert_eq!(host.world(), World::default());
}

#[test]
fn a_plan_that_does_not_fit_is_refused() {
    patch_refused(|plan| plan.pods.clear(), "says nothing of pod web");
    patch_refused(|plan| plan.containers.clear(), "says nothing of container app");
    patch_refused(
        |plan| plan.containers.get_mut(&"app".into()).unwrap().id = "web-2".into(),
        "two containers the id web-2",
    );
    patch_refused(
        |plan| plan.containers.get_mut(&"web".into()).unwrap().id = "other".into(),
        "has its pod's id",
    );
    patch_refused(
        |plan| plan.pods.get_mut(&"web".into()).unwrap().namespace = None,
        "no network namespace",
    );
    patch_refused(
        |plan| plan.pods.get_mut(&"web".into()).unwrap().namespace = Some("".into()),
        "no network namespace",
    );
    let layers = |plan: &mut PatchPlan| {
        plan.containers.get_mut(&"app".into()).unwrap().layers.as_mut().unwrap().read_only.pop()
    };
    patch_refused(|plan| drop(layers(plan)), "has 2 read-only layers and 1 scratch");
    patch_refused(
        |plan| {
            plan.containers.get_mut(&"web".into()).unwrap().layers = Some(LayerPaths::default());
        },
        "but the container has none",
    );
}

#[test]
fn an_empty_id_in_a_plan_is_refused() {
    patch_refused(|plan| plan.vm = Some("".into()), "gives the VM an empty id");
    patch_refused(
        |plan| plan.pods.get_mut(&"web".into()).unwrap().id = "".into(),
        "gives pod web an empty id",
    );
    patch_refused(
        |plan| plan.containers.get_mut(&"app".into()).unwrap().id = "".into(),
        "gives container app an empty id",
    );
}

#[test]
fn a_disk_that_two_containers_place_in_two_files_is_refused() {
    let source = start(&FakeHost::new());
    let mut new = NewContainer { id: "app2".into(), gcs_id: "app2".into(), ..Default::default() };
    new.ro_layers = vec![DiskConfig::image("/layers/1.vhd", true)];
    let container = source.new_container(&"web".into(), new).unwrap();
    container.create().unwrap();
    container.start().unwrap();
    let snapshot = save(&source);
    let mut plan = plan();
    let mut app2 = ContainerPlan { id: "app2-2".into(), ..ContainerPlan::default() };
    let layers = |path: &str| Some(LayerPaths { read_only: vec![path.into()], scratch: None });
    app2.layers = layers("/elsewhere/1.vhd");
    plan.containers.insert("app2".into(), app2.clone());
    let host = FakeHost::new();
    let result = restore(snapshot.clone(), &session(&host, plan.clone()));
    refused(result, Code::InvalidArgument, "give it one path");
    assert_eq!(host.world(), World::default());
    app2.layers = layers("/images/1.vhd");
    plan.containers.insert("app2".into(), app2);
    restore(snapshot, &session(&host, plan)).unwrap();
}

#[test]
fn a_terminal_with_a_standard_error_is_refused() {
    let snapshot = save(&start(&FakeHost::new()));
    let mut plan = plan();
    let io = &mut plan.containers.get_mut(&"app".into()).unwrap().io;
    io.terminal = true;
    io.stderr = Some("/io/stderr".into());
    let host = FakeHost::new();
    let result = restore(snapshot, &session(&host, plan));
    refused(result, Code::FailedPrecondition, "has one output");
    assert_eq!(host.world(), World::default());
}

/// Breaks a live sandbox, saves it as the codec does, without a freeze that would refuse, and says
/// how the import refuses it.
fn import_refused(break_it: impl FnOnce(&Sandbox), words: &str) {
    let sandbox = start(&FakeHost::new());
    break_it(&sandbox);
    let bytes = snapshot_core::codec::to_bytes(&*sandbox.state()).unwrap();
    let any = prost_types::Any {
        type_url: "type.googleapis.com/lcow.v1.SandboxSnapshot".to_owned(),
        value: bytes,
    };
    let snapshot = Snapshot::from_any(&any).unwrap();
    let error = Incoming::from(snapshot).import::<Sandbox>().unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn references_that_do_not_resolve_are_refused_on_import() {
    let app = |sandbox: &Sandbox| sandbox.container(&"app".into()).unwrap();
    let scsi = |sandbox: &Sandbox| sandbox.vm().unwrap().scsi().unwrap();
    import_refused(
        |s| app(s).state().layers.as_mut().unwrap().ro_layers[1].reservation_id = uuid(7),
        "pods/web/containers/app: lcow.v1.ContainerSnapshot.layers.ro_layers[1].reservation_id: \
         refers to scsi.reservation \"00000000-0000-0000-0000-000000000007\", which is not in vm/scsi: \
         lcow.v1.ScsiSnapshot.reservations",
    );
    import_refused(
        |s| app(s).state().layers.as_mut().unwrap().scratch.as_mut().unwrap().guest_path.push('x'),
        "but the reservation's mount is at",
    );
    import_refused(
        |s| app(s).state().scsi_reservation_ids[0] = uuid(7),
        "scsi_reservation_ids[0]: refers to scsi.reservation",
    );
    import_refused(
        |s| app(s).state().plan9_reservation_ids.push(uuid(7)),
        "plan9_reservation_ids[1]: refers to plan9.reservation",
    );
    import_refused(
        |s| app(s).state().vpci_vmbus_guids.push(uuid(7)),
        "vpci_vmbus_guids[1]: refers to vpci.device",
    );
    import_refused(|s| s.vm().unwrap().state().gcs_next_port = 0x4000_0001, "stdout_port");
    import_refused(|s| s.vm().unwrap().state().bridge_next_id = 2, "wait_call_id");
    import_refused(
        |s| app(s).state().container_id = "web".into(),
        "pods/web/containers/web: 2 controllers have this id",
    );
    import_refused(
        |s| {
            let pod = s.new_pod(NewPod { id: "p2".into(), ..NewPod::default() }).unwrap();
            pod.state().pod_id = "web".into();
        },
        "pods/web: 2 controllers have this id",
    );
    import_refused(
        |s| drop(scsi(s).state().disks.remove(&Slot::new(0, 1).unwrap())),
        "slot: refers to scsi.disk \"1\", which is not in lcow.v1.ScsiSnapshot.disks",
    );
    import_refused(
        |s| {
            let scsi = scsi(s);
            let mut state = scsi.state();
            let id = *state.reservations.keys().next().unwrap();
            state.reservations.get_mut(&id).unwrap().partition = u64::MAX;
        },
        "has no mount of partition 18446744073709551615",
    );
    import_refused(
        |s| {
            let scsi = scsi(s);
            let slot = Slot::new(0, 1).unwrap();
            scsi.state().disks.get_mut(&slot).unwrap().mounts.get_mut(&0).unwrap().ref_count = 9;
        },
        "is 9, but 1 reservations hold the mount",
    );
    import_refused(|s| scsi(s).state().num_controllers = 0, "is past the last slot");
    import_refused(
        |s| {
            scsi(s).state().disks.get_mut(&Slot::new(0, 1).unwrap()).unwrap().stage =
                DiskStage::Ejected
        },
        "is Ejected",
    );
}

/// Adds an empty pod.
fn second_pod(sandbox: &Sandbox) -> Arc<snapshot_examples::lcow::Pod> {
    sandbox.new_pod(NewPod { id: "p2".into(), ..NewPod::default() }).unwrap()
}

#[test]
fn a_container_in_two_pods_is_refused_on_import_and_names_both() {
    import_refused(
        |s| {
            let twin = NewContainer { id: "new".into(), ..NewContainer::default() };
            second_pod(s);
            let twin = s.new_container(&"p2".into(), twin).unwrap();
            twin.create().unwrap();
            twin.start().unwrap();
            twin.state().container_id = "app".into();
        },
        "pods/p2/containers/app: lcow.v1.ContainerSnapshot.container_id: defines container \"app\", \
         which is in pods/web/containers/app: lcow.v1.ContainerSnapshot.container_id already",
    );
}

#[test]
fn a_share_that_is_held_but_not_there_is_refused_on_import() {
    import_refused(
        |s| {
            let plan9 = s.vm().unwrap().plan9().unwrap();
            let mut state = plan9.state();
            let share = state.shares.remove(std::path::Path::new("/shared")).unwrap();
            state.shares.insert("/other".into(), share);
        },
        "refers to plan9.share \"/shared\", which is not in lcow.v1.Plan9Snapshot.shares",
    );
}

#[test]
fn what_is_held_twice_is_refused_on_import() {
    let app = |sandbox: &Sandbox| sandbox.container(&"app".into()).unwrap();
    import_refused(
        |s| {
            let app = app(s);
            let mut state = app.state();
            let channel = state.vpci_vmbus_guids[0];
            state.vpci_vmbus_guids.push(channel);
        },
        "vpci_vmbus_guids[1]: ",
    );
    import_refused(
        |s| {
            let app = app(s);
            let mut state = app.state();
            let id = state.plan9_reservation_ids[0];
            state.plan9_reservation_ids.push(id);
        },
        "plan9_reservation_ids[1]: ",
    );
}

#[test]
fn what_a_destination_would_refuse_is_not_saved_and_the_source_goes_on() {
    let source = start(&FakeHost::new());
    let app = source.container(&"app".into()).unwrap();
    let before = saved(&source);
    app.state().scsi_reservation_ids.push(uuid(7));
    let words = "scsi_reservation_ids[1]: refers to scsi.reservation";
    let manifest = snapshot_core::registry::registry().unwrap().manifest();
    refused(Source::new(&source).preflight(&manifest), Code::InvalidArgument, words);
    block_on(async {
        let frozen = Source::new(&source).freeze(&Session::new()).await.unwrap();
        refused(frozen.save(), Code::InvalidArgument, words);
        frozen.rollback().await.unwrap();
    });
    app.state().scsi_reservation_ids.pop();
    assert_eq!(saved(&source), before);
    save(&source);

    let id = app.state().plan9_reservation_ids[0];
    app.state().plan9_reservation_ids.push(id);
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    assert!(failure.to_string().contains("is there twice"), "{failure}");
    app.state().plan9_reservation_ids.pop();
    save(&source);
}

#[test]
fn lists_of_what_a_container_holds_keep_their_order() {
    use snapshot_examples::lcow::ContainerState;
    let ids = [uuid(9), uuid(1), uuid(5)].map(|id| id.to_string()).to_vec();
    let payload = snapshot_proto::lcow::v1::ContainerSnapshot {
        schema_version: 1,
        container_id: "c".into(),
        scsi_reservation_ids: ids.clone(),
        plan9_reservation_ids: ids.clone(),
        vpci_vmbus_guids: ids,
        ..Default::default()
    };
    let bytes = prost::Message::encode_to_vec(&payload);
    let state: ContainerState = snapshot_core::codec::from_bytes(&bytes).unwrap();
    assert_eq!(snapshot_core::codec::to_bytes(&state).unwrap(), bytes);
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

#[test]
fn stages_that_cannot_move_are_refused_on_import() {
    let web = |sandbox: &Sandbox| sandbox.container(&"web".into()).unwrap();
    import_refused(|s| web(s).state().stage = ContainerStage::Migrating, "Migrating");
    import_refused(|s| s.vm().unwrap().state().stage = VmStage::Migrating, "Migrating");
    import_refused(|s| s.vm().unwrap().state().stage = VmStage::Created, "Created");
    import_refused(
        |s| s.pods()[0].network().unwrap().state().stage = NetworkStage::TornDown,
        "TornDown",
    );
    import_refused(|s| web(s).init().unwrap().state().stage = ProcessStage::Created, "Created");
}

#[test]
fn a_number_of_controllers_that_no_vm_has_is_refused_without_allocating() {
    // schema_version 1, num_controllers 4294967295.
    let payload = b"\x08\x01\x10\xff\xff\xff\xff\x0f";
    let error = snapshot_core::codec::from_bytes::<snapshot_examples::lcow::ScsiState>(payload)
        .unwrap_err();
    assert!(error.to_string().contains("num_controllers"), "{error}");
    let five =
        snapshot_core::codec::from_bytes::<snapshot_examples::lcow::ScsiState>(b"\x08\x01\x10\x05");
    refused(five, Code::InvalidArgument, "num_controllers");
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
fn containers_are_found_whatever_their_order_in_the_payload() {
    let source = start(&FakeHost::new());
    source.pods()[0].state().containers.reverse();
    let restored = restore(save(&source), &session(&FakeHost::new(), plan())).unwrap();
    let pod = restored.pod(&"web-2".into()).unwrap();
    for id in ["app-2", "web-2"] {
        assert_eq!(pod.container(&id.into()).unwrap().id().as_str(), id);
    }
    assert_eq!(pod.containers()[0].id().as_str(), "app-2");
}

/// Other threads use the sandbox while it is frozen, saved and rolled back again and again: what was
/// saved is whole every time, and nothing is lost in the end.
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

/// Tries what a migration refuses until it is over.
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
