//! The generated code compiles in every scope where the user's code compiles.

use snapshot_core::testing::contract;

/// No prelude, and shadowed names that generated code might use.
#[no_implicit_prelude]
mod bare {
    #![allow(dead_code, non_camel_case_types, reason = "they are here to be in the way")]

    use ::snapshot_core::Snapshot;
    use ::snapshot_proto::example::v1 as example;
    use ::snapshot_proto::fixture::v1 as pb;

    // The names of the prelude.
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct String;
    struct Vec;
    struct Box;
    trait Default {}
    trait From {}
    trait TryFrom {}
    trait Into {}
    trait Clone {}
    trait Iterator {}
    trait Send {}
    trait Sized {}
    // The names in generated code.
    trait State {}
    trait Payload {}
    trait Stage {}
    trait Wire {}
    trait WireField {}
    struct Reader;
    struct Writer;
    struct Error;
    struct Tag;
    mod core {}
    mod std {}
    mod prost {}
    mod inventory {}
    mod snapshot_core {}
    // The names of the language.
    struct bool;
    struct u32;
    struct i32;
    struct usize;
    struct str;
    struct u8;
    type Text = ::std::string::String;
    type Number = ::std::primitive::u32;

    #[derive(Snapshot)]
    #[snapshot(
        message = example::DiskSnapshot,
        version = 1,
        controller = Disk,
        save_from(Attached),
        freeze_to = Frozen,
        abort_to = Ejected,
        validate = any
    )]
    pub(super) struct DiskState {
        #[snapshot(range = ..5)]
        pub(super) size: ::std::primitive::u64,
        #[snapshot(id, max = 7)]
        pub(super) image: Text,
        #[snapshot(stage)]
        pub(super) stage: DiskStage,
        #[snapshot(skip)]
        pub(super) cache: ::std::option::Option<Number>,
    }

    fn any(_: &DiskState) -> ::std::result::Result<(), Text> {
        ::std::result::Result::Ok(())
    }

    #[derive(Snapshot)]
    #[snapshot(stage = example::disk_snapshot::Stage)]
    pub(super) enum DiskStage {
        Reserved,
        Attached,
        Ejected,
        #[snapshot(transient)]
        Frozen,
    }

    pub(super) struct Disk(pub(super) ::std::sync::Mutex<DiskState>);

    impl ::snapshot_core::Controller for Disk {
        type State = DiskState;

        fn state(&self) -> impl ::std::ops::DerefMut<Target = DiskState> + '_ {
            self.0.lock().unwrap_or_else(::std::sync::PoisonError::into_inner)
        }

        fn import(state: DiskState) -> ::std::result::Result<Self, ::snapshot_core::Error> {
            ::std::result::Result::Ok(Disk(::std::sync::Mutex::new(state)))
        }
    }

    #[derive(Snapshot)]
    #[snapshot(transparent, validate = any_id)]
    pub(super) struct Id(pub(super) Text);

    fn any_id(_: &Id) -> ::std::result::Result<(), Text> {
        ::std::result::Result::Ok(())
    }

    #[derive(Snapshot)]
    #[snapshot(oneof = pb::choice::Interleaved)]
    pub(super) enum Choice {
        Low(Number),
        Middle(Id),
        High(::std::primitive::bool),
    }

    #[derive(Snapshot)]
    #[snapshot(message = pb::Choice, ignore(kind, before, after))]
    pub(super) struct Choices {
        #[snapshot(with = ::snapshot_core::codec::millis)]
        pub(super) last: ::std::time::Duration,
        pub(super) interleaved: ::std::option::Option<Choice>,
        pub(super) between: Number,
    }

    #[derive(Snapshot)]
    #[snapshot(message = example::VolumeSnapshot, version = 3, accept(version = 2))]
    #[snapshot(accept(version = 1, message = example::VolumeSnapshotV1, upgrade = up, downgrade = down))]
    pub(super) struct Volume {
        #[snapshot(since = 3)]
        pub(super) image: Text,
        pub(super) size: ::std::primitive::u64,
        #[snapshot(since = 3, default = 7)]
        pub(super) operations_per_second: Number,
    }

    fn up(old: example::VolumeSnapshotV1) -> ::std::result::Result<example::VolumeSnapshot, Text> {
        ::std::result::Result::Ok(example::VolumeSnapshot {
            schema_version: 0,
            image: ::std::default::Default::default(),
            size: ::std::convert::From::from(old.size_mib),
            operations_per_second: 0,
        })
    }

    fn down(
        new: example::VolumeSnapshot,
    ) -> ::std::result::Result<example::VolumeSnapshotV1, Text> {
        ::std::result::Result::Ok(example::VolumeSnapshotV1 {
            schema_version: 0,
            image: new.image,
            size_mib: new.size as Number,
        })
    }
}

#[test]
fn it_compiles_without_a_prelude_and_between_types_of_the_same_names() {
    use snapshot_core::codec::{from_bytes, to_bytes};
    use snapshot_core::{Child, Payload};

    let state = bare::DiskState {
        size: 4,
        image: "d".to_owned(),
        stage: bare::DiskStage::Attached,
        cache: Some(1),
    };
    let restored: bare::DiskState = from_bytes(&to_bytes(&state).unwrap()).unwrap();
    assert_eq!((restored.size, restored.image.as_str(), restored.cache), (4, "d", None));
    assert_eq!(restored.own_name().as_deref(), Some("d"));
    contract([state]);
    let child = Child::<bare::Disk>::new(bare::Disk(std::sync::Mutex::new(restored)));
    assert_eq!(child.with_state(|state| state.stage_number()), Some(Some(1)));

    let state = bare::Choices {
        last: std::time::Duration::from_millis(3),
        interleaved: Some(bare::Choice::Middle(bare::Id("m".to_owned()))),
        between: 2,
    };
    let restored: bare::Choices = from_bytes(&to_bytes(&state).unwrap()).unwrap();
    assert!(matches!(restored.interleaved, Some(bare::Choice::Middle(id)) if id.0 == "m"));
    contract([state]);

    let state = bare::Volume { image: String::new(), size: 5, operations_per_second: 7 };
    for version in 1..=3 {
        let bytes = snapshot_core::codec::to_bytes_as(&state, version).unwrap();
        let restored: bare::Volume = from_bytes(&bytes).unwrap();
        assert_eq!((restored.size, restored.operations_per_second), (5, 7));
    }
    contract([state]);
}

/// The crate under another path.
mod renamed {
    mod facade {
        pub(super) mod inner {
            pub(in super::super) use ::snapshot_core as state_saver;
        }
    }

    #[derive(Debug, PartialEq, facade::inner::state_saver::Snapshot)]
    #[snapshot(
        message = snapshot_proto::lcow::v1::scsi_snapshot::Reservation,
        crate = facade::inner::state_saver
    )]
    pub(super) struct Reservation {
        pub(super) slot: u32,
        pub(super) partition: u64,
    }
}

#[test]
fn it_compiles_with_the_crate_under_another_path() {
    let state = renamed::Reservation { slot: 1, partition: 2 };
    super::assert_saved_as(
        &state,
        &snapshot_proto::lcow::v1::scsi_snapshot::Reservation { slot: 1, partition: 2 },
    );
}

/// Strict lints of a user.
mod strict {
    #![deny(
        warnings,
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        unused_results,
        single_use_lifetimes,
        trivial_casts,
        trivial_numeric_casts,
        elided_lifetimes_in_paths,
        unused_lifetimes,
        clippy::all,
        clippy::pedantic,
        clippy::nursery,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::shadow_reuse,
        clippy::absolute_paths,
        clippy::missing_inline_in_public_items
    )]
    #![forbid(unsafe_code)]

    use snapshot_core::Snapshot;
    use snapshot_proto::example::v1 as example;
    use snapshot_proto::fixture::v1 as pb;

    /// Counts.
    #[derive(Debug, Snapshot)]
    #[snapshot(message = pb::GroupSnapshot, version = 1, save_from(Idle), validate = any,
               ignore(members, named, leader))]
    pub(super) struct Strict {
        /// Its name.
        #[snapshot(max = 9, id)]
        pub(super) name: String,
        /// Where it is.
        #[snapshot(stage, skip)]
        pub(super) stage: Stage,
    }

    fn any(state: &Strict) -> Result<(), String> {
        if state.name.is_empty() { Err("has no name".to_owned()) } else { Ok(()) }
    }

    /// Where it is.
    #[derive(Clone, Copy, Debug, Default, Snapshot)]
    #[snapshot(stage = pb::counter_snapshot::Stage)]
    pub(super) enum Stage {
        /// Nowhere.
        #[default]
        Idle,
        /// On its way.
        Counting,
        /// There.
        Done,
    }

    /// A name.
    #[derive(Clone, Debug, Snapshot)]
    #[snapshot(transparent)]
    pub(super) struct Name(pub(super) String);

    /// One of three.
    #[derive(Debug, Snapshot)]
    #[snapshot(oneof = pb::choice::Interleaved)]
    pub(super) enum Choice {
        /// A number.
        Low(u32),
        /// A name.
        Middle(Name),
        /// A flag.
        High(bool),
    }

    /// One of three, in a message.
    #[derive(Debug, Snapshot)]
    #[snapshot(message = pb::Choice, ignore(kind, before, after, last))]
    pub(super) struct Choices {
        /// The choice.
        pub(super) interleaved: Choice,
        /// A number.
        #[snapshot(range = 1..=3)]
        pub(super) between: u32,
    }

    /// A volume, in three versions.
    #[derive(Debug, Snapshot)]
    #[snapshot(message = example::VolumeSnapshot, version = 3, accept(version = 2))]
    #[snapshot(accept(version = 1, message = example::VolumeSnapshotV1, upgrade = up, downgrade = down))]
    pub(super) struct Volume {
        /// Where it is.
        #[snapshot(since = 3, with = snapshot_core::codec::display)]
        pub(super) image: char,
        /// How large it is.
        pub(super) size: u64,
        /// How fast it is.
        #[snapshot(since = 3, default = 7, range = 1..=9)]
        pub(super) operations_per_second: u32,
    }

    fn up(old: example::VolumeSnapshotV1) -> Result<example::VolumeSnapshot, String> {
        if old.size_mib == 0 {
            return Err("has no size".to_owned());
        }
        let size = u64::from(old.size_mib);
        Ok(example::VolumeSnapshot { image: old.image, size, ..Default::default() })
    }

    fn down(new: example::VolumeSnapshot) -> Result<example::VolumeSnapshotV1, String> {
        let size_mib = u32::try_from(new.size).map_err(|error| error.to_string())?;
        Ok(example::VolumeSnapshotV1 { image: new.image, size_mib, ..Default::default() })
    }
}

#[test]
fn it_compiles_under_strict_lints() {
    use snapshot_core::codec::{from_bytes, to_bytes};

    let state = strict::Strict { name: "n".into(), stage: strict::Stage::Idle };
    let restored: strict::Strict = from_bytes(&to_bytes(&state).unwrap()).unwrap();
    assert_eq!(restored.name, "n");
    assert!(matches!(restored.stage, strict::Stage::Idle));
    contract([restored]);
    let state = strict::Strict { stage: strict::Stage::Counting, ..state };
    assert!(to_bytes(&state).is_err());
    let state = strict::Strict { stage: strict::Stage::Done, ..state };
    assert!(to_bytes(&state).is_err());
    for interleaved in [
        strict::Choice::Low(1),
        strict::Choice::Middle(strict::Name("m".into())),
        strict::Choice::High(true),
    ] {
        let state = strict::Choices { interleaved, between: 2 };
        let restored: strict::Choices = from_bytes(&to_bytes(&state).unwrap()).unwrap();
        assert_eq!(restored.between, 2);
        assert_eq!(format!("{restored:?}"), format!("{state:?}"));
        contract([state]);
    }
    let state = strict::Volume { image: '\0', size: 5, operations_per_second: 7 };
    for version in 1..=3 {
        let bytes = snapshot_core::codec::to_bytes_as(&state, version).unwrap();
        let restored: strict::Volume = from_bytes(&bytes).unwrap();
        assert_eq!((restored.image, restored.size, restored.operations_per_second), ('\0', 5, 7));
    }
    contract([strict::Volume { image: 'v', ..state }, state]);
}

#[test]
fn it_compiles_inside_a_function_with_any_names_of_variables() {
    use snapshot_core::Snapshot;
    use snapshot_proto::example::v1 as example;
    use snapshot_proto::lcow::v1::scsi_snapshot as pb;

    // The names of generated variables, which must not be visible to expressions in attributes.
    #[allow(non_upper_case_globals)]
    const field_0: u32 = 7;
    #[allow(non_upper_case_globals)]
    const w: u32 = field_0;
    #[allow(non_upper_case_globals)]
    const take: u32 = w + 1;

    #[derive(Debug, PartialEq, Snapshot)]
    #[snapshot(message = pb::Reservation)]
    struct Local {
        #[snapshot(range = w..=take)]
        slot: u32,
        partition: u64,
        #[snapshot(skip = take)]
        r: u32,
    }

    #[derive(Debug, PartialEq, Snapshot)]
    #[snapshot(message = example::VolumeSnapshot, version = 2, accept(version = 1))]
    #[snapshot(ignore(image, size))]
    struct Later {
        #[snapshot(since = 2, default = w + take)]
        operations_per_second: u32,
    }

    let later = snapshot_core::codec::from_bytes::<Later>(&[0x08, 1]).unwrap();
    assert_eq!(later, Later { operations_per_second: 15 });
    assert_eq!(snapshot_core::codec::to_bytes_as(&later, 1).unwrap(), [0x08, 1]);
    contract([later]);

    let state = Local { slot: 8, partition: 1, r: 8 };
    super::assert_saved_as(&state, &pb::Reservation { slot: 8, partition: 1 });
    let error = super::refusal::<Local>(&pb::Reservation { slot: 9, partition: 1 });
    assert_eq!(error, "slot: is 9, which is not in w..=take (byte 0 of 4)");
}

macro_rules! bounded {
    ($name:ident { $($field:ident: $ty:ty, $range:expr;)* }) => {
        #[derive(Debug, PartialEq, snapshot_core::Snapshot)]
        #[snapshot(message = snapshot_proto::lcow::v1::scsi_snapshot::Reservation)]
        struct $name {
            $(#[snapshot(range = $range)] $field: $ty,)*
        }
    };
}

bounded! {
    Bounded {
        slot: u8, 1..=2;
        partition: Option<std::num::NonZeroU64>, std::num::NonZeroU64::MIN..;
    }
}

#[test]
fn it_compiles_for_types_and_expressions_that_come_from_another_macro() {
    use snapshot_proto::lcow::v1::scsi_snapshot as pb;

    super::assert_saved_as(
        &Bounded { slot: 2, partition: std::num::NonZeroU64::new(4) },
        &pb::Reservation { slot: 2, partition: 4 },
    );
    super::assert_saved_as(
        &Bounded { slot: 1, partition: None },
        &pb::Reservation { slot: 1, partition: 0 },
    );
    let error = super::refusal::<Bounded>(&pb::Reservation { slot: 3, partition: 0 });
    assert_eq!(error, "slot: is 3, which is not in 1..=2 (byte 0 of 2)");
}

mod itself {
    /// A type that names itself, on the wire and off it.
    #[derive(Debug, Default, snapshot_core::Snapshot)]
    #[snapshot(message = snapshot_proto::fixture::v1::recursive::Node, ignore(by_name, link))]
    pub(super) struct Node {
        pub(super) name: String,
        pub(super) next: Option<Box<Self>>,
        pub(super) children: Vec<Self>,
        #[snapshot(skip)]
        pub(super) parent: Option<std::sync::Weak<Self>>,
    }
}

#[test]
fn it_compiles_for_a_type_that_names_itself() {
    use snapshot_proto::fixture::v1::recursive as pb;

    let state = itself::Node {
        name: "root".into(),
        next: Some(Box::default()),
        children: vec![itself::Node::default()],
        parent: None,
    };
    let leaf = pb::Node::default();
    let message = pb::Node {
        name: "root".into(),
        next: Some(Box::new(leaf.clone())),
        children: vec![leaf.clone()],
        ..leaf
    };
    assert_eq!(pb::Node::from(&state), message);
    let restored = itself::Node::try_from(message.clone()).unwrap();
    assert!(restored.parent.is_none());
    assert_eq!(pb::Node::from(&restored), message);
    contract([restored]);
}
