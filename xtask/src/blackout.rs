//! The blackout of the two-process example, of this tree and of a base binary side by side.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use snapshot_core::MigrationReport;

/// How the chore is called.
pub(crate) const USAGE: &str = "\
usage: cargo xtask bench-blackout BASE NEW FOLDER...

Runs two binaries of the example `live_migration`, built with --release, in turn in each folder, with 10,
100 and 250 containers, and prints the medians of the blackout and of its phases. BLACKOUT_RUNS is the
number of runs, 9 by default; BLACKOUT_CONTAINERS the numbers of containers, separated by commas.";

const PHASES: [&str; 7] = ["freeze", "save", "import", "refresh", "patch", "resume", "between"];

/// The times of one run, in nanoseconds: of the whole blackout, and of each phase in it.
type Times = BTreeMap<&'static str, u64>;

pub(crate) fn run(args: &[&str]) -> Result<()> {
    let [base, new, folders @ ..] = args else { bail!("{USAGE}") };
    ensure!(!folders.is_empty(), "{USAGE}");
    let runs: usize = setting("BLACKOUT_RUNS", "9").parse().context("BLACKOUT_RUNS")?;
    let containers = setting("BLACKOUT_CONTAINERS", "10,100,250");
    println!("median of {runs} runs, in milliseconds");
    println!("folder containers binary blackout {}", PHASES.join(" "));
    for folder in folders {
        for count in containers.split(',') {
            let mut all: [Vec<Times>; 2] = [Vec::new(), Vec::new()];
            for _ in 0..runs {
                // In turn, so that whatever else the machine does concerns both.
                for (times, binary) in all.iter_mut().zip([base, new]) {
                    times.push(measure(Path::new(binary), Path::new(folder), count)?);
                }
            }
            let [base, new] = all.map(|times| medians(&times));
            for (name, times) in [("base", &base), ("new", &new)] {
                let columns = ["blackout"].into_iter().chain(PHASES);
                let columns: Vec<_> = columns.map(|name| millis(times.get(name))).collect();
                println!("{folder} {count} {name} {}", columns.join(" "));
            }
            if let (Some(&base), Some(&new)) = (base.get("blackout"), new.get("blackout")) {
                println!("{folder} {count} ratio {:.3}", new as f64 / base as f64);
            }
        }
    }
    Ok(())
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn measure(binary: &Path, folder: &Path, containers: &str) -> Result<Times> {
    let dir: PathBuf = folder.join(format!("blackout-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let report = dir.join("report.json");
    let status = Command::new(binary)
        .args(["--containers", containers, "--seconds", "0.3"])
        .arg("--dir")
        .arg(dir.join("shims"))
        .arg("--report")
        .arg(&report)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| binary.display().to_string())?;
    let times = match status.success() {
        true => times(&fs::read(&report)?),
        false => Err(anyhow::anyhow!("{} failed: {status}", binary.display())),
    };
    fs::remove_dir_all(&dir)?;
    times
}

fn times(report: &[u8]) -> Result<Times> {
    let report = MigrationReport::from_json(report)?;
    let blackout = report.blackout().context("the report has no blackout")?;
    let blackout = u64::try_from(blackout.as_nanos())?;
    let mut times = Times::from([("blackout", blackout)]);
    for phase in report.sides.iter().flat_map(|side| &side.phases) {
        if let Some(&name) = PHASES.iter().find(|name| **name == phase.phase) {
            // Of an import that was rehearsed, only the last one is in the blackout.
            times.insert(name, phase.took_ns);
        }
    }
    if times.contains_key("refresh") {
        times.remove("import");
    }
    let named: u64 = PHASES.iter().filter_map(|name| times.get(name)).sum();
    times.insert("between", blackout.saturating_sub(named));
    Ok(times)
}

fn medians(all: &[Times]) -> Times {
    let mut medians = Times::new();
    for name in ["blackout"].into_iter().chain(PHASES) {
        let mut values: Vec<u64> =
            all.iter().filter_map(|times| times.get(name).copied()).collect();
        values.sort_unstable();
        if let Some(&median) = values.get(values.len() / 2) {
            medians.insert(name, median);
        }
    }
    medians
}

fn millis(nanoseconds: Option<&u64>) -> String {
    nanoseconds.map_or_else(|| "-".to_owned(), |&time| format!("{:.2}", time as f64 / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_no_phase_explains_is_between_them() {
        let phase = |phase: &str, began_ns: u64, took_ns: u64| {
            format!(
                "{{\"phase\":\"{phase}\",\"began_ns\":{began_ns},\"took_ns\":{took_ns},\
                 \"succeeded\":true}}"
            )
        };
        let side = |side: &str, started: u64, phases: &[String]| {
            format!(
                "{{\"side\":\"{side}\",\"started_ns\":{started},\"phases\":[{}],\"hooks\":[],\
                 \"saved\":[],\"late_stages\":[],\"blackout\":null,\"failure\":null}}",
                phases.join(",")
            )
        };
        let source = side("source", 1000, &[phase("freeze", 100, 10), phase("save", 110, 5)]);
        let phases = [
            phase("import", 0, 900),
            phase("refresh", 130, 7),
            phase("patch", 140, 20),
            phase("resume", 170, 30),
        ];
        let destination = side("destination", 1000, &phases);
        let json = format!("{{\"format\":1,\"sides\":[{source},{destination}]}}");
        let times = times(json.as_bytes()).unwrap();
        assert_eq!(times["blackout"], 100);
        assert_eq!(times["between"], 100 - (10 + 5 + 7 + 20 + 30));
        assert!(!times.contains_key("import"), "{times:?}");
    }
}
