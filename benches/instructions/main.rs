//! Counts instructions with callgrind: `cargo xtask bench-instructions`.
//!
//! Runs itself under valgrind once per item and reads callgrind's output. Apart from the order of hash
//! maps, the counts are the same in every run, so they can guard a build, unlike times.

mod guard;

use std::error::Error;
use std::hint::black_box;
use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use snapshot_benches::measured::{Item, prepare};
use snapshot_benches::targets::{self, Results, Unit};

const USAGE: &str = "\
usage: instructions [--check | --update] | run ITEM CONTAINERS

    --check     fail if a ratio is worse than in benches/instructions.txt, with a margin
    --update    write the ratios there
    run         run one item, to be counted by callgrind or another tool";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        [] => report(None),
        ["--check"] => report(Some(guard::check)),
        ["--update"] => report(Some(guard::update)),
        ["run", item, containers] => run(item, containers).map(|()| true),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The pattern for callgrind's `--toggle-collect`.
const COUNTED: &str = "*instructions*counted*";

/// glibc copies long blocks with one instruction, `rep movsb`, which callgrind counts once for every
/// byte. This setting makes glibc copy with vector instructions, whatever the length.
const TUNABLES: &str = "glibc.cpu.x86_rep_movsb_threshold=1000000000:\
                        glibc.cpu.x86_rep_stosb_threshold=1000000000";

type AndThen = fn(&Results) -> Result<bool, Box<dyn Error>>;

fn report(and_then: Option<AndThen>) -> Result<bool, Box<dyn Error>> {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !valgrind.is_ok_and(|status| status.success()) {
        println!("skipped: instructions are counted by valgrind, which is not installed");
        return Ok(true);
    }
    let is_terminal = std::io::stderr().is_terminal();
    let folder = tempfile::tempdir()?;
    let mut results = Results::new(Unit::Instructions);
    for (item, containers) in targets::instructions() {
        if is_terminal {
            eprint!("\r{:40}\r{} {containers}", "", item.name());
        }
        results.insert(item, containers, count(item, containers, folder.path())? as f64);
    }
    if is_terminal {
        eprint!("\r{:40}\r", "");
    }
    println!("{results}");
    and_then.map_or(Ok(true), |and_then| and_then(&results))
}

/// Counts the instructions of one item.
fn count(item: Item, containers: usize, folder: &Path) -> Result<u64, Box<dyn Error>> {
    let out = folder.join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--error-exitcode=1"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["run", item.name(), &containers.to_string()])
        .env("GLIBC_TUNABLES", TUNABLES)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = std::fs::read_to_string(&out)?;
    let count = text.lines().find_map(|line| line.strip_prefix("summary: "));
    match count.map(str::parse) {
        Some(Ok(count)) if count > 0 => Ok(count),
        _ => Err(format!("callgrind saw no function of the name {COUNTED}").into()),
    }
}

fn run(item: &str, containers: &str) -> Result<(), Box<dyn Error>> {
    let item = Item::ALL.iter().find(|known| known.name() == item);
    let item = item.ok_or_else(|| {
        let names: Vec<_> = Item::ALL.iter().map(|item| item.name()).collect();
        format!("no such item; there are {}", names.join(", "))
    })?;
    prepare(*item, containers.parse()?)?.run_in(&mut |run| counted(run));
    Ok(())
}

/// The function in which callgrind counts, selected by its name.
#[inline(never)]
fn counted(run: &mut dyn FnMut()) {
    black_box(run)();
}
