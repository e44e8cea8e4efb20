//! References between controllers: what `defines` and `refers` name, collected over a whole tree
//! and then checked.
//!
//! A namespace is the whole tree under one root: whatever it defines is defined once, and whatever
//! refers, from anywhere in it, finds what it refers to. What another root's tree defines is out of
//! reach.

mod check;
mod collect;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::collect::{Names, References};
use crate::controller::Node;
use crate::error::Error;
use crate::schema::Schema;
use crate::state::State;

/// Checks every reference in the tree under `state`: each one resolves, and nothing is defined
/// twice. The state is that of a root, live or freshly decoded; a part of a tree refers to what is
/// elsewhere.
///
/// [`Source`](crate::Source) and [`Incoming`](crate::Incoming) do it by themselves. This is for
/// tools, and for programs that carry a tree without them. The lock of each controller inside that
/// is built already is taken, those of its parents held.
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
/// Everything that does not resolve or is defined twice, at once, in the order of the tree, and
/// with both ends: where the reference is and where such things are defined, or where the second
/// definition is and where the first.
pub fn check_references<S: State>(state: &S) -> Result<(), Error> {
    let message = (S::Message::DESCRIPTOR.full_name)();
    let refer = |references: &mut References| state.refer_fields(references);
    Error::collect(wrong(message, Twins::Reported, refer))
}

/// As [`check_references`], for the tree under a running controller whose plan was made already.
pub(crate) fn check_controller(root: &dyn Node) -> Result<(), Error> {
    let refer = |references: &mut References| root.refer_fields(references);
    Error::collect(wrong(root.info().message_name, Twins::Known, refer))
}

/// What is wrong with the references in a root with this message, which `refer` collects.
///
/// Nearly always nothing is, and that takes the names alone. Where they are, and in what order, is
/// collected for errors only.
pub(crate) fn wrong(
    message: impl Into<Cow<'static, str>>,
    twins: Twins,
    refer: impl Fn(&mut References),
) -> Vec<Error> {
    let message = message.into();
    let mut names = References::names_alone(message.clone());
    refer(&mut names);
    if names.resolves() {
        return Vec::new();
    }
    drop(names);
    let mut references = References::with_ways(message);
    refer(&mut references);
    references.check(twins)
}

/// Whether a name that two controllers of one id define is reported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twins {
    Reported,
    /// The plan of the tree has refused the second controller already.
    Known,
}
