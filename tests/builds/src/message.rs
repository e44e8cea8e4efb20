//! The messages that the builds save their states as, as prost-build would write them.

use snapshot_core::Schema;

macro_rules! named {
    ($($message:ident)*) => {$(
        impl prost::Name for $message {
            const NAME: &'static str = stringify!($message);
            const PACKAGE: &'static str = "builds.v1";
        }
    )*};
}

named! { Root Numbers Texts Lists Options Newer Parts }

/// What every snapshot has outside: a build has one more controller.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Root {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// The controller of the build.
    #[prost(message, optional, tag = "2")]
    pub part: Option<prost_types::Any>,
}

/// For what builds make of numbers.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Numbers {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// The number of which the builds make something.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// A number that may limit the other.
    #[prost(uint64, tag = "3")]
    pub other: u64,
}

/// For what builds make of text and bytes.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Texts {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// Text.
    #[prost(string, tag = "2")]
    pub text: String,
    /// Bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub data: Vec<u8>,
}

/// For what builds make of lists and maps.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Lists {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// A list.
    #[prost(uint32, repeated, tag = "2")]
    pub list: Vec<u32>,
    /// A map.
    #[prost(map = "string, uint32", tag = "3")]
    pub map: std::collections::HashMap<String, u32>,
}

/// For what builds make of a field with presence.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Options {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// The field.
    #[prost(uint32, optional, tag = "2")]
    pub maybe: Option<u32>,
}

/// For what came in version 2.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Newer {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// A number that came in version 2.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// An enum with a value that came in version 2.
    #[prost(enumeration = "Power", tag = "3")]
    pub power: i32,
    /// A oneof with a member that came in version 2.
    #[prost(oneof = "Place", tags = "4, 5")]
    pub place: Option<Place>,
}

/// Whether something has power.
#[derive(Schema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Power {
    /// It has none.
    Off = 0,
    /// It has.
    On = 1,
    /// It has, and does nothing. Since version 2.
    Paused = 2,
}

/// Where something is.
#[derive(Clone, PartialEq, Schema, prost::Oneof)]
pub enum Place {
    /// In a slot.
    #[prost(uint32, tag = "4")]
    Slot(u32),
    /// On a shelf. Since version 2.
    #[prost(string, tag = "5")]
    Shelf(String),
}

/// For the role of a field in its controller.
#[derive(Clone, PartialEq, Schema, prost::Message)]
pub struct Parts {
    /// The schema version.
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    /// A name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Another name.
    #[prost(string, tag = "3")]
    pub alias: String,
    /// A stage.
    #[prost(enumeration = "Power", tag = "4")]
    pub now: i32,
    /// Another stage.
    #[prost(enumeration = "Power", tag = "5")]
    pub before: i32,
}
