//! A body that is stored as one zstd frame.

#[cfg(feature = "zstd")]
use super::header::damaged;
#[cfg(not(feature = "zstd"))]
use crate::error::Code;
use crate::error::Error;
#[cfg(feature = "zstd")]
use crate::error::plural;
#[cfg(feature = "zstd")]
use std::io::Read;

/// The largest window for which a frame may request memory, as a power of two: that of level 19,
/// the highest level that we write.
#[cfg(feature = "zstd")]
const WINDOW_LOG: u32 = 23;

/// The room for the beginning of a body.
#[cfg(feature = "zstd")]
const PIECE: u64 = 64 << 10;

/// Compresses a body.
///
/// # Errors
///
/// Only those of the library itself.
#[cfg(feature = "zstd")]
pub(super) fn compress(body: &[u8], level: i32) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(body, level)
        .map_err(|error| Error::internal(format!("zstd: {error}")).with_source(error))
}

/// Appends the body to `out`. Memory is allocated as the body arrives, and for at most `limit`
/// bytes of it, whatever the frame says.
///
/// # Errors
///
/// If the bytes are not one frame, or if the body has more than `limit` bytes.
#[cfg(feature = "zstd")]
pub(super) fn expand(frame: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), Error> {
    let broken = |error: std::io::Error| {
        damaged(format!("the compressed body cannot be read: {error}")).with_source(error)
    };
    let before = out.len() as u64;
    // One byte more, to detect a longer body.
    let mut left = limit.saturating_add(1);
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(frame).map_err(broken)?.single_frame();
    decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
    while left > 0 {
        // The room doubles each time, but never exceeds the limit.
        let more = (out.len() as u64).max(PIECE).min(left);
        out.reserve_exact(usize::try_from(more).unwrap_or(usize::MAX));
        let read = decoder.by_ref().take(more).read_to_end(out).map_err(broken)? as u64;
        if read < more {
            break;
        }
        left -= read;
    }
    if out.len() as u64 - before > limit {
        return Err(super::options::too_long("more than that after decompression", limit));
    }
    match decoder.finish().len() {
        0 => Ok(()),
        more => {
            let s = plural(more);
            Err(damaged(format!("{more} byte{s} after the compressed body")))
        }
    }
}

/// # Errors
///
/// Always, because this build cannot compress.
#[cfg(not(feature = "zstd"))]
pub(super) fn expand(_: &[u8], _: u64, _: &mut Vec<u8>) -> Result<(), Error> {
    Err(Error::new(
        Code::Unimplemented,
        "compressed with zstd, which this build does not read: build it with the feature `zstd`",
    ))
}
