//! The measured items, each ready to run under a clock, an allocation counter or callgrind.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use snapshot_core::Controller;
use snapshot_core::codec::{self, Writer};
use snapshot_examples::lcow;

use crate::peers::{bilrost, buffa, hand_written, ours, postcard, prost_own, rkyv, serde_json};
use crate::{migration, workload};

macro_rules! items {
    ($($(#[$doc:meta])* $item:ident = $name:literal)*) => {
        /// A way to save or to restore.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Item { $($(#[$doc])* $item),* }

        impl Item {
            /// All items; those that save come first.
            pub const ALL: &[Item] = &[$(Item::$item),*];

            /// Returns the name of the item in tables and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Item::$item => $name),* }
            }

            /// Returns whether the item measures controllers instead of the workload's state.
            pub fn is_tree(self) -> bool {
                matches!(
                    self,
                    Item::TreeSave
                        | Item::TreeRestore
                        | Item::TreeMigrate
                        | Item::Migrate
                        | Item::MigrateParts
                )
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
    /// prost, with conversion by hand.
    SaveHandWritten = "save-hand-written"
    /// prost with its own messages.
    SaveProst = "save-prost-own"
    /// bilrost with its own messages.
    SaveBilrost = "save-bilrost"
    /// buffa, with conversion.
    SaveBuffa = "save-buffa"
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
    /// prost with its own messages.
    RestoreProst = "restore-prost-own"
    /// bilrost with its own messages.
    RestoreBilrost = "restore-bilrost"
    /// buffa, with conversion.
    RestoreBuffa = "restore-buffa"
    /// serde_json.
    RestoreJson = "restore-serde_json"
    /// postcard.
    RestorePostcard = "restore-postcard"
    /// rkyv.
    RestoreRkyv = "restore-rkyv"
    /// The template's tree of controllers, including the locks.
    TreeSave = "lcow-save"
    /// The template's tree, up to the controllers, including the parsing of OCI specs and the check of
    /// references.
    TreeRestore = "lcow-restore"
    /// The template's tree: freeze, save, import and abort, without a destination host.
    TreeMigrate = "lcow-migrate"
    /// A migration of this many controllers.
    Migrate = "migrate"
    /// The least work of a migration: encode, decode, call the hooks.
    MigrateParts = "migrate-parts"
}

/// An item with its input.
pub trait Case {
    /// Returns the time of this many runs, without the time to drop their results.
    fn time(&mut self, iterations: usize) -> Duration;

    /// Runs the item once outside of `around` and then once inside. Keeps the results until the
    /// end, so that the allocator is in the same state for every item.
    fn run_in(&mut self, around: &mut dyn FnMut(&mut dyn FnMut()));
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

    fn run_in(&mut self, around: &mut dyn FnMut(&mut dyn FnMut())) {
        let warm = self();
        let mut result = None;
        around(&mut || result = Some(self()));
        drop((warm, result));
    }
}

/// Prepares an item for a sandbox of this many containers.
///
/// # Errors
///
/// The error of a peer that cannot save the workload.
pub fn prepare(item: Item, containers: usize) -> Result<Box<dyn Case>, Box<dyn Error>> {
    let state = workload::sandbox(if item.is_tree() { 0 } else { containers });
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
        Item::SaveProst => {
            let message = prost_own::restore(&ours::save(&state)?)?;
            Box::new(move || prost_own::save(black_box(&message)))
        }
        Item::SaveBilrost => {
            let message = bilrost::convert(&state);
            Box::new(move || bilrost::save(black_box(&message)))
        }
        Item::SaveBuffa => Box::new(move || buffa::save(black_box(&state))),
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
        Item::RestoreProst => {
            let bytes = ours::save(&state)?;
            Box::new(move || prost_own::restore(black_box(&bytes)))
        }
        Item::RestoreBilrost => {
            let bytes = bilrost::save(&bilrost::convert(&state));
            Box::new(move || bilrost::restore(black_box(&bytes)))
        }
        Item::RestoreBuffa => {
            let bytes = ours::save(&state)?;
            Box::new(move || buffa::restore(black_box(&bytes)))
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
        Item::TreeSave => {
            let sandbox = lcow::sample::sandbox(containers)?;
            Box::new(move || codec::to_bytes(&*black_box(&sandbox).state()))
        }
        Item::TreeRestore => {
            let bytes = codec::to_bytes(&*lcow::sample::sandbox(containers)?.state())?;
            Box::new(move || codec::from_bytes::<lcow::SandboxState>(black_box(&bytes)))
        }
        Item::TreeMigrate => {
            let sandbox = lcow::sample::sandbox(containers)?;
            Box::new(move || migration::import_and_abort(black_box(&sandbox)))
        }
        Item::Migrate => {
            let fleet = migration::fleet(containers);
            Box::new(move || migration::migrate(black_box(&fleet)))
        }
        Item::MigrateParts => {
            let fleet = migration::fleet(containers);
            Box::new(move || migration::parts(black_box(&fleet)))
        }
    })
}
