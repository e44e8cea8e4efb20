//! A body that is stored as one zstd frame.

#[cfg(feature = "zstd")]
use super::header::damaged;
#[cfg(not(feature = "zstd"))]
use crate::Code;
use crate::Error;
#[cfg(feature = "zstd")]
use std::io::Read;

/// The largest window that a frame may ask memory for, as a power of two: the one of level 19, the
/// highest that we write.
#[cfg(feature = "zstd")]
const WINDOW_LOG: u32 = 23;

/// How much room there is for the beginning of a body.
#[cfg(feature = "zstd")]
const PIECE: u64 = 64 << 10;

/// Compresses a body.
///
/// # Errors
///
/// None but those of the library itself.
#[cfg(feature = "zstd")]
pub(super) fn compress(body: &[u8], level: i32) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(body, level)
        .map_err(|error| Error::internal(format!("zstd: {error}")).with_source(error))
}

/// Puts the body behind what is in `out`. Memory is taken as the body comes, and no more than for
/// `limit` bytes of it, whatever the frame says.
///
/// # Errors
///
/// Bytes that are not one frame, and a body of more than `limit` bytes.
#[cfg(feature = "zstd")]
pub(super) fn expand(frame: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), Error> {
    let broken = |error: std::io::Error| {
        damaged(format!("the compressed body cannot be read: {error}")).with_source(error)
    };
    let before = out.len() as u64;
    // One byte more, to see that there is more.
    let mut left = limit.saturating_add(1);
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(frame).map_err(broken)?.single_frame();
    decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
    while left > 0 {
        // Twice as much each time, but never room for more than is allowed.
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
        more => Err(damaged(format!("{more} bytes after the compressed body"))),
    }
}

/// # Errors
///
/// Always: this build cannot.
#[cfg(not(feature = "zstd"))]
pub(super) fn expand(_: &[u8], _: u64, _: &mut Vec<u8>) -> Result<(), Error> {
    Err(Error::new(
        Code::Unimplemented,
        "compressed with zstd, which this build does not read: build it with the feature `zstd`",
    ))
}
