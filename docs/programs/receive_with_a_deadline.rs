//! Receives a snapshot from an async stream with a deadline and limits.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use snapshot_core::{Code, Error, ReadOptions, Snapshot};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;

/// The maximum number of bytes to read at once.
const PIECE: usize = 64 << 10;

/// Receives one snapshot. Returns an error if the sender is silent for longer than `silence`.
async fn receive(
    mut stream: impl AsyncRead + Unpin,
    options: &ReadOptions,
    silence: Duration,
) -> Result<Snapshot, Error> {
    let mut incoming = options.incremental();
    let mut piece = vec![0; PIECE];
    while !incoming.is_complete() {
        // Read only bytes of the snapshot: the bytes after it stay in the stream.
        let wanted = incoming.wants().min(PIECE);
        let read = timeout(silence, stream.read(&mut piece[..wanted])).await.map_err(|_| {
            let (received, expected) = (incoming.received(), incoming.expected());
            let reason = format!("the sender is silent after {received} bytes of {expected:?}");
            Error::new(Code::DeadlineExceeded, reason)
        })?;
        match read? {
            0 => break, // The other side has closed: `finish` reports the missing bytes.
            read => incoming.push(&piece[..read])?,
        };
    }
    incoming.finish()
}

fn snapshot() -> Snapshot {
    let type_url = "type.googleapis.com/doc.v1.Disk".to_owned();
    Snapshot::from_any(&prost_types::Any { type_url, value: vec![7; 300_000] }).unwrap()
}

/// Sends these bytes, and then closes the stream or keeps it open.
async fn send(bytes: &[u8], closes: bool) -> Result<Snapshot, Error> {
    let (mut sender, receiver) = duplex(1_000);
    let bytes = bytes.to_vec();
    let task = tokio::spawn(async move {
        // The receiver may refuse before it has read all bytes.
        let _ = sender.write_all(&bytes).await;
        if !closes {
            std::future::pending::<()>().await;
        }
    });
    let options = ReadOptions::new().limit(1 << 20);
    let received = receive(receiver, &options, Duration::from_millis(200)).await;
    task.abort();
    received
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_arrives_while_the_stream_stays_open() {
    let snapshot = snapshot();
    assert_eq!(send(snapshot.as_bytes(), false).await.unwrap(), snapshot);
}

#[tokio::test(start_paused = true)]
async fn a_silent_sender_exceeds_the_deadline() {
    let error = send(&snapshot().as_bytes()[..100_000], false).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(error.to_string(), "the sender is silent after 100000 bytes of Some(300061)");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_early_is_refused_with_the_missing_bytes() {
    let error = send(&snapshot().as_bytes()[..100_000], true).await.unwrap_err();
    assert_eq!(error.to_string(), "truncated: the body has 99976 of 300037 bytes");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_not_a_snapshot_are_refused_at_once() {
    let error = send(b"GET / HTTP/1.1\r\n", false).await.unwrap_err();
    assert_eq!(error.to_string(), "not a snapshot: the magic number is missing");
}
