//! Truncated bytes.

use std::collections::BTreeSet;

use super::super::bench::{Bench, EditOutcome, Sample};
use super::super::report::Law;
use super::super::tree::{TreeMessage, Value};
use crate::error::plural;

/// The number of bytes to read for each kind of truncation of one sample. A sample of up to 2 KiB is cut at
/// every byte. A longer one is cut at evenly spaced bytes, before evenly spaced tags, and at its first and
/// last bytes.
const BYTES_READ: usize = 2 << 20;
/// The number of first bytes, and of last bytes, at which a sample of up to 32 KiB is cut.
const EDGE: usize = 64;

/// Checks that every truncation of every sample is refused, or is a shorter message because the cut is
/// between two fields.
pub(in super::super) fn truncations(bench: &mut Bench) {
    let path = bench.places.message_path(super::super::places::ROOT);
    for index in 0..bench.samples.len() {
        let given = bench.samples.get(index).filter(|sample| !sample.is_made);
        let Some(Sample { bytes, tree, .. }) = given else { continue };
        let bytes = bytes.clone();
        let length = bytes.len();
        let mut tags = Vec::new();
        tags_of(tree, &mut tags);
        for cut in cuts(length, &tags) {
            let what = format!(
                "sample {index}, truncated to {cut} of {length} byte{s},",
                s = plural(length)
            );
            let left = &bytes[..cut];
            if let EditOutcome::Broken = bench.restored(Law::Truncation, &path, left, &what) {
                break;
            }
        }
    }
}

/// The offsets of the tags of a message and of its nested messages.
fn tags_of(message: &TreeMessage, tags: &mut Vec<usize>) {
    for field in &message.fields {
        tags.push(field.offset);
        if let Value::Message(inner) = &field.value {
            tags_of(inner, tags);
        }
    }
}

/// Returns the lengths to which a sample of this length with tags at these offsets is truncated.
fn cuts(length: usize, tags: &[usize]) -> BTreeSet<usize> {
    let apart = |count: usize| (count * length / 2).div_ceil(BYTES_READ).max(1);
    let last = EDGE.min(BYTES_READ / length.max(1));
    let mut cuts: BTreeSet<usize> = (0..length).step_by(apart(length)).collect();
    cuts.extend(tags.iter().step_by(apart(tags.len())));
    cuts.extend((0..length).take(EDGE + 1).chain(length.saturating_sub(last)..length));
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_sample_is_cut_at_every_byte_and_a_long_one_is_read_in_linear_time() {
        assert_eq!(cuts(2 << 10, &[7]), (0..2 << 10).collect());
        for length in [10_000, 1_000_000, 4_000_000] {
            // An element of four bytes after the other.
            let tags: Vec<usize> = (0..length).step_by(4).collect();
            let cuts = cuts(length, &tags);
            assert!(cuts.contains(&0) && cuts.contains(&(length - 1)) || length > BYTES_READ);
            assert!(cuts.iter().sum::<usize>() <= 4 * BYTES_READ + 2 * length, "{length}");
        }
    }
}
