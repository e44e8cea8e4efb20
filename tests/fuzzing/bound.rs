//! How much memory bytes may take.

use allocation_counter::measure;

/// What errors take at most, however small the input: 256 findings, each with its path and its text.
/// A sandbox of 1.4 KB with as many in it takes 188 KB.
pub(crate) const CONSTANT: u64 = 256 << 10;

/// The most bytes of memory for each byte of input. JSON sets it: `{"":}` is read into a map of one
/// member, for which `serde_json` takes 632 bytes. What is not JSON takes a third of that at most.
pub(crate) const MULTIPLE: u64 = 130;

/// Runs, and tells the most bytes that were held at once.
pub(crate) fn peak<T>(run: impl FnOnce() -> T) -> (u64, T) {
    let mut result = None;
    let peak = measure(|| result = Some(run())).bytes_max;
    (peak, result.expect("it has run"))
}

/// Runs, and fails if more was held at once than the length of the input justifies.
#[track_caller]
pub(crate) fn bounded<T>(length: usize, run: impl FnOnce() -> T) -> T {
    let (peak, result) = peak(run);
    let most = CONSTANT + MULTIPLE * length as u64;
    assert!(peak <= most, "{length} bytes took {peak}, more than {most}");
    result
}
