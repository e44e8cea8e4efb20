//! The output of a shim. A shim owns a sandbox, so a closed, full or unread output must neither end
//! it nor delay it: a separate thread writes, and drops the text that it cannot write.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// The maximum number of texts that wait for a slow output.
const WAITING: usize = 4096;

/// The time for the last lines at the end of a shim.
const LAST_LINES: Duration = Duration::from_secs(1);

enum Piece {
    Out(String),
    Err(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Prints lines of one side.
pub(crate) fn say(side: &str, text: &str) {
    let lines: String = text.lines().map(|line| format!("{side:<11} │ {line}\n")).collect();
    send(Piece::Out(lines));
}

/// Prints lines.
pub(crate) fn print(text: impl Display) {
    send(Piece::Out(format!("{text}\n")));
}

/// Prints a line to the standard error.
pub(crate) fn complain(text: impl Display) {
    send(Piece::Err(format!("{text}\n").into_bytes()));
}

/// Waits a moment until everything is printed.
pub(crate) fn flush() {
    let (done, all) = sync_channel(1);
    send(Piece::Flush(done));
    // If the output is not read, the lines come late or never.
    let _ = all.recv_timeout(LAST_LINES);
}

/// The standard error for the log.
#[derive(Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(Piece::Err(bytes.to_vec()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn send(piece: Piece) {
    static WRITER: OnceLock<SyncSender<Piece>> = OnceLock::new();
    let writer = WRITER.get_or_init(|| {
        let (sender, pieces) = sync_channel(WAITING);
        // Without the thread nothing is printed, and everything else continues.
        let _ = std::thread::Builder::new().name("console".to_owned()).spawn(|| write(pieces));
        sender
    });
    // The queue is full, because the output is not read.
    let _ = writer.try_send(piece);
}

fn write(pieces: Receiver<Piece>) {
    let mut is_reported = false;
    for piece in pieces {
        match piece {
            Piece::Out(text) => {
                let mut out = io::stdout().lock();
                let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                if let Err(error) = written
                    && !std::mem::replace(&mut is_reported, true)
                {
                    let text = format!("the standard output cannot be written: {error}\n");
                    let _ = io::stderr().write_all(text.as_bytes());
                }
            }
            // There is nowhere else to report it.
            Piece::Err(bytes) => {
                let _ = io::stderr().write_all(&bytes);
            }
            Piece::Flush(done) => {
                let _ = done.try_send(());
            }
        }
    }
}
