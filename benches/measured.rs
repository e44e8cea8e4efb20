//! What is measured, each ready to be run under a clock, an allocation counter or callgrind.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use allocation_counter::AllocationInfo;
use snapshot_core::codec::Writer;

use crate::peers::{hand_written, ours, postcard, rkyv, serde_json};
use crate::workload;

macro_rules! items {
    ($($(#[$doc:meta])* $item:ident = $name:literal)*) => {
        /// One way to save or to restore.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Item { $($(#[$doc])* $item),* }

        impl Item {
            /// All items, the ones that save first.
            pub const ALL: &[Item] = &[$(Item::$item),*];

            /// What the item is called in tables and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Item::$item => $name),* }
            }
        }
    };
}

items! {
    /// The derive, into new memory.
    Save = "save"
    /// The derive, into a buffer that was used before.
    SaveWarm = "save-warm"
    /// A copy of the saved bytes into a buffer that was used before.
    Memcpy = "memcpy"
    /// Conversion to prost by hand.
    SaveHandWritten = "save-hand-written"
    /// serde_json.
    SaveJson = "save-serde_json"
    /// postcard.
    SavePostcard = "save-postcard"
    /// rkyv.
    SaveRkyv = "save-rkyv"
    /// The derive, with all checks.
    Restore = "restore"
    /// A clone of the native state.
    Clone = "clone"
    /// prost and conversion by hand.
    RestoreHandWritten = "restore-hand-written"
    /// serde_json.
    RestoreJson = "restore-serde_json"
    /// postcard.
    RestorePostcard = "restore-postcard"
    /// rkyv.
    RestoreRkyv = "restore-rkyv"
}

/// An item with its input.
pub trait Case {
    /// How long `iterations` runs take. What they return is dropped after that.
    fn time(&mut self, iterations: usize) -> Duration;

    /// What one run allocates. What it returns is not dropped before the end.
    fn allocations(&mut self) -> AllocationInfo;

    /// One run inside of the function that callgrind looks at, after one outside of it.
    fn instructions(&mut self);
}

impl<T, F: FnMut() -> T> Case for F {
    fn time(&mut self, iterations: usize) -> Duration {
        let mut results = Vec::with_capacity(iterations);
        let start = Instant::now();
        for _ in 0..iterations {
            results.push(self());
        }
        start.elapsed()
    }

    fn allocations(&mut self) -> AllocationInfo {
        let mut result = None;
        let info = allocation_counter::measure(|| result = Some(self()));
        drop(result);
        info
    }

    fn instructions(&mut self) {
        drop(self());
        drop(counted(self));
    }
}

/// Callgrind counts inside of this function, by its name.
#[inline(never)]
fn counted<T>(run: &mut dyn FnMut() -> T) -> T {
    black_box(run())
}

/// The pattern for callgrind's `--toggle-collect`.
pub const COUNTED: &str = "*measured*counted*";

/// Prepares an item for a sandbox of so many containers.
///
/// # Errors
///
/// A peer that cannot save the workload.
pub fn prepare(item: Item, containers: usize) -> Result<Box<dyn Case>, Box<dyn Error>> {
    let state = workload::sandbox(containers);
    Ok(match item {
        Item::Save => Box::new(move || ours::save(black_box(&state))),
        Item::SaveWarm => {
            let mut buffer = Writer::default();
            Box::new(move || ours::save_into(black_box(&state), &mut buffer))
        }
        Item::Memcpy => {
            let bytes = ours::save(&state)?;
            let mut buffer = bytes.clone();
            Box::new(move || buffer.copy_from_slice(black_box(&bytes)))
        }
        Item::SaveHandWritten => Box::new(move || hand_written::save(black_box(&state))),
        Item::SaveJson => Box::new(move || serde_json::save(black_box(&state))),
        Item::SavePostcard => Box::new(move || postcard::save(black_box(&state))),
        Item::SaveRkyv => Box::new(move || rkyv::save(black_box(&state))),
        Item::Restore => {
            let bytes = ours::save(&state)?;
            Box::new(move || ours::restore(black_box(&bytes)))
        }
        Item::Clone => Box::new(move || black_box(&state).clone()),
        Item::RestoreHandWritten => {
            let bytes = hand_written::save(&state)?;
            Box::new(move || hand_written::restore(black_box(&bytes)))
        }
        Item::RestoreJson => {
            let bytes = serde_json::save(&state)?;
            Box::new(move || serde_json::restore(black_box(&bytes)))
        }
        Item::RestorePostcard => {
            let bytes = postcard::save(&state)?;
            Box::new(move || postcard::restore(black_box(&bytes)))
        }
        Item::RestoreRkyv => {
            let bytes = rkyv::save(&state)?;
            Box::new(move || rkyv::restore(black_box(&bytes)))
        }
    })
}
