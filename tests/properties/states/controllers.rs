//! Payloads: structs with a version, each in its own `Any`.

use std::collections::HashMap;

use proptest::prelude::*;
use prost::{Message, Name};
use prost_types::Any;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::{self as pb, counter_snapshot};

use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin};

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(stage = counter_snapshot::Stage)]
pub enum CounterStage {
    #[default]
    Idle,
    Counting,
    Done,
    #[snapshot(transient)]
    Frozen,
}

/// The orchestrator checks the stages that can be saved; the codec accepts them all.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1)]
#[snapshot(save_from(Counting, Done), freeze_to = Frozen, abort_to = Done)]
pub struct CounterState {
    pub value: u16,
    #[snapshot(max = 8)]
    pub label: String,
    #[snapshot(stage)]
    pub stage: CounterStage,
}

impl Twin<pb::CounterSnapshot> for CounterState {
    fn natives() -> BoxedStrategy<Self> {
        let stages = [CounterStage::Idle, CounterStage::Counting, CounterStage::Done];
        let stage = prop::sample::select(stages.to_vec());
        (any::<u16>(), "[a-z]{0,8}", stage)
            .prop_map(|(value, label, stage)| Self { value, label, stage })
            .boxed()
    }

    fn to_prost(&self) -> pb::CounterSnapshot {
        pb::CounterSnapshot {
            schema_version: 1,
            value: self.value.into(),
            label: self.label.clone(),
            stage: match self.stage {
                CounterStage::Counting => 1,
                CounterStage::Done => 2,
                CounterStage::Idle => 0,
                CounterStage::Frozen => panic!("no strategy yields it"),
            },
        }
    }

    fn of_prost(prost: &pb::CounterSnapshot) -> Result<Self, Places> {
        if prost.schema_version != 1 {
            return Err(Places::here().in_field("schema_version"));
        }
        let mut places = Places::default();
        let value = places.keep(u16::of_prost(&prost.value).map_err(|w| w.in_field("value")));
        let stage = places.keep(match prost.stage {
            0 => Ok(CounterStage::Idle),
            1 => Ok(CounterStage::Counting),
            2 => Ok(CounterStage::Done),
            _ => Err(Places::here().in_field("stage")),
        });
        if prost.label.len() > 8 {
            places.keep(Err::<(), _>(Places::here().in_field("label")));
        }
        match (value, stage) {
            (Some(value), Some(stage)) if places.is_empty() => {
                Ok(Self { value, label: prost.label.clone(), stage })
            }
            _ => Err(places),
        }
    }
}

impl Case for CounterState {
    fn messages() -> BoxedStrategy<pb::CounterSnapshot> {
        let version = prop_oneof![6 => Just(1u32), 1 => Just(0), 1 => any::<u32>()];
        let value = prop_oneof![3 => 0..1000u64, 1 => any::<u64>()];
        let stage = prop_oneof![1..=2i32, -1..4i32];
        (version, value, "[a-zж]{0,9}", stage)
            .prop_map(|(schema_version, value, label, stage)| pb::CounterSnapshot {
                schema_version,
                value,
                label,
                stage,
            })
            .boxed()
    }
}

macro_rules! payloads {
    ($($state:ident: $message:path;)*) => {$(
        impl Twin<Any> for $state {
            fn natives() -> BoxedStrategy<Self> {
                <Self as Twin<$message>>::natives()
            }

            fn to_prost(&self) -> Any {
                let message: $message = self.to_prost();
                Any { type_url: <$message>::type_url(), value: message.encode_to_vec() }
            }

            fn of_prost(prost: &Any) -> Result<Self, Places> {
                if prost.type_url != <$message>::type_url() {
                    return Err(Places::here());
                }
                match <$message>::decode(prost.value.as_slice()) {
                    Ok(message) => <Self as Twin<$message>>::of_prost(&message)
                        .map_err(|wrong| wrong.in_payload(&<$message>::full_name())),
                    Err(error) => panic!("the strategies yield no such bytes: {error}"),
                }
            }
        }

        /// An absent value is an error.
        impl Twin<Option<Any>> for $state {
            fn natives() -> BoxedStrategy<Self> {
                <Self as Twin<Any>>::natives()
            }

            fn to_prost(&self) -> Option<Any> {
                Some(Twin::<Any>::to_prost(self))
            }

            fn of_prost(prost: &Option<Any>) -> Result<Self, Places> {
                prost.as_ref().map_or_else(|| Err(Places::here()), Twin::<Any>::of_prost)
            }
        }
    )*};
}

payloads! { CounterState: pb::CounterSnapshot; }

/// Payloads inside a payload.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 3)]
pub struct GroupState {
    pub name: String,
    pub members: Vec<CounterState>,
    pub named: HashMap<String, CounterState>,
    pub leader: Option<Box<CounterState>>,
}

impl Twin<pb::GroupSnapshot> for GroupState {
    fn natives() -> BoxedStrategy<Self> {
        let name = <String as Twin<String>>::natives();
        let members = <Vec<CounterState> as Twin<Vec<Any>>>::natives();
        let named = <HashMap<String, CounterState> as Twin<HashMap<String, Any>>>::natives();
        let leader = <Option<Box<CounterState>> as Twin<Option<Any>>>::natives();
        (name, members, named, leader)
            .prop_map(|(name, members, named, leader)| Self { name, members, named, leader })
            .boxed()
    }

    fn to_prost(&self) -> pb::GroupSnapshot {
        pb::GroupSnapshot {
            schema_version: 3,
            name: self.name.clone(),
            members: self.members.to_prost(),
            named: self.named.to_prost(),
            leader: self.leader.to_prost(),
        }
    }

    fn of_prost(prost: &pb::GroupSnapshot) -> Result<Self, Places> {
        if prost.schema_version != 3 {
            return Err(Places::here().in_field("schema_version"));
        }
        let mut places = Places::default();
        let members = Twin::of_prost(&prost.members);
        let members = places.keep(members.map_err(|wrong: Places| wrong.in_field("members")));
        let named = Twin::of_prost(&prost.named);
        let named = places.keep(named.map_err(|wrong: Places| wrong.in_field("named")));
        let leader = Twin::of_prost(&prost.leader);
        let leader = places.keep(leader.map_err(|wrong: Places| wrong.in_field("leader")));
        match (members, named, leader) {
            (Some(members), Some(named), Some(leader)) => {
                Ok(Self { name: prost.name.clone(), members, named, leader })
            }
            _ => Err(places),
        }
    }
}

/// An `Any` with a valid or invalid counter, or with an unknown type.
fn any_counter() -> BoxedStrategy<Any> {
    let counter = CounterState::messages().prop_map(|message| Any {
        type_url: pb::CounterSnapshot::type_url(),
        value: message.encode_to_vec(),
    });
    prop_oneof![4 => counter, 1 => Any::foreigners()].boxed()
}

impl Case for GroupState {
    fn messages() -> BoxedStrategy<pb::GroupSnapshot> {
        use prop::collection::{hash_map, vec};
        let name = String::foreigners();
        let members = vec(any_counter(), 0..3);
        let named = hash_map("[a-z/%\"]{0,3}", any_counter(), 0..3);
        let version = prop_oneof![8 => Just(3u32), 1 => Just(1), 1 => Just(0)];
        (version, name, members, named, prop::option::of(any_counter()))
            .prop_map(|(schema_version, name, members, named, leader)| pb::GroupSnapshot {
                schema_version,
                name,
                members,
                named,
                leader,
            })
            .boxed()
    }
}
