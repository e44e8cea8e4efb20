//! The paths of all controllers of a tree, each as a step from its parent's.

use std::num::NonZeroU32;
use std::sync::OnceLock;

use super::Spot;

/// The path of the root.
pub(super) const ROOT: &str = ".";

/// The last step of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastStep {
    /// The controller that the step begins at, counted from 1; `None` of the root.
    parent: Option<NonZeroU32>,
    /// Where the step leads; of the root, anything.
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

/// The paths of a tree, as ids share them. A step is there once, however many controllers are below it:
/// the whole of a path is written only for those whose text is asked for.
#[derive(Debug)]
pub(crate) struct Paths {
    steps: Vec<LastStep>,
    /// What the [`Spot::Text`]s are parts of.
    texts: String,
    /// The whole paths that were asked for.
    whole: OnceLock<Box<[OnceLock<Box<str>>]>>,
}

/// What an id needs of the paths of its tree. A trait, so that [`ControllerId`] shows no interior
/// mutability: what is kept here changes neither its order nor its hash, and as the key of a map it would
/// cause a warning in the user's code.
pub(super) trait TreePaths: Send + Sync {
    /// The whole of a path, kept from now on.
    fn whole(&self, at: u32) -> &str;

    /// The whole of a path, if it was asked for before.
    fn kept(&self, at: u32) -> Option<&str>;

    /// The whole of a path.
    fn text(&self, at: u32) -> String;
}

impl Paths {
    /// The paths with these last steps, parents before children, the root first.
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

/// Writes the path of a controller: `step` says what the last step of each is, `put` writes one.
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
