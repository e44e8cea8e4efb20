//! Every mistake in one message is reported, each on its own token.

use std::collections::HashMap;

use snapshot_core::Schema;

#[derive(Schema)]
pub struct Message {
    #[prost(uint32, tag = "1")]
    right: u32,
    no_attribute: u32,
    #[prost(tag = "2")]
    no_kind: u32,
    #[prost(uint32)]
    no_number: u32,
    #[prost(uint32, tag = "0")]
    number_zero: u32,
    #[prost(uint32, tag = "536870912")]
    number_too_large: u32,
    #[prost(uint32, tag = "three")]
    number_in_words: u32,
    #[prost(uint32, tag = "1")]
    number_taken: u32,
    #[prost(uint23, tag = "3")]
    unknown_kind: u32,
    #[prost(uint32, optional, delimited, tag = "4")]
    unknown_entry: Option<u32>,
    #[prost(uint32, string, tag = "5")]
    two_kinds: u32,
    #[prost(uint32 = "u32", tag = "6")]
    value_for_a_word: u32,
    #[prost(enumeration = "not a path", tag = "7")]
    no_path: i32,
    #[prost(bytes, repeated, packed = "maybe", tag = "8")]
    no_bool: Vec<Vec<u8>>,
    #[prost(map = "double, string", tag = "9")]
    no_key: HashMap<u64, String>,
    #[prost(map = "string, text", tag = "10")]
    no_value: HashMap<String, String>,
    #[prost(map = "string", tag = "11")]
    half_a_map: HashMap<String, String>,
    #[prost(map, tag = "14")]
    no_map: HashMap<String, String>,
    #[prost(message, optional, tag = "12")]
    message_nowhere: u32,
    #[prost(oneof = "Choice")]
    oneof_without_numbers: Option<u32>,
    #[prost(oneof = "Choice", tags = "")]
    oneof_of_nothing: Option<u32>,
    #[prost(oneof = "Choice", tags = "13, 1")]
    oneof_with_a_number_taken: Option<u32>,
}

fn main() {}
