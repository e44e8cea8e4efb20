//! The bound on the memory that an input may take.

use allocation_counter::measure;

/// The most memory that errors take, however small the input: 256 findings, each with its path and
/// text. A sandbox of 1.4 KB with that number of errors takes 188 KB.
pub(crate) const CONSTANT: u64 = 256 << 10;

/// The most bytes of memory for each byte of input. JSON determines it: `{"":}` is read into a map
/// of one member, for which `serde_json` takes 632 bytes. Other inputs take at most a third of
/// that.
pub(crate) const MULTIPLE: u64 = 130;

/// Runs a function and returns the most bytes that were held at once.
pub(crate) fn peak<T>(run: impl FnOnce() -> T) -> (u64, T) {
    let mut result = None;
    let peak = measure(|| result = Some(run())).bytes_max;
    (peak, result.expect("it has run"))
}

/// Runs a function, and fails if it held more memory at once than the length of the input permits.
#[track_caller]
pub(crate) fn bounded<T>(length: usize, run: impl FnOnce() -> T) -> T {
    let (peak, result) = peak(run);
    let most = CONSTANT + MULTIPLE * length as u64;
    assert!(peak <= most, "{length} bytes took {peak}, more than {most}");
    result
}
