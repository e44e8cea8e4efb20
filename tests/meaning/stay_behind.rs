//! Parts of a state that may stay behind, where the destination does not have them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::codec::{to_bytes, to_bytes_as};
use snapshot_core::evolution::compatible;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::registry::{Manifest, Registration, Registry, registry};
use snapshot_core::{Child, Code, Context, Controller, Error, Incoming, Session, Snapshot, Source};

use crate::pb;

/// The names of the controllers whose commit has run.
static COMMITTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The engine of a graphics card.
pub(crate) mod engine {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = Engine, version = 1, controller = Build)]
    pub(crate) struct State {
        pub(crate) size: u64,
    }

    #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
    pub(crate) struct Engine {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(uint64, tag = "2")]
        pub size: u64,
    }

    impl prost::Name for Engine {
        const NAME: &'static str = "Engine";
        const PACKAGE: &'static str = "meaning.v1";
    }
    controller!(Build);
}

/// A graphics card, which the older build does not know.
pub(crate) mod gpu {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = pb::Gpu, version = 1, controller = Gpu)]
    pub(crate) struct State {
        pub(crate) is_idle: bool,
        pub(crate) engine: Option<Child<engine::Build>>,
    }

    pub(crate) struct Gpu(Mutex<State>);

    impl Gpu {
        pub(crate) fn new(is_idle: bool) -> Self {
            let engine = Child::new(engine::Build::new(engine::State { size: 3 }));
            Self(Mutex::new(State { is_idle, engine: Some(engine) }))
        }
    }

    impl Controller for Gpu {
        type State = State;

        fn state(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn import(state: State) -> Result<Self, Error> {
            Ok(Self(Mutex::new(state)))
        }

        async fn commit(&self, cx: &Context) -> Result<(), Error> {
            COMMITTED.lock().unwrap().insert(cx.id().to_string());
            Ok(())
        }
    }
}

fn is_small(hints: &u32) -> bool {
    *hints < 100
}

fn is_idle(gpu: &Option<Child<gpu::Gpu>>) -> bool {
    gpu.as_ref().is_none_or(|gpu| gpu.with_state(|state| state.is_idle).unwrap_or_default())
}

fn are_idle(devices: &[Child<dyn Controller>]) -> bool {
    devices
        .iter()
        .all(|device| device.downcast::<gpu::Gpu>().is_some_and(|gpu| gpu.state().is_idle))
}

/// The newer build: version 2.
mod newer {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = pb::Host, version = 2, accept(version = 1), controller = Host)]
    pub(crate) struct State {
        pub(crate) name: String,
        #[snapshot(since = 2, may_stay_behind = is_small)]
        pub(crate) hints: u32,
        #[snapshot(since = 2, may_stay_behind = is_idle)]
        pub(crate) gpu: Option<Child<gpu::Gpu>>,
        #[snapshot(may_stay_behind = are_idle)]
        pub(crate) devices: Vec<Child<dyn Controller>>,
    }
    controller!(Host);
}

/// The older build: version 1, without graphics cards.
mod older {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = Saved, version = 1)]
    pub(crate) struct State {
        pub(crate) name: String,
        pub(crate) devices: Vec<Child<dyn Controller>>,
    }

    /// The message as it was before version 2.
    #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
    pub(crate) struct Saved {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(message, repeated, tag = "5")]
        pub devices: Vec<prost_types::Any>,
    }

    impl prost::Name for Saved {
        const NAME: &'static str = "Host";
        const PACKAGE: &'static str = "meaning.v1";
    }
    controller!(Host);
}

fn host(hints: u32, gpu: Option<bool>, devices: &[bool]) -> Arc<newer::Host> {
    let device = |is_idle: &bool| Child::of(gpu::Gpu::new(*is_idle));
    Arc::new(newer::Host::new(newer::State {
        name: "a".into(),
        hints,
        gpu: gpu.map(|is_idle| Child::new(gpu::Gpu::new(is_idle))),
        devices: devices.iter().map(device).collect(),
    }))
}

fn older_manifest() -> Manifest {
    Registry::new([Registration::of::<older::Host>()]).unwrap().manifest()
}

/// The findings of a preflight about what stays behind.
fn left(source: &Source<newer::Host>, theirs: &Manifest) -> Result<Vec<String>, Error> {
    let preflight = source.preflight(theirs)?;
    Ok(preflight.left_behind.iter().map(ToString::to_string).collect())
}

const OLDER: &str = "stays behind: the version that the destination reads does not have the field";

#[test]
fn what_stays_behind_is_reported_before_the_freeze_and_the_rest_arrives() {
    let host = host(7, Some(true), &[]);
    let source = Source::new(&host);
    let left = left(&source, &older_manifest()).unwrap();
    assert_eq!(
        left,
        [
            format!(".: meaning.v1.Host.hints: {OLDER}"),
            format!(".: meaning.v1.Host.gpu: {OLDER}"),
            "gpu: stays behind".to_owned(),
        ]
    );
    let session = Session::new();
    let frozen = block_on(source.freeze(&session)).unwrap();
    let bytes = frozen.save().unwrap().into_bytes();
    // A second save is the same.
    assert_eq!(frozen.save().unwrap().into_bytes(), bytes);
    let imported = Incoming::open(bytes).unwrap().import::<older::Host>().unwrap();
    let live = block_on(block_on(imported.patch(&session)).unwrap().resume(&session)).unwrap();
    assert_eq!(live.state().name, "a");
    COMMITTED.lock().unwrap().clear();
    block_on(frozen.commit()).unwrap();
    // What stays behind is over with its source.
    assert!(COMMITTED.lock().unwrap().contains("gpu"));
}

#[test]
fn what_its_rule_does_not_let_stay_behind_refuses_the_migration_by_name() {
    let error = |hints, gpu| {
        let host = host(hints, gpu, &[]);
        left(&Source::new(&host), &older_manifest()).unwrap_err().to_string()
    };
    let lost = "exists from version 2 on and is not at its default: it would be lost in version 1";
    assert_eq!(error(100, None), format!(".: meaning.v1.Host.hints: {lost}"));
    let busy = error(0, Some(false));
    assert!(busy.contains(&format!(".: meaning.v1.Host.gpu: {lost}")), "{busy}");
    assert!(busy.contains("meaning.v1.Gpu: no controller is registered for it"), "{busy}");
}

#[test]
fn controllers_that_the_destination_does_not_have_stay_behind_as_a_whole() {
    let host = host(0, None, &[true, true]);
    let source = Source::new(&host);
    let left = left(&source, &older_manifest()).unwrap();
    assert_eq!(
        left,
        [
            ".: meaning.v1.Host.devices: stays behind: the destination does not have the controllers in it",
            "devices/0: stays behind",
            "devices/1: stays behind",
        ]
    );
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let snapshot = frozen.save().unwrap();
    let imported = Incoming::open(snapshot).unwrap().import::<older::Host>().unwrap();
    assert!(imported.root().state().devices.is_empty());
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_busy_controller_that_the_destination_does_not_have_refuses_the_migration() {
    let host = host(0, None, &[true, false]);
    let error = left(&Source::new(&host), &older_manifest()).unwrap_err().to_string();
    assert!(error.contains("meaning.v1.Gpu: no controller is registered for it"), "{error}");
}

#[test]
fn a_controller_that_the_destination_has_takes_its_field_along() {
    let host = host(0, None, &[true]);
    let engine = engine::Build::new(engine::State { size: 1 });
    host.state().devices.push(Child::of(engine));
    let mut theirs = older_manifest();
    let known = Registry::new([Registration::of::<engine::Build>()]).unwrap().manifest();
    theirs.payloads.extend(known.payloads);
    theirs.messages.extend(known.messages);
    let error = left(&Source::new(&host), &theirs).unwrap_err().to_string();
    assert!(error.contains("meaning.v1.Gpu: no controller is registered for it"), "{error}");
}

#[test]
fn nothing_stays_behind_for_a_destination_that_has_everything() {
    let host = host(7, Some(true), &[true]);
    let source = Source::new(&host);
    assert!(left(&source, &registry().unwrap().manifest()).unwrap().is_empty());
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let imported = Incoming::open(frozen.save().unwrap()).unwrap().import::<newer::Host>().unwrap();
    assert_eq!(imported.root().state().hints, 7);
    assert!(imported.root().state().gpu.is_some());
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn what_no_preflight_has_reported_does_not_stay_behind() {
    let host = host(0, None, &[]);
    let source = Source::new(&host);
    assert!(left(&source, &older_manifest()).unwrap().is_empty());
    host.state().hints = 7;
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let error = frozen.save().unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(
        error.to_string(),
        ".: meaning.v1.Host.hints: would stay behind, and the last preflight has not reported it: roll back, \
         and run the preflight again"
    );
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn without_a_preflight_nothing_stays_behind() {
    let host = host(7, None, &[]);
    let error = to_bytes_as(&*host.state(), 1).unwrap_err().to_string();
    assert!(error.starts_with("hints: exists from version 2 on"), "{error}");
    assert!(to_bytes(&*host.state()).is_ok());
}

#[test]
fn manifest_and_lock_say_what_may_stay_behind() {
    let manifest = Registry::new([Registration::of::<newer::Host>()]).unwrap().manifest();
    let host = manifest.messages.iter().find(|message| message.name == "meaning.v1.Host").unwrap();
    let texts: Vec<String> =
        host.fields.iter().flat_map(|field| &field.meanings).map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "mapped",
            "default absent; may stay behind",
            "type.googleapis.com/meaning.v1.Gpu; default absent; may stay behind",
            "may stay behind",
        ]
    );
    let lock = Lock::of(&manifest).unwrap();
    assert_eq!(lock.to_string().parse::<Lock>().unwrap(), lock);
    // It is about what the source does, so no peer notices.
    let mut without = manifest.clone();
    for field in without.messages.iter_mut().flat_map(|message| &mut message.fields) {
        field.meanings.iter_mut().for_each(|meaning| meaning.may_stay_behind = false);
    }
    let report = compatible(&manifest, &without);
    let host = report.payloads.iter().find(|one| one.type_url.ends_with("Host")).unwrap();
    let reason =
        "field 3 (hints) may stay behind at the source and never stays behind at the destination";
    assert!(host.same.iter().any(|difference| difference.reason == reason), "{:?}", host.same);
    assert!(host.tolerable.is_empty());
}
