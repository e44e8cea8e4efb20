//! Saving and restoring the LCOW sandbox, beside a copy of the bytes and beside prost on its own
//! structs, which converts nothing and checks less.

use std::hint::black_box;
use std::ops::Deref;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use snapshot_core::{Error, codec};
use snapshot_examples::lcow::{SandboxState, ScsiState, sample};
use snapshot_proto::lcow::v1::ScsiSnapshot;

/// The whole tree: every payload nested in the `Any` of its parent.
fn whole_sandbox(criterion: &mut Criterion) -> Result<(), Error> {
    for containers in [1, 100] {
        let sandbox = sample::sandbox(containers)?;
        let state = snapshot_core::Controller::state(&*sandbox);
        let bytes = codec::to_bytes(state.deref())?;

        let mut group = criterion.benchmark_group(format!("sandbox of {containers}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let mut copy = bytes.clone();
        group.bench_function("memcpy", |b| b.iter(|| copy.copy_from_slice(black_box(&bytes))));
        group.bench_function("save", |b| b.iter(|| codec::to_bytes(black_box(state.deref()))));
        group.bench_function("restore", |b| {
            b.iter(|| codec::from_bytes::<SandboxState>(black_box(&bytes)));
        });
        group.finish();
    }
    Ok(())
}

/// One payload without children, where prost has the same work to do but for the conversion.
fn scsi_beside_prost(criterion: &mut Criterion) -> Result<(), Error> {
    let sandbox = sample::sandbox(100)?;
    let vm = sandbox.vm()?;
    let scsi = vm.scsi().ok_or_else(|| Error::internal("the sample has no disks"))?;
    let state = snapshot_core::Controller::state(&*scsi);
    let bytes = codec::to_bytes(state.deref())?;
    let message = ScsiSnapshot::decode(bytes.as_slice())
        .map_err(|error| Error::internal("prost does not read it").with_source(error))?;

    let mut group = criterion.benchmark_group("scsi of 100");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("save", |b| b.iter(|| codec::to_bytes(black_box(state.deref()))));
    group.bench_function("save, prost", |b| b.iter(|| black_box(&message).encode_to_vec()));
    group.bench_function("restore", |b| {
        b.iter(|| codec::from_bytes::<ScsiState>(black_box(&bytes)));
    });
    group.bench_function("restore, prost", |b| {
        b.iter(|| ScsiSnapshot::decode(black_box(bytes.as_slice())));
    });
    group.finish();
    Ok(())
}

fn run(criterion: &mut Criterion) {
    for result in [whole_sandbox(criterion), scsi_beside_prost(criterion)] {
        if let Err(error) = result {
            eprintln!("the benchmark cannot be set up: {error}");
            std::process::exit(1);
        }
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
