//! A disk and a shelf of disks, in three and two versions.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Child, Controller, Error, Snapshot};

/// The messages, as prost-build would write them.
pub(crate) mod pb {
    use std::collections::{BTreeMap, HashMap};

    use snapshot_core::Schema;

    macro_rules! named {
        ($($message:ident)*) => {$(
            impl ::prost::Name for $message {
                const NAME: &'static str = stringify!($message);
                const PACKAGE: &'static str = "versions.v1";
            }
        )*};
    }

    named! { DiskV1 DiskV2 Disk Queue Shelf Deep }

    /// Version 1: the size is in MiB, and a stage is a word.
    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct DiskV1 {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(string, tag = "2")]
        pub path: String,
        #[prost(uint32, tag = "3")]
        pub size_mib: u32,
        #[prost(enumeration = "Cache", tag = "4")]
        pub cache: i32,
        #[prost(map = "string, uint32", tag = "5")]
        pub users: HashMap<String, u32>,
        #[prost(int32, repeated, tag = "6")]
        pub offsets: Vec<i32>,
        #[prost(message, repeated, tag = "7")]
        pub queues: Vec<Queue>,
        #[prost(bool, optional, tag = "8")]
        pub sparse: Option<bool>,
        #[prost(oneof = "Place", tags = "9, 10")]
        pub place: Option<Place>,
        #[prost(sint32, tag = "11")]
        pub shift: i32,
    }

    #[derive(Clone, PartialEq, Schema, ::prost::Oneof)]
    pub(crate) enum Place {
        #[prost(string, tag = "9")]
        Shelf(String),
        #[prost(uint32, tag = "10")]
        Slot(u32),
    }

    #[derive(
        Schema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration,
    )]
    #[repr(i32)]
    pub(crate) enum Cache {
        None = 0,
        Read = 1,
    }

    /// Version 2: bytes.
    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct DiskV2 {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(string, tag = "2")]
        pub path: String,
        #[prost(uint64, tag = "12")]
        pub size: u64,
    }

    /// Version 3 on: a path may be missing; from version 4 on there is a limit, queues and a label.
    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct Disk {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(string, optional, tag = "2")]
        pub path: Option<String>,
        #[prost(uint64, tag = "12")]
        pub size: u64,
        #[prost(uint32, tag = "13")]
        pub limit: u32,
        #[prost(btree_map = "string, message", tag = "14")]
        pub queues: BTreeMap<String, Queue>,
        #[prost(oneof = "Label", tags = "15, 16")]
        pub label: Option<Label>,
        #[prost(message, optional, tag = "17")]
        pub main_queue: Option<Queue>,
    }

    #[derive(Clone, PartialEq, Schema, ::prost::Oneof)]
    pub(crate) enum Label {
        #[prost(string, tag = "15")]
        Text(String),
        #[prost(uint32, tag = "16")]
        Number(u32),
    }

    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct Queue {
        #[prost(uint32, tag = "1")]
        pub depth: u32,
        /// From version 4 of the payload on.
        #[prost(uint32, tag = "2")]
        pub weight: u32,
    }

    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct Shelf {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(btree_map = "string, message", tag = "3")]
        pub disks: BTreeMap<String, prost_types::Any>,
        /// From version 2 on.
        #[prost(string, tag = "4")]
        pub room: String,
    }

    /// A payload in a payload in a payload.
    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct Deep {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(message, optional, tag = "2")]
        pub next: Option<prost_types::Any>,
    }
}

/// Versions 1 and 2 have their own messages; version 3 is the current message without the fields of
/// version 4.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Disk, version = 4, controller = Disk, validate = DiskState::check)]
#[snapshot(accept(version = 1, message = pb::DiskV1, upgrade = mib_to_bytes, downgrade = bytes_to_mib))]
#[snapshot(accept(version = 2, message = pb::DiskV2, upgrade = from_v2, downgrade = to_v2))]
#[snapshot(accept(version = 3))]
pub(crate) struct DiskState {
    pub(crate) path: Option<String>,
    #[snapshot(max = 1, since = 4, default = vec![7])]
    #[snapshot(field = limit, with = first)]
    pub(crate) limits: Vec<u32>,
    pub(crate) size: u64,
    pub(crate) queues: BTreeMap<String, Queue>,
    #[snapshot(since = 4)]
    pub(crate) label: Option<Label>,
    pub(crate) main_queue: Option<Box<Queue>>,
}

/// A list of at most one number, which is a number on the wire.
mod first {
    pub(crate) fn to_wire(list: &[u32]) -> Result<u32, &'static str> {
        list.first().copied().ok_or("has no element")
    }

    pub(crate) fn from_wire(number: u32) -> Result<Vec<u32>, &'static str> {
        Ok(vec![number])
    }
}

impl DiskState {
    pub(crate) fn of_size(size: u64) -> Self {
        Self {
            path: Some("/a".into()),
            limits: vec![7],
            size,
            queues: BTreeMap::new(),
            label: None,
            main_queue: None,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.size == 13 << 20 { Err("13 MiB bring bad luck") } else { Ok(()) }
    }
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Queue)]
pub(crate) struct Queue {
    pub(crate) depth: u32,
    #[snapshot(since = 4, default = 100)]
    pub(crate) weight: u32,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::Label)]
pub(crate) enum Label {
    Text(String),
    Number(u32),
}

fn mib_to_bytes(old: pb::DiskV1) -> Result<pb::DiskV2, String> {
    if old.size_mib == 0 {
        return Err(format!("{:?} has no size", old.path));
    }
    Ok(pb::DiskV2 { schema_version: 0, path: old.path, size: u64::from(old.size_mib) << 20 })
}

fn bytes_to_mib(new: pb::DiskV2) -> Result<pb::DiskV1, Error> {
    let not_whole = || Error::precondition("is not a whole number of MiB").in_field("size");
    if !new.size.is_multiple_of(1 << 20) {
        return Err(not_whole());
    }
    let size_mib = u32::try_from(new.size >> 20).map_err(|_| not_whole())?;
    Ok(pb::DiskV1 { path: new.path, size_mib, ..pb::DiskV1::default() })
}

fn from_v2(old: pb::DiskV2) -> Result<pb::Disk, Error> {
    let path = (!old.path.is_empty()).then_some(old.path);
    // An author might copy the existing value.
    let schema_version = old.schema_version;
    Ok(pb::Disk { schema_version, path, size: old.size, ..pb::Disk::default() })
}

fn to_v2(new: pb::Disk) -> Result<pb::DiskV2, impl Display> {
    match new.queues.is_empty() {
        true => Ok(pb::DiskV2 {
            schema_version: new.schema_version,
            path: new.path.unwrap_or_default(),
            size: new.size,
        }),
        false => Err("it has queues"),
    }
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::Shelf, version = 2, controller = Shelf, accept(version = 1))]
pub(crate) struct ShelfState {
    #[snapshot(id)]
    pub(crate) name: String,
    pub(crate) disks: BTreeMap<String, Child<Disk>>,
    #[snapshot(since = 2, default = String::from("cellar"))]
    pub(crate) room: String,
}

macro_rules! controllers {
    ($($controller:ident: $state:ident;)*) => {$(
        #[derive(Debug)]
        pub(crate) struct $controller(pub(crate) Mutex<$state>);

        impl Controller for $controller {
            type State = $state;

            fn state(&self) -> impl DerefMut<Target = $state> + '_ {
                self.0.lock().unwrap_or_else(PoisonError::into_inner)
            }

            fn import(state: $state) -> Result<Self, Error> {
                Ok(Self(Mutex::new(state)))
            }
        }
    )*};
}

controllers! {
    Disk: DiskState;
    Shelf: ShelfState;
}

impl Disk {
    pub(crate) fn child(state: DiskState) -> Child<Self> {
        Child::new(Self(Mutex::new(state)))
    }
}

/// A shelf with two disks, at their defaults.
pub(crate) fn shelf() -> std::sync::Arc<Shelf> {
    let disk = |size| Disk::child(DiskState::of_size(size));
    let disks = BTreeMap::from([("a".to_owned(), disk(1 << 20)), ("b".to_owned(), disk(2 << 20))]);
    let state = ShelfState { name: "s".into(), disks, room: "cellar".into() };
    std::sync::Arc::new(Shelf(Mutex::new(state)))
}
