//! Programs that differ in exactly one meaning, and what they share: the messages, the root controller,
//! and the commands by which a test moves a state from one program to another.
//!
//! Each file in `bin/` is one build. `tests/moves.rs` runs them.

#![forbid(unsafe_code)]

pub mod build;
pub mod message;
pub mod root;
pub mod value;

pub use prost;
pub use snapshot_core;

/// Defines a build: a state, its controller, and the program around it.
#[macro_export]
macro_rules! build {
    (
        $(#[$attribute:meta])*
        $message:ident { $($(#[$field_attribute:meta])* $field:ident: $ty:ty,)* }
    ) => {
        #[derive(snapshot_core::Snapshot)]
        #[snapshot(message = $crate::message::$message, controller = Part)]
        $(#[$attribute])*
        struct State {
            $($(#[$field_attribute])* $field: $ty,)*
        }

        struct Part(std::sync::Mutex<State>);

        impl snapshot_core::Controller for Part {
            type State = State;

            fn state(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
                self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
            }

            fn import(state: State) -> Result<Self, snapshot_core::Error> {
                Ok(Self(std::sync::Mutex::new(state)))
            }
        }

        fn main() -> std::process::ExitCode {
            $crate::build::run(&$crate::build::Build {
                make: |_values| {
                    let state = State {
                        $($field: $crate::value::Meaning::of(
                            _values.get(stringify!($field)).map(String::as_str),
                        )?,)*
                    };
                    Some(snapshot_core::Child::of(Part(std::sync::Mutex::new(state))))
                },
                view: |part| {
                    let part = part.downcast::<Part>()?;
                    let _state = snapshot_core::Controller::state(&*part);
                    let values: Vec<(&str, Option<String>)> = vec![
                        $((stringify!($field), $crate::value::Meaning::meaning(&_state.$field))),*
                    ];
                    Some(values)
                },
            })
        }
    };
}
