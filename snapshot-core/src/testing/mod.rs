//! The contract kit: one line that tests a state type thoroughly. Needs the feature `testing`.
//!
//! It is the first test to write for a state struct, and usually the only one that its encoding needs:
//!
//! ```
//! use snapshot_core::Snapshot;
//! # #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
//! # pub struct DiskSnapshot {
//! #     #[prost(uint32, tag = "1")]
//! #     pub schema_version: u32,
//! #     #[prost(string, tag = "2")]
//! #     pub image: String,
//! #     #[prost(uint64, tag = "3")]
//! #     pub size: u64,
//! # }
//! # impl prost::Name for DiskSnapshot {
//! #     const NAME: &'static str = "DiskSnapshot";
//! #     const PACKAGE: &'static str = "doc.v1";
//! # }
//!
//! #[derive(Snapshot)]
//! #[snapshot(message = DiskSnapshot, version = 1)]
//! struct Disk {
//!     image: String,
//!     size: u64,
//! }
//!
//! // In a `#[test]`:
//! snapshot_core::testing::contract::<Disk>([Disk { image: "/images/root".into(), size: 4096 }]);
//! ```
//!
//! # Checks
//!
//! The kit saves each sample, parses the bytes by the schema of the message, and reads thousands of
//! variants of them:
//!
//! - **Round trip.** A saved state is restored, also with its fields in any order. One state has one
//!   encoding, which is canonical.
//! - **Truncation.** A truncated sample is refused, unless the cut is between two fields and the rest is
//!   a complete message.
//! - **Unknown fields, wrong wire types, groups**, at every level, within payloads, map entries and
//!   the well-known types: refused.
//! - **Duplicates** of singular fields, keys and members of a oneof: refused.
//! - **Unknown enum numbers**, and numbers outside of the range of their kind: refused.
//! - **Mutation of each field.** Every field gets other values. A type can refuse them, but it must save
//!   every accepted value again unchanged: it drops, truncates or replaces nothing. Only an accepted
//!   older version comes back as the current one.
//! - **Coverage.** Every field of every message in the samples has at least two values, in the samples or
//!   by an edit. If a field never changes, the kit cannot notice that it is lost. The report names each
//!   such field, and the sample to add.
//! - **Relations.** A number with the name of an index or a count (`head`, `tail`, `index`, `cursor`, `count`, ...)
//!   that lies within a list of its message in a sample must be refused beyond the list: by `below`, `at_most` or
//!   `validate`. [`Contract::unrelated`] makes an exception.
//! - **Undo.** If the state names its controller (`controller = ...`), each of the controller's hooks has
//!   an undo: `freeze` has `thaw`; `prepare`, `patch` and `resume` have `abort`. The kit determines this from
//!   the type and calls no hook. [`Contract::no_undo`] makes an exception; [`hooks`] tests a controller without its
//!   state.
//! - **prost** reads every sample as the same state, and accepts everything that the type accepts.
//!
//! All problems are reported together, each with the path of the field, the edit, the bytes and the cure.
//!
//! # Samples
//!
//! Give the kit a few small samples. It sets scalars that no sample sets. It also adds messages, lists and
//! maps if an empty message is valid; otherwise a sample must contain them, because the kit cannot invent
//! required fields or texts of a certain form. Enums, oneofs and newtypes have no message of their own: they
//! are tested as a part of their structs. Children are tested with their parent, and should also be tested
//! separately, where more edits reach them.
//!
//! A rule across fields (`validate`) refuses most edits of its fields: give samples that differ in them.
//! If a field has only one value, name it in [`Contract::fixed`]. If the type intentionally changes the form
//! of a value, name the field in [`Contract::normalized`].
//!
//! The kit compares encoded bytes. For each field with an adapter (`with`) whose type has `PartialEq`, it also
//! tests that `from_wire` returns the value that `to_wire` was given: a sample that an adapter rounds reveals it.
//! To test that a whole sample is restored as an *equal* Rust value, except for skipped fields, use
//! [`Contract::compare`].
//!
//! # Cost
//!
//! The time is proportional to the number of *different* fields in the samples, so that small samples are
//! tested in milliseconds. Among the messages at one place, such as the values of a map, the kit edits three
//! per sample and eight in total, and tries few values in more than one of them; in a list, it edits the first
//! three elements and the last. It edits each message in a copy of the sample without most of the surrounding
//! fields, if the type reads such a copy. If a field has only one value there, the kit also edits it in the
//! whole sample. A sample of up to 2 KiB is cut at every byte, a longer one at every tag and at evenly spaced
//! bytes.

mod adapters;
mod bench;
mod coverage;
mod difference;
mod hooks;
mod laws;
mod places;
mod report;
mod shape;
mod subject;
mod surroundings;
#[cfg(test)]
mod tests;
mod tree;
mod values;
mod watch;

use std::collections::{BTreeSet, HashSet};
use std::fmt;

pub use hooks::hooks;

use crate::State;
use crate::codec::{from_bytes, to_bytes};
use crate::controller::Phase;
use crate::controller::WrittenHooks;
use crate::registry::registry;

use bench::{Bench, Sample};
use coverage::{Coverage, is_in};
use difference::{FieldDifference, differences};
use places::{Places, ROOT};
use report::{Law, Report};
use subject::{Recoded, Subject};

/// Tests that a state type keeps the contract, see the [module](self).
///
/// # Panics
///
/// If the type breaks its contract, with all findings, or if there are no samples.
#[track_caller]
pub fn contract<S: State>(samples: impl IntoIterator<Item = S>) {
    Contract::new().samples(samples).run();
}

/// A test of a state type, with exceptions from the contract.
///
/// ```
/// use snapshot_core::testing::Contract;
/// # use snapshot_core::Snapshot;
/// # #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
/// # pub struct Address {
/// #     #[prost(string, tag = "1")]
/// #     pub mac: String,
/// #     #[prost(string, tag = "2")]
/// #     pub family: String,
/// # }
///
/// #[derive(Snapshot, Debug, PartialEq)]
/// #[snapshot(message = Address, validate = check)]
/// struct State {
///     mac: String,
///     family: String,
/// }
///
/// fn check(state: &State) -> Result<(), &'static str> {
///     if state.family == "ethernet" { Ok(()) } else { Err("is of another family") }
/// }
///
/// Contract::<State>::new()
///     .samples([State { mac: "00-15-5D".into(), family: "ethernet".into() }])
///     .fixed("family")
///     .compare(PartialEq::eq)
///     .run();
/// ```
#[must_use = "nothing is tested before `run`"]
pub struct Contract<S> {
    samples: Vec<S>,
    fixed: Vec<String>,
    normalized: Vec<String>,
    unrelated: Vec<String>,
    no_undo: Vec<Phase>,
    compare: Option<fn(&S, &S) -> bool>,
}

impl<S: State> Contract<S> {
    /// Creates a test without samples.
    pub fn new() -> Self {
        Self {
            samples: Vec::new(),
            fixed: Vec::new(),
            normalized: Vec::new(),
            unrelated: Vec::new(),
            no_undo: Vec::new(),
            compare: None,
        }
    }

    /// Adds samples.
    pub fn samples(mut self, samples: impl IntoIterator<Item = S>) -> Self {
        self.samples.extend(samples);
        self
    }

    /// Exempts a field and its contents from the coverage law: the field has only one value, or the type
    /// accepts no other. All other laws still apply.
    ///
    /// The path is the path in a report: names of proto fields, `key` and `value` for the parts of a map,
    /// without indices, such as `disks.value.config.read_only`. The full name of the message and the
    /// field, such as `lcow.v1.ScsiSnapshot.DiskConfig.read_only`, names the field at every place.
    pub fn fixed(mut self, path: impl Into<String>) -> Self {
        self.fixed.push(path.into());
        self
    }

    /// Allows a field and its contents to come back in another form, for types that accept several forms
    /// of one value: upper-case UUIDs, numbers as text. The saved form must still come back unchanged.
    /// For the path, see [`Contract::fixed`].
    pub fn normalized(mut self, path: impl Into<String>) -> Self {
        self.normalized.push(path.into());
        self
    }

    /// Exempts a number from being related to the lists of its message, although it has the name of an index or
    /// a count. For the path, see [`Contract::fixed`].
    pub fn unrelated(mut self, path: impl Into<String>) -> Self {
        self.unrelated.push(path.into());
        self
    }

    /// Exempts the hook of a phase from the undo law: `freeze` needs no `thaw`; `prepare`, `patch` or
    /// `resume` needs no `abort`. For hooks without effects, and for hooks whose effects end with the controller.
    pub fn no_undo(mut self, phase: Phase) -> Self {
        self.no_undo.push(phase);
        self
    }

    /// Compares each sample with the restored value: `compare(PartialEq::eq)`, or a function that ignores
    /// skipped fields.
    pub fn compare(mut self, same: fn(&S, &S) -> bool) -> Self {
        self.compare = Some(same);
        self
    }

    /// Runs the test.
    ///
    /// # Panics
    ///
    /// If the type breaks its contract, with all findings, or if there are no samples.
    #[track_caller]
    pub fn run(self) {
        if let Some(text) = self.broken() {
            panic!("{text}");
        }
    }

    /// The report, if the type breaks its contract.
    fn broken(self) -> Option<String> {
        let subject = Subject::of::<S>();
        let mut bench = Bench {
            subject,
            places: Places::new(subject.descriptor),
            samples: Vec::new(),
            report: Report::default(),
            coverage: Coverage::default(),
            tried: HashSet::new(),
            normalized: self.normalized,
        };
        let name = bench.places.message_path(ROOT);
        if self.samples.is_empty() {
            let text = "there is nothing to test: give at least one sample";
            bench.report.add(Law::Coverage, &name, None, text.to_owned());
        }
        for (index, sample) in self.samples.iter().enumerate() {
            let result = match self.compare {
                Some(same) => round_trip(&mut bench, sample, same),
                None => round_trip(&mut bench, sample, |_, _| true),
            };
            if let Err((bytes, text)) = result {
                let path = format!("{name}, sample {index}");
                bench.report.add(Law::RoundTrip, &path, bytes.as_deref(), text);
            }
        }
        judge(&mut bench, &self.fixed, &self.unrelated);
        laws::undo(controller_of(subject.type_name), &self.no_undo, &mut bench.report);
        bench.report.text(subject.type_name, &name)
    }
}

impl<S: State> Default for Contract<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for Contract<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract")
            .field("samples", &self.samples.len())
            .field("fixed", &self.fixed)
            .field("normalized", &self.normalized)
            .field("unrelated", &self.unrelated)
            .field("no_undo", &self.no_undo)
            .finish_non_exhaustive()
    }
}

/// The hooks of the registered controller with a state of this type, if there is one.
fn controller_of(state: &str) -> Option<WrittenHooks> {
    let mut all = registry().ok()?.iter().map(|registration| (registration.hooks)());
    all.find(|hooks| hooks.state == state)
}

/// Saves a sample, reads it, and puts it on the bench. The error has the bytes, if there are any.
fn round_trip<S: State>(
    bench: &mut Bench,
    sample: &S,
    same: fn(&S, &S) -> bool,
) -> Result<(), (Option<Vec<u8>>, String)> {
    let bytes = to_bytes(sample).map_err(|error| (None, format!("cannot be saved: {error}")))?;
    let failed = |text: String| Err((Some(bytes.clone()), text));
    let (recoded, watch) = bench.subject.recode(&bytes);
    // The payloads must be known first, so that a difference inside one is found there.
    let payloads = watch.payloads.into_iter().map(|(url, schema)| (url.to_owned(), schema));
    bench.places.payloads.borrow_mut().extend(payloads);
    let differs = |what: &str, [first, second]: [&str; 2], other: &[u8]| {
        let places = bench.places.read(&bytes).zip(bench.places.read(other));
        let found = places.map(|(a, b)| differences(&bench.places, &a, &b)).unwrap_or_default();
        let mut text = format!("{what}: {}", report::hex(other));
        for FieldDifference { names: [path, _], read, written } in found {
            text += &format!("\n      {path}: {read} {first}, {written} {second}");
        }
        text
    };
    match to_bytes(sample) {
        Ok(again) if again == bytes => {}
        Ok(again) => {
            let sides = ["the first time", "the second time"];
            return failed(differs("a second save gives other bytes", sides, &again));
        }
        Err(error) => return failed(format!("cannot be saved a second time: {error}")),
    }
    match recoded {
        Recoded::Written(back) if back == bytes => {}
        Recoded::Written(back) => {
            let sides = ["is read", "is saved"];
            return failed(differs("is read, and then saved as other bytes", sides, &back));
        }
        Recoded::Refused(error) => return failed(format!("is saved, and then refused: {error}")),
        Recoded::Panicked(error) => return failed(format!("cannot be read: {error}")),
        Recoded::NotWritten(error) => {
            return failed(format!("is read, and then cannot be saved: {error}"));
        }
    }
    let Some(tree) = bench.places.read(&bytes) else {
        return failed("is saved as malformed bytes".to_owned());
    };
    if bench.places.canonical(&tree, &[], false).encode() != bytes {
        return failed(
            "is saved in a form that is not canonical: fields and map entries are not in \
            ascending order, or a default is written"
                .to_owned(),
        );
    }
    let lossy = adapters::lossy(sample);
    let lossy = lossy.iter().filter_map(|steps| match bench.places.names_at(steps) {
        // What is deliberately brought into another form is another value, too.
        Some(names) if names.iter().any(|name| is_in(name, &bench.normalized)) => None,
        Some([path, _]) => Some(path),
        None => Some(adapters::last_field(steps).to_owned()),
    });
    let lossy: BTreeSet<String> = lossy.collect();
    if !lossy.is_empty() {
        let fields: Vec<String> = lossy.iter().map(|field| format!("`{field}`")).collect();
        return failed(format!(
            "comes back with another value in {}: its adapter saves several values as one",
            fields.join(" and ")
        ));
    }
    match from_bytes::<S>(&bytes) {
        Ok(restored) if same(sample, &restored) => {}
        _ => return failed("is restored as a value that is not equal".to_owned()),
    }
    bench.samples.push(Sample { bytes, tree, is_made: false });
    Ok(())
}

/// Tries every law on every sample.
fn judge(bench: &mut Bench, fixed: &[String], unrelated: &[String]) {
    for site in bench.sites() {
        laws::learn(bench, &site);
    }
    // The laws have learned more about the fields, so read the samples again.
    for sample in &mut bench.samples {
        if let Some(tree) = bench.places.read(&sample.bytes) {
            sample.tree = tree;
        }
        bench.coverage.sample(&sample.tree);
    }
    laws::grow(bench);
    laws::any_order(bench);
    laws::truncations(bench);
    laws::as_prost(bench);
    for site in bench.sites() {
        laws::unknown_fields(bench, &site);
        laws::wrong_wire_types(bench, &site);
        laws::duplicates(bench, &site);
        laws::unknown_enum_numbers(bench, &site);
        laws::too_large_numbers(bench, &site);
        laws::edits(bench, &site);
        laws::unrelated_numbers(bench, &site, unrelated);
    }
    // The type may refuse an edit because surrounding fields are missing: repeat it in the whole sample.
    let missing = bench.coverage.missing_fields(&bench.places, fixed);
    let missing: HashSet<usize> = missing.into_iter().map(|field| field.place).collect();
    if !missing.is_empty() {
        for site in bench.whole_sites().iter().filter(|site| missing.contains(&site.place)) {
            laws::edits(bench, site);
        }
    }
    if !bench.samples.is_empty() {
        bench.coverage.report(&bench.places, fixed, &bench.normalized, &mut bench.report);
    }
}
