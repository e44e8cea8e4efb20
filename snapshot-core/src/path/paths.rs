//! The paths of all controllers of a tree, each as a step from its parent's path.

use std::num::NonZeroU32;
use std::sync::OnceLock;

use super::Spot;

/// The path of the root.
pub(super) const ROOT: &str = ".";

/// The last step of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastStep {
    /// The controller where the step begins, counted from 1; `None` for the root.
    parent: Option<NonZeroU32>,
    /// The target of the step. It has no meaning for the root.
    pub(crate) spot: Spot,
}

impl LastStep {
    pub(crate) fn new(parent: Option<usize>, spot: Spot) -> Self {
        let parent = parent.and_then(|parent| NonZeroU32::new(parent as u32 + 1));
        Self { parent, spot }
    }

    pub(crate) fn parent(self) -> Option<usize> {
        self.parent.map(|parent| parent.get() as usize - 1)
    }
}

/// The paths of a tree, which its ids share. Each step is stored once, no matter how many controllers are
/// below it. A whole path is written only when its text is requested.
#[derive(Debug)]
pub(crate) struct Paths {
    steps: Vec<LastStep>,
    /// The text that the [`Spot::Text`]s refer to.
    texts: String,
    /// The whole paths that were requested.
    whole: OnceLock<Box<[OnceLock<Box<str>>]>>,
}

/// The operations that an id needs on the paths of its tree. This is a trait so that [`ControllerId`] shows
/// no interior mutability, which would cause a warning in the user's code for an id as the key of a map. The
/// stored texts change neither the order nor the hash of an id.
pub(super) trait TreePaths: Send + Sync {
    /// Returns a whole path, and keeps it.
    fn whole(&self, at: u32) -> &str;

    /// Returns a whole path if it was requested before.
    fn kept(&self, at: u32) -> Option<&str>;

    /// Returns a whole path, and does not keep it.
    fn text(&self, at: u32) -> String;
}

impl Paths {
    /// Creates the paths with these last steps, with the root first and parents before children.
    pub(crate) fn new(steps: Vec<LastStep>, texts: String) -> Self {
        Self { steps, texts, whole: OnceLock::new() }
    }
}

impl TreePaths for Paths {
    fn whole(&self, at: u32) -> &str {
        let new = || (0..self.steps.len()).map(|_| OnceLock::new()).collect();
        let whole = self.whole.get_or_init(new).get(at as usize);
        whole.map_or("", |whole| whole.get_or_init(|| self.text(at).into()))
    }

    fn kept(&self, at: u32) -> Option<&str> {
        self.whole.get()?.get(at as usize)?.get().map(AsRef::as_ref)
    }

    fn text(&self, at: u32) -> String {
        let mut text = String::new();
        let step = |at: usize| self.steps.get(at).copied();
        put_path(at as usize, step, |spot, text| spot.put(&self.texts, text), &mut text);
        text
    }
}

/// Writes the path of a controller: `step` returns the last step of a controller, `put` writes a step.
pub(crate) fn put_path(
    at: usize,
    step: impl Fn(usize) -> Option<LastStep>,
    put: impl Fn(Spot, &mut String),
    text: &mut String,
) {
    let mut steps = Vec::new();
    let mut next = step(at);
    while let Some(last) = next
        && let Some(parent) = last.parent()
    {
        steps.push(last.spot);
        next = step(parent);
    }
    if steps.is_empty() {
        text.push_str(ROOT);
    }
    for (position, spot) in steps.into_iter().rev().enumerate() {
        if position > 0 {
            text.push('/');
        }
        put(spot, text);
    }
}
