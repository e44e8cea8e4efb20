//! Ids of controllers: paths from the root of the tree.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::paths::{self, TreePaths};
use super::{Paths, escape};

/// Identifies a controller of a tree by its path from the root, such as `vm/scsi` or
/// `pods/web/containers/c1`. The root itself is `.`.
///
/// A path consists of field names, map keys, element indices and the controllers' own names
/// (`#[snapshot(id)]`). In a key or name, `%`, `/` and `"` are written as `%25`, `%2F` and `%22`; an empty
/// one is written as `""`, and the name `.` as `%2E`. Characters that affect the display of a text are
/// escaped by their UTF-8 bytes, such as a newline as `%0A`: control characters, line separators,
/// bidirectional controls, zero-width and format characters. An id can therefore be written to a log or a
/// terminal without further escapes, even if an untrusted peer made the snapshot.
///
/// The ids of one tree share their steps, so an id takes a few words of memory regardless of the length of
/// its path. [`ControllerId::as_str`] writes the whole path at its first call and keeps it; `Display`
/// allocates only the output.
#[derive(Clone)]
pub struct ControllerId(Repr);

#[derive(Clone)]
enum Repr {
    /// A whole path.
    Text(Arc<str>),
    /// One of the paths of a tree.
    Step(Arc<dyn TreePaths>, u32),
}

impl ControllerId {
    /// The path of the root.
    pub(crate) const ROOT: &'static str = paths::ROOT;

    /// The id of the root.
    pub fn root() -> Self {
        Self::from(Self::ROOT)
    }

    /// Returns the id of this controller of a tree.
    pub(crate) fn of_tree(paths: &Arc<Paths>, at: usize) -> Self {
        let paths: Arc<Paths> = Arc::clone(paths);
        Self(Repr::Step(paths, at as u32))
    }

    /// Calls `look` with the whole path, without keeping the path.
    pub(crate) fn with_text<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Repr::Text(text) => look(text),
            Repr::Step(paths, at) => match paths.kept(*at) {
                Some(text) => look(text),
                None => look(&paths.text(*at)),
            },
        }
    }

    /// Returns the id of a descendant by its relative path.
    pub(crate) fn join(&self, path: &str) -> Self {
        self.with_text(|parent| match parent {
            Self::ROOT => Self::from(path),
            _ => Self::from(format!("{parent}/{path}").as_str()),
        })
    }

    pub(crate) fn from_reversed(segments: &[Cow<'_, str>]) -> Self {
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
        match &self.0 {
            Repr::Text(text) => text,
            Repr::Step(paths, at) => paths.whole(*at),
        }
    }
}

impl PartialEq for ControllerId {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Step(paths, at), Repr::Step(others, other))
                if Arc::ptr_eq(paths, others) && at == other =>
            {
                true
            }
            // In an invalid tree, two controllers can have the same id.
            _ => self.with_text(|text| other.with_text(|other| text == other)),
        }
    }
}

impl Eq for ControllerId {}

impl Hash for ControllerId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.with_text(|text| text.hash(state));
    }
}

impl PartialOrd for ControllerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ControllerId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.with_text(|text| other.with_text(|other| text.cmp(other)))
    }
}

impl fmt::Display for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<&str> for ControllerId {
    /// Creates the id with this path, as [`ControllerId::as_str`] returns it. Characters that affect a
    /// terminal are also escaped; `%`, `/` and `"` keep their meaning in a path.
    fn from(path: &str) -> Self {
        Self(Repr::Text(Arc::from(&*escape::path(path))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{LastStep, Spot};
    use super::*;

    /// The ids of a tree with a root, a pod with a long name, and containers in it.
    fn ids(name: &str, containers: u32) -> Vec<ControllerId> {
        let pod = Spot::text(0, name.len(), None);
        let mut steps = vec![LastStep::new(None, Spot::Field("")), LastStep::new(Some(0), pod)];
        let container = |index| LastStep::new(Some(1), Spot::Element("containers", index));
        steps.extend((0..containers).map(container));
        let count = steps.len();
        let paths = Arc::new(Paths::new(steps, name.to_owned()));
        (0..count).map(|at| ControllerId::of_tree(&paths, at)).collect()
    }

    #[test]
    fn an_id_of_a_tree_is_the_same_as_one_of_its_text() {
        let ids = ids("pods/web", 2);
        let texts = [".", "pods/web", "pods/web/containers/0", "pods/web/containers/1"];
        let set: HashSet<ControllerId> = ids.iter().cloned().collect();
        for (id, text) in ids.iter().zip(texts) {
            let other = ControllerId::from(text);
            assert_eq!((id, id.to_string().as_str()), (&other, text));
            assert!(set.contains(&other));
            assert_eq!(id.as_str(), text);
            assert_eq!(id.cmp(&other), Ordering::Equal);
        }
        assert!(ids[2] < ids[3] && ids[2] != ids[3]);
        assert_eq!(ids[1].join("vm"), ControllerId::from("pods/web/vm"));
        assert_eq!(ids[0].join("vm"), ControllerId::from("vm"));
    }

    #[test]
    fn ids_do_not_repeat_the_names_of_their_ancestors() {
        let name = "n".repeat(100_000);
        let info = allocation_counter::measure(|| {
            let ids = ids(&name, 10_000);
            // Displaying one of them does not write it either.
            assert!(ids[9_999].to_string().ends_with("/containers/9997"));
        });
        assert!(info.bytes_max < 2 << 20, "{} bytes", info.bytes_max);
    }

    #[test]
    fn text_that_acts_on_a_terminal_is_escaped_in_an_id() {
        let id = ControllerId::from("pods/web\nvm: failed\u{1b}[2J");
        assert_eq!(id.to_string(), "pods/web%0Avm: failed%1B[2J");
        assert_eq!(ControllerId::from(id.as_str()), id);
    }
}
