//! `WellKnown`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use prost_types::{Any, Duration as ProstDuration, Timestamp};
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;
use uuid::Uuid;

use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Twin, case, foreigners_of, named, natives_of, nest, nested};
use super::controllers::CounterState;

case! {
    WellKnown: pb::WellKnown {
        any: Option<Any>,
        duration: Option<ProstDuration>,
        timestamp: Option<Timestamp>,
        empty: Option<()>,
        double_value: Option<f64>,
        float_value: Option<f32>,
        int64_value: Option<i64>,
        uint64_value: Option<u64>,
        int32_value: Option<i32>,
        uint32_value: Option<u32>,
        bool_value: Option<bool>,
        string_value: Option<String>,
        bytes_value: Option<Vec<u8>>,
        any_list: Vec<Any>,
        duration_list: Vec<ProstDuration>,
        timestamp_list: Vec<Timestamp>,
        string_value_list: Vec<String>,
        any_map: HashMap<String, Any>,
        duration_map: HashMap<String, ProstDuration>,
        timestamp_map: HashMap<String, Timestamp>,
        uint64_value_map: HashMap<String, u64>,
    }
}

case! {
    NativeWellKnown: pb::WellKnown {
        any: Option<CounterState>,
        duration: Option<Duration>,
        timestamp: Option<SystemTime>,
        empty: Option<Box<()>>,
        double_value: Option<Arc<f64>>,
        float_value: Option<f32>,
        int64_value: Option<u8>,
        uint64_value: Option<i16>,
        int32_value: Option<usize>,
        uint32_value: Option<i8>,
        bool_value: Option<bool>,
        string_value: Option<Uuid>,
        bytes_value: Option<Arc<[u8]>>,
        any_list: VecDeque<CounterState>,
        duration_list: Box<[Duration]>,
        timestamp_list: Arc<Vec<SystemTime>>,
        string_value_list: VecDeque<PathBuf>,
        any_map: BTreeMap<Uuid, Box<CounterState>>,
        duration_map: BTreeMap<String, Duration>,
        timestamp_map: BTreeMap<Arc<str>, SystemTime>,
        uint64_value_map: BTreeMap<char, i8>,
    }
}

case! {
    /// Every message is required.
    RequiredWellKnown: pb::WellKnown {
        any: CounterState,
        duration: Duration,
        timestamp: SystemTime,
        empty: (),
        double_value: f64,
        float_value: f32,
        int64_value: i64,
        uint64_value: u8,
        int32_value: i16,
        uint32_value: u32,
        bool_value: bool,
        string_value: Box<str>,
        bytes_value: Vec<u8>,
        any_list: [CounterState; 3],
        duration_list: [Duration; 3],
        timestamp_list: [SystemTime; 3],
        string_value_list: [String; 3],
        any_map: HashMap<char, CounterState>,
        duration_map: HashMap<String, Duration>,
        timestamp_map: HashMap<String, SystemTime>,
        uint64_value_map: HashMap<String, u16>,
    }
}
