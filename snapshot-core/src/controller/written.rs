//! The hooks that a controller has, found by their types.

use std::any::type_name;
use std::future::Future;

use super::left_out::LeftOut;
use super::{Context, Controller, Hook};

/// The hooks that the type of a controller has. Nothing is called to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrittenHooks {
    /// The Rust type of the controller.
    pub(crate) controller: &'static str,
    /// The Rust type of its state.
    pub(crate) state: &'static str,
    freeze: bool,
    thaw: bool,
    prepare: bool,
    patch: bool,
    resume: bool,
    abort: bool,
}

/// Returns whether this hook was written. The function is named only for its return type.
fn is_written<'c, C: Controller, F: Future>(_: impl Fn(&'c C, &'c Context) -> F) -> bool {
    type_name::<F>() != type_name::<LeftOut>()
}

impl WrittenHooks {
    pub(crate) fn of<C: Controller>() -> Self {
        Self {
            controller: type_name::<C>(),
            state: type_name::<C::State>(),
            freeze: is_written::<C, _>(C::freeze),
            thaw: is_written::<C, _>(C::thaw),
            prepare: is_written::<C, _>(C::prepare),
            patch: is_written::<C, _>(C::patch),
            resume: is_written::<C, _>(C::resume),
            abort: is_written::<C, _>(C::abort),
        }
    }

    /// Returns the hooks without an undo, each with the hook that would undo it.
    pub(crate) fn without_undo(self) -> impl Iterator<Item = (Hook, Hook)> {
        let Self { freeze, thaw, prepare, patch, resume, abort, .. } = self;
        let pairs = [
            (freeze && !thaw, Hook::Freeze, Hook::Thaw),
            (prepare && !abort, Hook::Prepare, Hook::Abort),
            (patch && !abort, Hook::Patch, Hook::Abort),
            (resume && !abort, Hook::Resume, Hook::Abort),
        ];
        pairs.into_iter().filter(|pair| pair.0).map(|(_, hook, undo)| (hook, undo))
    }
}
