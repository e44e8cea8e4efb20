//! The targets: greatest ratios between the items of a run.

use std::collections::BTreeMap;
use std::fmt;

use crate::measured::Item;

/// The ratio of one item to another, with its limits.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The measured item.
    pub item: Item,
    /// The number of containers in the sandbox.
    pub containers: usize,
    /// The item that it is compared with, in a sandbox of the same size.
    pub peer: Item,
    /// The greatest ratio of the times; `None` if the ratio is only reported.
    pub time: Option<f64>,
    /// The greatest ratio of the instructions.
    pub instructions: Option<f64>,
}

const fn target(item: Item, containers: usize, peer: Item) -> Target {
    Target { item, containers, peer, time: None, instructions: None }
}

impl Target {
    const fn time(self, at_most: f64) -> Self {
        Self { time: Some(at_most), ..self }
    }

    const fn instructions(self, at_most: f64) -> Self {
        Self { instructions: Some(at_most), ..self }
    }
}

/// All targets, in the order of the table.
pub const TARGETS: &[Target] = &[
    target(Item::Save, 1, Item::SaveHandWritten).time(1.0 / 5.0),
    target(Item::Save, 100, Item::SaveHandWritten).time(1.0 / 7.0).instructions(0.16),
    target(Item::Save, 10_000, Item::SaveHandWritten).time(1.0 / 2.5),
    target(Item::SaveWarm, 100, Item::Memcpy).time(7.0),
    target(Item::Save, 100, Item::SaveProst).time(1.0),
    target(Item::Save, 100, Item::SaveBuffa).time(1.0),
    target(Item::Save, 100, Item::SaveBilrost).time(1.0),
    target(Item::Save, 100, Item::SaveJson).time(1.0),
    target(Item::Save, 100, Item::SavePostcard),
    target(Item::Save, 100, Item::SaveRkyv),
    target(Item::Restore, 1, Item::RestoreHandWritten),
    target(Item::Restore, 100, Item::RestoreHandWritten).time(1.0 / 3.2).instructions(0.36),
    target(Item::Restore, 10_000, Item::RestoreHandWritten).time(1.0 / 2.0),
    target(Item::Restore, 100, Item::Clone).time(2.5),
    target(Item::Restore, 100, Item::RestoreProst).time(1.0),
    target(Item::Restore, 100, Item::RestoreBuffa).time(1.0),
    target(Item::Restore, 100, Item::RestoreBilrost).time(1.0),
    target(Item::Restore, 100, Item::RestoreJson).time(1.0),
    target(Item::Restore, 100, Item::RestorePostcard),
    target(Item::Restore, 100, Item::RestoreRkyv),
    target(Item::TreeSave, 100, Item::Save),
    target(Item::TreeRestore, 100, Item::Restore),
    target(Item::TreeMigrate, 100, Item::TreeRestore),
    target(Item::Migrate, 10_000, Item::MigrateParts).time(2.0).instructions(2.0),
];

/// The greatest difference of the instructions per container between 100 and 10,000 containers.
pub const GROWTH: f64 = 0.10;

/// Returns the items of a count of instructions. With 10,000 containers only ours are counted, for
/// their growth.
pub fn instructions() -> impl Iterator<Item = (Item, usize)> {
    measurements().filter(|(item, containers)| {
        *containers < 10_000
            || matches!(item, Item::Save | Item::Restore | Item::Migrate | Item::MigrateParts)
    })
}

/// Returns the items that the targets need, each once.
pub fn measurements() -> impl Iterator<Item = (Item, usize)> {
    let of = |target: &Target| [(target.item, target.containers), (target.peer, target.containers)];
    let all: std::collections::BTreeSet<_> = TARGETS.iter().flat_map(of).collect();
    all.into_iter()
}

/// The measured quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Wall time, in nanoseconds.
    Time,
    /// Instructions.
    Instructions,
}

/// The results of one run.
#[derive(Debug)]
pub struct Results {
    unit: Unit,
    values: BTreeMap<(Item, usize), f64>,
}

impl Results {
    /// Creates an empty set of results.
    pub fn new(unit: Unit) -> Self {
        Self { unit, values: BTreeMap::new() }
    }

    /// Adds a result.
    pub fn insert(&mut self, item: Item, containers: usize, value: f64) {
        self.values.insert((item, containers), value);
    }

    /// Returns the ratio of a target, if both sides were measured.
    pub fn ratio(&self, target: &Target) -> Option<f64> {
        let of = |item| self.values.get(&(item, target.containers));
        Some(of(target.item)? / of(target.peer)?)
    }

    /// Returns the relative difference of the cost per container between 100 and 10,000 containers.
    pub fn growth(&self, item: Item) -> Option<f64> {
        let of = |containers: usize| {
            self.values.get(&(item, containers)).map(|value| value / containers as f64)
        };
        Some(of(10_000)? / of(100)? - 1.0)
    }

    fn value(&self, value: f64) -> String {
        match self.unit {
            Unit::Instructions => format!("{:.0} k", value / 1e3),
            Unit::Time if value < 1e4 => format!("{value:.0} ns"),
            Unit::Time if value < 1e7 => format!("{:.1} µs", value / 1e3),
            Unit::Time => format!("{:.1} ms", value / 1e6),
        }
    }
}

/// Renders a table in Markdown.
impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Time => "time",
            Unit::Instructions => "instructions",
        };
        writeln!(f, "| what | N | {unit} | beside | {unit} | ratio | at most | |")?;
        writeln!(f, "|---|--:|--:|---|--:|--:|--:|---|")?;
        for target in TARGETS {
            let Some(ratio) = self.ratio(target) else { continue };
            let limit = match self.unit {
                Unit::Time => target.time,
                Unit::Instructions => target.instructions,
            };
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {ratio:.3} | {} | {} |",
                target.item.name(),
                target.containers,
                self.value(self.values[&(target.item, target.containers)]),
                target.peer.name(),
                self.value(self.values[&(target.peer, target.containers)]),
                limit.map(|limit| format!("{limit:.2}")).unwrap_or_default(),
                verdict(limit.map(|limit| ratio <= limit)),
            )?;
        }
        for item in [Item::Save, Item::Restore] {
            let Some(growth) = self.growth(item) else { continue };
            let reached = (self.unit == Unit::Instructions).then_some(growth.abs() < GROWTH);
            writeln!(
                f,
                "| {}, per container | 10000 | {} | N = 100 | {} | {:+.1} % | ±{:.0} % | {} |",
                item.name(),
                self.value(self.values[&(item, 10_000)] / 10_000.0),
                self.value(self.values[&(item, 100)] / 100.0),
                growth * 100.0,
                GROWTH * 100.0,
                verdict(reached),
            )?;
        }
        Ok(())
    }
}

fn verdict(reached: Option<bool>) -> &'static str {
    match reached {
        Some(true) => "reached",
        Some(false) => "MISSED",
        None => "",
    }
}
