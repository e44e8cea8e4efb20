//! The table of `cargo bench`: everything beside what it is compared with, in one run.
//!
//! Measured in rounds with every item in each, so that both sides of a ratio meet the same machine;
//! several times in a row, so that no item finds the caches full of what another has left there; and
//! the fastest time counts, since whatever else the machine does only adds to it.

use std::error::Error;
use std::process::ExitCode;

use snapshot_benches::measured::prepare;
use snapshot_benches::targets::{Results, Unit, measurements};

/// The rounds, how often an item is timed in each, and how many runs are timed at once, for a number
/// of containers.
fn plan(containers: usize) -> (usize, usize, usize) {
    match containers {
        1 => (51, 8, 64),
        100 => (51, 16, 1),
        _ => (9, 3, 1),
    }
}

fn main() -> ExitCode {
    // What criterion is asked for with a filter or a flag is not this.
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
