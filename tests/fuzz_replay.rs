//! Checks the properties of the fuzz targets on the stable toolchain: with the goldens, with inputs that
//! the fuzzers found, and with mutations of both.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
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

/// A target with its function, which checks an input and returns whether it is valid.
type Target = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Target; 3] =
    [("lcow", fuzzing::lcow), ("hcsshim", fuzzing::hcsshim), ("envelope", fuzzing::envelope)];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The seeds of a target, and then the inputs that the fuzzers found.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let mut inputs = fuzzing::seeds::of(target, &golden());
    let found = std::fs::read_to_string(golden().join("fuzz").join(target).with_extension("hex"));
    inputs.extend(found.unwrap().lines().filter(|line| !line.starts_with('#')).map(from_hex));
    inputs
}

fn from_hex(line: &str) -> Vec<u8> {
    assert!(line.is_ascii() && line.len().is_multiple_of(2), "no hex: {line:?}");
    let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    (0..line.len()).step_by(2).map(byte).collect()
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

const CASES: u32 = 2_000;

/// Checks a target with inputs of this and other targets, with up to seven changes. Most inputs are valid
/// before the change; otherwise the changes would mostly test refusals.
fn holds_when_changed(target: &str) {
    let (_, check) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let all = inputs(target);
    let right: Vec<_> = all.iter().filter(|input| check(input)).cloned().collect();
    let is_right = proptest::bool::weighted(0.75);
    let cases = (is_right, any::<Index>(), any::<Index>(), changes());
    let accepted = Cell::new(0);
    let config =
        ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((is_right, one, other, changes) in cases)| {
        let mut input = one.get(if is_right { &right } else { &all }).clone();
        let other = other.get(&all);
        changes.iter().for_each(|change: &Change| change.apply(&mut input, other));
        accepted.set(accepted.get() + u32::from(check(&input) && !changes.is_empty()));
    });
    let accepted = accepted.get();
    assert!(accepted > CASES / 100, "only {accepted} of {CASES} changed inputs are right");
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
