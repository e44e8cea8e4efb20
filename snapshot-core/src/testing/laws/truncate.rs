//! Bytes that were cut short.

use std::collections::HashSet;

use super::super::bench::{Bench, Outcome, Sample};
use super::super::report::Law;
use super::super::tree::{Message, Value};

/// How many bytes are read for the truncations of one sample. A sample of up to 2 KiB is cut at
/// every byte, a longer one at bytes evenly apart, in front of every tag, and at all of the first and
/// last.
const BYTES_READ: usize = 2 << 20;
/// How many of the first and of the last bytes a sample is cut at in any case.
const EDGE: usize = 64;

/// Every truncation of every sample is refused, or is a shorter message: where the cut is between
/// two fields.
pub(in super::super) fn truncations(bench: &mut Bench) {
    let path = bench.places.message_path(super::super::places::ROOT);
    for index in 0..bench.samples.len() {
        let given = bench.samples.get(index).filter(|sample| !sample.is_made);
        let Some(Sample { bytes, tree, .. }) = given else { continue };
        let bytes = bytes.clone();
        let mut tags = HashSet::new();
        tags_of(tree, &mut tags);
        let length = bytes.len();
        let apart = (length * length / 2).div_ceil(BYTES_READ).max(1);
        for cut in 0..length {
            let is_at_an_edge = cut <= EDGE || cut >= length.saturating_sub(EDGE);
            if cut % apart != 0 && !is_at_an_edge && !tags.contains(&cut) {
                continue;
            }
            let what = format!("sample {index}, of which {cut} of {length} bytes are left,");
            let left = &bytes[..cut];
            if let Outcome::Broken = bench.restored(Law::Truncation, &path, left, &what) {
                break;
            }
        }
    }
}

/// Where the tags of a message and of those in it are.
fn tags_of(message: &Message, tags: &mut HashSet<usize>) {
    for field in &message.fields {
        tags.insert(field.offset);
        if let Value::Message(inner) = &field.value {
            tags_of(inner, tags);
        }
    }
}
