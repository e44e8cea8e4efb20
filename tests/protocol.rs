//! The two-sided protocol of the example `live_migration`, checked in every order in which its
//! messages, losses, crashes, restarts and timeouts can come. What is checked are the functions that
//! the shims themselves decide by.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

#[allow(dead_code, reason = "what is shown to operators is not shown here")]
#[path = "../examples/live_migration/shim/decision/mod.rs"]
mod decision;
#[path = "protocol/model.rs"]
mod model;

use decision::{Action, Event, Mark, Word, destination, source};
use model::{Protocol, Rules};
use stateright::{Checker, HasDiscoveries, Model};

/// What the shims do.
const REAL: Rules = Rules { source: source::step, destination: destination::step };

#[test]
fn the_sandbox_never_runs_twice_and_is_never_lost_without_a_named_way_back() {
    let checker = Protocol::new(REAL).checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} of them different, {} steps deep",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
    // Every path is finite: the deepest is found, and nothing was left out.
    assert!(checker.is_done());
    assert!(checker.unique_state_count() > 10_000, "{}", checker.unique_state_count());
}

/// A protocol with a mistake in it is found out by one of these properties.
#[track_caller]
fn is_found_out(rules: Rules, properties: &[&'static str]) {
    let enough = HasDiscoveries::AnyOf(properties.iter().copied().collect());
    let checker = Protocol::new(rules).checker().finish_when(enough).spawn_bfs().join();
    let found: Vec<_> = properties.iter().filter(|p| checker.discovery(p).is_some()).collect();
    assert!(!found.is_empty(), "no counterexample to {properties:?}");
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
