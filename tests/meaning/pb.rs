//! Messages, as prost-build would write them.

use snapshot_core::Schema;

macro_rules! named {
    ($($message:ident)*) => {$(
        impl ::prost::Name for $message {
            const NAME: &'static str = stringify!($message);
            const PACKAGE: &'static str = "meaning.v1";
        }
    )*};
}

named! { Disk Ring Policy Pair Vm Tray Host Gpu }

#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Disk {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(string, tag = "2")]
    pub image: String,
    #[prost(uint64, tag = "3")]
    pub limit: u64,
    #[prost(oneof = "Place", tags = "4, 5")]
    pub place: Option<Place>,
    #[prost(string, repeated, tag = "6")]
    pub boot_order: Vec<String>,
}

#[derive(Clone, PartialEq, Schema, ::prost::Oneof)]
pub(crate) enum Place {
    #[prost(uint32, tag = "4")]
    Slot(u32),
    #[prost(string, tag = "5")]
    Shelf(String),
}

#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Ring {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(uint32, tag = "2")]
    pub head: u32,
    #[prost(uint32, tag = "3")]
    pub count: u32,
    #[prost(bytes = "vec", tag = "4")]
    pub ring: Vec<u8>,
    #[prost(uint32, repeated, tag = "5")]
    pub used: Vec<u32>,
}

#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Policy {
    #[prost(uint64, tag = "1")]
    pub limit: u64,
}

#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Pair {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(message, optional, tag = "2")]
    pub a: Option<Policy>,
    #[prost(message, optional, tag = "3")]
    pub b: Option<Policy>,
    #[prost(message, repeated, tag = "4")]
    pub more: Vec<Policy>,
}

#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Vm {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(enumeration = "Power", tag = "2")]
    pub power: i32,
    #[prost(enumeration = "Power", repeated, tag = "3")]
    pub history: Vec<i32>,
    #[prost(oneof = "Place", tags = "4, 5")]
    pub place: Option<Place>,
}

#[derive(
    Schema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration,
)]
#[repr(i32)]
pub(crate) enum Power {
    Off = 0,
    On = 1,
    Paused = 2,
}

/// Collections that version 2 added.
#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Tray {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, repeated, tag = "3")]
    pub labels: Vec<String>,
    #[prost(uint32, repeated, tag = "4")]
    pub slots: Vec<u32>,
    #[prost(map = "string, uint32", tag = "5")]
    pub sizes: std::collections::HashMap<String, u32>,
}

/// Parts that may stay behind.
#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Host {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(uint32, tag = "3")]
    pub hints: u32,
    #[prost(message, optional, tag = "4")]
    pub gpu: Option<::prost_types::Any>,
    #[prost(message, repeated, tag = "5")]
    pub devices: Vec<::prost_types::Any>,
}

#[derive(Clone, PartialEq, Schema, ::prost::Message)]
pub(crate) struct Gpu {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(bool, tag = "2")]
    pub is_idle: bool,
    #[prost(message, optional, tag = "3")]
    pub engine: Option<::prost_types::Any>,
}
