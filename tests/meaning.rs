//! No silent change of meaning: the meaning of a value is checked on both sides, and compared before a freeze.

#![allow(clippy::unwrap_used, clippy::expect_used)]

/// A controller as on the front page.
macro_rules! controller {
    ($name:ident) => {
        pub(crate) struct $name(std::sync::Mutex<State>);

        impl $name {
            #[allow(dead_code, reason = "the destination's is made by an import")]
            pub(crate) fn new(state: State) -> Self {
                Self(std::sync::Mutex::new(state))
            }
        }

        impl snapshot_core::Controller for $name {
            type State = State;

            fn state(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
                self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
            }

            fn import(state: State) -> Result<Self, snapshot_core::Error> {
                Ok(Self(std::sync::Mutex::new(state)))
            }
        }
    };
}

#[macro_use]
#[path = "meaning/directions.rs"]
mod directions;

#[path = "meaning/across_builds.rs"]
mod across_builds;
#[path = "meaning/adapters.rs"]
mod adapters;
#[path = "meaning/drawn.rs"]
mod drawn;
#[path = "meaning/forms.rs"]
mod forms;
#[path = "meaning/left_out.rs"]
mod left_out;
#[path = "meaning/newer_collections.rs"]
mod newer_collections;
#[path = "meaning/newer_variants.rs"]
mod newer_variants;
#[path = "meaning/pb.rs"]
mod pb;
#[path = "meaning/relations.rs"]
mod relations;
#[path = "meaning/shared.rs"]
mod shared;
#[path = "meaning/stated.rs"]
mod stated;
#[path = "meaning/stay_behind.rs"]
mod stay_behind;
#[path = "meaning/versions.rs"]
mod versions;
