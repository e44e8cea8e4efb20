//! What the two shims say to each other.
//!
//! A message is one byte for its type, four for its length (big endian), and its body: the snapshot
//! and the manifest as they are, everything else as JSON.
//!
//! ```text
//! source                                  destination
//!   Hello          who, which guest   ─►
//!                                     ◄─  Manifest   what it can import
//!   preflight, freeze, save
//!   Snapshot       and the guest      ─►
//!                                         import, patch
//!                                     ◄─  Patched    or Refused
//!   Resume         go                 ─►
//!                                         resume
//!                                     ◄─  Resumed    or Refused
//!   commit, or thaw
//!   Committed      or Abort           ─►
//!                                     ◄─  Settled    the source's last word has come
//! ```
//!
//! The source may say `Abort` in place of any of its messages up to `Resume`, and after a `Refused`.
//! On a new connection it says `Outcome`, and the destination repeats its answer.
//!
//! # When the connection is lost, or a side is killed
//!
//! Each side decides by a pure function, [`decision`](snapshot_handover::decision), and writes a mark to
//! its disk before every step that the other side may rely on: the source `given` before it says
//! `Resume`, the destination `live` before the guest goes on, the source `committed` before it lets
//! go. From `given` on the source does not take the sandbox back on its own account: it asks, and if
//! nobody answers for as long as `--patience` says, it stays frozen and asks the operator.
//!
//! What happens at each message is a table in the README of this example.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};
use snapshot_handover::decision::Word;

use crate::shim::identity::Identity;
use crate::shim::proof::Seen;

/// The version of this protocol.
pub(crate) const VERSION: u32 = 2;

/// The most bytes in a snapshot.
const SNAPSHOT_LIMIT: usize = 256 << 20;

/// The most bytes in any other message.
const LIMIT: usize = 16 << 20;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// Source: who asks, and which guest it is about.
    Hello(Hello),
    /// Destination: what it can import, as a `snapshot.v1.Manifest`.
    Manifest(Vec<u8>),
    /// Source: the processes of the guest, which stand in for the memory of the VM.
    Processes(Vec<GuestProcess>),
    /// Source: the snapshot. The sandbox is frozen.
    Snapshot(Vec<u8>),
    /// Destination: imported and bound to this host; nothing runs yet.
    Patched(Progressed),
    /// Source: the sandbox is the destination's. There is no way back unless it refuses.
    Resume,
    /// Destination: the sandbox runs here.
    Resumed(Progressed),
    /// Destination: it did not work, and everything is taken back.
    Refused(Failure),
    /// Source: it does not go on; the sandbox runs on at the source.
    Abort(Failure),
    /// Source: it has let go of the sandbox; and what it has to tell about it.
    Committed(Box<Handed>),
    /// Source, on a new connection: what became of this migration?
    Outcome(String),
    /// Destination: it has the source's last word.
    Settled,
}

/// The first message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// [`VERSION`] of the source.
    pub(crate) version: u32,
    /// The id of this migration, for [`Message::Outcome`].
    pub(crate) migration: String,
    /// The machine, `/proc/sys/kernel/random/boot_id`: processes cannot leave it.
    pub(crate) machine: String,
    /// The guest's folder.
    pub(crate) guest: PathBuf,
    /// The folder of the shared storage: disk images and folders under their volume names.
    pub(crate) storage: PathBuf,
}

/// A process of the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuestProcess {
    /// The container's id inside the guest.
    pub(crate) container: String,
    /// The exec id, empty for the init process.
    pub(crate) exec: String,
    /// The process.
    pub(crate) identity: Identity,
}

/// How far the destination has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progressed {
    /// When it was done, in nanoseconds of the machine's monotonic clock.
    pub(crate) at: u64,
}

/// What the source tells at the end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// How long which step took.
    pub(crate) steps: Vec<Step>,
    /// How many bytes each controller saved, without its children.
    pub(crate) saved: Vec<(String, u64)>,
    /// How many bytes the snapshot has.
    pub(crate) snapshot: u64,
    /// When the freeze began, in nanoseconds of the machine's monotonic clock.
    pub(crate) frozen_at: u64,
    /// What the source has seen of the processes.
    pub(crate) seen: Vec<Seen>,
    /// The exit code that each workload is to end with.
    pub(crate) exits: BTreeMap<String, u32>,
}

/// How long one step took, of one controller or of a whole phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The phase.
    pub(crate) phase: String,
    /// The controller's id; empty for the phase as a whole.
    pub(crate) controller: String,
    /// How long.
    pub(crate) took: Duration,
}

/// An error, as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// The code, as gRPC spells it.
    pub(crate) code: String,
    /// The text, one finding a line.
    pub(crate) text: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { code: error.code().as_str().to_owned(), text: error.to_string() }
    }
}

impl From<Failure> for Error {
    /// The error of the other side. A code that this build does not know becomes `INTERNAL`.
    fn from(failure: Failure) -> Self {
        let known = [
            Code::InvalidArgument,
            Code::FailedPrecondition,
            Code::DataLoss,
            Code::Unimplemented,
            Code::ResourceExhausted,
            Code::DeadlineExceeded,
            Code::Cancelled,
        ];
        let code = known.into_iter().find(|code| code.as_str() == failure.code);
        Error::new(code.unwrap_or(Code::Internal), failure.text)
    }
}

impl Message {
    /// The message's name, for errors.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Message::Hello(_) => "Hello",
            Message::Manifest(_) => "Manifest",
            Message::Processes(_) => "Processes",
            Message::Snapshot(_) => "Snapshot",
            Message::Patched(_) => "Patched",
            Message::Resume => "Resume",
            Message::Resumed(_) => "Resumed",
            Message::Refused(_) => "Refused",
            Message::Abort(_) => "Abort",
            Message::Committed(_) => "Committed",
            Message::Outcome(_) => "Outcome",
            Message::Settled => "Settled",
        }
    }

    /// What it says, without what is in it. `Processes` is said by the `Snapshot` after it.
    pub(crate) fn word(&self) -> Option<Word> {
        Some(match self {
            Message::Hello(_) => Word::Hello,
            Message::Manifest(_) => Word::Welcome,
            Message::Processes(_) => return None,
            Message::Snapshot(_) => Word::Snapshot,
            Message::Patched(_) => Word::Patched,
            Message::Resume => Word::Resume,
            Message::Resumed(_) => Word::Resumed,
            Message::Refused(_) => Word::Refused,
            Message::Abort(_) => Word::Abort,
            Message::Committed(_) => Word::Committed,
            Message::Outcome(_) => Word::Ask,
            Message::Settled => Word::Settled,
        })
    }

    fn encode(&self) -> Result<(u8, Vec<u8>), Error> {
        Ok(match self {
            Message::Hello(hello) => (1, json(hello)?),
            Message::Manifest(bytes) => (2, bytes.clone()),
            Message::Processes(processes) => (3, json(processes)?),
            Message::Snapshot(bytes) => (4, bytes.clone()),
            Message::Patched(progressed) => (5, json(progressed)?),
            Message::Resume => (6, Vec::new()),
            Message::Resumed(progressed) => (7, json(progressed)?),
            Message::Refused(failure) => (8, json(failure)?),
            Message::Abort(failure) => (9, json(failure)?),
            Message::Committed(handed) => (10, json(handed)?),
            Message::Outcome(migration) => (11, json(migration)?),
            Message::Settled => (12, Vec::new()),
        })
    }

    fn decode(kind: u8, body: Vec<u8>) -> Result<Self, Error> {
        Ok(match kind {
            1 => Message::Hello(parse(&body)?),
            2 => Message::Manifest(body),
            3 => Message::Processes(parse(&body)?),
            4 => Message::Snapshot(body),
            5 => Message::Patched(parse(&body)?),
            6 => empty(&body, Message::Resume)?,
            7 => Message::Resumed(parse(&body)?),
            8 => Message::Refused(parse(&body)?),
            9 => Message::Abort(parse(&body)?),
            10 => Message::Committed(parse(&body)?),
            11 => Message::Outcome(parse(&body)?),
            12 => empty(&body, Message::Settled)?,
            _ => return Err(malformed(format!("a message of the unknown type {kind}"))),
        })
    }
}

fn limit(kind: u8) -> usize {
    if kind == 4 { SNAPSHOT_LIMIT } else { LIMIT }
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| {
        Error::internal(format!("a message cannot be written: {error}")).with_source(error)
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body)
        .map_err(|error| malformed(format!("a message is not understood: {error}")))
}

fn empty(body: &[u8], message: Message) -> Result<Message, Error> {
    match body {
        [] => Ok(message),
        _ => Err(malformed(format!("{} has a body", message.name()))),
    }
}

fn malformed(reason: String) -> Error {
    Error::new(Code::DataLoss, reason)
}

/// One side's end of the connection.
#[derive(Debug)]
pub(crate) struct Channel<S> {
    stream: S,
}

impl<S: Read + Write> Channel<S> {
    /// A channel over a connected stream.
    pub(crate) fn new(stream: S) -> Self {
        Self { stream }
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// It is larger than the other side would take, or the connection is lost.
    pub(crate) fn send(&mut self, message: &Message) -> Result<(), Error> {
        let (kind, body) = message.encode()?;
        let length = match u32::try_from(body.len()) {
            Ok(length) if body.len() <= limit(kind) => length,
            _ => {
                return Err(Error::invalid(format!(
                    "{} has {} bytes, at most {} are sent",
                    message.name(),
                    body.len(),
                    limit(kind)
                )));
            }
        };
        let mut head = [kind, 0, 0, 0, 0];
        head[1..].copy_from_slice(&length.to_be_bytes());
        self.stream
            .write_all(&head)
            .and_then(|()| self.stream.write_all(&body))
            .and_then(|()| self.stream.flush())
            .map_err(|error| lost(format!("while sending {}: {error}", message.name()), error))
    }

    /// Receives a message.
    ///
    /// # Errors
    ///
    /// The connection is lost, or what comes is no message or too long.
    pub(crate) fn receive(&mut self) -> Result<Message, Error> {
        let mut head = [0; 5];
        self.stream
            .read_exact(&mut head)
            .map_err(|error| lost(format!("while waiting for a message: {error}"), error))?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > limit(kind) {
            return Err(malformed(format!(
                "a message of type {kind} with {length} bytes, at most {} are read",
                limit(kind)
            )));
        }
        // Not allocated at once: the length is what the other side says, the bytes are what it sends.
        let mut body = Vec::new();
        (&mut self.stream)
            .take(length as u64)
            .read_to_end(&mut body)
            .map_err(|error| lost(format!("in the middle of a message: {error}"), error))?;
        if body.len() < length {
            let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Err(lost(
                format!("in the middle of a message: byte {} of {length}", body.len()),
                error,
            ));
        }
        Message::decode(kind, body)
    }
}

fn lost(reason: String, error: std::io::Error) -> Error {
    let code = match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Code::DeadlineExceeded,
        _ => Code::Internal,
    };
    Error::new(code, format!("the connection to the other shim is lost {reason}"))
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn one_of_each() -> Vec<Message> {
        let failure = Failure { code: "DATA_LOSS".to_owned(), text: "broken".to_owned() };
        let progressed = Progressed { at: u64::MAX };
        let handed = Handed {
            steps: vec![Step {
                phase: "patch".to_owned(),
                controller: "vm/scsi".to_owned(),
                took: Duration::from_micros(17),
            }],
            ..Handed::default()
        };
        vec![
            Message::Hello(Hello {
                version: VERSION,
                migration: "m".to_owned(),
                machine: "b".to_owned(),
                guest: "/guest".into(),
                storage: "/storage".into(),
            }),
            Message::Manifest(vec![0, 255]),
            Message::Processes(vec![GuestProcess {
                container: "c1".to_owned(),
                exec: String::new(),
                identity: Identity { pid: 7, start_time: 8 },
            }]),
            Message::Snapshot(vec![1; 100_000]),
            Message::Patched(progressed.clone()),
            Message::Resume,
            Message::Resumed(progressed),
            Message::Refused(failure.clone()),
            Message::Abort(failure),
            Message::Committed(Box::new(handed)),
            Message::Outcome("m".to_owned()),
            Message::Settled,
        ]
    }

    fn written(messages: &[Message]) -> Vec<u8> {
        let mut channel = Channel::new(Cursor::new(Vec::new()));
        for message in messages {
            channel.send(message).unwrap();
        }
        channel.stream.into_inner()
    }

    #[test]
    fn every_message_comes_as_it_was_sent() {
        let sent = one_of_each();
        let mut channel = Channel::new(Cursor::new(written(&sent)));
        for message in &sent {
            assert_eq!(&channel.receive().unwrap(), message);
        }
        assert!(channel.receive().unwrap_err().to_string().contains("is lost"));
    }

    #[test]
    fn a_message_cut_short_anywhere_is_a_lost_connection() {
        for message in one_of_each() {
            let bytes = written(std::slice::from_ref(&message));
            for length in (0..bytes.len()).step_by(bytes.len().div_ceil(100)) {
                let mut channel = Channel::new(Cursor::new(bytes[..length].to_vec()));
                let error = channel.receive().unwrap_err();
                assert!(error.to_string().contains("is lost"), "{} {error}", message.name());
            }
        }
    }

    #[test]
    fn a_length_past_the_limit_is_refused_before_anything_is_read() {
        for kind in 0..=255 {
            let mut bytes = vec![kind];
            bytes.extend(u32::MAX.to_be_bytes());
            let mut channel = Channel::new(Cursor::new(bytes));
            let error = channel.receive().unwrap_err();
            assert_eq!(error.code(), Code::DataLoss);
            assert!(error.to_string().contains("at most"), "{error}");
        }
    }

    #[test]
    fn a_snapshot_past_the_limit_is_not_sent() {
        let mut channel = Channel::new(Cursor::new(Vec::new()));
        let error = channel.send(&Message::Manifest(vec![0; LIMIT + 1])).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(channel.stream.get_ref().len(), 0);
    }

    #[test]
    fn an_unknown_type_and_a_body_that_does_not_belong_are_refused() {
        for bytes in [&[99, 0, 0, 0, 0][..], &[6, 0, 0, 0, 1, 0], &[1, 0, 0, 0, 2, b'{', b'}']] {
            let error = Channel::new(Cursor::new(bytes.to_vec())).receive().unwrap_err();
            assert_eq!(error.code(), Code::DataLoss, "{error}");
        }
    }

    #[test]
    fn an_error_keeps_its_code_and_text() {
        let error = Error::new(Code::Unimplemented, "schema version 9");
        let back = Error::from(Failure::from(&error));
        assert_eq!((back.code(), back.to_string()), (error.code(), error.to_string()));
        let foreign = Failure { code: "OUT_OF_RANGE".to_owned(), text: "full".to_owned() };
        assert_eq!(Error::from(foreign).code(), Code::Internal);
    }
}
