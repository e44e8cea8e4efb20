//! The meaning of bytes according to another implementation.

use std::sync::OnceLock;

use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Map, Value};

/// Returns the message as protobuf JSON, including the contents of its `Any`s. It is in lower case,
/// since a GUID is always written in lower case.
pub(crate) fn meaning(message: &str, bytes: &[u8]) -> Value {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        DescriptorPool::decode(snapshot_proto::FILE_DESCRIPTOR_SET).expect("our own descriptors")
    });
    let descriptor = pool.get_message_by_name(message).expect("a message of ours");
    let message = DynamicMessage::decode(descriptor, bytes).expect("what we read prost reads too");
    lower(serde_json::to_value(message).expect("what we read has a JSON form"))
}

fn lower(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        Value::Array(values) => values.into_iter().map(lower).collect(),
        Value::Object(members) => {
            let count = members.len();
            let members: Map<_, _> =
                members.into_iter().map(|(k, v)| (k.to_lowercase(), lower(v))).collect();
            // Texts that differ in case only, such as the ids of adapters: nothing to compare then.
            if members.len() == count { Value::Object(members) } else { Value::Null }
        }
        value => value,
    }
}
