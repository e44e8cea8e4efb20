//! The properties of the fuzz targets, on the stable toolchain: over the goldens, over inputs that
//! the fuzzers found interesting, and over all of these with something changed.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fuzz_replay/change.rs"]
mod change;
#[path = "fuzzing/mod.rs"]
mod fuzzing;
#[path = "fuzz_replay/worst.rs"]
mod worst;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use change::{Change, changes};
use proptest::prelude::*;
use proptest::sample::Index;

/// A target, and what checks an input and says whether it is right.
type Target = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Target; 3] =
    [("lcow", fuzzing::lcow), ("hcsshim", fuzzing::hcsshim), ("envelope", fuzzing::envelope)];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The seeds of a target, and after them what is committed in `golden/fuzz`.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let mut inputs = fuzzing::seeds::of(target, &golden());
    let mut files: Vec<_> = std::fs::read_dir(golden().join("fuzz").join(target))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no inputs of {target}");
    inputs.extend(files.iter().map(|file| std::fs::read(file).unwrap()));
    inputs
}

#[test]
fn the_properties_hold_for_every_input_that_is_known() {
    for (target, check) in TARGETS {
        let right = inputs(target).iter().filter(|input| check(input)).count();
        assert!(right > 0, "no input of {target} is right");
    }
}

#[test]
fn the_properties_hold_for_every_beginning_of_a_sandbox() {
    for (target, check) in TARGETS {
        let longest =
            fuzzing::seeds::of(target, &golden()).into_iter().max_by_key(Vec::len).unwrap();
        for length in 0..longest.len() {
            check(&longest[..length]);
        }
    }
}

const CASES: u32 = 4_000;

/// Checks a target with inputs of its own and of others, changed in up to seven ways.
fn holds_when_changed(target: &str) {
    let (_, check) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let inputs = inputs(target);
    let cases = (any::<Index>(), any::<Index>(), changes());
    let right = Cell::new(0);
    proptest!(ProptestConfig::with_cases(CASES), |((one, other, changes) in cases)| {
        let mut input = one.get(&inputs).clone();
        let other = other.get(&inputs);
        changes.iter().for_each(|change: &Change| change.apply(&mut input, other));
        right.set(right.get() + u32::from(check(&input) && !changes.is_empty()));
    });
    // Else the changes would test nothing but refusals.
    let right = right.get();
    assert!(right > CASES / 100, "only {right} of {CASES} changed inputs are right");
}

#[test]
fn the_properties_hold_for_changed_payloads_of_a_sandbox() {
    holds_when_changed("lcow");
}

#[test]
fn the_properties_hold_for_changed_payloads_of_hcsshim() {
    holds_when_changed("hcsshim");
}

#[test]
fn the_properties_hold_for_changed_snapshots() {
    holds_when_changed("envelope");
}
