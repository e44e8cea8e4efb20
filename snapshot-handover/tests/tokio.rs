//! A hand-over over sockets of tokio.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

mod fixture;

use std::sync::Arc;
use std::time::Duration;

use fixture::{Machine, Node, World};
use snapshot_core::{Error, Session};
use snapshot_handover::frame::{Sleep, Timer};
use snapshot_handover::ledger::{Ledger, MemoryStore};
use snapshot_handover::{Accepted, Handover, Offer, Offered, tokio_link};
use tokio::net::{UnixListener, UnixStream};

struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, time: Duration) -> Result<Sleep, Error> {
        Ok(Box::pin(tokio::time::sleep(time)))
    }
}

fn handover() -> Handover {
    Handover::new(&Ledger::over(MemoryStore::new())).timer(Arc::new(TokioTimer))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_moves_over_a_unix_socket_with_each_side_in_a_task() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let world = Arc::new(World::default());
    let node = Node::new(&world);
    let destination = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        handover().accept::<Machine>(tokio_link(stream), node).await
    });
    let machine = Machine::running(&world, vec![7; 3 << 20]);
    let source = tokio::spawn(async move {
        let stream = UnixStream::connect(path).await.unwrap();
        handover().offer(Offer::new(&machine, &Session::new()), tokio_link(stream)).await
    });
    let (source, destination) = (source.await.unwrap(), destination.await.unwrap());
    let Offered::Committed(report) = source else { panic!("{source:?}") };
    assert!(report.settled && report.bytes > 3 << 20);
    assert!(matches!(destination, Accepted::Live(..)));
    assert_eq!(world.runs(), (false, true));
}
