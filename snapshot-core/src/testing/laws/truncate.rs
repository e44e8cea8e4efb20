//! Bytes that were cut short.

use super::super::bench::{Bench, Outcome};
use super::super::report::Law;

/// How many bytes are read for the truncations of one sample. A sample of up to 5 KiB is cut at
/// every byte, a longer one at bytes evenly apart, and at all of the first and last.
const BYTES_READ: usize = 16 << 20;
/// How many of the first and of the last bytes a sample is cut at in any case.
const EDGE: usize = 64;

/// Every truncation of every sample is refused, or is a shorter message: where the cut is between
/// two fields.
pub(in super::super) fn truncations(bench: &mut Bench) {
    let path = bench.places.message_path(super::super::places::ROOT);
    for index in 0..bench.samples.len() {
        let given = bench.samples.get(index).filter(|sample| !sample.is_made);
        let Some(bytes) = given.map(|sample| sample.bytes.clone()) else { continue };
        let length = bytes.len();
        let apart = (length * length / 2).div_ceil(BYTES_READ).max(1);
        for cut in 0..length {
            if cut % apart != 0 && cut > EDGE && cut < length.saturating_sub(EDGE) {
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
