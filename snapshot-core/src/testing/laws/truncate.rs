//! Truncated bytes.

use std::collections::HashSet;

use super::super::bench::{Bench, EditOutcome, Sample};
use super::super::report::Law;
use super::super::tree::{TreeMessage, Value};

/// The number of bytes to read for the truncations of one sample. A sample of up to 2 KiB is cut at every
/// byte. A longer one is cut at evenly spaced bytes, before every tag, and at each of its first and last
/// bytes.
const BYTES_READ: usize = 2 << 20;
/// The number of first bytes, and of last bytes, at which every sample is cut.
const EDGE: usize = 64;

/// Checks that every truncation of every sample is refused, or is a shorter message because the cut is
/// between two fields.
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
            let what = format!("sample {index}, truncated to {cut} of {length} bytes,");
            let left = &bytes[..cut];
            if let EditOutcome::Broken = bench.restored(Law::Truncation, &path, left, &what) {
                break;
            }
        }
    }
}

/// The offsets of the tags of a message and of its nested messages.
fn tags_of(message: &TreeMessage, tags: &mut HashSet<usize>) {
    for field in &message.fields {
        tags.insert(field.offset);
        if let Value::Message(inner) = &field.value {
            tags_of(inner, tags);
        }
    }
}
