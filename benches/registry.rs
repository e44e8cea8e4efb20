//! The registry of a program with 1,000 controller types: the check at its first use, and lookups.

#![allow(missing_docs, unreachable_pub, reason = "the types that are registered have no names")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use snapshot_core::registry::{Registry, registry};

/// Registers a controller for each combination of three digits.
macro_rules! register {
    () => { register! { @a 0 1 2 3 4 5 6 7 8 9 } };
    (@a $($a:literal)*) => { $(register! { @b $a 0 1 2 3 4 5 6 7 8 9 })* };
    (@b $a:literal $($b:literal)*) => { $(register! { @c $a $b 0 1 2 3 4 5 6 7 8 9 })* };
    (@c $a:literal $b:literal $($c:literal)*) => {$(
        const _: () = {
            #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
            pub struct Message {
                #[prost(uint32, tag = "1")]
                schema_version: u32,
            }

            impl prost::Name for Message {
                const NAME: &'static str = concat!("Controller", $a, $b, $c, "Snapshot");
                const PACKAGE: &'static str = "bench.v1";
            }

            #[derive(snapshot_core::Snapshot)]
            #[snapshot(message = Message, version = 1, controller = Controller)]
            pub struct State {}

            pub struct Controller(std::sync::Mutex<State>);

            impl snapshot_core::Controller for Controller {
                type State = State;

                fn state(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
                    self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
                }

                fn import(state: State) -> Result<Self, snapshot_core::Error> {
                    Ok(Self(std::sync::Mutex::new(state)))
                }
            }
        };
    )*};
}

register!();

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|argument| argument != "--bench") {
        return ExitCode::SUCCESS;
    }
    let start = Instant::now();
    let registry = match registry() {
        Ok(registry) => registry,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let first_use = start.elapsed();
    let mut again: Vec<_> = (0..21)
        .map(|_| {
            let registrations: Vec<_> = registry.iter().copied().collect();
            let start = Instant::now();
            let built = black_box(Registry::new(registrations));
            let time = start.elapsed();
            drop(built);
            time
        })
        .collect();
    again.sort_unstable();

    let urls: Vec<&str> = registry.iter().map(|r| r.info().type_url).collect();
    let look_up = || urls.iter().filter(|url| registry.get(black_box(url)).is_some()).count();
    let start = Instant::now();
    let found = (0..1000).map(|_| look_up()).sum::<usize>();
    let lookup = start.elapsed() / found.max(1) as u32;
    let allocations = allocation_counter::measure(|| {
        black_box(look_up());
    });

    println!("\n| registry of {} types | | at most | |", registry.len());
    println!("|---|--:|--:|---|");
    let reached = |good: bool| if good { "reached" } else { "MISSED" };
    let good = reached(first_use.as_micros() < 1000);
    println!("| first use, checked as a whole | {} µs | 1 ms | {good} |", first_use.as_micros());
    println!("| the same check again, median | {:.0?} | | |", again[again.len() / 2]);
    println!("| lookup | {lookup:.0?} | | |");
    let good = reached(allocations.count_total == 0);
    println!(
        "| allocations of {} lookups | {} | 0 | {good} |",
        urls.len(),
        allocations.count_total
    );
    ExitCode::SUCCESS
}
