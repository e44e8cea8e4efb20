//! The guard against regressions: compares ratios to the peers with committed ones.
//!
//! A ratio stays the same with another allocator or libc, unlike a count.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use snapshot_benches::targets::{Results, TARGETS, Target};

/// The margin within which a worse ratio is accepted: the order of hash maps varies between runs, and
/// the toolchain changes from time to time.
const MARGIN: f64 = 0.05;

const HEADER: &str = "\
# Instructions of ours by those of the peer: what CI compares with, with a margin of 5 %.
# Written by `cargo xtask bench-instructions --update`; commit it with the change that caused it.
";

fn path() -> PathBuf {
    // Cargo sets the package's folder at run time. Another checkout may have compiled this binary.
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).join("instructions.txt")
}

fn name(target: &Target) -> String {
    format!("{} {} / {}", target.item.name(), target.containers, target.peer.name())
}

/// Returns whether every ratio is at most the committed one plus the margin.
pub(crate) fn check(results: &Results) -> Result<bool, Box<dyn Error>> {
    let path = path();
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut committed = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, ratio) =
            line.split_once(" = ").ok_or_else(|| format!("no ratio in {line:?}"))?;
        committed.insert(name, ratio.parse::<f64>()?);
    }
    let mut good = true;
    for target in TARGETS {
        let Some(ratio) = results.ratio(target) else { continue };
        let name = name(target);
        match committed.remove(name.as_str()) {
            Some(before) if ratio > before * (1.0 + MARGIN) => {
                eprintln!("worse: {name} was {before:.3} and is {ratio:.3}");
                good = false;
            }
            Some(before) if ratio < before * (1.0 - MARGIN) => {
                println!("better: {name} was {before:.3} and is {ratio:.3}: run with --update");
            }
            Some(_) => {}
            None => {
                eprintln!("not committed: {name}: run with --update");
                good = false;
            }
        }
    }
    for name in committed.keys() {
        eprintln!("not measured any more: {name}: run with --update");
        good = false;
    }
    Ok(good)
}

/// Writes the ratios to the committed file.
pub(crate) fn update(results: &Results) -> Result<bool, Box<dyn Error>> {
    let mut text = HEADER.to_owned();
    for target in TARGETS {
        if let Some(ratio) = results.ratio(target) {
            writeln!(text, "{} = {ratio:.4}", name(target))?;
        }
    }
    std::fs::write(path(), text)?;
    Ok(true)
}
