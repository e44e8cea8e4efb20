//! `Scalars` and `OptionalScalars`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;
use uuid::Uuid;

use super::super::laws::Case;
use super::super::numbers::required;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin, case, foreigners_of, named, natives_of, nest, nested};
use super::choices::BytesChoice;
use super::enumerations::Mode;

case! {
    /// The types of prost.
    Scalars: pb::Scalars {
        double: f64,
        float: f32,
        int32: i32,
        int64: i64,
        uint32: u32,
        uint64: u64,
        sint32: i32,
        sint64: i64,
        fixed32: u32,
        fixed64: u64,
        sfixed32: i32,
        sfixed64: i64,
        bool: bool,
        string: String,
        bytes: Vec<u8>,
    }
}

impl Foreign for pb::Scalars {
    fn foreigners() -> BoxedStrategy<Self> {
        Scalars::natives().prop_map(|scalars| scalars.to_prost()).boxed()
    }
}

case! {
    NarrowScalars: pb::Scalars {
        double: f64,
        float: f32,
        int32: i8,
        int64: i16,
        uint32: u8,
        uint64: u16,
        sint32: i8,
        sint64: i32,
        fixed32: u16,
        fixed64: u32,
        sfixed32: i16,
        sfixed64: i32,
        bool: bool,
        string: Box<str>,
        bytes: Bytes,
    }
}

required! { NarrowScalars as pb::Scalars; NonZeroScalars as pb::Scalars; }

case! {
    /// Types with a range other than that of the kind: signed for unsigned and wider for narrower.
    CrossedScalars: pb::Scalars {
        double: Box<f64>,
        float: Arc<f32>,
        int32: u64,
        int64: usize,
        uint32: i64,
        uint64: i8,
        sint32: isize,
        sint64: u32,
        fixed32: usize,
        fixed64: i32,
        sfixed32: u8,
        sfixed64: u64,
        bool: Arc<bool>,
        string: Arc<str>,
        bytes: Box<[u8]>,
    }
}

case! {
    NonZeroScalars: pb::Scalars {
        double: f64,
        float: f32,
        int32: NonZero<i8>,
        int64: Option<NonZero<i64>>,
        uint32: NonZero<u16>,
        uint64: Option<NonZero<u8>>,
        sint32: NonZero<i32>,
        sint64: Option<NonZero<i16>>,
        fixed32: NonZero<u64>,
        fixed64: Option<NonZero<usize>>,
        sfixed32: NonZero<isize>,
        sfixed64: Option<NonZero<u32>>,
        bool: bool,
        string: Uuid,
        bytes: [u8; 4],
    }
}

case! {
    /// Types that distinguish `None` from every value without presence in the proto.
    #[snapshot(ignore(
        double, float, int32, int64, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64,
        bool
    ))]
    AbsentScalars: pb::Scalars {
        uint32: char,
        string: Option<Uuid>,
        bytes: Option<[u8; 4]>,
    }
}

case! {
    #[snapshot(ignore(
        double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32,
        sfixed64, bool, bytes
    ))]
    PathScalars: pb::Scalars { string: PathBuf, }
}

case! {
    OptionalScalars: pb::OptionalScalars {
        double: Option<f64>,
        float: Option<f32>,
        int32: Option<i32>,
        int64: Option<i64>,
        uint32: Option<u32>,
        uint64: Option<u64>,
        sint32: Option<i32>,
        sint64: Option<i64>,
        fixed32: Option<u32>,
        fixed64: Option<u64>,
        sfixed32: Option<i32>,
        sfixed64: Option<i64>,
        bool: Option<bool>,
        string: Option<String>,
        bytes: Option<Vec<u8>>,
        message: Option<Scalars>,
        mode: Option<Mode>,
    }
}

case! {
    NarrowOptionalScalars: pb::OptionalScalars {
        double: Option<Box<f64>>,
        float: Option<Arc<f32>>,
        int32: Option<u8>,
        int64: Option<i8>,
        uint32: Option<NonZero<u8>>,
        uint64: Option<Box<NonZero<u16>>>,
        sint32: Option<i16>,
        sint64: Option<u64>,
        fixed32: Option<u16>,
        fixed64: Option<usize>,
        sfixed32: Option<u32>,
        sfixed64: Option<isize>,
        bool: Option<Arc<bool>>,
        string: Option<char>,
        bytes: Option<Arc<[u8]>>,
        message: Option<Box<NarrowScalars>>,
        mode: Option<Mode>,
    }
}

case! {
    /// Fields with presence in the proto and without it in Rust: every field is required.
    RequiredScalars: pb::OptionalScalars {
        double: f64,
        float: f32,
        int32: i8,
        int64: u32,
        uint32: u16,
        uint64: u8,
        sint32: i32,
        sint64: i64,
        fixed32: u32,
        fixed64: i64,
        sfixed32: i8,
        sfixed64: i16,
        bool: bool,
        string: IpAddr,
        bytes: [u8; 4],
        message: NonZeroScalars,
        mode: Mode,
    }
}

case! {
    SharedBytes: pb::SharedBytes {
        single: Bytes,
        maybe: Option<Bytes>,
        list: Vec<Bytes>,
        by_name: HashMap<String, Bytes>,
        choice: Option<BytesChoice>,
    }
}

case! {
    /// Other types for the same bytes.
    CopiedBytes: pb::SharedBytes {
        single: Arc<[u8]>,
        maybe: Option<Box<[u8]>>,
        list: VecDeque<Vec<u8>>,
        by_name: BTreeMap<Box<str>, Arc<[u8]>>,
        choice: Box<BytesChoice>,
    }
}
