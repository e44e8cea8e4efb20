//! A package that was renamed, and the version that a state was read from.

use std::sync::Arc;

use futures_executor::block_on;
use prost::Message;
use snapshot_core::codec::{from_any_bytes, from_bytes, to_any_bytes};
use snapshot_core::evolution::{Verdict, compatible};
use snapshot_core::registry::{Registration, Registry};
use snapshot_core::{Child, Controller, Incoming, Session, Snapshot, Source};

mod renamed {
    use snapshot_core::Schema;

    /// The message of `meaning.v1.Policy` under the new name of its package.
    #[derive(Clone, PartialEq, Schema, prost::Message)]
    pub(crate) struct Rule {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(uint64, tag = "2")]
        pub size: u64,
        #[prost(uint64, tag = "3")]
        pub more: u64,
    }

    impl prost::Name for Rule {
        const NAME: &'static str = "Rule";
        const PACKAGE: &'static str = "renamed.v2";
    }

    /// Version 1, before the package was renamed.
    #[derive(Clone, PartialEq, Schema, prost::Message)]
    pub(crate) struct OldRule {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(uint64, tag = "2")]
        pub size: u64,
    }

    impl prost::Name for OldRule {
        const NAME: &'static str = "Rule";
        const PACKAGE: &'static str = "renamed.v1";
    }
}

mod old {
    use super::*;

    #[derive(Snapshot, Debug)]
    #[snapshot(message = renamed::OldRule, version = 1)]
    pub(crate) struct State {
        pub(super) size: u64,
    }
    controller!(Rule);
}

mod new {
    use super::*;

    #[derive(Snapshot, Debug, PartialEq)]
    #[snapshot(message = renamed::Rule, version = 3, accept(version = 2))]
    #[snapshot(accept(
        version = 1,
        message = renamed::OldRule,
        upgrade = from_old,
        type_url = "type.googleapis.com/renamed.v1.Rule"
    ))]
    pub(crate) struct State {
        pub(super) size: u64,
        #[snapshot(since = 3)]
        pub(super) more: u64,
        #[snapshot(read_version)]
        pub(super) read_from: u32,
    }

    fn from_old(old: renamed::OldRule) -> Result<renamed::Rule, String> {
        Ok(renamed::Rule { size: old.size, ..Default::default() })
    }
    controller!(Rule);
}

#[test]
fn a_payload_from_before_its_package_was_renamed_is_read() {
    let bytes = to_any_bytes(&old::State { size: 7 }).unwrap();
    let read: new::State = from_any_bytes(&bytes).unwrap();
    assert_eq!(read, new::State { size: 7, more: 0, read_from: 1 });
    // Under another type URL it is not.
    let error =
        from_any_bytes::<old::State>(&to_any_bytes(&read).unwrap()).unwrap_err().to_string();
    assert!(error.contains("has type URL"), "{error}");
}

#[test]
fn the_registry_and_the_manifest_know_the_older_type_url() {
    let [old, new] = [Registration::of::<old::Rule>(), Registration::of::<new::Rule>()]
        .map(|registration| Registry::new([registration]).unwrap());
    let found = new.get("type.googleapis.com/renamed.v1.Rule").unwrap();
    assert_eq!(found.info().type_url, "type.googleapis.com/renamed.v2.Rule");
    let manifest = new.manifest();
    assert_eq!(manifest.payloads[0].older[0].type_url, "type.googleapis.com/renamed.v1.Rule");
    let report = compatible(&old.manifest(), &manifest);
    assert_eq!(report.payloads[0].verdict, Verdict::ReadableAfterUpgrade { version: 1 });
    let back = compatible(&manifest, &old.manifest());
    assert_eq!(back.payloads[0].verdict, Verdict::Missing);
}

/// A newer build that also saves payloads that the build before the renaming reads.
mod both {
    use super::*;

    #[derive(Snapshot, Debug, PartialEq)]
    #[snapshot(message = Rule, version = 2, controller = Root)]
    #[snapshot(accept(
        version = 1,
        message = renamed::OldRule,
        upgrade = from_old,
        downgrade = to_old,
        type_url = "type.googleapis.com/renamed.v1.Rule"
    ))]
    pub(crate) struct State {
        pub(super) size: u64,
        pub(super) more: u64,
    }

    /// The message in its new package, as this program's only payload of it.
    #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
    pub(crate) struct Rule {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(uint64, tag = "2")]
        pub size: u64,
        #[prost(uint64, tag = "3")]
        pub more: u64,
    }

    impl prost::Name for Rule {
        const NAME: &'static str = "Rule";
        const PACKAGE: &'static str = "renamed.v3";
    }

    fn from_old(old: renamed::OldRule) -> Result<Rule, String> {
        Ok(Rule { size: old.size, ..Default::default() })
    }

    fn to_old(new: Rule) -> Result<renamed::OldRule, String> {
        match new.more {
            0 => Ok(renamed::OldRule { size: new.size, ..Default::default() }),
            more => Err(format!("more is {more}")),
        }
    }
    controller!(Root);
}

/// A controller above the rule, so that its payload is inside of another.
mod above {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = Above, version = 1, controller = Root)]
    pub(crate) struct State {
        pub(super) rule: Child<dyn Controller>,
    }

    #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
    pub(crate) struct Above {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(message, optional, tag = "2")]
        pub rule: Option<prost_types::Any>,
    }

    impl prost::Name for Above {
        const NAME: &'static str = "Above";
        const PACKAGE: &'static str = "renamed.v3";
    }
    controller!(Root);
}

#[test]
fn a_peer_that_knows_only_the_earlier_type_url_gets_it() {
    let theirs = Registry::new([Registration::of::<old::Rule>()]).unwrap().manifest();
    let ours = Registry::new([Registration::of::<both::Root>()]).unwrap().manifest();
    let report = compatible(&ours, &theirs);
    assert_eq!(report.payloads[0].verdict, Verdict::WritableAs { version: 1 });

    let root = Arc::new(both::Root::new(both::State { size: 7, more: 0 }));
    let source = Source::new(&root);
    source.preflight(&theirs).unwrap();
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let snapshot = frozen.save().unwrap();
    assert_eq!(snapshot.type_url(), "type.googleapis.com/renamed.v1.Rule");
    let imported = Incoming::open(snapshot).unwrap().import::<old::Rule>().unwrap();
    assert_eq!(imported.root().state().size, 7);
    block_on(frozen.rollback()).unwrap();

    // What the earlier version cannot express is refused before the freeze.
    root.state().more = 3;
    let error = Source::new(&root).preflight(&theirs).unwrap_err().to_string();
    assert!(error.contains("cannot be saved as version 1: more is 3"), "{error}");
}

#[test]
fn a_child_has_the_earlier_type_url_too() {
    let above = Registration::of::<above::Root>();
    let theirs = Registry::new([above, Registration::of::<old::Rule>()]).unwrap().manifest();
    let child = Child::of(both::Root::new(both::State { size: 7, more: 0 }));
    let root = Arc::new(above::Root::new(above::State { rule: child }));
    let source = Source::new(&root);
    source.preflight(&theirs).unwrap();
    let frozen = block_on(source.freeze(&Session::new())).unwrap();
    let snapshot = frozen.save().unwrap();
    let saved = above::Above::decode(snapshot.payload()).unwrap();
    assert_eq!(saved.rule.unwrap().type_url, "type.googleapis.com/renamed.v1.Rule");
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_state_knows_the_version_that_it_was_read_from() {
    for (version, more) in [(3, 9), (2, 0)] {
        let message = renamed::Rule { schema_version: version, size: 1, more };
        let read: new::State = from_bytes(&message.encode_to_vec()).unwrap();
        assert_eq!(read.read_from, version);
    }
    let older = renamed::OldRule { schema_version: 1, size: 1 };
    assert_eq!(from_bytes::<new::State>(&older.encode_to_vec()).unwrap().read_from, 1);
}
