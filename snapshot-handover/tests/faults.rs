//! At every frame of a hand-over the link breaks, lies, stalls, or a side is killed; and every mark goes
//! wrong in every way. The tree never runs twice, and in the end it runs once, or the way back has a
//! name.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

mod fixture;

use std::sync::Arc;

use fixture::meddler::{From, Harm, Plan, Victims, between};
use fixture::pipe::{Pipe, pipe};
use fixture::{Machine, Node, World, impatient};
use futures_executor::block_on;
use futures_util::future::{AbortHandle, Abortable, Either, join, select};
use snapshot_core::Session;
use snapshot_handover::decision::{Choice, Mark, Side, Verdict, Written, verdict};
use snapshot_handover::ledger::{Ledger, MemoryStore, WriteFault};
use snapshot_handover::{Accepted, Finished, Handover, Offer, Offered, SessionId};

/// Frames of the source: versions, hello, rehearsal, its bytes, snapshot, its bytes, resume, committed.
const FROM_SOURCE: usize = 8;

/// Frames of the destination: versions, welcome, ready, patched, resumed, settled.
const FROM_DESTINATION: usize = 6;

fn session() -> SessionId {
    "s".parse().unwrap()
}

/// The two sides' disks.
#[derive(Default)]
struct Disks {
    source: MemoryStore,
    destination: MemoryStore,
}

fn handover(store: &MemoryStore) -> Handover {
    Handover::new(&Ledger::over(store.clone())).limits(impatient())
}

/// A source that is asked or asks, and a destination that answers, on a link without faults.
async fn on_a_new_link<T>(
    destination: &Handover,
    world: &Arc<World>,
    source: impl AsyncFnOnce(Pipe) -> T,
) -> (T, Accepted<Machine>) {
    let (here, there) = pipe();
    join(source(here), destination.accept::<Machine>(there, Node::new(world))).await
}

/// Brings a hand-over to its end after whatever has happened, with restarts of killed sides.
async fn settle(
    world: &Arc<World>,
    disks: &Disks,
    source: Option<Offered<Machine>>,
    destination: Handover,
) {
    let source = match source {
        Some(Offered::InDoubt(doubt)) => {
            let asked =
                on_a_new_link(&destination, world, async |link| doubt.ask(link).await).await;
            Some(asked.0)
        }
        other => other,
    };
    match source {
        Some(Offered::Committed(_)) => assert_eq!(world.runs(), (false, true)),
        Some(Offered::Kept(kept)) => {
            assert!(kept.undo.is_none(), "{kept:?}");
            assert_eq!(world.runs(), (true, false));
        }
        Some(Offered::InDoubt(doubt)) => panic!("the destination is there, and {doubt:?}"),
        // Killed: the program starts it again.
        None => {
            let again = handover(&disks.source);
            let finished = match again.finish(&session(), pipe().0).await {
                // It has written nothing, so it has given nothing away.
                Err(_) => None,
                Ok(Finished::InDoubt(_)) => {
                    let ask = async |link| again.finish(&session(), link).await;
                    Some(on_a_new_link(&destination, world, ask).await.0.unwrap())
                }
                Ok(finished) => Some(finished),
            };
            match finished {
                None | Some(Finished::Kept(_)) => world.start_at_source(),
                Some(Finished::Committed(_)) => assert_eq!(world.runs(), (false, true)),
                Some(Finished::InDoubt(error)) => panic!("the destination is there, and {error}"),
            }
        }
    }
    world.check();
    assert_ne!(world.runs(), (false, false), "the machine runs nowhere");
}

fn meddle(plan: Plan) {
    let world = Arc::new(World::default());
    let disks = Disks::default();
    let machine = Machine::running(&world, vec![7; 5_000]);
    block_on(async {
        let (kill_source, source_lives) = AbortHandle::new_pair();
        let (kill_destination, destination_lives) = AbortHandle::new_pair();
        let victims = Victims { source: kill_source, destination: kill_destination };
        let (here, there, meddler) = between(plan, victims);
        let (at_source, at_destination) = (handover(&disks.source), handover(&disks.destination));
        let offer = Offer::new(&machine, &Session::new()).id(session());
        let sides = join(
            Abortable::new(at_source.offer(offer, here), source_lives),
            Abortable::new(
                at_destination.accept::<Machine>(there, Node::new(&world)),
                destination_lives,
            ),
        );
        let (source, destination) = match select(Box::pin(sides), Box::pin(meddler)).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), sides)) => sides.await,
        };
        world.check();
        let at_destination = match destination {
            Ok(_) => at_destination,
            // Started again.
            Err(_) => handover(&disks.destination),
        };
        settle(&world, &disks, source.ok(), at_destination).await;
    });
}

fn at_every_frame(from: From, frames: usize) {
    let mut cases = 0;
    for frame in 0..frames {
        for harm in Harm::ALL {
            let plan = Plan { from, frame, harm };
            println!("{plan:?}");
            meddle(plan);
            cases += 1;
        }
    }
    println!("{cases} cases");
}

#[test]
fn harm_to_any_frame_of_the_source_never_doubles_or_loses_the_tree() {
    at_every_frame(From::Source, FROM_SOURCE);
}

#[test]
fn harm_to_any_frame_of_the_destination_never_doubles_or_loses_the_tree() {
    at_every_frame(From::Destination, FROM_DESTINATION);
}

/// A hand-over on a link without faults, over these disks. `Err` is a source in doubt.
async fn hand_over(
    world: &Arc<World>,
    disks: &Disks,
    machine: &Arc<Machine>,
) -> (Offered<Machine>, Accepted<Machine>, Handover) {
    let (here, there) = pipe();
    let at_destination = handover(&disks.destination);
    let offer = Offer::new(machine, &Session::new()).id(session());
    let (offered, accepted) = join(
        handover(&disks.source).offer(offer, here),
        at_destination.accept::<Machine>(there, Node::new(world)),
    )
    .await;
    world.check();
    (offered, accepted, at_destination)
}

#[test]
fn a_mark_that_cannot_be_written_never_doubles_or_loses_the_tree() {
    let faults = [WriteFault::Fails, WriteFault::FailsAndIsThere, WriteFault::FailsAndTears];
    for fault in faults {
        for (mark, at_source) in [
            (Mark::Begun, true),
            (Mark::Given, true),
            (Mark::Committed, true),
            (Mark::Kept, true),
            (Mark::Begun, false),
        ] {
            let world = Arc::new(World::default());
            let disks = Disks::default();
            let machine = Machine::running(&world, vec![7; 100]);
            match at_source {
                true => disks.source.fail(mark, fault),
                false => disks.destination.fail(mark, fault),
            }
            block_on(async {
                let (offered, _, at_destination) = hand_over(&world, &disks, &machine).await;
                settle(&world, &disks, Some(offered), at_destination).await;
            });
            let moved = matches!(mark, Mark::Committed | Mark::Kept);
            assert_eq!(world.runs(), (!moved, moved), "{mark:?} {fault:?} at source: {at_source}");
        }
    }
}

#[test]
fn a_mark_live_that_is_surely_not_there_is_a_refusal() {
    let world = Arc::new(World::default());
    let disks = Disks::default();
    let machine = Machine::running(&world, vec![7; 100]);
    disks.destination.fail(Mark::Live, WriteFault::Fails);
    block_on(async {
        let (offered, accepted, _) = hand_over(&world, &disks, &machine).await;
        let Offered::Kept(kept) = offered else { panic!("{offered:?}") };
        assert!(kept.error.to_string().contains("the write fails"), "{}", kept.error);
        assert!(matches!(accepted, Accepted::Refused(_)), "{accepted:?}");
    });
    assert_eq!(world.runs(), (true, false));
}

#[test]
fn a_mark_live_that_may_be_there_is_left_to_the_ledger() {
    let world = Arc::new(World::default());
    let disks = Disks::default();
    let machine = Machine::running(&world, vec![7; 100]);
    disks.destination.fail(Mark::Live, WriteFault::FailsAndIsThere);
    block_on(async {
        let (offered, accepted, at_destination) = hand_over(&world, &disks, &machine).await;
        let Accepted::Undecided(undecided) = accepted else { panic!("{accepted:?}") };
        assert!(undecided.undo.is_none(), "{undecided:?}");
        let Offered::InDoubt(doubt) = offered else { panic!("{offered:?}") };
        let (offered, answered) =
            on_a_new_link(&at_destination, &world, async |link| doubt.ask(link).await).await;
        assert!(matches!(answered, Accepted::Answered(ref record) if record.mark == Mark::Live));
        assert!(matches!(offered, Offered::Committed(_)), "{offered:?}");
    });
    // It runs nowhere, and the way back has a name.
    let mark = |store: &MemoryStore| {
        Ledger::over(store.clone()).find(&session()).unwrap().map(|record| record.mark)
    };
    let source = Side { written: mark(&disks.source).into(), alive: true };
    let destination = Side { written: mark(&disks.destination).into(), alive: false };
    assert_eq!(verdict(source, destination), Verdict::StartAtDestination);
    assert_eq!(world.runs(), (false, false));
}

#[test]
fn a_damaged_record_is_never_answered_from_and_an_operator_decides() {
    let world = Arc::new(World::default());
    let disks = Disks::default();
    let machine = Machine::running(&world, vec![7; 100]);
    disks.destination.fail(Mark::Live, WriteFault::FailsAndTears);
    block_on(async {
        let (offered, _, at_destination) = hand_over(&world, &disks, &machine).await;
        let Offered::InDoubt(doubt) = offered else { panic!("{offered:?}") };
        let (offered, answered) =
            on_a_new_link(&at_destination, &world, async |link| doubt.ask(link).await).await;
        let Accepted::NoSession(error) = answered else { panic!("{answered:?}") };
        assert!(error.to_string().contains("cannot be read"), "{error}");
        let Offered::InDoubt(doubt) = offered else { panic!("{offered:?}") };
        let source = Side { written: Written::Mark(Mark::Given), alive: true };
        let destination = Side { written: Written::Unreadable, alive: false };
        assert_eq!(verdict(source, destination), Verdict::Look);
        let offered = doubt.decide(Choice::Rollback).await;
        assert!(matches!(offered, Offered::Kept(ref kept) if kept.undo.is_none()), "{offered:?}");
    });
    assert_eq!(world.runs(), (true, false));
    let mark = Ledger::over(disks.source).find(&session()).unwrap().unwrap().mark;
    assert_eq!(mark, Mark::Kept);
}
