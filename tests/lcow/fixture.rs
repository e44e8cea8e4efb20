//! A complete sandbox, a plan for its migration, and a migration in one call.

use std::sync::Arc;

use futures_executor::block_on;
use snapshot_core::{Code, Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_examples::lcow::host::ProcessIo;
use snapshot_examples::lcow::{
    ContainerPlan, DiskConfig, FakeHost, LayerPaths, MountConfig, NewContainer, NewPod, NewProcess,
    NewVm, PatchPlan, PodPlan, Sandbox, ShareConfig,
};

/// A sandbox with a pod `web` of two containers: its sandbox container, and `app` with layers, a
/// share and a device. Built by the operations that a shim uses.
pub(crate) fn start(host: &Arc<FakeHost>) -> Arc<Sandbox> {
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

pub(crate) fn plan() -> PatchPlan {
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

pub(crate) fn session(host: &Arc<FakeHost>, plan: PatchPlan) -> Session {
    Session::new().resource(Arc::new(host.handle())).resource(Arc::new(plan))
}

pub(crate) fn save(sandbox: &Arc<Sandbox>) -> Snapshot {
    block_on(async {
        let frozen = Source::new(sandbox).freeze(&Session::new()).await.unwrap();
        let snapshot = frozen.save().unwrap();
        frozen.rollback().await.unwrap();
        snapshot
    })
}

pub(crate) fn restore(snapshot: Snapshot, session: &Session) -> Result<Arc<Sandbox>, Error> {
    block_on(async {
        let imported = Incoming::from(snapshot).import::<Sandbox>()?;
        let patched = imported.patch(session).await.map_err(|failure| failure.into_error())?;
        patched.resume(session).await.map_err(|failure| failure.into_error())
    })
}

/// The saved state of a sandbox, to compare before and after. It does not depend on the order of hash
/// maps.
pub(crate) fn saved(sandbox: &Sandbox) -> Vec<u8> {
    snapshot_core::codec::to_bytes(&*sandbox.state()).unwrap()
}

/// Asserts that the operation is refused with this code and this text.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, Error>, code: Code, words: &str) {
    let Err(error) = result else { panic!("is not refused: {words}") };
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}
