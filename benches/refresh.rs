//! The table of `cargo bench --bench refresh`: how long a prepared destination takes to accept a later
//! state, beside the import of that state without a rehearsal.
//!
//! The times are those that the session's timeline reports, for the sandbox of the LCOW template.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::registry::registry;
use snapshot_core::{Controller, Failure, Incoming, Phase, Session, Snapshot, Source};
use snapshot_examples::lcow::{FakeHost, Sandbox, sample};

/// The number of measurements of each row.
const ROUNDS: usize = 41;

fn main() -> ExitCode {
    match table() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table() -> Result<(), Box<dyn Error>> {
    println!("| containers | controllers | changed | | cold import | refresh | ratio |");
    println!("|--:|--:|--:|---|--:|--:|--:|");
    for containers in [100, 250, 1_000] {
        for per_cent in [0, 1, 10, 100] {
            row(containers, containers * per_cent / 100)?;
        }
    }
    Ok(())
}

/// Measures both for a sandbox in which this many processes change after the rehearsal.
fn row(containers: usize, changed: usize) -> Result<(), Box<dyn Error>> {
    let host = FakeHost::new();
    let source = sample::sandbox_on(&host, containers)?;
    let before = rehearse(&source)?;
    change_processes(&source, changed)?;
    let after = rehearse(&source)?;
    let controllers = Incoming::from(after.clone()).check::<Sandbox>()?.controllers.len();
    let (mut cold, mut refresh) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        cold.push(cold_import(&after)?);
        refresh.push(refresh_of(&before, &after)?);
    }
    for (name, at) in [("median", ROUNDS / 2), ("fastest", 0)] {
        let (cold, refresh) = (sorted(&mut cold)[at], sorted(&mut refresh)[at]);
        let ratio = refresh.as_secs_f64() / cold.as_secs_f64();
        println!(
            "| {containers} | {controllers} | {changed} | {name} | {cold:.1?} | {refresh:.1?} | {ratio:.2} |"
        );
    }
    Ok(())
}

fn rehearse(source: &Arc<Sandbox>) -> Result<Snapshot, Box<dyn Error>> {
    Ok(Source::new(source).rehearse(&registry()?.manifest())?)
}

/// Changes the first process of this many containers, spread over all pods.
fn change_processes(source: &Sandbox, count: usize) -> Result<(), Box<dyn Error>> {
    let containers: Vec<_> = source.pods().iter().flat_map(|pod| pod.containers()).collect();
    for index in 0..count {
        let container = &containers[index * containers.len() / count];
        let process = container.init().ok_or("a container has no process")?;
        process.state().pid += 1;
    }
    Ok(())
}

fn cold_import(snapshot: &Snapshot) -> Result<Duration, Box<dyn Error>> {
    let session = session(snapshot)?;
    let imported = Incoming::from(snapshot.clone()).import::<Sandbox>()?;
    let prepared = block_on(imported.prepare(&session)).map_err(Failure::into_error)?;
    block_on(prepared.abort()).map_err(Failure::into_error)?;
    phase(&session, Phase::Import)
}

fn refresh_of(before: &Snapshot, after: &Snapshot) -> Result<Duration, Box<dyn Error>> {
    let session = session(before)?;
    let imported = Incoming::from(before.clone()).import::<Sandbox>()?;
    let prepared = block_on(imported.prepare(&session)).map_err(Failure::into_error)?;
    let again = prepared.prepare_again(Incoming::from(after.clone()), &session);
    let prepared = block_on(again).map_err(Failure::into_error)?;
    block_on(prepared.abort()).map_err(Failure::into_error)?;
    phase(&session, Phase::Refresh)
}

/// Creates the session of a destination on a host of its own.
fn session(snapshot: &Snapshot) -> Result<Session, Box<dyn Error>> {
    let sandbox = Incoming::from(snapshot.clone()).import::<Sandbox>()?;
    let plan = sample::plan(sandbox.root());
    sandbox.abort();
    Ok(Session::new().resource(Arc::new(plan)).resource(Arc::new(FakeHost::new().handle())))
}

fn phase(session: &Session, phase: Phase) -> Result<Duration, Box<dyn Error>> {
    let took = session.timeline().phase(phase);
    took.ok_or_else(|| format!("the session has no time of the phase {}", phase.as_str()).into())
}

fn sorted(times: &mut [Duration]) -> &[Duration] {
    times.sort_unstable();
    times
}
