//! placeholder
/// Phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    Preflight,
}
pub(crate) struct Reach;
pub(crate) struct Resources;
