//! References between controllers: the names in fields with `defines` and `refers`, collected over a
//! whole tree and then checked.
//!
//! A namespace spans the whole tree under one root. Every name in it is defined once, and a field
//! anywhere in the tree can refer to it. Names that another root's tree defines are out of reach.

mod check;
mod collect;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::collect::References;
use crate::controller::Node;
use crate::error::{Error, plural};
use crate::payload::State;
use crate::schema::Schema;
use crate::visit::Visit;
use collect::UNLIMITED;

/// Checks every reference in the tree under `state`: each one must resolve, and each name must be
/// defined once. `state` must be the state of a root, live or freshly decoded, since a part of a tree
/// may refer to names outside of it.
///
/// [`Source`](crate::Source) and [`Incoming`](crate::Incoming) call this check themselves. Call it in
/// tools and in programs that transfer a tree without them. It locks each controller inside the state
/// that is already built, and holds the locks of the parents meanwhile.
///
/// ```
/// # mod pb {
/// #     #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
/// #     pub struct Bus {
/// #         #[prost(string, repeated, tag = "1")]
/// #         pub disks: Vec<String>,
/// #         #[prost(string, tag = "2")]
/// #         pub boot_disk: String,
/// #     }
/// #     impl prost::Name for Bus {
/// #         const NAME: &'static str = "Bus";
/// #         const PACKAGE: &'static str = "example.v1";
/// #     }
/// # }
/// use snapshot_core::{Snapshot, check_references};
///
/// #[derive(Snapshot)]
/// #[snapshot(message = pb::Bus)]
/// struct Bus {
///     #[snapshot(defines = "disk")]
///     disks: Vec<String>,
///     #[snapshot(refers = "disk")]
///     boot_disk: String,
/// }
///
/// let bus = Bus { disks: vec!["root".into(), "data".into()], boot_disk: "rooot".into() };
/// assert_eq!(
///     check_references(&bus).unwrap_err().to_string(),
///     ".: example.v1.Bus.boot_disk: refers to disk \"rooot\", which is not in example.v1.Bus.disks",
/// );
/// ```
///
/// # Errors
///
/// One finding for each reference that does not resolve and each name that is defined twice, in the
/// order of the tree. Each finding names both places: the reference and the fields that define
/// names of that namespace, or the second definition and the first.
pub fn check_references<S: State>(state: &S) -> Result<(), Error> {
    let message = (S::Message::DESCRIPTOR.full_name)();
    Error::collect(wrong(message, TwinNames::Reported, UNLIMITED, |visit| {
        state.visit_fields(visit)
    }))
}

/// Checks the references in the tree under a running controller whose plan is already made.
pub(crate) fn check_controller(root: &dyn Node) -> Result<(), Error> {
    let message = root.info().message_name;
    Error::collect(wrong(message, TwinNames::Known, UNLIMITED, |visit| root.visit(visit)))
}

/// Returns the errors in the references of a root with this message. `visit` shows its state.
///
/// There are usually no errors, and the names are enough to know that. Their places and their order
/// are collected only in a second pass, for the errors.
pub(crate) fn wrong(
    message: impl Into<Cow<'static, str>>,
    twins: TwinNames,
    memory: u64,
    visit: impl Fn(&mut Visit<'_>) -> Result<(), Error>,
) -> Vec<Error> {
    let message = message.into();
    let mut names = References::names_alone(message.clone()).within_memory(memory);
    names.collect(&visit);
    if names.is_exhausted() {
        return vec![exhausted(memory)];
    }
    if names.resolves() {
        return Vec::new();
    }
    drop(names);
    let mut references = References::with_paths(message).within_memory(memory);
    references.collect(&visit);
    if references.is_exhausted() {
        return vec![exhausted(memory)];
    }
    references.check(twins)
}

#[cold]
fn exhausted(memory: u64) -> Error {
    Error::exhausted(format!(
        "needs more memory to check its references than the {memory} byte{s} that this read may \
         still use: raise the limit with `ReadOptions::memory`, if you trust the source of the \
         snapshot",
        s = plural(memory)
    ))
}

/// Whether to report a name that two controllers with the same id define.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TwinNames {
    Reported,
    /// Not reported: the plan of the tree has already refused the second controller.
    Known,
}
