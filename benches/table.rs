//! The table of `cargo bench`: every item compared with its peers, in one run.
//!
//! Each round measures every item, so that both sides of a ratio see the same machine. Each item
//! runs several times in a row, so that the caches do not hold another item's data. The fastest
//! time counts, since other load on the machine can only add to it.

use std::error::Error;
use std::process::ExitCode;

use snapshot_benches::measured::prepare;
use snapshot_benches::targets::{Results, Unit, measurements};

/// Returns for a number of containers the number of rounds, of measurements per item and round, and of
/// runs per measurement.
fn plan(containers: usize) -> (usize, usize, usize) {
    match containers {
        1 => (51, 8, 64),
        100 => (51, 16, 1),
        _ => (9, 3, 1),
    }
}

fn main() -> ExitCode {
    // With a filter or a flag, only criterion runs.
    let asks_for_something = std::env::args().skip(1).any(|argument| argument != "--bench");
    if asks_for_something {
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(results) => {
            println!("\n{results}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<Results, Box<dyn Error>> {
    let mut results = Results::new(Unit::Time);
    for containers in [1, 100, 10_000] {
        let (rounds, times_each, runs) = plan(containers);
        let items = measurements().filter(|(_, size)| *size == containers);
        let mut cases = Vec::new();
        for (item, _) in items {
            cases.push((item, prepare(item, containers)?, Vec::new()));
        }
        for _ in 0..rounds {
            for (_, case, times) in &mut cases {
                times.extend((0..times_each).map(|_| case.time(runs)));
            }
        }
        for (item, _, times) in cases {
            if let Some(fastest) = times.iter().min() {
                results.insert(item, containers, fastest.as_secs_f64() * 1e9 / runs as f64);
            }
        }
    }
    Ok(results)
}
