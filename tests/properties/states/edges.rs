//! `Gaps`, `Keywords` and `Blank`: unusual field numbers, names and orders.

use proptest::prelude::*;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::{self as pb, keywords};

use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin, case, foreigners_of, named, natives_of, nest, nested};
use super::choices::KeywordChoice;
use super::enumerations::KeywordEnum;

case! {
    Gaps: pb::Gaps {
        one_byte_first: u32,
        one_byte_last: u32,
        two_bytes_first: u32,
        two_bytes_last: u32,
        three_bytes_first: u32,
        five_bytes_last: String,
    }
}

case! {
    /// Declared in an order other than that of the numbers, like the `.proto` file.
    ShuffledGaps: pb::Gaps {
        three_bytes_first: u8,
        one_byte_last: i16,
        five_bytes_last: Box<str>,
        one_byte_first: u64,
        two_bytes_last: i8,
        two_bytes_first: u16,
    }
}

case! {
    Keywords: pb::Keywords {
        r#type: String,
        r#match: u8,
        #[snapshot(field = self_)]
        self_: bool,
        crate_: bool,
        r#async: char,
        r#gen: String,
        camel_case: u32,
        ipv4_2nd: u16,
        kind: Option<Type>,
        r#fn: Option<KeywordChoice>,
    }
}

case! {
    Type: keywords::Type { r#enum: KeywordEnum, }
}

impl Foreign for keywords::Type {
    fn foreigners() -> BoxedStrategy<Self> {
        any::<i32>().prop_map(|value| Self { r#enum: value }).boxed()
    }
}

case! {
    Blank: pb::Blank {}
}
