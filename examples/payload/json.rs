//! `payload json`: a file as protobuf JSON.

use std::io::{self, Write};
use std::path::Path;

use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use snapshot_proto::FILE_DESCRIPTOR_SET;

use crate::format::Format;
use crate::input::{accept, refused};

/// Prints a file if it is valid. Returns whether it is.
pub(crate) fn run(format: Format, file: &Path) -> io::Result<bool> {
    let json = accept(format, file).and_then(|accepted| to_json(format, &accepted.bytes));
    match json {
        Ok(json) => {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &json)?;
            writeln!(out)?;
            out.flush()?;
            Ok(true)
        }
        Err(reason) => {
            writeln!(io::stderr(), "{}", refused(file, &reason))?;
            Ok(false)
        }
    }
}

/// Returns the JSON of a valid payload. The members of objects are sorted by name, so that the same
/// bytes always give the same text.
fn to_json(format: Format, bytes: &[u8]) -> Result<Value, String> {
    let not_shown = |reason: String| format!("cannot be shown as JSON: {reason}");
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(|e| not_shown(e.to_string()))?;
    let name = format.message_name();
    let descriptor = pool
        .get_message_by_name(name)
        .ok_or_else(|| not_shown(format!("there is no message {name}")))?;
    let message =
        DynamicMessage::decode(descriptor, bytes).map_err(|e| not_shown(e.to_string()))?;
    serde_json::to_value(&message).map_err(|e| not_shown(e.to_string()))
}
