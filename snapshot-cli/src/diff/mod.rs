//! `snapshot diff`: lists the differences between two snapshots.

mod align;
mod key;
mod message;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::cli::{Diff, Options};
use crate::document::Document;
use crate::escape::line;
use crate::schemas::Schemas;
use crate::show::{self, plural, size};
use crate::tree::{Content, Payload, Place, enter, id_text};
use crate::{Problem, Verdict};

pub(crate) fn run(
    of: &Diff,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let before = Document::read(&of.before, options)?.payloads(schemas)?;
    let after = Document::read(&of.after, options)?.payloads(schemas)?;
    let mut found = Changes {
        before: String::new(),
        after: String::new(),
        count: 0,
        deadline: Instant::now() + ALIGNMENT,
        out,
    };
    found.payload(&before, &after)?;
    Ok(if found.count == 0 { Verdict::Fine } else { Verdict::Findings })
}

/// The total time for aligning the lists of two snapshots.
const ALIGNMENT: Duration = Duration::from_secs(3);

/// Writes each difference on a line: first those of a payload, then those of the payloads below it.
struct Changes<'a> {
    /// The id of the current payload in the earlier snapshot.
    before: String,
    /// The id of the current payload in the later snapshot. In a changed list, its index differs.
    after: String,
    count: usize,
    /// The end of the time for the best alignment of lists.
    deadline: Instant,
    out: &'a mut dyn Write,
}

impl Changes<'_> {
    /// Writes a difference of the current payload.
    fn say(&mut self, change: &str) -> io::Result<()> {
        self.count += 1;
        writeln!(self.out, "{}: {}", show::id(id_text(&self.after)), line(change))
    }

    fn payload(&mut self, a: &Payload, b: &Payload) -> io::Result<()> {
        if a.type_url != b.type_url {
            self.say(&format!("type URL {:?} -> {:?}", a.type_url, b.type_url))?;
        } else if a.bytes != b.bytes {
            let count = self.count;
            match (&a.content, &b.content) {
                (Content::Message(one), Content::Message(other)) => {
                    self.message(one, other, "")?;
                    self.places(&a.places, &b.places)?;
                    if self.count == count {
                        self.say("has the same content in other bytes")?;
                    }
                    return Ok(());
                }
                _ => self.unreadable(a, b)?,
            }
        }
        self.places(&a.places, &b.places)
    }

    fn unreadable(&mut self, a: &Payload, b: &Payload) -> io::Result<()> {
        let [one, other] = [a, b].map(|payload| {
            let bytes = plural(payload.bytes.len(), "byte", "bytes");
            match payload.content {
                Content::Message(_) => bytes,
                Content::Unknown | Content::Malformed(_) => format!("{bytes} that cannot be read"),
            }
        });
        let place = a.bytes.iter().zip(&b.bytes).position(|(a, b)| a != b);
        let from = place.map(|at| format!(", which differ from byte {at} on")).unwrap_or_default();
        self.say(&format!("{one} -> {other}{from}"))
    }

    /// Compares places that have the same step, and elements without names by their content.
    fn places(&mut self, a: &[Place], b: &[Place]) -> io::Result<()> {
        let indexes = |places: &[Place]| places.iter().all(|place| place.is_index);
        if !a.is_empty() && !b.is_empty() && indexes(a) && indexes(b) {
            let [one, other]: [Vec<_>; 2] =
                [a, b].map(|places| places.iter().map(key::Payloads).collect());
            for (a, b) in align::changes(&one, &other, a, b, self.deadline) {
                self.either(a, b)?;
            }
            return Ok(());
        }
        let (earlier, later) = (by_step(a), by_step(b));
        let mut steps: Vec<_> = earlier.keys().chain(later.keys()).collect();
        steps.sort();
        steps.dedup();
        for step in steps {
            self.either(earlier.get(step).copied(), later.get(step).copied())?;
        }
        Ok(())
    }

    fn either(&mut self, a: Option<&Place>, b: Option<&Place>) -> io::Result<()> {
        let lengths = (self.before.len(), self.after.len());
        if let Some(place) = a.or(b) {
            enter(&mut self.before, &place.step);
        }
        if let Some(place) = b.or(a) {
            enter(&mut self.after, &place.step);
        }
        match (a, b) {
            (Some(a), Some(b)) => match (&a.payload, &b.payload) {
                (Some(a), Some(b)) => self.payload(a, b)?,
                (None, None) => self.places(&a.places, &b.places)?,
                _ => {
                    self.whole(a, "removed")?;
                    self.whole(b, "added")?;
                }
            },
            (Some(a), None) => {
                // The payload has no id in the later snapshot.
                std::mem::swap(&mut self.before, &mut self.after);
                let written = self.whole(a, "removed");
                std::mem::swap(&mut self.before, &mut self.after);
                written?;
            }
            (None, Some(b)) => self.whole(b, "added")?,
            (None, None) => {}
        }
        self.before.truncate(lengths.0);
        self.after.truncate(lengths.1);
        Ok(())
    }

    /// Writes that every payload at a place and below was added or removed.
    fn whole(&mut self, place: &Place, what: &str) -> io::Result<()> {
        let below = match &place.payload {
            None => &place.places,
            Some(payload) => {
                let (name, size) = (payload.message_name(), size(payload.bytes.len() as u64));
                self.say(&format!("{what}, a {name} of {size}"))?;
                &payload.places
            }
        };
        for place in below {
            let length = enter(&mut self.after, &place.step);
            self.whole(place, what)?;
            self.after.truncate(length);
        }
        Ok(())
    }
}

/// The places by their steps. An invalid snapshot can have two places with one step: they are numbered.
fn by_step(places: &[Place]) -> BTreeMap<(&str, usize), &Place> {
    let mut met: HashMap<&str, usize> = HashMap::new();
    let numbered = places.iter().map(|place| {
        let count = met.entry(&place.step).or_default();
        *count += 1;
        ((place.step.as_str(), *count), place)
    });
    numbered.collect()
}
