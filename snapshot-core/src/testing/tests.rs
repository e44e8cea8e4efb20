//! The kit passes what keeps the contract, and finds each way to break it.

mod adapters;
mod by_hand;
mod cost;
mod exceptions;
mod sound;
mod undo;

use super::Contract;
use crate::State;

/// The report on a type; `None` if it keeps the contract.
fn report<S: State>(samples: impl IntoIterator<Item = S>) -> Option<String> {
    Contract::new().samples(samples).broken()
}

/// The report on a type that must break the contract, which must have these lines in it.
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
