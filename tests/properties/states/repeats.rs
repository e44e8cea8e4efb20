//! `Repeats`: lists and sets.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;

use super::super::collections::AlikeState;
use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Twin, case, foreigners_of, named, natives_of, nest, nested};
use super::enumerations::Sparse;
use super::scalars::{NarrowScalars, Scalars};

case! {
    Lists: pb::Repeats {
        double: Vec<f64>,
        float: Vec<f32>,
        int32: Vec<i32>,
        int64: Vec<i64>,
        uint32: Vec<u32>,
        uint64: Vec<u64>,
        sint32: Vec<i32>,
        sint64: Vec<i64>,
        fixed32: Vec<u32>,
        fixed64: Vec<u64>,
        sfixed32: Vec<i32>,
        sfixed64: Vec<i64>,
        bool: Vec<bool>,
        string: Vec<String>,
        bytes: Vec<Vec<u8>>,
        message: Vec<Scalars>,
        r#enum: Vec<Sparse>,
        unpacked_uint32: Vec<u32>,
        unpacked_sint64: Vec<i64>,
        unpacked_fixed32: Vec<u32>,
        unpacked_double: Vec<f64>,
        unpacked_bool: Vec<bool>,
        unpacked_enum: Vec<Sparse>,
        packed_int32: Vec<i32>,
    }
}

case! {
    NarrowLists: pb::Repeats {
        double: VecDeque<f64>,
        float: Box<[f32]>,
        int32: VecDeque<i8>,
        int64: Arc<Vec<u16>>,
        uint32: Vec<char>,
        uint64: Vec<NonZero<u8>>,
        sint32: Box<VecDeque<i16>>,
        sint64: Box<[isize]>,
        fixed32: Vec<u8>,
        fixed64: Vec<Box<i64>>,
        sfixed32: Vec<Arc<u16>>,
        sfixed64: VecDeque<usize>,
        bool: VecDeque<bool>,
        string: Vec<char>,
        bytes: Vec<[u8; 4]>,
        message: VecDeque<NarrowScalars>,
        r#enum: Box<[Sparse]>,
        unpacked_uint32: VecDeque<u8>,
        unpacked_sint64: Vec<u32>,
        unpacked_fixed32: Box<[i8]>,
        unpacked_double: Arc<VecDeque<f64>>,
        unpacked_bool: Box<[bool]>,
        unpacked_enum: VecDeque<Sparse>,
        packed_int32: Vec<NonZero<i16>>,
    }
}

case! {
    /// Exactly three of each.
    Arrays: pb::Repeats {
        double: [f64; 3],
        float: [f32; 3],
        int32: [i8; 3],
        int64: [i64; 3],
        uint32: [u16; 3],
        uint64: [u64; 3],
        sint32: [i32; 3],
        sint64: [i64; 3],
        fixed32: [u32; 3],
        fixed64: [u64; 3],
        sfixed32: [i32; 3],
        sfixed64: [i64; 3],
        bool: [bool; 3],
        string: [Arc<str>; 3],
        bytes: [Vec<u8>; 3],
        message: [NarrowScalars; 3],
        r#enum: [Sparse; 3],
        unpacked_uint32: [u8; 3],
        unpacked_sint64: [i64; 3],
        unpacked_fixed32: [u32; 3],
        unpacked_double: Box<[f64; 3]>,
        unpacked_bool: [bool; 3],
        unpacked_enum: [Sparse; 3],
        packed_int32: [NonZero<i8>; 3],
    }
}

case! {
    #[snapshot(ignore(double, float, message, r#enum, unpacked_double, unpacked_enum))]
    Sets: pb::Repeats {
        int32: BTreeSet<i8>,
        int64: HashSet<i64>,
        uint32: BTreeSet<char>,
        uint64: HashSet<u16, AlikeState>,
        sint32: BTreeSet<i32>,
        sint64: HashSet<NonZero<i64>>,
        fixed32: BTreeSet<u8>,
        fixed64: HashSet<u64>,
        sfixed32: Arc<BTreeSet<i32>>,
        sfixed64: Box<HashSet<i64>>,
        bool: BTreeSet<bool>,
        string: BTreeSet<PathBuf>,
        bytes: HashSet<Vec<u8>>,
        unpacked_uint32: HashSet<u32>,
        unpacked_sint64: BTreeSet<i64>,
        unpacked_fixed32: HashSet<u32, AlikeState>,
        unpacked_bool: HashSet<bool>,
        packed_int32: BTreeSet<i32>,
    }
}
