//! Criterion's measurement of save and restore, compared with the hand-written peer: distributions,
//! and changes since the last run. The tables of `memory` and `table` have the ratios to all peers.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use snapshot_benches::measured::{Item, prepare};
use snapshot_benches::peers::ours;
use snapshot_benches::workload;

const ITEMS: [Item; 7] = [
    Item::Memcpy,
    Item::Save,
    Item::SaveWarm,
    Item::SaveHandWritten,
    Item::Clone,
    Item::Restore,
    Item::RestoreHandWritten,
];

fn run(criterion: &mut Criterion) {
    for containers in [1, 100, 10_000] {
        let mut group = criterion.benchmark_group(containers.to_string());
        group.sample_size(if containers == 10_000 { 10 } else { 30 });
        group.warm_up_time(Duration::from_millis(300));
        group.measurement_time(Duration::from_secs(2));
        group.sampling_mode(SamplingMode::Flat);
        let length = ours::save(&workload::sandbox(containers)).map_or(0, |bytes| bytes.len());
        group.throughput(Throughput::Bytes(length as u64));
        for item in ITEMS {
            let mut case = match prepare(item, containers) {
                Ok(case) => case,
                Err(error) => {
                    eprintln!("{} cannot be set up: {error}", item.name());
                    std::process::exit(1);
                }
            };
            group.bench_function(item.name(), |bencher| {
                bencher.iter_custom(|iterations| {
                    // In batches, so that the results of all iterations are not kept at once.
                    let mut left = iterations;
                    let mut time = Duration::ZERO;
                    while left > 0 {
                        let batch = left.min(64 / containers.min(64) as u64);
                        time += case.time(batch as usize);
                        left -= batch;
                    }
                    time
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
