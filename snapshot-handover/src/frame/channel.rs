//! One end of a link.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use snapshot_core::{Code, Error};

use super::{Deadline, Limits, Timer, default_timer};

/// The maximum number of bytes in the content of one frame.
const FRAME: usize = 1 << 20;

/// The bit of a frame's header that says that the message continues.
const MORE: u32 = 1 << 31;

/// The progress of a snapshot's transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// The bytes that have been sent or received.
    pub done: u64,
    /// All bytes.
    pub total: u64,
}

type Observer = Arc<dyn Fn(Transferred) + Send + Sync>;

/// One end of a link: sends and receives messages as frames.
///
/// After an error in one direction, this direction is not used any more.
pub struct Channel<S> {
    stream: S,
    timer: Arc<dyn Timer>,
    message: Duration,
    observer: Option<Observer>,
    read_failed: bool,
    write_failed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    /// Creates a channel over a connected stream, with the [`ThreadTimer`](super::ThreadTimer) and
    /// the default time for one message.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            timer: default_timer(),
            message: Limits::new().message,
            observer: None,
            read_failed: false,
            write_failed: false,
        }
    }

    /// Sets the timer.
    #[must_use]
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Sets the time of one message, from its first byte to its last.
    #[must_use]
    pub fn message_time(mut self, time: Duration) -> Self {
        self.message = time;
        self
    }

    /// Sets a function that is called after each frame of a snapshot.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Fn(Transferred) + Send + Sync>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Returns the stream.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If it is empty, the link is lost, or the deadline has passed.
    pub async fn send(&mut self, message: &[u8], deadline: Deadline) -> Result<(), Error> {
        let deadline = deadline.part(self.message, "sending a message");
        self.send_frames(message, deadline, false).await
    }

    /// Sends the bytes of a snapshot, and reports the progress.
    ///
    /// # Errors
    ///
    /// As [`Channel::send`].
    pub async fn send_bytes(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        self.send_frames(bytes, deadline, true).await
    }

    async fn send_frames(
        &mut self,
        bytes: &[u8],
        deadline: Deadline,
        observed: bool,
    ) -> Result<(), Error> {
        if bytes.is_empty() {
            return Err(Error::internal("an empty message cannot be sent"));
        }
        if self.write_failed {
            return Err(lost("no more can be sent on this link"));
        }
        let stream = &mut self.stream;
        let observer = self.observer.as_deref().filter(|_| observed);
        let mut done = 0;
        let run = async {
            for frame in bytes.chunks(FRAME) {
                done += frame.len();
                let more = if done < bytes.len() { MORE } else { 0 };
                // A frame is at most 1 MiB.
                let head = (frame.len() as u32 | more).to_be_bytes();
                stream.write_all(&head).await.map_err(sending)?;
                stream.write_all(frame).await.map_err(sending)?;
                if let Some(observer) = observer {
                    observer(Transferred { done: done as u64, total: bytes.len() as u64 });
                }
            }
            stream.flush().await.map_err(sending)
        };
        let result = deadline.within(&*self.timer, run).await;
        self.write_failed = result.is_err();
        result
    }

    /// Receives a message of at most `limit` bytes. The deadline bounds the wait for its first byte
    /// and the whole message. The [time of one message](Channel::message_time) begins with its
    /// first byte.
    ///
    /// # Errors
    ///
    /// If the link is lost, the deadline has passed, or the bytes are not such a message.
    pub async fn receive(&mut self, limit: u64, deadline: Deadline) -> Result<Vec<u8>, Error> {
        self.check_read()?;
        let first = async {
            let mut first = [0];
            self.stream.read_exact(&mut first).await.map_err(waiting)?;
            Ok(first[0])
        };
        let first = match deadline.within(&*self.timer, first).await {
            Ok(first) => first,
            Err(error) => {
                self.read_failed = true;
                return Err(error);
            }
        };
        let whole = deadline.part(self.message, "receiving a message");
        let mut message = Vec::new();
        let mut first = Some(first);
        let stream = &mut self.stream;
        let run = async {
            while take_frame(stream, first.take(), limit, &mut message).await? {}
            Ok(())
        };
        let result = whole.within(&*self.timer, run).await;
        self.read_failed = result.is_err();
        result.map(|()| message)
    }

    /// Receives the bytes of a snapshot of this length, and reports the progress.
    ///
    /// # Errors
    ///
    /// As [`Channel::receive`], and if there are fewer or more bytes.
    pub async fn receive_bytes(
        &mut self,
        length: u64,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Error> {
        self.check_read()?;
        let mut bytes = Vec::new();
        let (stream, observer) = (&mut self.stream, self.observer.as_deref());
        let run = async {
            let mut more = true;
            while more {
                more = take_frame(stream, None, length, &mut bytes).await?;
                if let Some(observer) = observer {
                    observer(Transferred { done: bytes.len() as u64, total: length });
                }
            }
            match bytes.len() as u64 == length {
                true => Ok(()),
                false => Err(malformed(format!("{} of {length} bytes were sent", bytes.len()))),
            }
        };
        let result = deadline.within(&*self.timer, run).await;
        self.read_failed = result.is_err();
        result.map(|()| bytes)
    }

    /// Closes the link, so that the other side knows that nothing more comes.
    ///
    /// # Errors
    ///
    /// The link is lost, or the deadline has passed.
    pub async fn close(mut self, deadline: Deadline) -> Result<(), Error> {
        let close = async { self.stream.close().await.map_err(sending) };
        deadline.within(&*self.timer, close).await
    }

    fn check_read(&self) -> Result<(), Error> {
        match self.read_failed {
            true => Err(lost("no more can be received on this link")),
            false => Ok(()),
        }
    }
}

/// Reads one frame and appends it to `message`. Returns whether the message continues.
async fn take_frame(
    stream: &mut (impl AsyncRead + Unpin),
    first: Option<u8>,
    limit: u64,
    message: &mut Vec<u8>,
) -> Result<bool, Error> {
    let mut head = [0; 4];
    let begun = match first {
        Some(byte) => {
            head[0] = byte;
            1
        }
        None => 0,
    };
    stream.read_exact(&mut head[begun..]).await.map_err(receiving)?;
    let head = u32::from_be_bytes(head);
    let length = (head & !MORE) as usize;
    if !(1..=FRAME).contains(&length) {
        return Err(malformed(format!(
            "a frame of {length} bytes, where 1 to {FRAME} are allowed: the other side does not speak \
             the protocol of the hand-over"
        )));
    }
    let begin = message.len();
    if (begin + length) as u64 > limit {
        return Err(malformed(format!("a message of more than {limit} bytes, which is the limit")));
    }
    message.resize(begin + length, 0);
    stream.read_exact(&mut message[begin..]).await.map_err(receiving)?;
    Ok(head & MORE != 0)
}

fn malformed(reason: String) -> Error {
    Error::new(Code::DataLoss, reason)
}

fn lost(reason: &'static str) -> Error {
    Error::internal(reason)
}

fn sending(error: io::Error) -> Error {
    Error::internal(format!("the link was lost while sending: {error}")).with_source(error)
}

fn waiting(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => lost("the other side has closed the link"),
        _ => Error::internal(format!("the link was lost while waiting for a message: {error}"))
            .with_source(error),
    }
}

fn receiving(error: io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the link was closed in the middle of a message".to_owned(),
        _ => format!("the link was lost in the middle of a message: {error}"),
    };
    Error::internal(reason).with_source(error)
}

impl<S> fmt::Debug for Channel<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("message", &self.message)
            .field("read_failed", &self.read_failed)
            .field("write_failed", &self.write_failed)
            .finish_non_exhaustive()
    }
}
