//! `snapshot schema diff`: what changed from one build to another, and what each makes of the other's
//! snapshots.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::{self, Write};

use snapshot_core::evolution::{Difference, Verdict, compatible};
use snapshot_core::registry::Manifest;
use snapshot_core::wire::v1::manifest::{Enum, Field, Message, Older, Payload};

use super::show::rules;
use crate::escape::line;
use crate::show::plural;

/// Everything that differs, a line each: limits, payloads, messages, then enums, each by name.
pub(super) fn changes(a: &Manifest, b: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    // A build from before limits were stated, and a lock, say nothing.
    if let (Some(a), Some(b)) = (&a.limits, &b.limits) {
        let mut place = ReportedPart { name: "limits", lines: &mut lines };
        place.changed("snapshot_bytes", most(a.snapshot_bytes), most(b.snapshot_bytes));
        place.changed("name_bytes", most(a.name_bytes), most(b.name_bytes));
        place.changed("memory_bytes", most(a.memory_bytes), most(b.memory_bytes));
    }
    for (url, change) in beside(&a.payloads, &b.payloads, |payload| payload.type_url.as_str()) {
        match change {
            Beside::Gone(_) => lines.push(format!("{url}: was removed")),
            Beside::New(b) => lines.push(format!("{url}: is new, version {}", b.version)),
            Beside::Both(a, b) => payload(a, b, &mut ReportedPart { name: url, lines: &mut lines }),
        }
    }
    for (name, change) in beside(&a.messages, &b.messages, |message| message.name.as_str()) {
        match change {
            Beside::Gone(_) => lines.push(format!("{name}: was removed")),
            Beside::New(_) => lines.push(format!("{name}: is new")),
            Beside::Both(a, b) => message(a, b, &mut ReportedPart { name, lines: &mut lines }),
        }
    }
    for (name, change) in beside(&a.enums, &b.enums, |one| one.name.as_str()) {
        match change {
            Beside::Gone(_) => lines.push(format!("{name}: was removed")),
            Beside::New(_) => lines.push(format!("{name}: is new")),
            Beside::Both(a, b) => values(a, b, &mut ReportedPart { name, lines: &mut lines }),
        }
    }
    lines
}

/// Reports whether a destination restores the payloads of a source.
pub(super) fn direction(
    heading: &str,
    source: &Manifest,
    destination: &Manifest,
    out: &mut dyn Write,
) -> io::Result<()> {
    let report = compatible(source, destination);
    let restored = report.payloads.iter().filter(|payload| payload.verdict.is_compatible()).count();
    let all = plural(report.payloads.len(), "payload", "payloads");
    writeln!(out, "{heading}: {restored} of {all} can be restored")?;
    for payload in &report.payloads {
        match &payload.verdict {
            Verdict::Same | Verdict::Readable if payload.tolerable.is_empty() => {}
            Verdict::Same | Verdict::Readable => {
                writeln!(out, "  {}: readable", line(&payload.type_url))?;
            }
            Verdict::Differs { version, differences } => {
                let type_url = line(&payload.type_url);
                writeln!(out, "  {type_url}: version {version} is not the same on both sides")?;
                for Difference { place, reason, .. } in differences {
                    writeln!(out, "    breaking: {}", line(&format!("{place}: {reason}")))?;
                }
            }
            verdict => {
                writeln!(out, "  {}: {verdict}", line(&payload.type_url))?;
            }
        }
        for Difference { place, reason, .. } in &payload.tolerable {
            writeln!(out, "    tolerable: {}", line(&format!("{place}: {reason}")))?;
        }
    }
    Ok(())
}

/// A limit in words.
fn most(limit: u64) -> String {
    match limit {
        0 => "default".to_owned(),
        limit => limit.to_string(),
    }
}

enum Beside<'m, T> {
    Gone(&'m T),
    New(&'m T),
    Both(&'m T, &'m T),
}

/// The things of two sides by their keys. Of two with one key the later counts.
fn beside<'m, T, K: Ord>(
    a: &'m [T],
    b: &'m [T],
    key: impl Fn(&'m T) -> K,
) -> BTreeMap<K, Beside<'m, T>> {
    let mut found: BTreeMap<K, Beside<'m, T>> =
        a.iter().map(|thing| (key(thing), Beside::Gone(thing))).collect();
    for thing in b {
        let change = match found.remove(&key(thing)) {
            Some(Beside::Gone(was) | Beside::Both(was, _)) => Beside::Both(was, thing),
            Some(Beside::New(_)) | None => Beside::New(thing),
        };
        found.insert(key(thing), change);
    }
    found
}

/// The place of changes, and the list for their texts.
struct ReportedPart<'m> {
    name: &'m str,
    lines: &'m mut Vec<String>,
}

impl ReportedPart<'_> {
    fn tell(&mut self, change: impl Display) {
        self.lines.push(format!("{}: {change}", self.name));
    }

    fn changed<T: PartialEq + Display>(&mut self, what: &str, a: T, b: T) {
        if a != b {
            self.tell(format!("{what} {a} -> {b}"));
        }
    }
}

fn payload(a: &Payload, b: &Payload, place: &mut ReportedPart<'_>) {
    place.changed("version", a.version, b.version);
    for (what, a, b) in [("accepts", &a.accepts, &b.accepts), ("saves", &a.saves, &b.saves)] {
        place.changed(what, list(a), list(b));
    }
    let read_as = |payload: &Payload| {
        let older = payload.older.iter();
        list(older.map(|Older { version, message, type_url }| match type_url.as_str() {
            "" => format!("{version} as {message}"),
            url => format!("{version} as {message} from {url}"),
        }))
    };
    place.changed("reads", read_as(a), read_as(b));
    place.changed("message", &a.message, &b.message);
    place.changed("after", list(&a.after), list(&b.after));
    let roles =
        [("id field", a.id_field, b.id_field), ("stage field", a.stage_field, b.stage_field)];
    for (role, a, b) in roles.into_iter().filter(|(_, a, b)| *a != 0 && *b != 0) {
        place.changed(role, a, b);
    }
    let [old, new] = [a, b].map(|payload| {
        let rules = payload.stage_rules.as_ref().map(rules).unwrap_or_default();
        rules.into_iter().collect::<BTreeMap<_, _>>()
    });
    for rule in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let stage = |rules: &BTreeMap<&str, String>| {
            rules.get(rule).map_or_else(|| "none".to_owned(), String::clone)
        };
        place.changed(rule, stage(&old), stage(&new));
    }
}

fn list(things: impl IntoIterator<Item = impl Display>) -> String {
    let things: Vec<_> = things.into_iter().map(|thing| thing.to_string()).collect();
    match things.is_empty() {
        true => "none".to_owned(),
        false => things.join(", "),
    }
}

/// A field is the one of the same name, wherever it is; then that of the same number and kind, renamed.
fn message(a: &Message, b: &Message, place: &mut ReportedPart<'_>) {
    let mut gone: BTreeMap<u32, &Field> =
        a.fields.iter().map(|field| (field.number, field)).collect();
    let by_name: BTreeMap<&str, &Field> =
        a.fields.iter().map(|field| (field.name.as_str(), field)).collect();
    let (mut both, mut unknown, mut new) = (BTreeMap::new(), Vec::new(), Vec::new());
    for there in &b.fields {
        match by_name.get(there.name.as_str()).and_then(|was| gone.remove(&was.number)) {
            Some(was) => _ = both.insert(there.number, (was, there)),
            None => unknown.push(there),
        }
    }
    for there in unknown {
        match gone.entry(there.number) {
            Entry::Occupied(was) if was.get().kind == there.kind => {
                both.insert(there.number, (was.remove(), there));
            }
            _ => new.push(there),
        }
    }
    for Field { number, name, .. } in gone.into_values() {
        place.tell(format!("field {number} ({name}) was removed"));
    }
    for (was, there) in both.into_values() {
        field(was, there, place);
    }
    for Field { number, name, kind, since, .. } in new {
        let since = match since {
            0 => String::new(),
            version => format!(", since version {version}"),
        };
        place.tell(format!("field {number} ({name}: {kind}) is new{since}"));
    }
}

fn field(a: &Field, b: &Field, place: &mut ReportedPart<'_>) {
    let what = |of: &str| format!("field {} ({}): {of}", b.number, b.name);
    place.changed(&what("number"), a.number, b.number);
    place.changed(&what("name"), &a.name, &b.name);
    place.changed(&what("kind"), &a.kind, &b.kind);
    let oneof = |field: &Field| match field.oneof.as_str() {
        "" => "none".to_owned(),
        name => name.to_owned(),
    };
    place.changed(&what("oneof"), oneof(a), oneof(b));
    place.changed(&what("since version"), a.since, b.since);
    place.changed(&what("defines"), list(&a.defines), list(&b.defines));
    place.changed(&what("refers"), list(&a.refers), list(&b.refers));
    // A build from before meanings were stated says nothing.
    if !a.meanings.is_empty() && !b.meanings.is_empty() {
        place.changed(&what("meaning"), list(&a.meanings), list(&b.meanings));
    }
}

fn values(a: &Enum, b: &Enum, place: &mut ReportedPart<'_>) {
    // An alias is a second name of a number.
    let names = |one: &Enum| {
        let mut names: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for value in &one.values {
            names.entry(value.number).or_default().push(value.name.clone());
        }
        names
    };
    let (old, new) = (names(a), names(b));
    for number in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(number), new.get(number)) {
            (Some(names), None) => {
                place.tell(format!("value {number} ({}) was removed", list(names)))
            }
            (None, Some(names)) => place.tell(format!("value {number} ({}) is new", list(names))),
            (a, b) => {
                let [a, b] = [a, b].map(|names| list(names.into_iter().flatten()));
                place.changed(&format!("value {number}: name"), a, b);
            }
        }
    }
    for there in &b.values {
        if let Some(was) = a.values.iter().find(|was| was.number == there.number) {
            let what = format!("value {} ({}): since version", there.number, there.name);
            place.changed(&what, was.since, there.since);
        }
    }
}
