//! Adapters of users, and the findings of the contract kit about them.

use std::panic::catch_unwind;
use std::time::Duration;

use snapshot_core::Snapshot;
use snapshot_core::codec::{self, Countdown};
use snapshot_core::testing::{Contract, contract};

use crate::pb;

/// Keeps whole seconds, and says nothing about the rest.
mod rounding {
    use super::Duration;

    pub(super) fn to_wire(duration: &Duration) -> Result<u64, String> {
        Ok(duration.as_secs())
    }

    pub(super) fn from_wire(seconds: u64) -> Result<Duration, String> {
        Ok(Duration::from_secs(seconds))
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::Policy)]
struct Rounded {
    #[snapshot(with = rounding)]
    limit: Duration,
}

#[derive(Snapshot)]
#[snapshot(message = pb::Pair, version = 1, ignore(more))]
struct Outer {
    a: Rounded,
    b: Option<Rounded>,
}

fn rounded(millis: u64) -> Rounded {
    Rounded { limit: Duration::from_millis(millis) }
}

fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> Option<String> {
    let panic = catch_unwind(test).err()?;
    panic.downcast::<String>().ok().map(|text| *text)
}

#[test]
fn the_contract_finds_an_adapter_that_rounds_by_a_sample_that_it_rounds() {
    assert_eq!(failure(|| contract([rounded(1_000), rounded(2_000)])), None);
    let text = failure(|| contract([rounded(1_500)])).unwrap();
    assert!(text.contains("comes back with another value in `limit`"), "{text}");
}

#[test]
fn the_contract_looks_at_adapters_of_states_inside() {
    let outer = |millis| Outer { a: rounded(1_000), b: Some(rounded(millis)) };
    assert_eq!(failure(|| contract([outer(1_000)])), None);
    let text = failure(|| contract([outer(1_001)])).unwrap();
    assert!(text.contains("another value in `b.limit`"), "{text}");
}

#[test]
fn a_lossy_adapter_is_exempted_by_its_whole_path_or_by_its_message() {
    let normalized = |path| {
        let outer = |millis| Outer { a: rounded(1_000), b: Some(rounded(millis)) };
        let kit = Contract::new().samples([outer(1_000), outer(1_001)]);
        failure(|| kit.normalized(path).run())
    };
    for path in ["b.limit", "b", "meaning.v1.Policy.limit"] {
        assert_eq!(normalized(path), None, "{path}");
    }
    let text = normalized("a.limit").unwrap();
    assert!(text.contains("another value in `b.limit`"), "{text}");
}

#[derive(Snapshot)]
#[snapshot(message = pb::Policy)]
struct Lease {
    #[snapshot(with = codec::remaining_millis)]
    limit: Countdown,
}

#[test]
fn a_countdown_that_is_paused_keeps_the_contract() {
    let lease = |millis| Lease { limit: Countdown::paused(Duration::from_millis(millis)) };
    contract([lease(0), lease(1_500)]);
}
