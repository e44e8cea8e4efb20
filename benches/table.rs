//! The table of `cargo bench`: everything beside what it is compared with, in one run.
//!
//! Measured in rounds, each item once in every round, so that both sides of a ratio meet the same
//! machine; and the fastest round counts, since whatever else the machine does only adds to it.

use std::error::Error;
use std::process::ExitCode;

use snapshot_benches::measured::prepare;
use snapshot_benches::targets::{Results, Unit, measurements};

/// The rounds, and the runs of an item in each, for a number of containers.
fn plan(containers: usize) -> (usize, usize) {
    match containers {
        1 => (201, 64),
        100 => (201, 1),
        _ => (15, 1),
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
        let (rounds, runs) = plan(containers);
        let items = measurements().filter(|(_, size)| *size == containers);
        let mut cases = Vec::new();
        for (item, _) in items {
            cases.push((item, prepare(item, containers)?, Vec::with_capacity(rounds)));
        }
        for _ in 0..=rounds {
            for (_, case, times) in &mut cases {
                times.push(case.time(runs));
            }
        }
        for (item, _, mut times) in cases {
            // The first round warms up.
            times.remove(0);
            times.sort_unstable();
            if let Some(fastest) = times.first() {
                results.insert(item, containers, fastest.as_secs_f64() * 1e9 / runs as f64);
            }
        }
    }
    Ok(results)
}
