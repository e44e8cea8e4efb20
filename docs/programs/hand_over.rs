//! Two processes hand over a disk on Unix sockets. Here both sides are tasks of one program.
#![cfg(unix)]
// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io;
use std::ops::DerefMut;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snapshot_core::{Controller, Error, Session, Snapshot};
use snapshot_handover::decision::{Choice, Mark, Side, Verdict, Written, verdict};
use snapshot_handover::ledger::{Ledger, Role, status};
use snapshot_handover::{
    Accepted, Finished, Handover, Offer, Offered, Report, SessionId, tokio_link,
};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
struct DiskState {
    image: String,
    stage: Stage,
    size: u64,
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

fn no_link(error: io::Error) -> Error {
    Error::internal(format!("no link to the destination: {error}")).with_source(error)
}

async fn move_away(
    disk: &Arc<Disk>,
    handover: &Handover,
    connect: impl AsyncFn() -> io::Result<UnixStream>,
) -> Result<Report, Error> {
    let offer = Offer::new(disk, &Session::new());
    let link = connect().await.map_err(no_link)?;
    let mut offered = handover.offer(offer, tokio_link(link)).await;
    loop {
        match offered {
            Offered::Committed(report) => return Ok(report),
            Offered::Kept(kept) => return Err(kept.error),
            // It runs at the destination or nowhere, so it stays frozen here until the answer comes.
            Offered::InDoubt(doubt) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                offered = match connect().await {
                    Ok(link) => doubt.ask(tokio_link(link)).await,
                    Err(_) => Offered::InDoubt(doubt),
                };
            }
        }
    }
}

/// Reports to the operator. Both folders are read while the processes may still run.
fn advice(source: &Path, destination: &Path, session: &SessionId) -> Result<Verdict, Error> {
    let side = |folder: &Path| -> Result<Side, Error> {
        let all = status(folder)?;
        let of_session = all.into_iter().find(|status| status.session == *session);
        let nothing = Side { written: Written::Nothing, alive: false };
        Ok(of_session.map_or(nothing, |status| status.side()))
    };
    Ok(verdict(side(source)?, side(destination)?))
}

async fn serve(listener: UnixListener, handover: Handover, live: mpsc::Sender<Arc<Disk>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (handover, live) = (handover.clone(), live.clone());
        tokio::spawn(async move {
            match handover.accept::<Disk>(tokio_link(stream), Session::new()).await {
                Accepted::Live(disk, _) => drop(live.send(disk).await),
                // The source asked about an earlier session, and has received the answer.
                Accepted::Answered(_) => {}
                other => eprintln!("{other:?}"),
            }
        });
    }
}

async fn after_a_kill(
    session: &SessionId,
    handover: &Handover,
    link: UnixStream,
) -> Result<&'static str, Error> {
    Ok(match handover.finish(session, tokio_link(link)).await? {
        Finished::Committed(_) => "the disk is the destination's",
        Finished::Kept(_) => "the disk is this side's: start it again here",
        Finished::InDoubt(_) => "ask again, or let the operator decide",
    })
}

#[tokio::test]
async fn a_disk_is_handed_over_and_both_ledgers_agree() {
    let folder = tempfile::tempdir().unwrap();
    let [source, destination] = ["source", "destination"].map(|side| folder.path().join(side));
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let (live, mut arrived) = mpsc::channel(1);
    let serving = Handover::new(&Ledger::open(&destination).unwrap());
    let server = tokio::spawn(serve(listener, serving, live));

    let state = DiskState { image: "root".to_owned(), stage: Stage::Attached, size: 4096 };
    let disk = Arc::new(Disk(Mutex::new(state)));
    let handover = Handover::new(&Ledger::open(&source).unwrap()).host("node-1");
    let report = move_away(&disk, &handover, async || UnixStream::connect(&socket).await).await;
    let report = report.unwrap();
    assert_eq!(arrived.recv().await.unwrap().state().size, 4096);
    assert_eq!(advice(&source, &destination, &report.session).unwrap(), Verdict::RunsAtDestination);
    server.abort();
}

#[tokio::test]
async fn a_source_that_was_killed_finds_out_from_the_destination() {
    let folder = tempfile::tempdir().unwrap();
    let [source, destination] = ["source", "destination"].map(|side| folder.path().join(side));
    let session: SessionId = "migration-7".parse().unwrap();
    let ledger = Ledger::open(&source).unwrap();
    // The records of a killed process: the source had given the disk away, and the destination had
    // not taken it over.
    let mut entry = ledger.begin(&session, Role::Source).unwrap();
    entry.record(Mark::Given, None).unwrap();
    entry.finish();
    let theirs = Ledger::open(&destination).unwrap();
    theirs.begin(&session, Role::Destination).unwrap().finish();
    assert_eq!(advice(&source, &destination, &session).unwrap(), Verdict::Wait);

    let (here, there) = UnixStream::pair().unwrap();
    let serving = Handover::new(&theirs);
    let answer =
        tokio::spawn(
            async move { serving.accept::<Disk>(tokio_link(there), Session::new()).await },
        );
    let found = after_a_kill(&session, &Handover::new(&ledger), here).await.unwrap();
    assert_eq!(found, "the disk is this side's: start it again here");
    assert!(matches!(answer.await.unwrap(), Accepted::Answered(_)));

    // The same, but no destination answers: the operator decides by the verdict.
    let other: SessionId = "migration-8".parse().unwrap();
    let mut entry = ledger.begin(&other, Role::Source).unwrap();
    entry.record(Mark::Given, None).unwrap();
    entry.finish();
    Handover::new(&ledger).decide(&other, Choice::Rollback).unwrap();
    assert_eq!(ledger.find(&other).unwrap().unwrap().mark, Mark::Kept);
}
