//! The table of memory: the allocations of each item, and its peak memory above that at its start.
//! `cargo bench` prints it before the table of times.

use std::error::Error;
use std::process::ExitCode;

use allocation_counter::AllocationInfo;
use snapshot_benches::measured::{Item, prepare};

const SIZES: [usize; 3] = [1, 100, 10_000];

/// The greatest number of allocations of a save, whatever its size.
const SAVE_ALLOCATIONS: u64 = 4;
/// The greatest peak memory of a save, relative to the length of the snapshot.
const SAVE_PEAK: f64 = 1.15;
/// The greatest number of allocations of a restore, relative to a clone of the state.
const RESTORE_ALLOCATIONS: f64 = 1.02;

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|argument| argument != "--bench") {
        return ExitCode::SUCCESS;
    }
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(item: Item, containers: usize) -> Result<AllocationInfo, Box<dyn Error>> {
    let mut info = AllocationInfo::default();
    prepare(item, containers)?.run_in(&mut |run| info = allocation_counter::measure(run));
    Ok(info)
}

fn print() -> Result<(), Box<dyn Error>> {
    println!("\n| what | N | allocations | at most | | peak bytes | of the snapshot | at most | |");
    println!("|---|--:|--:|--:|---|--:|--:|--:|---|");
    for containers in SIZES {
        let state = snapshot_benches::workload::sandbox(containers);
        let length = snapshot_benches::peers::ours::save(&state)?.len() as f64;
        drop(state);
        let clone = measure(Item::Clone, containers)?.count_total;
        let items = Item::ALL.iter().copied().filter(|item| !item.is_tree());
        for item in items {
            let info = measure(item, containers)?;
            let allocations = match item {
                Item::Save => Some(SAVE_ALLOCATIONS),
                Item::SaveWarm => Some(0),
                Item::Restore => Some((clone as f64 * RESTORE_ALLOCATIONS) as u64),
                _ => None,
            };
            let peak = (item == Item::Save).then_some(SAVE_PEAK);
            let ratio = info.bytes_max as f64 / length;
            println!(
                "| {} | {containers} | {} | {} | {} | {} | {ratio:.2} | {} | {} |",
                item.name(),
                info.count_total,
                allocations.map(|limit| limit.to_string()).unwrap_or_default(),
                verdict(allocations.map(|limit| info.count_total <= limit)),
                info.bytes_max,
                peak.map(|limit| limit.to_string()).unwrap_or_default(),
                verdict(peak.map(|limit| ratio <= limit)),
            );
        }
    }
    Ok(())
}

fn verdict(reached: Option<bool>) -> &'static str {
    match reached {
        Some(true) => "reached",
        Some(false) => "MISSED",
        None => "",
    }
}
