//! Tests that the kit passes types that keep the contract, and finds each kind of violation.

mod adapters;
mod by_hand;
mod cost;
mod exceptions;
mod sound;
mod undo;

use super::Contract;
use crate::State;

/// The report on a type, or `None` if it keeps the contract.
fn report<S: State>(samples: impl IntoIterator<Item = S>) -> Option<String> {
    Contract::new().samples(samples).broken()
}

/// Asserts that a type breaks the contract, and that the report contains these lines.
#[track_caller]
fn assert_broken<S: State>(samples: impl IntoIterator<Item = S>, expected: &[&str]) {
    let text = report(samples).expect("breaks the contract");
    for line in expected {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[track_caller]
fn assert_sound<S: State>(samples: impl IntoIterator<Item = S>) {
    if let Some(text) = report(samples) {
        panic!("{text}");
    }
}
