//! A hand-over on a link without faults: what moves, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

mod fixture;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fixture::pipe::{Pipe, pipe};
use fixture::{Disk, Machine, MachineState, Node, World, impatient};
use futures_executor::block_on;
use futures_util::future::{Ready, join};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use snapshot_core::{Code, Controller, ControllerSet, Error, Payload, Session};
use snapshot_handover::decision::{Mark, Word};
use snapshot_handover::frame::{Channel, Deadline, ThreadTimer, Timer};
use snapshot_handover::ledger::{Ledger, MemoryStore, Role};
use snapshot_handover::message::{Hello, Message, Rehearsal, Versions};
use snapshot_handover::{
    Accepted, Handover, Host, Limits, Next, Offer, Offered, SessionId, accept, offer,
};

fn ledger() -> Ledger {
    Ledger::over(MemoryStore::new())
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20), "the test")
}

fn hand_over<R: Controller>(
    source: &Handover,
    tree: Offer<Machine>,
    destination: &Handover,
    host: impl Host<R>,
) -> (Offered<Machine>, Accepted<R>) {
    let (here, there) = pipe();
    block_on(join(source.offer(tree, here), destination.accept::<R>(there, host)))
}

/// Why neither side moved the tree, as each tells it.
#[track_caller]
fn refused<R: Controller>((offered, accepted): (Offered<Machine>, Accepted<R>)) -> (Error, Error) {
    let Offered::Kept(kept) = offered else { panic!("{:?}", offered) };
    let Accepted::Refused(refused) = accepted else { panic!("not refused") };
    assert!(kept.undo.is_none() && refused.undo.is_none(), "{kept:?} {refused:?}");
    (kept.error, refused.error)
}

#[test]
fn a_tree_moves_and_both_ledgers_say_so() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, b"content".to_vec());
    let (source, destination) = (ledger(), ledger());
    let (here, there) = pipe();
    let session = Session::new().resource(Arc::clone(&world));
    let (offered, accepted) = block_on(join(
        offer(&machine, here, &source, &Session::new()),
        accept::<Machine>(there, &destination, &session),
    ));
    let Offered::Committed(left) = offered else { panic!("{offered:?}") };
    let Accepted::Live(arrived, taken) = accepted else { panic!("not live") };
    assert_eq!(arrived.state().name, "m");
    assert!(left.settled && taken.settled);
    assert!(left.trouble.is_empty() && taken.trouble.is_empty());
    assert_eq!(left.session, taken.session);
    assert_eq!(left.bytes, taken.bytes);
    let phases = |report: &snapshot_core::SideReport| -> Vec<String> {
        report.phases.iter().map(|phase| phase.phase.clone()).collect()
    };
    assert_eq!(phases(&left.side), ["freeze", "save", "commit"]);
    assert_eq!(phases(&taken.side), ["import", "prepare", "refresh", "patch", "resume"]);
    let marks = |ledger: &Ledger| ledger.find(&left.session).unwrap().map(|r| (r.role, r.mark));
    assert_eq!(marks(&source), Some((Role::Source, Mark::Committed)));
    assert_eq!(marks(&destination), Some((Role::Destination, Mark::Live)));
}

#[test]
fn the_notes_of_the_program_arrive() {
    struct Notes(Node, Arc<Mutex<Vec<Vec<u8>>>>);
    impl Host<Machine> for Notes {
        fn greet(&mut self, hello: &Hello) -> Result<Vec<u8>, Error> {
            self.1.lock().unwrap().extend([hello.note.clone(), hello.host.clone().into_bytes()]);
            self.0.greet(hello)
        }
        fn bind(&mut self, root: &Arc<Machine>, note: &[u8]) -> Result<Session, Error> {
            self.1.lock().unwrap().push(note.to_vec());
            self.0.bind(root, note)
        }
        fn go_live(&mut self, root: &Arc<Machine>) -> Vec<u8> {
            self.0.go_live(root)
        }
    }
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, Vec::new());
    let heard = Arc::default();
    let tree = Offer::new(&machine, &Session::new())
        .note(b"hello".to_vec())
        .snapshot_note(|machine| Ok(machine.state().name.clone().into_bytes()))
        .farewell(|_| b"bye".to_vec());
    let (offered, accepted) = hand_over(
        &Handover::new(&ledger()).host("a").build("shim 1"),
        tree,
        &Handover::new(&ledger()).host("b").build("shim 2"),
        Notes(Node::new(&world), Arc::clone(&heard)),
    );
    let Offered::Committed(left) = offered else { panic!("{offered:?}") };
    let Accepted::Live(_, taken) = accepted else { panic!("not live") };
    assert_eq!(*heard.lock().unwrap(), [&b"hello"[..], b"a", b"m", b"m"]);
    assert_eq!((left.note.as_slice(), taken.note.as_slice()), (&b"went live"[..], &b"bye"[..]));
    assert_eq!((left.peer.as_str(), taken.peer.as_str()), ("shim 2", "shim 1"));
}

#[test]
fn a_snapshot_of_many_frames_arrives_and_its_progress_is_observed() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, vec![7; 5 << 20]);
    let done = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&done);
    let observer = move |bytes: snapshot_handover::frame::Transferred| {
        assert!(bytes.done > seen.swap(bytes.done, Ordering::SeqCst) && bytes.done <= bytes.total);
    };
    let (offered, _) = hand_over(
        &Handover::new(&ledger()),
        Offer::new(&machine, &Session::new()).rehearse(false),
        &Handover::new(&ledger()).observer(observer),
        Node::new(&world),
    );
    let Offered::Committed(report) = offered else { panic!("{offered:?}") };
    assert!(report.bytes > 5 << 20);
    assert_eq!(done.load(Ordering::SeqCst), report.bytes);
}

#[test]
fn a_session_id_is_used_once() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, Vec::new());
    let id: SessionId = "once".parse().unwrap();
    let (source, destination) = (ledger(), ledger());
    let tree = || Offer::new(&machine, &Session::new()).id(id.clone());
    // Refused by the destination's host, so that the tree can be offered again.
    let mut unready = Node::new(&world);
    unready.refuses = Some("not now");
    let first = hand_over(&Handover::new(&source), tree(), &Handover::new(&destination), unready);
    assert!(refused(first).0.to_string().contains("not now"));

    // The destination has seen it.
    let again = hand_over(
        &Handover::new(&ledger()),
        tree(),
        &Handover::new(&destination),
        Node::new(&world),
    );
    let (at_source, _) = refused(again);
    assert_eq!(
        at_source.to_string(),
        "session once was already used: a hand-over needs a new session id"
    );
    // The record of the first is as it was.
    let record = destination.find(&id).unwrap().unwrap();
    assert!(Error::from(record.failure.unwrap()).to_string().contains("not now"));

    // The source has used it.
    let (here, there) = pipe();
    let (offered, accepted) = block_on(join(
        Handover::new(&source).offer(tree(), here),
        Handover::new(&ledger()).accept::<Machine>(there, Node::new(&world)),
    ));
    let Offered::Kept(kept) = offered else { panic!("{offered:?}") };
    assert!(kept.error.to_string().contains("was already used"), "{}", kept.error);
    assert!(matches!(accepted, Accepted::NoSession(_)));
    assert_eq!(world.runs(), (true, false));

    // With a new id it moves.
    let moved = hand_over(
        &Handover::new(&source),
        Offer::new(&machine, &Session::new()),
        &Handover::new(&destination),
        Node::new(&world),
    );
    assert!(matches!(moved.0, Offered::Committed(_)));
}

#[test]
fn a_second_resume_of_one_hand_over_is_refused_whichever_source_asks_for_it() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, b"content".to_vec());
    let id: SessionId = "once".parse().unwrap();
    let (source, destination) = (ledger(), ledger());
    let tree = |machine| Offer::new(machine, &Session::new()).id(id.clone());
    let to = Handover::new(&destination);
    let (offered, accepted) =
        hand_over(&Handover::new(&source), tree(&machine), &to, Node::new(&world));
    assert!(matches!(offered, Offered::Committed(_)));
    let Accepted::Live(live, _) = accepted else { panic!("{accepted:?}") };

    // A copy of the tree, offered by a source that has lost its ledger: a backup that was restored, or a
    // conversation that was recorded. Each host has a world of its own.
    let elsewhere = Arc::new(World::default());
    let copy = Machine::running(&elsewhere, b"older".to_vec());
    let again = hand_over(&Handover::new(&ledger()), tree(&copy), &to, Node::new(&elsewhere));
    let (at_source, _) = refused(again);
    assert_eq!(
        at_source.to_string(),
        "session once was already used: a hand-over needs a new session id"
    );
    // The source that has moved it has nothing to resume from either.
    let other = Handover::new(&ledger());
    let (offered, _) =
        hand_over(&Handover::new(&source), tree(&machine), &other, Node::new(&elsewhere));
    let Offered::Kept(kept) = offered else { panic!("{offered:?}") };
    assert!(kept.error.to_string().contains("was already used"), "{}", kept.error);
    assert_eq!((world.runs(), elsewhere.runs()), ((false, true), (true, false)));
    let content = live.state().disk.with_state(|disk| disk.content.clone());
    assert_eq!(content.as_deref(), Some(&b"content"[..]));
    assert_eq!(destination.find(&id).unwrap().unwrap().mark, Mark::Live);
}

#[test]
fn a_destination_of_another_tree_refuses_by_name() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, Vec::new());
    let ended = hand_over::<ControllerSet>(
        &Handover::new(&ledger()),
        Offer::new(&machine, &Session::new()),
        &Handover::new(&ledger()),
        Session::new(),
    );
    let (at_source, at_destination) = refused(ended);
    assert_eq!(at_source.code(), Code::InvalidArgument);
    assert!(at_source.to_string().contains("handover.test.v1.MachineSnapshot"), "{at_source}");
    assert_eq!(at_source.to_string(), at_destination.to_string());
    assert_eq!(world.runs(), (true, false));
}

#[test]
fn a_snapshot_above_the_destinations_limit_is_refused_before_the_freeze() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, vec![7; 100_000]);
    let ended = hand_over(
        &Handover::new(&ledger()),
        Offer::new(&machine, &Session::new()),
        &Handover::new(&ledger()).limits(Limits::new().snapshot(50_000)),
        Node::new(&world),
    );
    let Offered::Kept(kept) = &ended.0 else { panic!("{:?}", ended.0) };
    assert!(kept.report.side.phases.is_empty(), "it was frozen: {:?}", kept.report.side);
    let (at_source, at_destination) = refused(ended);
    assert!(at_source.to_string().contains("reads at most 50000"), "{at_source}");
    assert_eq!(at_source.to_string(), at_destination.to_string());
    assert_eq!(world.runs(), (true, false));
}

#[test]
fn a_host_that_fails_or_panics_keeps_the_tree_at_the_source() {
    struct Panics;
    impl Host<Machine> for Panics {
        fn bind(&mut self, _: &Arc<Machine>, _: &[u8]) -> Result<Session, Error> {
            panic!("no disks")
        }
    }
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, Vec::new());
    let tree = || Offer::new(&machine, &Session::new());
    let (source, destination) = (Handover::new(&ledger()), Handover::new(&ledger()));
    let unfit = tree().snapshot_note(|_| Ok(b"unfit".to_vec()));
    let (at_source, _) = refused(hand_over(&source, unfit, &destination, Node::new(&world)));
    assert_eq!(at_source.to_string(), "the note does not fit");

    let (at_source, _) = refused(hand_over(&source, tree(), &destination, Panics));
    assert_eq!(at_source.to_string(), "Host::bind panicked: no disks");

    let failing = tree().snapshot_note(|_| panic!("no note"));
    let (at_source, _) = refused(hand_over(&source, failing, &destination, Node::new(&world)));
    assert_eq!(at_source.to_string(), "the note of the rehearsal panicked: no note");
    assert_eq!(world.runs(), (true, false));
}

#[test]
fn a_hook_that_fails_at_the_destination_is_reported_at_the_source() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, Vec::new());
    for phase in [snapshot_core::Phase::Patch, snapshot_core::Phase::Resume] {
        let mut node = Node::new(&world);
        node.session = Session::new().fail_at(phase, "disk");
        let (offered, accepted) = hand_over(
            &Handover::new(&ledger()),
            Offer::new(&machine, &Session::new()),
            &Handover::new(&ledger()),
            node,
        );
        let Accepted::Refused(at_destination) = &accepted else { panic!("not refused") };
        let failure = at_destination.report.side.failure.clone().unwrap();
        assert_eq!(failure.phase, phase.as_str());
        let (at_source, _) = refused((offered, accepted));
        assert!(at_source.to_string().starts_with("disk: "), "{at_source}");
        assert_eq!(world.runs(), (true, false));
    }
}

/// The destination's end of a link on which somebody else is the source.
fn against<T>(source: impl AsyncFnOnce(Pipe) -> T) -> (T, Accepted<Machine>) {
    let world = Arc::new(World::default());
    let (here, there) = pipe();
    let handover = Handover::new(&ledger()).limits(impatient());
    block_on(join(source(here), handover.accept::<Machine>(there, Node::new(&world))))
}

#[track_caller]
fn no_session(accepted: Accepted<Machine>) -> Error {
    match accepted {
        Accepted::NoSession(error) => error,
        _ => panic!("a session has begun"),
    }
}

#[test]
fn a_stranger_on_the_link_begins_no_session() {
    let (_, accepted) = against(async |mut link: Pipe| {
        link.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        link.read_to_end(&mut answer).await.unwrap();
    });
    let error = no_session(accepted);
    assert_eq!(error.code(), Code::DataLoss);
    assert!(error.to_string().contains("does not speak the protocol"), "{error}");
}

#[test]
fn silence_does_not_hold_a_destination() {
    let (_, accepted) = against(async |link: Pipe| {
        // Until the destination gives up.
        let mut channel = Channel::new(link);
        let _ = channel.receive(1024, soon()).await;
        let _ = channel.receive(1024, soon()).await;
    });
    assert_eq!(no_session(accepted).code(), Code::DeadlineExceeded);
}

#[test]
fn a_message_that_trickles_in_does_not_hold_a_destination() {
    let (sent, accepted) = against(async |mut link: Pipe| {
        // A frame of 200 bytes, each in good time after the one before it.
        link.write_all(&[0, 0, 0, 200]).await.unwrap();
        let mut sent = 0;
        while link.write_all(b"x").await.is_ok() {
            sent += 1;
            ThreadTimer.sleep(Duration::from_millis(10)).unwrap().await;
        }
        sent
    });
    let error = no_session(accepted);
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(error.to_string().starts_with("receiving a message took longer than"), "{error}");
    assert!(sent < 200, "{sent}");
}

#[test]
fn a_build_without_a_common_version_is_told_which_side_is_newer() {
    let (_, accepted) = against(async |link: Pipe| {
        let newer = Versions { lowest: 7, highest: 9, build: "shim 9".to_owned() };
        let mut channel = Channel::new(link);
        channel.send(&newer.encode().unwrap(), soon()).await.unwrap();
        let _ = channel.receive(1024, soon()).await;
    });
    let error = no_session(accepted);
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.to_string().contains("upgrade this side, which is older"), "{error}");
}

#[test]
fn a_message_of_a_newer_version_is_refused_with_the_newer_build() {
    let (_, accepted) = against(async |link: Pipe| {
        let newer = Versions { lowest: 1, highest: 2, build: "shim 2".to_owned() };
        let mut channel = Channel::new(link);
        channel.send(&newer.encode().unwrap(), soon()).await.unwrap();
        channel.receive(1024, soon()).await.unwrap();
        // Member 99 of the oneof.
        channel.send(&[0x9a, 0x06, 0x00], soon()).await.unwrap();
        let _ = channel.receive(1024, soon()).await;
    });
    let error = no_session(accepted).to_string();
    assert!(error.contains("the other side (shim 2) sent a message"), "{error}");
    assert!(error.contains("unknown field 99"), "{error}");
    assert!(error.contains("upgrade this side, which is older"), "{error}");
}

#[test]
fn a_message_where_it_does_not_belong_begins_no_session() {
    let (_, accepted) = against(async |link: Pipe| {
        let mut channel = Channel::new(link);
        channel.send(&Versions::of("x").encode().unwrap(), soon()).await.unwrap();
        channel.receive(1024, soon()).await.unwrap();
        channel.send(&Message::Resume.encode().unwrap(), soon()).await.unwrap();
        let _ = channel.receive(1024, soon()).await;
    });
    let error = no_session(accepted).to_string();
    assert_eq!(error, "the other side unexpectedly sent Resume");
}

#[test]
fn a_source_that_asks_the_wrong_host_is_not_told_that_it_may_take_the_tree_back() {
    let asks = async |link: Pipe| {
        let mut channel = Channel::new(link);
        channel.send(&Versions::of("x").encode().unwrap(), soon()).await.unwrap();
        channel.receive(1024, soon()).await.unwrap();
        let session = "elsewhere".parse().unwrap();
        let ask = Message::Ask(snapshot_handover::message::Ask { session });
        channel.send(&ask.encode().unwrap(), soon()).await.unwrap();
        channel.receive(1024, soon()).await
    };
    let (answer, accepted) = against(asks);
    assert!(answer.unwrap_err().to_string().contains("has closed the link"));
    assert!(no_session(accepted).to_string().contains("has no session elsewhere"));
}

#[test]
fn a_tree_that_the_destination_does_not_verify_is_refused_before_the_freeze() {
    let source = async |link: Pipe| {
        let mut channel = Channel::new(link);
        channel.send(&Versions::of("x").encode().unwrap(), soon()).await.unwrap();
        channel.receive(1024, soon()).await.unwrap();
        let hello = Message::Hello(Hello {
            session: "s".parse().unwrap(),
            root: MachineState::TYPE_URL.to_owned(),
            host: String::new(),
            note: Vec::new(),
        });
        channel.send(&hello.encode().unwrap(), soon()).await.unwrap();
        let welcome = channel.receive(1 << 20, soon()).await.unwrap();
        assert_eq!(Message::decode(&welcome).unwrap().word(), Word::Welcome);
        // A machine without its disk.
        let value = b"\x08\x01\x12\x01m".to_vec();
        let any = prost_types::Any { type_url: MachineState::TYPE_URL.to_owned(), value };
        let bytes = snapshot_core::Snapshot::from_any(&any).unwrap().into_bytes();
        let rehearsal =
            Message::Rehearsal(Rehearsal { length: bytes.len() as u64, note: Vec::new() });
        channel.send(&rehearsal.encode().unwrap(), soon()).await.unwrap();
        channel.send_bytes(&bytes, soon()).await.unwrap();
        Message::decode(&channel.receive(1 << 20, soon()).await.unwrap()).unwrap()
    };
    let (answer, accepted) = against(source);
    let Message::Refused(failure) = answer else { panic!("{answer:?}") };
    let error = Error::from(failure).to_string();
    assert!(error.contains("disk: "), "{error}");
    assert!(matches!(accepted, Accepted::Refused(_)), "{accepted:?}");
}

#[test]
fn the_rehearsal_measures_and_a_blackout_that_is_too_long_is_not_begun() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, vec![7; 1 << 20]);
    let tree = || Offer::new(&machine, &Session::new());
    let (source, destination) = (Handover::new(&ledger()), Handover::new(&ledger()));
    let strict = tree().at_most(Duration::from_nanos(1));
    let (offered, accepted) = hand_over(&source, strict, &destination, Node::new(&world));
    let Offered::Kept(kept) = &offered else { panic!("{offered:?}") };
    let rehearsed = kept.report.rehearsal.unwrap();
    assert!(rehearsed.bytes > 1 << 20 && rehearsed.estimate() > Duration::from_nanos(1));
    assert!(kept.report.side.phases.is_empty(), "it was frozen: {:?}", kept.report.side);
    let (at_source, at_destination) = refused((offered, accepted));
    assert!(at_source.to_string().contains("the blackout would take"), "{at_source}");
    assert_eq!(at_source.to_string(), at_destination.to_string());

    // Without a rehearsal there is no estimate.
    let blind = tree().rehearse(false).at_most(Duration::from_nanos(1));
    let (offered, _) = hand_over(&source, blind, &destination, Node::new(&world));
    let Offered::Committed(report) = offered else { panic!("{offered:?}") };
    assert_eq!(report.rehearsal, None);
}

#[test]
fn a_cancelled_offer_keeps_the_tree() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, Vec::new());
    let session = Session::new();
    session.cancel_handle().cancel();
    let ended = hand_over(
        &Handover::new(&ledger()),
        Offer::new(&machine, &session),
        &Handover::new(&ledger()),
        Node::new(&world),
    );
    let (at_source, at_destination) = refused(ended);
    assert_eq!(at_source.code(), Code::Cancelled);
    assert_eq!(at_destination.code(), Code::Cancelled);
    assert_eq!(world.runs(), (true, false));
}

#[test]
fn rehearsals_prepare_the_destination_as_often_as_the_source_likes() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, vec![1; 10]);
    let disk: Arc<Disk> = Arc::clone(machine.state().disk.get().unwrap());
    let rounds = Arc::new(Mutex::new(Vec::new()));
    let (seen, grows, held) = (Arc::clone(&rounds), disk, Arc::clone(&world));
    let offer = Offer::new(&machine, &Session::new()).after_rehearsal(move |rehearsed| {
        seen.lock().unwrap().push((rehearsed.rounds, held.held.load(Ordering::SeqCst)));
        // The machine runs on, and its disk changes.
        grows.state().content.push(7);
        async move { Ok(if rehearsed.rounds < 3 { Next::RehearseAgain } else { Next::Freeze }) }
    });
    let (offered, accepted) =
        hand_over(&Handover::new(&ledger()), offer, &Handover::new(&ledger()), Node::new(&world));
    let Offered::Committed(report) = offered else { panic!("{offered:?}") };
    assert_eq!(report.rehearsal.unwrap().rounds, 3);
    assert_eq!(*rounds.lock().unwrap(), [(1, 1), (2, 1), (3, 1)]);
    let Accepted::Live(there, _) = accepted else { panic!("{accepted:?}") };
    assert_eq!(there.state().disk.get().unwrap().state().content.len(), 13);
    assert_eq!(world.prepared.load(Ordering::SeqCst), 3);
    assert_eq!(world.held.load(Ordering::SeqCst), 1, "one disk, prepared and not bound twice");
    assert_eq!(world.runs(), (false, true));
}

#[test]
fn what_is_prepared_is_taken_back_where_the_source_keeps_the_tree() {
    let keeps: [fn(Offer<Machine>) -> Offer<Machine>; 4] = [
        |offer| offer.after_rehearsal(|_| -> Ready<_> { panic!("while it decided") }),
        |offer| offer.after_rehearsal(|_| async { panic!("while it waited") }),
        |offer| {
            let why = "memory changes too fast";
            offer.after_rehearsal(move |_| async move { Err(Error::precondition(why)) })
        },
        |offer| offer.at_most(Duration::from_nanos(1)),
    ];
    for keep in keeps {
        let world = Arc::new(World::default());
        let machine = Machine::running(&world, vec![1; 10]);
        let (source, destination) = (Handover::new(&ledger()), Handover::new(&ledger()));
        let offer = keep(Offer::new(&machine, &Session::new()));
        refused(hand_over(&source, offer, &destination, Node::new(&world)));
        assert_eq!(world.prepared.load(Ordering::SeqCst), 1);
        assert_eq!(world.held.load(Ordering::SeqCst), 0);
        assert_eq!(world.runs(), (true, false));
        // The retry succeeds.
        let again = Offer::new(&machine, &Session::new());
        let (offered, _) = hand_over(&source, again, &destination, Node::new(&world));
        assert!(matches!(offered, Offered::Committed(_)), "{offered:?}");
    }
}

#[test]
fn a_blackout_budget_of_the_session_bounds_the_estimate() {
    let world = Arc::new(World::default());
    let machine = Machine::running(&world, vec![1; 1 << 20]);
    let session = Session::new().blackout_budget(Duration::from_nanos(1));
    let (source, destination) = (Handover::new(&ledger()), Handover::new(&ledger()));
    let offer = Offer::new(&machine, &session);
    let ended = hand_over(&source, offer, &destination, Node::new(&world));
    let (at_source, _) = refused(ended);
    assert!(at_source.to_string().contains("the blackout would take"), "{at_source}");
    assert_eq!(world.held.load(Ordering::SeqCst), 0);
}
