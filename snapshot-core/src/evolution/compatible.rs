//! Decides from two manifests whether one build restores the snapshots of the other.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use super::compare::{Difference, FieldNumbers, compare, compare_roles, compare_stages};
use super::effect::{Effect, PEERS};
use super::meaning::compare_defaults;
use super::version_schema::{Types, VersionSchema};
use crate::error::{Code, Error};
use crate::path::Escaped;
use crate::schema::Manifest;
use crate::wire::v1::manifest::{Field, Payload};

/// The verdicts on all payloads of a source: whether the destination restores them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// One verdict for each payload of the source, by ascending type URL.
    pub payloads: Vec<PayloadVerdict>,
}

/// The verdict on one payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadVerdict {
    /// The type URL.
    pub type_url: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The differences that do not break the restore: the destination reads every value with its
    /// meaning, or refuses it, which the preflight finds.
    pub tolerable: Vec<Difference>,
    /// The differences without any effect, such as another name.
    pub same: Vec<Difference>,
}

/// Whether a destination restores a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Yes: version and schema are the same.
    Same,
    /// Yes: the version is the same, and the differences are not on the wire, or in values that the
    /// source never saves.
    Readable,
    /// Yes: the destination saves a newer version, but reads the source's version and upgrades it.
    ReadableAfterUpgrade {
        /// The version that the source saves.
        version: u32,
    },
    /// Yes, if the source saves an older version: the newest one that the destination reads. Whether
    /// the source can do so depends on its state, which must fit into the older version without loss.
    WritableAs {
        /// The older version.
        version: u32,
    },
    /// No: the destination has no controller for this type URL.
    Missing,
    /// No: the destination reads neither the source's version nor an older one that the source can
    /// save instead.
    VersionNotAccepted {
        /// The version that the source saves.
        version: u32,
        /// The versions that the destination accepts.
        accepts: Vec<u32>,
    },
    /// No: both sides know the version, but not with the same schema.
    Differs {
        /// The version.
        version: u32,
        /// The differences that break the restore.
        differences: Vec<Difference>,
    },
}

impl Verdict {
    /// Returns whether the destination restores the payload. [`Verdict::WritableAs`] counts, although
    /// the source must save that version.
    pub fn is_compatible(&self) -> bool {
        matches!(
            self,
            Verdict::Same
                | Verdict::Readable
                | Verdict::ReadableAfterUpgrade { .. }
                | Verdict::WritableAs { .. }
        )
    }
}

impl Compatibility {
    /// Returns whether the destination restores everything that the source may save.
    pub fn is_compatible(&self) -> bool {
        self.payloads.iter().all(|payload| payload.verdict.is_compatible())
    }

    /// Fails if the destination cannot restore a payload, whatever its values are.
    pub(crate) fn check_but_values(&self) -> Result<(), Error> {
        let mut certain = self.clone();
        certain.payloads.retain(|payload| match &payload.verdict {
            Verdict::Differs { differences, .. } => differences.iter().any(|d| !d.by_value),
            _ => true,
        });
        certain.check()
    }

    /// Fails unless [`is_compatible`](Self::is_compatible).
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`], with one finding for each payload that the destination cannot restore.
    pub fn check(&self) -> Result<(), Error> {
        Error::collect(self.payloads.iter().filter(|payload| !payload.verdict.is_compatible()).map(
            |payload| {
                let reason = format!("the destination cannot restore {payload}");
                Error::new(Code::Unimplemented, reason)
            },
        ))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Same => f.write_str("the same"),
            Verdict::Readable => f.write_str("readable"),
            Verdict::ReadableAfterUpgrade { version } => {
                write!(f, "readable after an upgrade from version {version}")
            }
            Verdict::WritableAs { version } => write!(f, "writable as version {version}"),
            Verdict::Missing => f.write_str("no controller is registered for it"),
            Verdict::VersionNotAccepted { version, accepts } => {
                let accepts: Vec<_> = accepts.iter().map(u32::to_string).collect();
                write!(f, "version {version}, but the destination reads {}", accepts.join(", "))
            }
            Verdict::Differs { version, differences } => {
                write!(f, "version {version} is not the same on both sides")?;
                for Difference { place, reason, .. } in differences {
                    write!(f, "; {}: {}", Escaped(place), Escaped(reason))?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for PayloadVerdict {
    /// Writes the verdict, then the tolerable differences.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Escaped(&self.type_url), self.verdict)?;
        for Difference { place, reason, .. } in &self.tolerable {
            write!(f, "; tolerable: {}: {}", Escaped(place), Escaped(reason))?;
        }
        Ok(())
    }
}

impl fmt::Display for Compatibility {
    /// Writes one line per payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, payload) in self.payloads.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            payload.fmt(f)?;
        }
        Ok(())
    }
}

/// Compares the payloads that a source saves with those that a destination accepts.
///
/// Fields and enum values are matched by number. A name with another number on the other side has
/// moved; this is a difference even where the wire types agree. Another name for the same number is
/// no difference.
///
/// If the destination saves a newer version than the source, the comparison uses the destination's
/// schema of the source's version: the message of that version, or the current message without the
/// fields that were added later.
///
/// ```
/// use snapshot_core::evolution::{Verdict, compatible};
/// use snapshot_core::schema::Manifest;
/// use snapshot_core::wire::v1::manifest::{Field, Message, Payload};
///
/// let field = |number, name: &str, kind: &str, since| {
///     Field { number, name: name.into(), kind: kind.into(), since, ..Field::default() }
/// };
/// let build = |version, accepts: &[u32], fields| Manifest {
///     payloads: vec![Payload {
///         type_url: "type.googleapis.com/doc.v1.Disk".into(),
///         version,
///         accepts: accepts.into(),
///         message: "doc.v1.Disk".into(),
///         ..Payload::default()
///     }],
///     messages: vec![Message { name: "doc.v1.Disk".into(), fields }],
///     ..Manifest::default()
/// };
/// let image = field(2, "image", "string", 0);
/// let old = build(1, &[1], vec![image.clone()]);
/// let new = build(2, &[1, 2], vec![image, field(3, "size", "uint64", 2)]);
///
/// let there = compatible(&old, &new);
/// assert_eq!(there.payloads[0].verdict, Verdict::ReadableAfterUpgrade { version: 1 });
/// let back = compatible(&new, &old);
/// assert_eq!(
///     back.to_string(),
///     "type.googleapis.com/doc.v1.Disk: version 2, but the destination reads 1"
/// );
/// ```
pub fn compatible(source: &Manifest, destination: &Manifest) -> Compatibility {
    // The manifest of a peer may be unsorted.
    let (saved, accepting) = (by_type_url(source), by_type_url(destination));
    let (source, destination) = (&Types::of(source), &Types::of(destination));
    let payloads = saved.into_iter().map(|(type_url, from)| {
        // The destination may know the payload by the type URL of an older version.
        let by_older = || destination_of_older(&accepting, type_url);
        // Or the source can save a version that the destination knows by its type URL.
        let by_saved = || {
            let mut older = from.older.iter().filter(|older| from.saves.contains(&older.version));
            older.find_map(|older| accepting.get(older.type_url.as_str()))
        };
        let found = accepting.get(type_url).or_else(by_older).or_else(by_saved);
        let (verdict, found) = match found {
            Some(to) => PayloadPair { source, destination, from, to }.verdict(),
            None => (Verdict::Missing, Vec::new()),
        };
        let of = |wanted: Effect| {
            let found = found.iter().filter(|(effect, _)| *effect == wanted);
            found.map(|(_, difference)| difference.clone()).collect()
        };
        PayloadVerdict {
            type_url: type_url.to_owned(),
            verdict,
            tolerable: of(Effect::Tolerable),
            same: of(Effect::Renamed),
        }
    });
    Compatibility { payloads: payloads.collect() }
}

/// Returns the payload that a destination reads from this type URL in an older version.
fn destination_of_older<'p, 'm>(
    accepting: &'p BTreeMap<&str, &'m Payload>,
    type_url: &str,
) -> Option<&'p &'m Payload> {
    accepting.values().find(|to| to.older.iter().any(|older| older.type_url == type_url))
}

/// Returns whether a version of a payload has a message of its own.
fn has_own_message(payload: &Payload, version: u32) -> bool {
    payload.older.iter().any(|older| older.version == version && !older.message.is_empty())
}

/// The type URL that a payload has in a version.
fn type_url_in(payload: &Payload, version: u32) -> &str {
    let own = payload.older.iter().find(|older| older.version == version);
    let own = own.map(|older| older.type_url.as_str()).filter(|type_url| !type_url.is_empty());
    own.unwrap_or(&payload.type_url)
}

fn by_type_url(manifest: &Manifest) -> BTreeMap<&str, &Payload> {
    manifest.payloads.iter().map(|payload| (payload.type_url.as_str(), payload)).collect()
}

/// One payload in the two manifests.
struct PayloadPair<'m> {
    source: &'m Types<'m>,
    destination: &'m Types<'m>,
    from: &'m Payload,
    to: &'m Payload,
}

impl PayloadPair<'_> {
    fn accepts(&self, version: u32) -> bool {
        let type_url = type_url_in(self.from, version);
        let is_called = self.to.type_url == type_url
            || self.to.older.iter().any(|older| older.type_url == type_url);
        is_called && (self.to.version == version || self.to.accepts.contains(&version))
    }

    /// Returns the verdict, and all differences in the version that it concerns.
    fn verdict(&self) -> (Verdict, Vec<(Effect, Difference)>) {
        let version = self.from.version;
        if self.accepts(version) {
            let found = self.compare(version);
            let unchanged = found.is_empty()
                && self.from.stage_rules == self.to.stage_rules
                && self.from.after == self.to.after;
            let verdict = match differences(&found) {
                Some(differences) => Verdict::Differs { version, differences },
                None if version != self.to.version => Verdict::ReadableAfterUpgrade { version },
                None if unchanged => Verdict::Same,
                None => Verdict::Readable,
            };
            return (verdict, found);
        }
        let mut older: Vec<u32> = self.from.saves.clone();
        older.retain(|&saved| saved < version && self.accepts(saved));
        older.sort_unstable();
        let mut best = None;
        // Takes the newest version that has the same schema on both sides. If there is none, the
        // differences in the newest one are reported.
        for version in older.into_iter().rev() {
            let mut found = self.compare(version);
            found.extend(self.compare_left_out(version));
            match differences(&found) {
                None => return (Verdict::WritableAs { version }, found),
                Some(differences) => {
                    best.get_or_insert((Verdict::Differs { version, differences }, found));
                }
            }
        }
        best.unwrap_or_else(|| {
            let accepts = match self.to.accepts.is_empty() {
                true => vec![self.to.version],
                false => self.to.accepts.clone(),
            };
            (Verdict::VersionNotAccepted { version, accepts }, Vec::new())
        })
    }

    /// Compares the defaults of fields that both sides have, but that a save as an older version
    /// omits: the destination then reads its own default.
    fn compare_left_out(&self, version: u32) -> Vec<(Effect, Difference)> {
        let own = |payload: &Payload| has_own_message(payload, version);
        if own(self.from) || own(self.to) {
            return Vec::new();
        }
        let from = VersionSchema::of(self.source, self.from, self.from.version);
        let to = VersionSchema::of(self.destination, self.to, self.to.version);
        let mut found = Vec::new();
        for message in from.messages.values() {
            let Some(other) = to.messages.get(&message.name) else { continue };
            for field in message.fields.iter().filter(|field| field.since > version) {
                let there = other.fields.iter().find(|there| there.number == field.number);
                let Some(there) = there.filter(|there| there.since > version) else { continue };
                let reasons = left_out_differs(field, there, version);
                found.extend(reasons.map(|reason| {
                    let difference = Difference {
                        field: Some(FieldNumbers {
                            name: field.name.clone(),
                            source: Some(field.number),
                            destination: Some(there.number),
                        }),
                        ..Difference::of(&message.name, reason)
                    };
                    (Effect::Breaking, difference)
                }));
            }
        }
        found
    }

    fn compare(&self, version: u32) -> Vec<(Effect, Difference)> {
        let mut found = Vec::new();
        // If an older version has its own message, its `upgrade` decides about the stage, and a
        // manifest does not describe upgrades.
        let own = |payload: &Payload| has_own_message(payload, version);
        if !own(self.from) && !own(self.to) {
            let (from, to) = (self.from.stage_rules.as_ref(), self.to.stage_rules.as_ref());
            found.extend(compare_stages(PEERS, &self.from.type_url, from, to));
            found.extend(compare_roles(PEERS, &self.from.type_url, self.from, self.to));
        }
        found.extend(compare(
            PEERS,
            &VersionSchema::of(self.source, self.from, version),
            &VersionSchema::of(self.destination, self.to, version),
        ));
        found
    }
}

/// Returns the reason why a field that a version omits gets another value: the two defaults, if
/// they differ.
fn left_out_differs(from: &Field, to: &Field, version: u32) -> Option<String> {
    let changes = compare_defaults(PEERS, from, to)?;
    Some(format!(
        "field {} ({}) is left out in version {version}, and {changes}",
        from.number, from.name
    ))
}

/// Returns the breaking differences; `None` if there are none.
fn differences(found: &[(Effect, Difference)]) -> Option<Vec<Difference>> {
    let breaking = found.iter().filter(|(effect, _)| *effect == Effect::Breaking);
    let differences: Vec<Difference> = breaking.map(|(_, difference)| difference.clone()).collect();
    (!differences.is_empty()).then_some(differences)
}
