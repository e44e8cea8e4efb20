//! Controllers for these tests, and the events that a subscriber receives.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use snapshot_core::registry::{Manifest, registry};
use snapshot_core::{Controller, Error, Source};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

/// Messages of a package: each controller has its own message, and each of these modules its own package.
macro_rules! messages {
    ($package:literal) => {
        #[allow(dead_code, reason = "not every module uses all of it")]
        pub(crate) mod pb {
            use std::collections::HashMap;

            use snapshot_core::Schema;

            #[derive(Clone, PartialEq, Schema, ::prost::Message)]
            pub(crate) struct Tree {
                #[prost(uint32, tag = "1")]
                pub schema_version: u32,
                #[prost(message, repeated, tag = "2")]
                pub children: Vec<prost_types::Any>,
                #[prost(message, optional, tag = "3")]
                pub only: Option<prost_types::Any>,
            }

            #[derive(Clone, PartialEq, Schema, ::prost::Message)]
            pub(crate) struct Disk {
                #[prost(uint32, tag = "1")]
                pub schema_version: u32,
                #[prost(string, tag = "2")]
                pub name: String,
                #[prost(uint32, tag = "3")]
                pub queues: u32,
                #[prost(uint32, repeated, tag = "4")]
                pub sizes: Vec<u32>,
                #[prost(map = "uint32, uint32", tag = "5")]
                pub owners: HashMap<u32, u32>,
                #[prost(message, optional, tag = "6")]
                pub first: Option<Part>,
                #[prost(message, repeated, tag = "7")]
                pub parts: Vec<Part>,
                #[prost(oneof = "Form", tags = "8, 9")]
                pub form: Option<Form>,
                #[prost(uint64, tag = "10")]
                pub timeout: u64,
                #[prost(string, repeated, tag = "11")]
                pub users: Vec<String>,
                #[prost(enumeration = "Stage", tag = "12")]
                pub stage: i32,
            }

            #[derive(Clone, PartialEq, Schema, ::prost::Message)]
            pub(crate) struct Part {
                #[prost(string, tag = "1")]
                pub label: String,
                #[prost(uint32, tag = "2")]
                pub blocks: u32,
            }

            #[derive(Clone, PartialEq, Schema, ::prost::Oneof)]
            pub(crate) enum Form {
                #[prost(message, tag = "8")]
                Raw(Part),
                #[prost(uint32, tag = "9")]
                Sparse(u32),
            }

            #[derive(
                Clone,
                Copy,
                Debug,
                PartialEq,
                Eq,
                Hash,
                PartialOrd,
                Ord,
                Schema,
                ::prost::Enumeration,
            )]
            #[repr(i32)]
            pub(crate) enum Stage {
                Stopped = 0,
                Running = 1,
            }

            impl ::prost::Name for Tree {
                const NAME: &'static str = "Tree";
                const PACKAGE: &'static str = $package;
            }
            impl ::prost::Name for Disk {
                const NAME: &'static str = "Disk";
                const PACKAGE: &'static str = $package;
            }
            impl ::prost::Name for Part {
                const NAME: &'static str = "Part";
                const PACKAGE: &'static str = $package;
            }
        }
    };
}

pub(crate) use messages;

pub(crate) fn theirs() -> Manifest {
    registry().unwrap().manifest()
}

/// The error of a preflight of a tree.
pub(crate) fn preflight<C: Controller>(root: &Arc<C>) -> Vec<String> {
    texts(Source::new(root).preflight(&theirs()).unwrap_err())
}

/// Each finding as text.
pub(crate) fn texts(error: Error) -> Vec<String> {
    error.findings().map(ToString::to_string).collect()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a function on its own thread, and fails if it does not end.
pub(crate) fn ends<T: Debug + Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(run()));
    receive.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|_| panic!("did not end"))
}

/// Records the events of level WARN and above: each field by its name.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<HashMap<String, String>>>>);

impl Events {
    pub(crate) fn capture<T>(&self, run: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(self.clone(), run)
    }

    /// The number of events with this message and these fields.
    pub(crate) fn count(&self, message: &str, fields: &[(&str, &str)]) -> usize {
        let has = |event: &HashMap<String, String>, name: &str, value: &str| {
            event.get(name).is_some_and(|found| found.contains(value))
        };
        let is_it = |event: &&HashMap<String, String>| {
            has(event, "message", message)
                && fields.iter().all(|(name, value)| has(event, name, value))
        };
        lock(&self.0).iter().filter(is_it).count()
    }

    /// Waits for such an event.
    pub(crate) fn wait_for(&self, message: &str, fields: &[(&str, &str)]) {
        for _ in 0..120_000 {
            if self.count(message, fields) > 0 {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("no event {message:?} with {fields:?}: {:?}", lock(&self.0));
    }
}

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(HashMap<String, String>);

        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.0.insert(field.name().to_owned(), format!("{value:?}"));
            }
        }

        let mut fields = Fields(HashMap::new());
        event.record(&mut fields);
        lock(&self.0).push(fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
