//! Messages on a stream: frames of at most 1 MiB, and a limit and a deadline for every read and write.
//!
//! A frame is four bytes and its content. The highest bit of the four says that the message
//! continues in the next frame; the others are the length of the content, big endian, from 1 byte
//! to 1 MiB. Memory is allocated for the next frame only, whatever a message claims.
//!
//! ```
//! use std::time::Duration;
//! use futures_util::io::Cursor;
//! use snapshot_handover::frame::{Channel, Deadline};
//!
//! # futures_executor::block_on(async {
//! let soon = || Deadline::after(Duration::from_secs(5), "the example");
//! let mut channel = Channel::new(Cursor::new(Vec::new()));
//! channel.send(b"hello", soon()).await?;
//!
//! let bytes = channel.into_inner().into_inner();
//! assert_eq!(bytes, b"\0\0\0\x05hello");
//! let received = Channel::new(Cursor::new(bytes)).receive(1024, soon()).await?;
//! assert_eq!(received, b"hello");
//! # Ok::<(), snapshot_core::Error>(()) }).unwrap();
//! ```

mod channel;
mod deadline;
mod limits;
mod timer;

pub use channel::{Channel, Transferred};
pub use deadline::Deadline;
pub use limits::Limits;
pub(crate) use timer::default_timer;
pub use timer::{Sleep, ThreadTimer, Timer};
