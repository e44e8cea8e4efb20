//! `Maps` and `SortedMaps`.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use prost_types::Any;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;
use uuid::Uuid;

use super::super::collections::AlikeState;
use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Twin, case, foreigners_of, named, natives_of, nest, nested};
use super::controllers::CounterState;
use super::enumerations::Sparse;
use super::scalars::{NarrowScalars, NonZeroScalars, Scalars};

case! {
    HashMaps: pb::Maps {
        int32_key: HashMap<i32, String>,
        int64_key: HashMap<i64, String>,
        uint32_key: HashMap<u32, String>,
        uint64_key: HashMap<u64, String>,
        sint32_key: HashMap<i32, String>,
        sint64_key: HashMap<i64, String>,
        fixed32_key: HashMap<u32, String>,
        fixed64_key: HashMap<u64, String>,
        sfixed32_key: HashMap<i32, String>,
        sfixed64_key: HashMap<i64, String>,
        bool_key: HashMap<bool, String>,
        string_key: HashMap<String, String>,
        message_value: HashMap<String, Scalars>,
        enum_value: HashMap<String, Sparse>,
        bytes_value: HashMap<String, Vec<u8>>,
        any_value: HashMap<String, Any>,
        double_value: HashMap<String, f64>,
        bool_value: HashMap<u32, bool>,
        sint64_value: HashMap<u32, i64>,
        fixed32_value: HashMap<u32, u32>,
        duration_value: HashMap<u32, prost_types::Duration>,
        empty_value: HashMap<u32, ()>,
    }
}

case! {
    NarrowMaps: pb::Maps {
        int32_key: BTreeMap<i8, Box<str>>,
        int64_key: HashMap<u16, Arc<str>, AlikeState>,
        uint32_key: BTreeMap<char, PathBuf>,
        uint64_key: Box<BTreeMap<u8, char>>,
        sint32_key: HashMap<NonZero<i16>, String>,
        sint64_key: Arc<HashMap<isize, String>>,
        fixed32_key: BTreeMap<u64, String>,
        fixed64_key: BTreeMap<i32, String>,
        sfixed32_key: BTreeMap<u8, String>,
        sfixed64_key: HashMap<i8, String, AlikeState>,
        bool_key: BTreeMap<bool, Uuid>,
        string_key: HashMap<Uuid, Arc<str>>,
        message_value: BTreeMap<PathBuf, NarrowScalars>,
        enum_value: HashMap<IpAddr, Sparse>,
        bytes_value: BTreeMap<Ipv4Addr, Bytes>,
        any_value: BTreeMap<Ipv6Addr, CounterState>,
        double_value: HashMap<SocketAddr, f64, AlikeState>,
        bool_value: BTreeMap<u8, Arc<bool>>,
        sint64_value: HashMap<NonZero<u32>, i8>,
        fixed32_value: BTreeMap<u16, NonZero<u16>>,
        duration_value: HashMap<u32, Duration, AlikeState>,
        empty_value: BTreeMap<u8, ()>,
    }
}

case! {
    SortedMaps: pb::SortedMaps {
        uint32_key: BTreeMap<u32, String>,
        string_key: BTreeMap<String, String>,
        message_value: BTreeMap<String, Scalars>,
        enum_value: BTreeMap<String, Sparse>,
        any_value: BTreeMap<String, Any>,
    }
}

case! {
    NarrowSortedMaps: pb::SortedMaps {
        uint32_key: HashMap<u8, Uuid>,
        string_key: BTreeMap<char, IpAddr>,
        message_value: HashMap<Box<str>, Box<NonZeroScalars>>,
        enum_value: BTreeMap<Arc<str>, Sparse>,
        any_value: HashMap<String, CounterState>,
    }
}
