//! The contract kit: one line that tests a state type thoroughly. With the feature `testing`.
//!
//! It is the first test that a user writes for a state struct, and mostly the only one that is
//! needed for its encoding:
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
//! # What it does
//!
//! It saves each sample, takes the bytes apart by the schema of the message, and reads them again in
//! thousands of variants:
//!
//! - **Round trip.** What is saved comes back, and one state has one encoding, the canonical one;
//!   with the fields in any order.
//! - **Truncation.** A sample that was cut short is refused, or the cut is between two fields and
//!   what is left is a message of its own.
//! - **Unknown fields, wrong wire types, groups**, at every level, within payloads, map entries and
//!   the well-known types: refused.
//! - **Duplicates** of singular fields, keys and members of a oneof: refused.
//! - **Enum numbers** that the enum does not have, and numbers past the end of their kind: refused.
//! - **Mutate each field and see it restored.** Every field is given other values. A type may refuse
//!   them, but what it reads it must save again, unchanged: nothing is dropped, cut off or replaced
//!   by a default. Only an older version that is accepted comes back as the current one.
//! - **Coverage.** Every field of every message in the samples was seen with two values at least, in
//!   the samples or by an edit: what never changes would be lost unnoticed. What was not is named,
//!   with what to add to the samples.
//! - **Relations.** A number that is called like an index or a count (`head`, `tail`, `index`, `cursor`, `count`, ...) and
//!   lies within a list of its message in a sample is refused beyond the list: by `below`, `at_most` or `validate`.
//!   An exemption is [`Contract::unrelated`].
//! - **Undo.** If the state names its controller (`controller = ...`), each of its hooks that does
//!   something has one that takes it back: `freeze` has `thaw`, `patch` and `resume` have `abort`. This
//!   is read off the type and no hook is called. An exemption is [`Contract::no_undo`]; for a controller
//!   alone there is [`hooks`].
//! - **prost** reads every sample as the same state, and refuses nothing that is read.
//!
//! All that is wrong is reported at once, with the path of the field, what was done to it, the bytes
//! and what to do about it.
//!
//! # What to give it
//!
//! A few small samples. Scalars that no sample sets are set by an edit, and so are messages, lists and
//! maps as long as an empty message is one; what has required fields or texts of a certain form cannot
//! be made up, and a sample must have it. Enums, oneofs and newtypes have no message of their own: they
//! are tested as a part of the structs that hold them. Children are tested with the state that holds them, and once more for
//! themselves, where more edits reach them.
//!
//! A rule across fields (`validate`) refuses most edits of what it is about: give samples that differ
//! there. A field that has one value ever is named by [`Contract::fixed`], one that is deliberately
//! brought into another form by [`Contract::normalized`].
//!
//! The kit sees what is on the wire, and of each field with an adapter (`with`) whose type has `PartialEq` also
//! whether `from_wire` gives back what `to_wire` was given: an adapter that rounds is found by a sample that it
//! rounds. That a sample as a whole comes back as an *equal* Rust value, skipped fields apart, it tests with
//! [`Contract::compare`].
//!
//! # What it costs
//!
//! Time in proportion to the number of *different* fields in the samples, so that small samples are
//! tested in milliseconds. Of the messages in one place, such as the values of a map, three are
//! edited per sample and eight at all, and few values are tried in more than one of them; of a list
//! the first three elements and the last. Each message is edited in a copy of the sample without most
//! of what stands beside it, as far as the type reads such a copy; a field that was seen with one value
//! there is edited in the whole sample, too. A sample of up to 2 KiB is cut at every byte, a longer one
//! at every tag and at bytes evenly apart.

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

use std::collections::HashSet;
use std::fmt;

pub use hooks::hooks;

use crate::State;
use crate::codec::{from_bytes, to_bytes};
use crate::controller::Phase;
use crate::controller::WrittenHooks;
use crate::registry::registry;

use bench::{Bench, Sample};
use coverage::Coverage;
use difference::{Difference, differences};
use places::{Places, ROOT};
use report::{Law, Report};
use subject::{Recoded, Subject};

/// Tests that a state type keeps the contract, see the [module](self).
///
/// # Panics
///
/// If it does not, with everything that was found; and without samples.
#[track_caller]
pub fn contract<S: State>(samples: impl IntoIterator<Item = S>) {
    Contract::new().samples(samples).run();
}

/// A test of a state type whose contract has exceptions.
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
    /// A test without samples.
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

    /// Exempts a field, and what is in it, from being seen with two values: it has one ever, or the
    /// type takes no other. Other laws apply to it as to all.
    ///
    /// The path is that of a report: names of proto fields, `key` and `value` for those of a map,
    /// without indices, `disks.value.config.read_only`. Or the full name of the message and the
    /// field, `lcow.v1.ScsiSnapshot.DiskConfig.read_only`, for wherever that is.
    pub fn fixed(mut self, path: impl Into<String>) -> Self {
        self.fixed.push(path.into());
        self
    }

    /// Lets a field, and what is in it, come back in another form than it was read in, for types
    /// that accept several forms of one value: upper-case UUIDs, numbers as text. The form in which
    /// it is saved must still come back unchanged. For the path, see [`Contract::fixed`].
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

    /// Exempts the hook of a phase from having an undo: `freeze` from `thaw`, `patch` or `resume` from
    /// `abort`. For hooks that only look, and for those whose effects go away with the controller.
    pub fn no_undo(mut self, phase: Phase) -> Self {
        self.no_undo.push(phase);
        self
    }

    /// Compares each sample with what comes back of it, as Rust values: `compare(PartialEq::eq)`,
    /// or a function that leaves skipped fields out.
    pub fn compare(mut self, same: fn(&S, &S) -> bool) -> Self {
        self.compare = Some(same);
        self
    }

    /// Runs the test.
    ///
    /// # Panics
    ///
    /// If the type breaks its contract, with everything that was found; and without samples.
    #[track_caller]
    pub fn run(self) {
        if let Some(text) = self.broken() {
            panic!("{text}");
        }
    }

    /// What is wrong, if anything.
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
            let text = "there is nothing to test: give a sample at least";
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

/// The hooks of the registered controller whose state has this type, if there is one.
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
    let bytes = to_bytes(sample).map_err(|error| (None, format!("is not saved: {error}")))?;
    let failed = |text: String| Err((Some(bytes.clone()), text));
    let (recoded, watch) = bench.subject.recode(&bytes);
    // Known first, so that a difference in a payload is found there.
    let payloads = watch.payloads.into_iter().map(|(url, schema)| (url.to_owned(), schema));
    bench.places.payloads.borrow_mut().extend(payloads);
    let differs = |what: &str, [first, second]: [&str; 2], other: &[u8]| {
        let places = bench.places.read(&bytes).zip(bench.places.read(other));
        let found = places.map(|(a, b)| differences(&bench.places, &a, &b)).unwrap_or_default();
        let mut text = format!("{what}: {}", report::hex(other));
        for Difference { names: [path, _], read, written } in found {
            text += &format!("\n      {path}: {read} {first}, {written} {second}");
        }
        text
    };
    match to_bytes(sample) {
        Ok(again) if again == bytes => {}
        Ok(again) => {
            let sides = ["the first time", "the second time"];
            return failed(differs("is saved as other bytes a second time", sides, &again));
        }
        Err(error) => return failed(format!("is not saved a second time: {error}")),
    }
    match recoded {
        Recoded::Written(back) if back == bytes => {}
        Recoded::Written(back) => {
            let sides = ["is read", "is saved"];
            return failed(differs("is read, and saved as other bytes", sides, &back));
        }
        Recoded::Refused(error) => return failed(format!("is refused when it is read: {error}")),
        Recoded::Panicked(error) => return failed(format!("is not read: {error}")),
        Recoded::NotWritten(error) => {
            return failed(format!("is read, and then not saved: {error}"));
        }
    }
    let Some(tree) = bench.places.read(&bytes) else {
        return failed("is saved as malformed bytes".to_owned());
    };
    if bench.places.canonical(&tree, &[], false).encode() != bytes {
        return failed(
            "is saved in a form that is not canonical: fields and map entries are not in \
            ascending order, or a default is written out"
                .to_owned(),
        );
    }
    let mut lossy = adapters::lossy(sample);
    // What is deliberately brought into another form is another value, too.
    let is_normalized =
        |field: &&str| bench.normalized.iter().any(|path| path.rsplit('.').next() == Some(*field));
    lossy.retain(|field| !is_normalized(field));
    if !lossy.is_empty() {
        let fields: Vec<String> = lossy.iter().map(|field| format!("`{field}`")).collect();
        return failed(format!(
            "comes back with another value in {}: its adapter saves several values as one",
            fields.join(" and ")
        ));
    }
    match from_bytes::<S>(&bytes) {
        Ok(restored) if same(sample, &restored) => {}
        _ => return failed("comes back as a value that is not equal".to_owned()),
    }
    bench.samples.push(Sample { bytes, tree, is_made: false });
    Ok(())
}

/// Tries every law on every sample.
fn judge(bench: &mut Bench, fixed: &[String], unrelated: &[String]) {
    for site in bench.sites() {
        laws::learn(bench, &site);
    }
    // What is known of the fields now says how the samples are read.
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
    // An edit may be refused for what was left out around it: once more in the whole sample.
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
