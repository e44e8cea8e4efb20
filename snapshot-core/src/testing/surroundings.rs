//! Reduces a sample to the surroundings of one message. To try an edit of a message, the kit reads and
//! writes the whole payload around it, so an edit of a deep message in a large tree would cost as much as
//! the tree. These functions omit the fields that are not on the way to the message, if the type allows
//! that.

use std::collections::{HashMap, HashSet};

use super::coverage::is_version;
use super::shape::Shape;
use super::subject::{Recoded, Subject};
use super::tree::{TreeField, TreeMessage, Value};

/// The size in bytes from which a scalar is omitted.
const LARGE: usize = 32;
/// The number of fields of a message that are omitted one by one, if they cannot be omitted together.
const TRIED: usize = 12;
/// The number of elements of a list or map that stay: the first ones and the last ones.
const FIRST: usize = 5;
const LAST: usize = 3;

/// A whole sample, and the way to a message in it.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) tree: TreeMessage,
    pub(super) way: Vec<usize>,
}

impl Setting {
    /// The setting with only the fields of the message that `keeps` selects.
    fn keeping(&self, keeps: impl Fn(usize, &TreeField) -> bool) -> Self {
        let mut setting = self.clone();
        if let Some(message) = setting.tree.at(&setting.way) {
            let mut index = 0;
            message.fields.retain(|field| {
                index += 1;
                keeps(index - 1, field)
            });
        }
        setting
    }

    fn message(&self) -> Option<&TreeMessage> {
        self.tree.get(&self.way)
    }
}

/// Finds the surroundings of the messages of one sample. Each reduction is tried on the type, and is kept
/// only if the type reads the rest and writes it back unchanged.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    subject: Subject,
    sample: &'a TreeMessage,
    /// The reduced sample for the way to each message.
    known: HashMap<Vec<usize>, Setting>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(subject: Subject, sample: &'a TreeMessage) -> Self {
        Self { subject, sample, known: HashMap::new() }
    }

    /// Returns the smallest setting found for the message at the end of a way. The setting has all
    /// scalars of the message, and the messages in it without their own inner messages.
    pub(super) fn of(&mut self, way: &[usize]) -> Setting {
        let setting = self.beside(way);
        let setting = self.thinned(setting);
        self.trimmed(setting)
    }

    /// Omits the fields that are not on the way. The message at its end stays whole, so that an index into
    /// its fields is the same as in the sample.
    fn beside(&mut self, way: &[usize]) -> Setting {
        if let Some(known) = self.known.get(way) {
            return known.clone();
        }
        let setting = match way.split_last() {
            None => Setting { tree: self.sample.clone(), way: Vec::new() },
            Some((&child, above)) => {
                let above = self.beside(above);
                self.without_siblings(above, child)
            }
        };
        self.known.insert(way.to_vec(), setting.clone());
        setting
    }

    /// Omits the fields of the message except `child`, and extends the way to `child`.
    fn without_siblings(&self, mut above: Setting, child: usize) -> Setting {
        let inner = |mut setting: Setting, index: usize| {
            setting.way.push(index);
            setting
        };
        let Some(message) = above.message() else { return above };
        let shape = message.shape;
        // The key of an entry and the type URL of an `Any` determine the value.
        if matches!(shape, Shape::Entry(..)) || shape.is_any() {
            return inner(above, child);
        }
        let versions: Vec<u32> =
            shape.fields().iter().filter(|info| is_version(info)).map(|info| info.number).collect();
        let large: HashSet<u32> = message
            .fields
            .iter()
            .enumerate()
            .filter(|(index, field)| *index != child && is_large(field))
            .map(|(_, field)| field.number)
            .collect();
        let bare = above.keeping(|at, field| at == child || versions.contains(&field.number));
        if self.is_read(&bare) {
            let index = index_among(&above, child, |field| versions.contains(&field.number));
            return inner(bare, index);
        }
        let small = above.keeping(|at, field| at == child || !large.contains(&field.number));
        if self.is_read(&small) {
            let index = index_among(&above, child, |field| !large.contains(&field.number));
            return inner(small, index);
        }
        let mut index = child;
        for number in large.into_iter().take(TRIED) {
            let fewer = above.keeping(|at, field| at == index || field.number != number);
            if self.is_read(&fewer) {
                index = index_among(&above, index, |field| field.number != number);
                above = fewer;
            }
        }
        inner(above, index)
    }

    /// Omits the middle elements of long lists and maps.
    fn thinned(&self, setting: Setting) -> Setting {
        let Some(message) = setting.message() else { return setting };
        let mut counts: HashMap<u32, usize> = HashMap::new();
        let places: Vec<usize> = message
            .fields
            .iter()
            .map(|field| {
                let count = counts.entry(field.number).or_default();
                *count += 1;
                *count - 1
            })
            .collect();
        if counts.values().all(|count| *count <= FIRST + LAST) {
            return setting;
        }
        let thinned = setting.keeping(|at, field| {
            let count = counts.get(&field.number).copied().unwrap_or_default();
            places.get(at).is_some_and(|at| *at < FIRST || *at + LAST >= count)
        });
        if self.is_read(&thinned) { thinned } else { setting }
    }

    /// Omits the contents of the messages in the message.
    fn trimmed(&self, mut setting: Setting) -> Setting {
        let Some(message) = setting.message() else { return setting };
        let is_message = |field: &TreeField| matches!(field.value, Value::Message(_));
        let children: Vec<usize> = (0..)
            .zip(&message.fields)
            .filter(|(_, field)| is_message(field))
            .map(|(at, _)| at)
            .collect();
        if children.is_empty() {
            return setting;
        }
        let together = with_trimmed(&setting, &children);
        if self.is_read(&together) && are_as_different(&setting, &together) {
            return together;
        }
        for child in children.into_iter().take(TRIED) {
            let trimmed = with_trimmed(&setting, &[child]);
            if self.is_read(&trimmed) && are_as_different(&setting, &trimmed) {
                setting = trimmed;
            }
        }
        setting
    }

    /// Whether the type reads the setting and writes it back unchanged.
    fn is_read(&self, setting: &Setting) -> bool {
        let bytes = setting.tree.encode();
        matches!(self.subject.recode(&bytes).0, Recoded::Written(back) if back == bytes)
    }
}

/// The index of field `child` among the fields that `keeps` selects.
fn index_among(setting: &Setting, child: usize, keeps: impl Fn(&TreeField) -> bool) -> usize {
    let Some(message) = setting.message() else { return child };
    message.fields.iter().take(child).filter(|field| keeps(field)).count()
}

fn is_large(field: &TreeField) -> bool {
    match &field.value {
        Value::Message(_) => true,
        value => value.bytes().len() > LARGE,
    }
}

/// The setting with some messages in the message trimmed, by their indices.
fn with_trimmed(setting: &Setting, children: &[usize]) -> Setting {
    let mut setting = setting.clone();
    let Setting { tree, way } = &mut setting;
    if let Some(message) = tree.at(way) {
        for (at, field) in message.fields.iter_mut().enumerate() {
            if let Value::Message(child) = &mut field.value
                && children.contains(&at)
            {
                trim(child);
            }
        }
    }
    setting
}

/// Omits the messages in a message, and large scalars. Trims the value of a map entry, and the payload of an
/// `Any`.
fn trim(message: &mut TreeMessage) {
    if matches!(message.shape, Shape::Entry(..)) || message.shape.is_any() {
        for field in &mut message.fields {
            if let Value::Message(inner) = &mut field.value {
                trim(inner);
            }
        }
    } else {
        message.fields.retain(|field| !is_large(field));
    }
}

/// Whether the number of different elements is the same as before. A law needs different elements to see
/// whether a type keeps their order.
fn are_as_different(before: &Setting, after: &Setting) -> bool {
    let different = |setting: &Setting| {
        let fields = setting.message().map(|message| message.fields.iter());
        let values = fields.into_iter().flatten();
        values.map(|field| (field.number, field.value.bytes())).collect::<HashSet<_>>().len()
    };
    different(before) == different(after)
}
