//! Controllers for the tests: any tree of a few types, and hooks that do what a [`Script`] says.

use std::collections::HashMap;
use std::future::Future;
use std::ops::DerefMut;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::codec::{Reader, Sealed, Single, Tag, Wire, WireField, Writer};
use crate::payload::TypeRef;
use crate::payload::{StageRules, StageVariant};
use crate::schema::Schema;
use crate::schema::kind::{self, Repeated, Singular};
use crate::visit::Visit;
use crate::{Child, Context, Controller, Error, Payload, Session, State};

pub(crate) const NEW: i32 = 0;
pub(crate) const RUNNING: i32 = 1;
pub(crate) const STOPPED: i32 = 2;
pub(crate) const DEAD: i32 = 3;
pub(crate) const FROZEN: i32 = 100;
pub(crate) const IMPORTED: i32 = 101;

const fn variant(name: &'static str, number: i32) -> StageVariant {
    StageVariant { name, number, transient: number >= FROZEN }
}

pub(crate) static RULES: StageRules = StageRules {
    variants: &[
        variant("New", NEW),
        variant("Running", RUNNING),
        variant("Stopped", STOPPED),
        variant("Dead", DEAD),
        variant("Frozen", FROZEN),
        variant("Imported", IMPORTED),
    ],
    save_from: &[RUNNING, STOPPED],
    freeze_to: Some(FROZEN),
    import_as: Some(IMPORTED),
    abort_to: Some(DEAD),
    carried: true,
};

/// A type of controller.
pub(crate) trait Sort: Send + Sync + 'static {
    type Message: Schema + prost::Message + prost::Name + Default;
    const TYPE_URL: &'static str;
    const MESSAGE_NAME: &'static str;
    const AFTER: &'static [TypeRef] = &[];
    const RULES: Option<&'static StageRules> = Some(&RULES);
}

macro_rules! sorts {
    ($($sort:ident $message:ident $full:literal { $($item:tt)* })*) => {$(
        #[derive(Clone, PartialEq, prost::Message, snapshot_derive::Schema)]
        pub(crate) struct $message {
            #[prost(uint32, tag = "1")]
            pub(crate) schema_version: u32,
            #[prost(string, tag = "2")]
            pub(crate) name: String,
            #[prost(int32, tag = "3")]
            pub(crate) stage: i32,
            #[prost(message, repeated, tag = "4")]
            pub(crate) children: Vec<prost_types::Any>,
        }

        impl prost::Name for $message {
            const NAME: &'static str = stringify!($message);
            const PACKAGE: &'static str = "test";
            fn full_name() -> String {
                $full.to_owned()
            }
            fn type_url() -> String {
                concat!("type.googleapis.com/", $full).to_owned()
            }
        }

        #[derive(Debug)]
        pub(crate) struct $sort;

        impl Sort for $sort {
            type Message = $message;
            const TYPE_URL: &'static str = concat!("type.googleapis.com/", $full);
            const MESSAGE_NAME: &'static str = $full;
            $($item)*
        }

        crate::register!(Thing<$sort>);
    )*};
}

sorts! {
    Box_ BoxSnapshot "test.BoxSnapshot" {}
    Disk DiskSnapshot "test.DiskSnapshot" {}
    Net NetSnapshot "test.NetSnapshot" {
        const RULES: Option<&'static StageRules> = None;
    }
    // Comes after disks and networks.
    Job JobSnapshot "test.JobSnapshot" {
        const AFTER: &'static [TypeRef] =
            &[TypeRef::of::<Thing<Disk>>(), TypeRef::of::<Thing<Net>>()];
    }
    // Comes after jobs.
    Tail TailSnapshot "test.TailSnapshot" {
        const AFTER: &'static [TypeRef] = &[TypeRef::of::<Thing<Job>>()];
    }
}

/// A controller of some sort.
pub(crate) struct Thing<S: Sort> {
    state: Mutex<ThingState<S>>,
}

pub(crate) struct ThingState<S: Sort> {
    pub(crate) name: String,
    pub(crate) stage: i32,
    pub(crate) children: Vec<Child<dyn Controller>>,
    sort: std::marker::PhantomData<S>,
}

pub(crate) type AnyChild = Child<dyn Controller>;

impl<S: Sort> Thing<S> {
    pub(crate) fn new(name: &str, children: impl IntoIterator<Item = AnyChild>) -> Arc<Self> {
        Self::in_stage(name, RUNNING, children)
    }

    pub(crate) fn in_stage(
        name: &str,
        stage: i32,
        children: impl IntoIterator<Item = AnyChild>,
    ) -> Arc<Self> {
        let children = children.into_iter().collect();
        let (name, sort) = (name.to_owned(), std::marker::PhantomData);
        Arc::new(Self { state: Mutex::new(ThingState { name, stage, children, sort }) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ThingState<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stage(&self) -> i32 {
        self.lock().stage
    }
}

impl<S: Sort> std::fmt::Debug for Thing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lock().name)
    }
}

/// A child of a sort, without children.
pub(crate) fn leaf<S: Sort>(name: &str) -> AnyChild {
    Child::of(Thing::<S>::new(name, []))
}

/// A child of a sort, with children.
pub(crate) fn node<S: Sort>(name: &str, children: impl IntoIterator<Item = AnyChild>) -> AnyChild {
    Child::of(Thing::<S>::new(name, children))
}

impl<S: Sort> Sealed for ThingState<S> {}

impl<S: Sort> Single for ThingState<S> {}

impl<S: Sort> Wire<kind::Message<S::Message>> for ThingState<S> {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        let mark = w.position();
        self.put_fields(w)?;
        w.length_since(mark);
        Ok(())
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.message(Self::take_fields)
    }

    fn is_default(&self) -> bool {
        false
    }
}

type Text = Singular<kind::String>;
type Number = Singular<kind::Int32>;
type Children = Repeated<kind::Any>;

impl<S: Sort> crate::__private::Keep for ThingState<S> {}

impl<S: Sort> State for ThingState<S> {
    type Message = S::Message;

    fn put_fields(&self, w: &mut Writer) -> Result<(), Error> {
        if self.name == "save panics" {
            panic!("while it was saved");
        }
        if self.name == "unsavable" {
            return Err(Error::invalid("cannot be saved").in_field("name"));
        }
        if self.name != "omits" {
            WireField::<Children>::put_field(&self.children, 4, w)
                .map_err(|error| error.in_field("children"))?;
        }
        WireField::<Number>::put_field(&self.stage, 3, w)?;
        WireField::<Text>::put_field(&self.name, 2, w)?;
        WireField::<Singular<kind::Uint32>>::put_field(&1u32, 1, w)?;
        Ok(())
    }

    fn take_fields_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
        crate::version::check_version::<Self>(r)?;
        let (mut version, mut name, mut stage, mut children) = Default::default();
        let mut errors = Vec::new();
        while let Some(tag) = r.tag()? {
            let (offset, Tag { number, wire_type }) = (r.offset(), tag);
            let (field, result) = match number {
                1 => {
                    let take = <u32 as WireField<Singular<kind::Uint32>>>::take_field;
                    ("schema_version", take(&mut version, tag, r))
                }
                2 => ("name", <String as WireField<Text>>::take_field(&mut name, tag, r)),
                3 => ("stage", <i32 as WireField<Number>>::take_field(&mut stage, tag, r)),
                4 => {
                    let take = <Vec<AnyChild> as WireField<Children>>::take_field;
                    ("children", take(&mut children, tag, r))
                }
                _ => {
                    let error = Error::invalid(format!("unknown field {number}"));
                    errors.push(r.locate(error, offset));
                    match r.recover(offset, wire_type) {
                        true => continue,
                        false => break,
                    }
                }
            };
            if let Err(error) = result {
                errors.push(r.locate(error.in_field(field), offset));
                if !r.recover(offset, wire_type) {
                    break;
                }
            }
        }
        let mut error = None;
        let name = <String as WireField<Text>>::finish_field(name, &mut error).unwrap();
        Error::collect(errors).map_err(|error| match name.as_str() {
            "" => error,
            name => error.with_name(name),
        })?;
        *slot = Some(Self {
            name,
            stage: <i32 as WireField<Number>>::finish_field(stage, &mut error).unwrap(),
            children: <Vec<AnyChild> as WireField<Children>>::finish_field(children, &mut error)
                .unwrap(),
            sort: std::marker::PhantomData,
        });
        Ok(())
    }

    fn visit_fields(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        if self.name == "hides" {
            return Ok(());
        }
        visit.field("children", |visit| WireField::<Children>::visit_field(&self.children, visit))
    }
}

impl<S: Sort> Payload for ThingState<S> {
    const TYPE_URL: &'static str = S::TYPE_URL;
    const MESSAGE_NAME: &'static str = S::MESSAGE_NAME;
    const VERSION: u32 = 1;
    const VERSION_FIELD: u32 = 1;
    const ID_FIELD: Option<u32> = Some(2);
    const STAGE_RULES: Option<&'static StageRules> = S::RULES;
    const AFTER: &'static [TypeRef] = S::AFTER;

    fn stage_number(&self) -> Option<i32> {
        S::RULES.map(|_| self.stage)
    }

    fn set_stage_number(&mut self, number: i32) -> Result<(), Error> {
        self.stage = number;
        Ok(())
    }

    fn own_name(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

impl<S: Sort> Controller for Thing<S> {
    type State = ThingState<S>;

    fn state(&self) -> impl DerefMut<Target = ThingState<S>> + '_ {
        self.lock()
    }

    fn import(state: ThingState<S>) -> Result<Self, Error> {
        match state.name.as_str() {
            "unfit" => Err(Error::precondition("does not fit this host")),
            "import panics" => panic!("while it was built"),
            _ => Ok(Self { state: Mutex::new(state) }),
        }
    }

    async fn freeze(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }

    async fn thaw(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }

    async fn commit(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }

    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }

    async fn resume(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }

    async fn abort(&self, cx: &Context) -> Result<(), Error> {
        Script::play(cx, self.stage()).await
    }
}

pub(crate) type Played<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
type Act = Arc<dyn for<'a> Fn(&'a Context) -> Played<'a> + Send + Sync>;

/// What the hooks do, and what they did.
#[derive(Default)]
pub(crate) struct Script {
    acts: Mutex<HashMap<String, Act>>,
    log: Mutex<Vec<String>>,
    stages: Mutex<Vec<(String, i32)>>,
}

impl Script {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A session in which hooks find this script.
    pub(crate) fn session(self: &Arc<Self>) -> Session {
        Session::new().resource(Arc::clone(self))
    }

    /// The hook that `step` names, as in `freeze vm/scsi`, does this; the others succeed.
    pub(crate) fn on(
        self: &Arc<Self>,
        step: &str,
        act: impl for<'a> Fn(&'a Context) -> Played<'a> + Send + Sync + 'static,
    ) -> Arc<Self> {
        self.acts.lock().unwrap().insert(step.to_owned(), Arc::new(act));
        Arc::clone(self)
    }

    /// Forgets what hooks do, and what they did.
    pub(crate) fn reset(&self) {
        self.acts.lock().unwrap().clear();
        self.take_log();
    }

    /// What happened since the last call: `freeze vm/scsi` when a hook began.
    pub(crate) fn take_log(&self) -> Vec<String> {
        self.stages.lock().unwrap().clear();
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// The stage that a controller was in when a hook began.
    pub(crate) fn stage_at(&self, step: &str) -> i32 {
        let stages = self.stages.lock().unwrap();
        stages.iter().rev().find(|(at, _)| at == step).unwrap_or_else(|| panic!("no {step}")).1
    }

    async fn play(cx: &Context, stage: i32) -> Result<(), Error> {
        let Ok(script) = cx.resource::<Script>() else { return Ok(()) };
        let step = format!("{} {}", cx.phase(), cx.id());
        script.log.lock().unwrap().push(step.clone());
        script.stages.lock().unwrap().push((step.clone(), stage));
        let act = script.acts.lock().unwrap().get(&step).cloned();
        match act {
            Some(act) => act(cx).await,
            None => Ok(()),
        }
    }
}

/// Fails.
pub(crate) fn fail(cx: &Context) -> Played<'_> {
    let step = format!("no {} today", cx.phase());
    Box::pin(async { Err(Error::precondition(step)) })
}

/// Panics at its first step.
pub(crate) fn panics(_: &Context) -> Played<'_> {
    Box::pin(async { panic!("on purpose") })
}

/// Never returns, and does not listen.
pub(crate) fn hangs(_: &Context) -> Played<'_> {
    Box::pin(std::future::pending())
}

/// Waits until it is told to stop.
pub(crate) fn listens(cx: &Context) -> Played<'_> {
    Box::pin(async {
        cx.cancelled().await;
        Err(Error::new(crate::Code::Cancelled, "stopped as told"))
    })
}

/// Runs a future that may go from thread to thread: every poll is on a new one.
pub(crate) fn run_on_threads<T: Send>(future: impl Future<Output = T> + Send) -> T {
    struct Wake(std::sync::mpsc::Sender<()>);

    impl std::task::Wake for Wake {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    let (send, woken) = std::sync::mpsc::channel();
    let waker = Arc::new(Wake(send)).into();
    let mut future = std::pin::pin!(future);
    loop {
        let polled = std::thread::scope(|scope| {
            let future = future.as_mut();
            let waker = &waker;
            scope.spawn(move || future.poll(&mut std::task::Context::from_waker(waker))).join()
        });
        match polled.unwrap() {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => woken.recv().unwrap(),
        }
    }
}

/// Keeps the error events of everything that runs with it, as text, or those of another level.
#[derive(Clone)]
pub(crate) struct Events(tracing::Level, Arc<Mutex<Vec<String>>>);

impl Default for Events {
    fn default() -> Self {
        Self::of(tracing::Level::ERROR)
    }
}

impl Events {
    /// Keeps the events of this level.
    pub(crate) fn of(level: tracing::Level) -> Self {
        Self(level, Arc::default())
    }

    pub(crate) fn capture<T>(&self, run: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(self.clone(), run)
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }

    /// Whether an event has all these parts.
    pub(crate) fn has(&self, parts: &[&str]) -> bool {
        self.all().iter().any(|event| parts.iter().all(|part| event.contains(part)))
    }
}

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == self.0
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.0.into())
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);

        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                use std::fmt::Write;
                let _ = write!(self.0, "{field}={value:?} ");
            }
        }

        let mut text = Text(String::new());
        event.record(&mut text);
        self.1.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
