//! The decisions of `snapshot-handover`, checked in every possible order of messages, losses,
//! crashes, restarts, timeouts and failed writes. The functions under test are those with which
//! `offer`, `accept` and the example `live_migration` decide.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

mod model;

use model::{Budget, Ledger, Protocol, Rules, TakesUp};
use snapshot_handover::decision::{Action, Again, Event, Mark, Word, Written, destination, source};
use stateright::{Checker, HasDiscoveries, Model};

/// The rules of the library, over a ledger that keeps exactly its promise: marks that the decisions
/// call optional, and `Begun`, may be lost.
const REAL: Rules = Rules {
    source: source::step,
    destination: destination::step,
    ledger: Ledger {
        loses: |action| matches!(action, Action::Note(_) | Action::Record(Mark::Begun)),
        reads: |written| written,
    },
    again: TakesUp {
        source: source::again,
        destination: destination::again,
        locks: true,
        compares: true,
        keeps: true,
    },
};

/// Checks every property in every state, and prints the number of states.
#[track_caller]
fn holds(budget: Budget) {
    let protocol = Protocol::new(REAL).with_budget(budget);
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} of them different, {} steps deep",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
    // The number of states is finite, and none was omitted.
    assert!(checker.is_done());
    assert!(checker.unique_state_count() > 10_000, "{}", checker.unique_state_count());
}

#[test]
fn the_sandbox_never_runs_twice_and_is_never_lost_without_a_named_way_back() {
    holds(Budget::LINKS);
}

#[test]
fn that_holds_too_when_marks_are_not_written_half_written_or_written_and_reported_as_failed() {
    holds(Budget::WRITES);
}

#[test]
fn a_shim_that_dies_at_any_time_takes_its_sandbox_up_again_and_no_other_does() {
    holds(Budget::CHECKPOINTS);
}

/// Checks that one of these properties finds the mistake of a protocol.
#[track_caller]
fn is_found_out(rules: Rules, properties: &[&'static str]) {
    let enough = HasDiscoveries::AnyOf(properties.iter().copied().collect());
    let budgets = [Budget::LINKS, Budget::WRITES, Budget::CHECKPOINTS];
    let found = budgets.into_iter().any(|budget| {
        let protocol = Protocol::new(rules).with_budget(budget);
        let checker = protocol.checker().finish_when(enough.clone()).spawn_bfs().join();
        properties.iter().any(|property| checker.discovery(property).is_some())
    });
    assert!(found, "no counterexample to {properties:?}");
}

#[test]
fn a_source_that_takes_the_sandbox_back_when_in_doubt_is_found_out() {
    let hasty = |state, event| match (state, event) {
        (source::State::Given, Event::Lost) => {
            (source::State::Kept, vec![Action::Record(Mark::Kept), Action::Thaw, Action::End])
        }
        _ => source::step(state, event),
    };
    is_found_out(Rules { source: hasty, ..REAL }, &["never two live sides"]);
}

#[test]
fn a_source_that_commits_before_the_destination_is_live_is_found_out() {
    let hasty = |state, event| match (state, event) {
        (source::State::Offered, Event::Got(Word::Patched)) => (
            source::State::Committed,
            vec![Action::Record(Mark::Committed), Action::Commit, Action::Send(Word::Resume)],
        ),
        _ => source::step(state, event),
    };
    is_found_out(
        Rules { source: hasty, ..REAL },
        &["the source commits on the destination's word only"],
    );
}

#[test]
fn a_source_that_tells_before_it_writes_is_found_out() {
    let forgetful = |state, event| match (state, event) {
        (source::State::Offered, Event::Got(Word::Patched)) => {
            (source::State::Given, vec![Action::Send(Word::Resume), Action::Record(Mark::Given)])
        }
        _ => source::step(state, event),
    };
    is_found_out(
        Rules { source: forgetful, ..REAL },
        &["never two live sides", "never two that say it is theirs"],
    );
}

#[test]
fn a_destination_that_goes_live_before_it_writes_is_found_out() {
    let forgetful = |state, event| match (state, event) {
        (destination::State::Resuming, Event::Done) => (
            destination::State::Live,
            vec![Action::GoLive, Action::Record(Mark::Live), Action::Send(Word::Resumed)],
        ),
        _ => destination::step(state, event),
    };
    is_found_out(Rules { destination: forgetful, ..REAL }, &["never two live sides"]);
}

#[test]
fn a_destination_that_resumes_without_being_told_is_found_out() {
    let eager = |state, event| match (state, event) {
        (destination::State::Patched, Event::Lost) => {
            (destination::State::Resuming, vec![Action::Resume])
        }
        _ => destination::step(state, event),
    };
    is_found_out(
        Rules { destination: eager, ..REAL },
        &["never two live sides", "never two that say it is theirs"],
    );
}

#[test]
fn an_operator_who_is_never_asked_leaves_a_sandbox_nowhere_and_is_found_out() {
    let mute = |state, event| match (state, event) {
        (source::State::Given, Event::Nobody) => (source::State::Doubt, vec![Action::End]),
        _ => source::step(state, event),
    };
    is_found_out(
        Rules { source: mute, ..REAL },
        &["in the end one side is live, or the way back has a name"],
    );
}

#[test]
fn a_destination_that_goes_live_though_its_mark_is_reported_as_failed_is_found_out() {
    let careless = |state, event| match (state, event) {
        (destination::State::Live, Event::Unrecorded | Event::Unsure) => {
            (destination::State::Live, vec![Action::GoLive, Action::Send(Word::Resumed)])
        }
        _ => destination::step(state, event),
    };
    is_found_out(Rules { destination: careless, ..REAL }, &["never two live sides"]);
}

#[test]
fn a_destination_that_refuses_while_its_failed_mark_may_be_there_is_found_out() {
    let careless = |state, event| match (state, event) {
        (destination::State::Live, Event::Unsure) => (
            destination::State::Aborted,
            vec![Action::Abort, Action::Note(Mark::Aborted), Action::Send(Word::Refused)],
        ),
        _ => destination::step(state, event),
    };
    is_found_out(
        Rules { destination: careless, ..REAL },
        &["never two that say it is theirs", "never two live sides"],
    );
}

#[test]
fn a_destination_that_takes_a_mark_back_that_may_have_been_read_is_found_out() {
    // Even if the later mark must be durable before the refusal.
    let stubborn = |state, event| match (state, event) {
        (destination::State::Live, Event::Unsure) => (
            destination::State::Aborted,
            vec![Action::Abort, Action::Record(Mark::Aborted), Action::Send(Word::Refused)],
        ),
        _ => destination::step(state, event),
    };
    is_found_out(
        Rules { destination: stubborn, ..REAL },
        &[
            "the source commits on the destination's word only",
            "in the end one side is live, or the way back has a name",
        ],
    );
}

#[test]
fn a_source_that_resumes_though_its_mark_is_reported_as_failed_is_found_out() {
    let careless = |state, event| match (state, event) {
        (source::State::Given, Event::Unrecorded | Event::Unsure) => {
            (source::State::Given, vec![Action::Send(Word::Resume)])
        }
        _ => source::step(state, event),
    };
    is_found_out(
        Rules { source: careless, ..REAL },
        &["never two live sides", "never two that say it is theirs"],
    );
}

#[test]
fn a_ledger_that_loses_the_mark_given_is_found_out() {
    let loses = |action| matches!(action, Action::Record(Mark::Given));
    is_found_out(
        Rules { ledger: Ledger { loses, ..REAL.ledger }, ..REAL },
        &["never two live sides", "never two that say it is theirs"],
    );
}

#[test]
fn a_ledger_that_loses_the_mark_live_is_found_out() {
    let loses = |action| matches!(action, Action::Record(Mark::Live));
    is_found_out(
        Rules { ledger: Ledger { loses, ..REAL.ledger }, ..REAL },
        &["never two live sides"],
    );
}

#[test]
fn a_ledger_that_takes_a_torn_record_for_none_is_found_out() {
    let reads = |written| match written {
        Written::Unreadable => Written::Nothing,
        readable => readable,
    };
    is_found_out(
        Rules { ledger: Ledger { reads, ..REAL.ledger }, ..REAL },
        &["never two live sides", "never two that say it is theirs"],
    );
}

/// Checks that the model finds a mistake in this rule for a restarted shim.
#[track_caller]
fn taking_up_is_found_out(change: fn(&mut TakesUp), properties: &[&'static str]) {
    let mut rules = REAL;
    change(&mut rules.again);
    is_found_out(rules, properties);
}

#[test]
fn a_source_that_takes_its_sandbox_up_while_in_doubt_is_found_out() {
    taking_up_is_found_out(
        |again| {
            again.source = |mark| match mark {
                Some(Mark::Given) => Again::TakeUp,
                mark => source::again(mark),
            }
        },
        &["never two live sides", "no checkpoint is taken up by two"],
    );
}

#[test]
fn a_source_that_takes_up_what_it_has_given_away_is_found_out() {
    taking_up_is_found_out(
        |again| again.source = |_| Again::TakeUp,
        &["never two live sides", "no checkpoint is taken up by two"],
    );
}

#[test]
fn a_destination_that_takes_up_what_it_has_not_written_to_be_its_own_is_found_out() {
    taking_up_is_found_out(
        |again| {
            again.destination = |mark| match mark {
                Some(Mark::Begun) => Again::TakeUp,
                mark => destination::again(mark),
            }
        },
        &["never two live sides", "no checkpoint is taken up by two"],
    );
}

#[test]
fn a_destination_that_is_live_before_it_has_kept_the_sandbox_is_found_out() {
    taking_up_is_found_out(
        |again| again.keeps = false,
        &["a side whose shim was started again has its sandbox in the end"],
    );
}

#[test]
fn a_ledger_without_a_lock_is_found_out() {
    taking_up_is_found_out(|again| again.locks = false, &["no checkpoint is taken up by two"]);
}

#[test]
fn a_stale_checkpoint_that_nobody_compares_is_found_out() {
    taking_up_is_found_out(
        |again| again.compares = false,
        &["no stale checkpoint is taken up without a word"],
    );
}

#[test]
fn a_destination_that_leaves_what_it_has_prepared_is_found_out() {
    let forgets = |state, event| match (state, event) {
        (destination::State::Prepared, Event::Lost) => {
            let ends = vec![Action::Note(Mark::Aborted), Action::End];
            (destination::State::Aborted, ends)
        }
        _ => destination::step(state, event),
    };
    is_found_out(
        Rules { destination: forgets, ..REAL },
        &["a destination that ends without the tree has nothing bound"],
    );
}
