//! Controller ids: paths from the root of the tree.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Which controller of a tree: its path from the root, `vm/scsi` or `pods/web/containers/c1`. The
/// root itself is `.`.
///
/// A path is made of field names, map keys, element indices and the names that controllers give
/// themselves (`#[snapshot(id)]`). In a key or name, `%`, `/` and `"` are written `%25`, `%2F` and
/// `%22`; an empty one is written `""`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ControllerId(Arc<str>);

impl ControllerId {
    /// The id of the root.
    pub fn root() -> Self {
        Self(Arc::from("."))
    }

    /// The id of a descendant by its relative path.
    pub(crate) fn join(&self, path: &str) -> Self {
        match &*self.0 {
            "." => Self(Arc::from(path)),
            parent => Self(Arc::from(format!("{parent}/{path}"))),
        }
    }

    pub(crate) fn from_reversed(segments: &[Cow<'static, str>]) -> Self {
        if segments.is_empty() {
            return Self::root();
        }
        let path: Vec<&str> = segments.iter().rev().map(AsRef::as_ref).collect();
        Self(Arc::from(path.join("/")))
    }

    /// A key or name as one step of a path.
    pub(crate) fn escape(name: &str) -> Cow<'_, str> {
        if name.is_empty() {
            return Cow::Borrowed("\"\"");
        }
        if !name.contains(['%', '/', '"']) {
            return Cow::Borrowed(name);
        }
        Cow::Owned(name.replace('%', "%25").replace('/', "%2F").replace('"', "%22"))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ControllerId {
    /// The id with this path, as [`ControllerId::as_str`] gives it.
    fn from(path: &str) -> Self {
        Self(Arc::from(path))
    }
}
