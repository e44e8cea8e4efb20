//! Ids of controllers: paths from the root of the tree.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use super::escape;

/// Which controller of a tree: its path from the root, `vm/scsi` or `pods/web/containers/c1`. The
/// root itself is `.`.
///
/// A path is made of field names, map keys, element indices and the names that controllers give
/// themselves (`#[snapshot(id)]`). In a key or name, `%`, `/` and `"` are written `%25`, `%2F` and
/// `%22`; an empty one is written `""`, and the name `.` is written `%2E`. Characters that do more than
/// appear in a text are escaped by their UTF-8 bytes, a newline as `%0A`: control characters, line
/// separators, bidirectional controls, zero-width and format characters. So an id can be shown in a log
/// or a terminal as it is, whoever made the snapshot.
///
/// The ids of one tree share one text, which is there as long as one of them is.
#[derive(Clone)]
pub struct ControllerId {
    text: Arc<str>,
    from: usize,
    to: usize,
}

impl ControllerId {
    /// The path of the root.
    pub(crate) const ROOT: &'static str = ".";

    /// The id of the root.
    pub fn root() -> Self {
        Self::from(Self::ROOT)
    }

    /// The id whose path is this part of a text.
    pub(crate) fn part(text: &Arc<str>, range: Range<usize>) -> Self {
        Self { text: Arc::clone(text), from: range.start, to: range.end }
    }

    /// The id of a descendant by its relative path.
    pub(crate) fn join(&self, path: &str) -> Self {
        match self.as_str() {
            Self::ROOT => Self::from(path),
            parent => Self::from(format!("{parent}/{path}").as_str()),
        }
    }

    pub(crate) fn from_reversed(segments: &[Cow<'static, str>]) -> Self {
        if segments.is_empty() {
            return Self::root();
        }
        let path: Vec<&str> = segments.iter().rev().map(AsRef::as_ref).collect();
        Self::from(path.join("/").as_str())
    }

    /// Returns a map key or a controller's own name as one step of a path.
    ///
    /// ```
    /// use snapshot_core::ControllerId;
    ///
    /// let id = format!("pods/{}", ControllerId::escape("team/web"));
    /// assert_eq!(ControllerId::from(id.as_str()).as_str(), "pods/team%2Fweb");
    /// ```
    pub fn escape(name: &str) -> Cow<'_, str> {
        escape::step(name)
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        self.text.get(self.from..self.to).unwrap_or_default()
    }
}

impl PartialEq for ControllerId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ControllerId {}

impl Hash for ControllerId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for ControllerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ControllerId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for ControllerId {
    /// The id with this path, as [`ControllerId::as_str`] returns it. Characters that act on a terminal
    /// are escaped here as well; `%`, `/` and `"` have their meaning in a path.
    fn from(path: &str) -> Self {
        let path = escape::path(path);
        Self { text: Arc::from(&*path), from: 0, to: path.len() }
    }
}
