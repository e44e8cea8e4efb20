//! One side of a conversation on one link: messages, over frames.

use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use snapshot_core::{Code, Error};

use crate::frame::{Channel, Deadline};
use crate::handover::Handover;
use crate::message::{Agreed, Message, Versions};

/// The maximum number of bytes of a message without the snapshot. A manifest is the longest.
const MESSAGE_LIMIT: u64 = 16 << 20;

/// The maximum number of bytes of the first message.
const VERSIONS_LIMIT: u64 = 1024;

/// The time for the other side's reason, after this side could not send.
const LAST_WORD: Duration = Duration::from_millis(200);

/// A conversation on one link.
pub(crate) struct Talk<S> {
    channel: Option<Channel<S>>,
    agreed: Option<Agreed>,
    /// The error of the link, or of the last message.
    trouble: Option<Error>,
    cannot_send: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Creates a conversation on a new link.
    pub(crate) fn new(handover: &Handover, link: S) -> Self {
        let mut channel =
            Channel::new(link).timer(handover.timer.clone()).message_time(handover.limits.message);
        if let Some(observer) = &handover.observer {
            channel = channel.observer(observer.clone());
        }
        Self { channel: Some(channel), agreed: None, trouble: None, cannot_send: false }
    }

    /// Creates a conversation without a link.
    pub(crate) fn without_link(why: Error) -> Self {
        Self { channel: None, agreed: None, trouble: Some(why), cannot_send: true }
    }

    /// Agrees on a version of the protocol. Both sides send first, so that neither waits.
    pub(crate) async fn agree(
        &mut self,
        handover: &Handover,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let channel = self.channel.as_mut().ok_or_else(no_link)?;
        let ours = Versions::of(&handover.build);
        let agree = async {
            channel.send(&ours.encode()?, deadline).await?;
            let theirs = channel.receive(VERSIONS_LIMIT, deadline).await?;
            ours.agree(&Versions::decode(&theirs)?)
        };
        match agree.await {
            Ok(agreed) => {
                self.agreed = Some(agreed);
                Ok(())
            }
            Err(error) => {
                self.hang_up(error.clone());
                Err(error)
            }
        }
    }

    /// Sends a message. If it cannot be sent, the next wait reports it.
    pub(crate) async fn send(&mut self, message: Message, deadline: Deadline) {
        let sent = message.encode();
        self.send_encoded(sent, None, deadline).await;
    }

    /// Sends a message and the bytes of a snapshot behind it.
    pub(crate) async fn send_with(&mut self, message: Message, bytes: &[u8], deadline: Deadline) {
        let sent = message.encode();
        self.send_encoded(sent, Some(bytes), deadline).await;
    }

    async fn send_encoded(
        &mut self,
        message: Result<Vec<u8>, Error>,
        bytes: Option<&[u8]>,
        deadline: Deadline,
    ) {
        let Some(channel) = self.channel.as_mut().filter(|_| !self.cannot_send) else { return };
        let send = async {
            channel.send(&message?, deadline).await?;
            match bytes {
                Some(bytes) => channel.send_bytes(bytes, deadline).await,
                None => Ok(()),
            }
        };
        if let Err(error) = send.await {
            // The other side may have sent the reason why it hung up.
            self.cannot_send = true;
            self.trouble = Some(error);
        }
    }

    /// Waits for a message; `None` if the link is lost, or if the bytes are not a message.
    pub(crate) async fn receive(&mut self, deadline: Deadline) -> Option<Message> {
        let deadline = match self.cannot_send {
            true => deadline.part(LAST_WORD, "waiting for the other side's last message"),
            false => deadline,
        };
        let received = match (&mut self.channel, &self.agreed) {
            (Some(channel), Some(agreed)) => match channel.receive(MESSAGE_LIMIT, deadline).await {
                Ok(bytes) => Message::decode(&bytes).map_err(|error| agreed.explain(&error)),
                Err(error) => Err(error),
            },
            _ => return None,
        };
        match received {
            Ok(message) => {
                let name = message.word().as_str();
                self.trouble = Some(Error::new(
                    Code::FailedPrecondition,
                    format!("the other side unexpectedly sent {name}"),
                ));
                Some(message)
            }
            Err(error) => {
                // The first error is the cause.
                let error = self.trouble.take().filter(|_| self.cannot_send).unwrap_or(error);
                self.hang_up(error);
                None
            }
        }
    }

    /// Receives the bytes of a snapshot; `None` if the link is lost.
    pub(crate) async fn receive_bytes(
        &mut self,
        length: u64,
        deadline: Deadline,
    ) -> Option<Vec<u8>> {
        match self.channel.as_mut()?.receive_bytes(length, deadline).await {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.hang_up(error);
                None
            }
        }
    }

    /// Drops the link.
    pub(crate) fn hang_up(&mut self, why: Error) {
        self.channel = None;
        self.trouble = Some(why);
    }

    /// Closes the link, so that what was sent arrives.
    pub(crate) async fn close(&mut self, deadline: Deadline) {
        if let Some(channel) = self.channel.take() {
            // Everything was sent, so an error changes nothing.
            let _ = channel.close(deadline).await;
        }
    }

    /// Returns the last error.
    pub(crate) fn trouble(&self) -> Error {
        self.trouble.clone().unwrap_or_else(no_link)
    }

    /// Returns the name of the other side's program, if it is known.
    pub(crate) fn peer(&self) -> &str {
        self.agreed.as_ref().map_or("", Agreed::peer)
    }
}

fn no_link() -> Error {
    Error::internal("there is no link to the other side")
}
