//! What `tracing` is told: the fields that the front page documents, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

use super::order::{freeze, import, tree};
use super::*;

/// The fields of the spans and events that were met, by name or message.
#[derive(Clone, Default)]
struct Met(Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>);

#[derive(Default)]
struct Fields {
    message: String,
    names: BTreeSet<String>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => drop(self.names.insert(name.to_owned())),
        }
    }
}

impl Met {
    fn meet(&self, name: String, fields: BTreeSet<String>) {
        self.0.lock().unwrap().entry(name).or_default().extend(fields);
    }
}

impl tracing::Subscriber for Met {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.meet(format!("span {}", span.metadata().name()), fields.names);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.meet(fields.message, fields.names);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn spans_and_events_have_the_documented_fields_and_no_others() {
    // A thread of another test, which has no subscriber, may be the first to come to a span or an event.
    // While this test has the only subscriber, tracing then records that nobody wants it, until the
    // next subscriber comes. So a first run visits all of them.
    let run = || {
        let met = Met::default();
        tracing::subscriber::with_default(met.clone(), || {
            let (here, there) = (Script::new(), Script::new());
            let root = tree();
            let frozen = freeze(&root, &here);
            there.on("patch children/net", fail);
            block_on(import(&frozen).patch(&there.session())).unwrap_err();
            block_on(frozen.commit()).unwrap();
        });
        met.0.lock().unwrap().clone()
    };
    run();
    let met = run();
    let documented =
        ["phase", "controller", "type_url", "controllers", "bytes", "took", "limit", "error"];
    for (name, fields) in &met {
        for field in fields {
            assert!(documented.contains(&field.as_str()), "{name}: {field}");
        }
    }
    let has = |name: &str, fields: &[&str]| {
        let found = met.get(name).unwrap_or_else(|| panic!("no {name}: {met:?}"));
        assert!(fields.iter().all(|field| found.contains(*field)), "{name}: {found:?}");
    };
    has("span phase", &["phase", "controllers"]);
    has("span controller", &["controller", "type_url", "phase"]);
    has("done", &["took", "controllers", "bytes"]);
    has("failed", &["took", "error"]);
    has("hook done", &["controller", "type_url", "phase", "took"]);
    has("hook failed", &["controller", "type_url", "phase", "took", "error"]);
}
