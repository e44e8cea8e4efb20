//! The bench, which all laws use: the samples as trees, their type, and the findings.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use crate::Error;

use super::coverage::{Coverage, is_in};
use super::difference::differences;
use super::places::Places;
use super::report::{Law, Report};
use super::shape::FieldInfo;
use super::subject::{Recoded, Subject};
use super::surroundings::{Setting, Surroundings};
use super::tree::{TreeField, TreeMessage, Value};

/// The number of messages at one place of a sample that are edited: the first ones of a list or map.
const SITES_OF_A_SAMPLE: usize = 3;
/// The number of messages at one place that are edited in total.
const SITES: usize = 8;

/// A type on the bench.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) subject: Subject,
    pub(super) places: Places,
    pub(super) samples: Vec<Sample>,
    pub(super) report: Report,
    pub(super) coverage: Coverage,
    /// The values that the edits gave to a field of a place, as bytes.
    pub(super) tried: HashSet<(usize, u32, Vec<u8>)>,
    /// Fields that can come back in another form.
    pub(super) normalized: Vec<String>,
}

/// One sample, as it is saved.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    pub(super) tree: TreeMessage,
    /// Whether it was derived from another sample.
    pub(super) is_made: bool,
}

/// A message in a sample.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) place: usize,
    /// Whether it is the first message at its place. The others have the same type, so the laws repeat
    /// only some of the edits there.
    pub(super) is_first: bool,
    /// The surroundings of the message, which an edit reads and writes.
    setting: Rc<RefCell<Setting>>,
}

/// Where a message is in the samples.
#[derive(Debug)]
struct SampleSpot {
    sample: usize,
    way: Vec<usize>,
    place: usize,
    is_first: bool,
}

impl Site {
    fn new(place: usize, is_first: bool, setting: Setting) -> Self {
        Self { place, is_first, setting: Rc::new(RefCell::new(setting)) }
    }
}

/// The outcome of an edit.
#[derive(Debug)]
pub(super) enum EditOutcome {
    Refused(Error),
    Restored,
    /// It is in the report.
    Broken,
}

impl Bench {
    /// The messages to edit, a few at each place, each in the smallest setting that the type accepts.
    pub(super) fn sites(&self) -> Vec<Site> {
        self.cut_down(self.spots())
    }

    /// The same messages in the whole samples.
    pub(super) fn whole_sites(&self) -> Vec<Site> {
        let whole = |spot: SampleSpot| {
            let tree = self.samples.get(spot.sample)?.tree.clone();
            Some(Site::new(spot.place, true, Setting { tree, way: spot.way }))
        };
        self.spots().into_iter().filter_map(whole).collect()
    }

    /// The messages of one sample to edit.
    pub(super) fn sites_of(&self, sample: usize) -> Vec<Site> {
        let mut spots = self.spots();
        spots.retain(|spot| spot.sample == sample);
        self.cut_down(spots)
    }

    /// The ways to the messages to edit. A derived sample has the messages of the original and a new one:
    /// only the new message and the message around it are edited there.
    fn spots(&self) -> Vec<SampleSpot> {
        let mut spots = Vec::new();
        let mut places = HashSet::new();
        for (sample, Sample { tree, is_made, .. }) in self.samples.iter().enumerate() {
            let is_wanted = |message: &TreeMessage| !is_made || holds_new(message, &places);
            collect(sample, tree, &is_wanted, &mut Vec::new(), &mut spots);
            places_of(tree, &mut places);
        }
        spots
    }

    fn cut_down(&self, spots: Vec<SampleSpot>) -> Vec<Site> {
        let mut sites = Vec::new();
        let mut surroundings: Option<(usize, Surroundings<'_>)> = None;
        for spot in spots {
            let Some(sample) = self.samples.get(spot.sample) else { continue };
            let of_sample = match &mut surroundings {
                Some((index, of_sample)) if *index == spot.sample => of_sample,
                other => {
                    let of_sample = Surroundings::new(self.subject, &sample.tree);
                    &mut other.insert((spot.sample, of_sample)).1
                }
            };
            sites.push(Site::new(spot.place, spot.is_first, of_sample.of(&spot.way)));
        }
        sites
    }

    /// The message at a site.
    pub(super) fn message(&self, site: &Site) -> Option<TreeMessage> {
        let Setting { tree, way } = &mut *site.setting.borrow_mut();
        tree.at(way).cloned()
    }

    /// The bytes of the site's setting with the message edited.
    pub(super) fn edited(&self, site: &Site, edit: impl FnOnce(&mut TreeMessage)) -> Vec<u8> {
        let Setting { tree, way } = &mut *site.setting.borrow_mut();
        tree.with(way, edit)
    }

    /// The bytes with the values of one field replaced.
    pub(super) fn with_values(
        &self,
        site: &Site,
        info: &FieldInfo,
        values: Vec<Value>,
        packed: bool,
    ) -> Vec<u8> {
        let info = *info;
        self.edited(site, |message| {
            if info.oneof.is_some() && !values.is_empty() {
                let rivals: Vec<u32> = message
                    .shape
                    .fields()
                    .iter()
                    .filter(|other| other.oneof == info.oneof && other.number != info.number)
                    .map(|other| other.number)
                    .collect();
                message.fields.retain(|field| !rivals.contains(&field.number));
            }
            message.set(info.number, values, packed);
        })
    }

    /// The path of a field of a site.
    pub(super) fn path(&self, site: &Site, info: &FieldInfo) -> String {
        self.places.path(site.place, info.name)
    }

    /// Expects that the bytes are refused.
    pub(super) fn refused(&mut self, law: Law, path: &str, bytes: &[u8], what: &str) {
        match self.subject.recode(bytes).0 {
            Recoded::Refused(_) => {}
            Recoded::Panicked(error) => {
                self.report.add(law, path, Some(bytes), format!("{what}: the read {error}"));
            }
            Recoded::NotWritten(_) | Recoded::Written(_) => {
                self.report.add(law, path, Some(bytes), format!("{what} is not refused"));
            }
        }
    }

    /// Expects that the bytes are refused, or read as a value that then stays the same.
    pub(super) fn upgraded(&mut self, law: Law, path: &str, bytes: &[u8], what: &str) {
        let text = match self.subject.recode(bytes).0 {
            Recoded::Refused(_) => return,
            Recoded::Panicked(error) => format!("{what}: the read {error}"),
            Recoded::NotWritten(error) => {
                format!("{what} is read, and then cannot be saved: {error}")
            }
            Recoded::Written(back) => match self.subject.recode(&back).0 {
                Recoded::Written(again) if again == back => return,
                _ => format!("{what} is saved as bytes that do not come back unchanged"),
            },
        };
        self.report.add(law, path, Some(bytes), text);
    }

    /// Expects that the bytes are refused, or come back as the same message.
    pub(super) fn restored(
        &mut self,
        law: Law,
        path: &str,
        bytes: &[u8],
        what: &str,
    ) -> EditOutcome {
        let (recoded, watch) = self.subject.recode(bytes);
        let mut broken = |law, path: &str, text: String| {
            self.report.add(law, path, Some(bytes), text);
            EditOutcome::Broken
        };
        let back = match recoded {
            Recoded::Refused(error) => return EditOutcome::Refused(error),
            Recoded::Panicked(error) => {
                return broken(law, path, format!("{what}: the read {error}"));
            }
            Recoded::NotWritten(error) => {
                return broken(
                    law,
                    path,
                    format!("{what} is read, and then cannot be saved: {error}"),
                );
            }
            Recoded::Written(back) => back,
        };
        let Some(read) = self.places.read(bytes) else {
            return broken(law, path, format!("{what} is read, although it is malformed"));
        };
        if let Some(error) = (self.subject.prost_refuses)(bytes) {
            return broken(
                Law::Prost,
                path,
                format!("{what} is read, but prost refuses it: {error}"),
            );
        }
        if self.places.canonical(&read, &watch.ignored, false).encode() == back {
            return EditOutcome::Restored;
        }
        let Some(written) = self.places.read(&back) else {
            return broken(law, path, format!("{what} is saved as malformed bytes"));
        };
        if self.places.canonical(&written, &[], false).encode() != back {
            let text = format!("{what} is saved in a form that is not canonical");
            return broken(law, path, text);
        }
        let read = self.places.canonical(&read, &watch.ignored, true);
        let written = self.places.canonical(&written, &[], true);
        let mut lost = differences(&self.places, &read, &written);
        lost.retain(|lost| !lost.names.iter().any(|name| is_in(name, &self.normalized)));
        if lost.is_empty() {
            // Another form of the same value must stay the same from then on.
            return match self.subject.recode(&back).0 {
                Recoded::Written(again) if again == back => EditOutcome::Restored,
                _ => broken(
                    law,
                    path,
                    format!("{what} is saved as bytes that do not come back unchanged"),
                ),
            };
        }
        for lost in lost {
            let text = format!("{what}: {} is read, {} is saved", lost.read, lost.written);
            broken(law, &lost.names[0], text);
        }
        EditOutcome::Broken
    }
}

fn collect(
    sample: usize,
    message: &TreeMessage,
    is_wanted: &impl Fn(&TreeMessage) -> bool,
    way: &mut Vec<usize>,
    spots: &mut Vec<SampleSpot>,
) {
    if is_wanted(message) {
        let same = spots.iter().filter(|spot| spot.place == message.place);
        let of_this = same.clone().filter(|spot| spot.sample == sample).count();
        if of_this < SITES_OF_A_SAMPLE && same.clone().count() < SITES {
            let is_first = same.count() == 0;
            spots.push(SampleSpot { sample, way: way.clone(), place: message.place, is_first });
        }
    }
    for (index, field) in message.fields.iter().enumerate() {
        if let Value::Message(message) = &field.value {
            way.push(index);
            collect(sample, message, is_wanted, way, spots);
            way.pop();
        }
    }
}

/// Whether a message, or one directly in it, is at a new place.
fn holds_new(message: &TreeMessage, seen: &HashSet<usize>) -> bool {
    let is_new = |message: &TreeMessage| !seen.contains(&message.place);
    let is_new_inside =
        |field: &TreeField| matches!(&field.value, Value::Message(message) if is_new(message));
    is_new(message) || message.fields.iter().any(is_new_inside)
}

fn places_of(message: &TreeMessage, places: &mut HashSet<usize>) {
    places.insert(message.place);
    for field in &message.fields {
        if let Value::Message(message) = &field.value {
            places_of(message, places);
        }
    }
}
