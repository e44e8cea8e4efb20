//! `snapshot schema show`: shows the schema of a build.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use prost::Message as _;
use serde_json::{Value, json};
use snapshot_core::Error;
use snapshot_core::registry::Manifest;
use snapshot_core::wire::v1::manifest::{Field, Meaning, Message, Payload, StageRules};

use super::{built_in, descriptors, json};
use crate::cli::{Options, SchemaShow};
use crate::escape::{line, write_json};
use crate::files::{name_of, read_bytes};
use crate::manifests;
use crate::schemas::Schemas;
use crate::show::{self, padding};
use crate::{Knowledge, Problem, Verdict, deliver};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const NOTE: Style = AnsiColor::Cyan.on_default();

pub(super) fn run(
    of: &SchemaShow,
    options: &Options,
    knowledge: &Knowledge<'_>,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let mut shown = chosen(of, options, knowledge)?;
    if let Some(wanted) = &of.message {
        only(&mut shown, wanted)?;
    }
    if let Some(path) = &of.output {
        deliver(&one(&shown)?.encode_to_vec(), Some(path), true, out)?;
    } else if of.json {
        let schemas: Vec<Value> =
            shown.iter().map(|(name, schema)| json::manifest(name, schema)).collect();
        write_json(out, &json!({ "schemas": schemas }))?;
    } else {
        for (place, (name, manifest)) in shown.iter().enumerate() {
            let gap = if place > 0 { "\n" } else { "" };
            writeln!(out, "{gap}{DIM}{}{DIM:#}", line(name))?;
            text(manifest, out)?;
        }
    }
    Ok(Verdict::Fine)
}

/// The manifests to show, each with its name.
fn chosen(
    of: &SchemaShow,
    options: &Options,
    knowledge: &Knowledge<'_>,
) -> Result<Vec<(String, Manifest)>, Error> {
    if let Some(path) = &of.file {
        return Ok(vec![(name_of(path), manifests::read(path, options)?.manifest(path)?)]);
    }
    if let Some(name) = &of.schema {
        return Ok(vec![(name.clone(), built_in(knowledge, Some(name))?)]);
    }
    if options.descriptors.is_empty() {
        let known = knowledge.manifests.iter();
        let known: Result<Vec<_>, Error> =
            known.map(|(name, manifest)| Ok(((*name).to_owned(), manifest()?))).collect();
        return match known?.as_slice() {
            [] => built_in(knowledge, None).map(|manifest| vec![(String::new(), manifest)]),
            known => Ok(known.to_vec()),
        };
    }
    let schemas = Schemas::load(knowledge, options)?;
    let files = options.descriptors.iter().map(|path| {
        let name = name_of(path);
        let manifest = descriptors::manifest(schemas.pool(), &read_bytes(path, options)?)?;
        match manifest.messages.is_empty() {
            true => Err(Error::invalid(format!("{name}: has no messages"))),
            false => Ok((name, manifest)),
        }
    });
    files.collect()
}

/// The manifest for a file, which has one.
fn one(shown: &[(String, Manifest)]) -> Result<&Manifest, Error> {
    let [(_, manifest)] = shown else {
        let names: Vec<_> = shown.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Error::invalid(format!(
            "a file has one manifest: choose one of {} with --schema",
            names.join(", ")
        )));
    };
    Ok(manifest)
}

/// Keeps only one message, its payload, and the messages in it.
fn only(shown: &mut Vec<(String, Manifest)>, wanted: &str) -> Result<(), Error> {
    let is_wanted = |payload: &Payload| payload.message == wanted || payload.type_url == wanted;
    let mut there = BTreeSet::new();
    for (_, manifest) in shown.iter_mut() {
        there.extend(manifest.messages.iter().map(|message| message.name.clone()));
        let payload = manifest.payloads.iter().find(|payload| is_wanted(payload));
        let root = payload.map_or(wanted, |payload| &payload.message).to_owned();
        let reached = reached(manifest, &root);
        manifest.payloads.retain(is_wanted);
        manifest.messages.retain(|message| reached.contains(&message.name));
        manifest.enums.retain(|one| reached.contains(&one.name));
    }
    shown.retain(|(_, manifest)| !manifest.messages.is_empty());
    if !shown.is_empty() {
        return Ok(());
    }
    let last = wanted.rsplit('.').next().unwrap_or(wanted);
    let mut alike: Vec<&String> = there.iter().filter(|name| name.contains(last)).collect();
    if alike.is_empty() {
        alike = there.iter().collect();
    }
    let more = if alike.len() > 8 { ", ..." } else { "" };
    let alike: Vec<_> = alike.into_iter().take(8).map(|name| show::id(name)).collect();
    let (wanted, alike) = (show::quoted(wanted), alike.join(", "));
    Err(Error::invalid(format!("no message {wanted}: there are {alike}{more}")))
}

/// The names of a message and of all messages in it. Schemas can be circular.
fn reached(manifest: &Manifest, root: &str) -> BTreeSet<String> {
    let messages: BTreeMap<&str, &Message> =
        manifest.messages.iter().map(|message| (message.name.as_str(), message)).collect();
    let mut reached = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(name) = waiting.pop() {
        if !reached.insert(name.to_owned()) {
            continue;
        }
        if let Some(message) = messages.get(name) {
            // The last word of `repeated x`, `map<k, x>` and `x`.
            let word = |field: &'_ Field| field.kind.rfind(' ').map_or(0, |space| space + 1);
            let fields = message.fields.iter();
            waiting.extend(fields.map(|field| field.kind[word(field)..].trim_end_matches('>')));
        }
    }
    reached
}

fn text(manifest: &Manifest, out: &mut dyn Write) -> io::Result<()> {
    if let Some(limits) = &manifest.limits {
        writeln!(out, "\nlimits")?;
        for (word, most) in [
            ("snapshot_bytes", limits.snapshot_bytes),
            ("name_bytes", limits.name_bytes),
            ("memory_bytes", limits.memory_bytes),
        ] {
            if most != 0 {
                writeln!(out, "  {word} {most}")?;
            }
        }
    }
    for payload in &manifest.payloads {
        writeln!(out, "\npayload {BOLD}{}{BOLD:#}", line(&payload.type_url))?;
        writeln!(out, "  version {}", payload.version)?;
        for (word, versions) in [("accepts", &payload.accepts), ("saves", &payload.saves)] {
            let versions: Vec<_> = versions.iter().map(u32::to_string).collect();
            if !versions.is_empty() {
                writeln!(out, "  {word} {}", versions.join(", "))?;
            }
        }
        for older in &payload.older {
            write!(out, "  reads {} as {}", older.version, line(&older.message))?;
            match older.type_url.as_str() {
                "" => writeln!(out)?,
                url => writeln!(out, " from {}", line(url))?,
            }
        }
        writeln!(out, "  message {}", line(&payload.message))?;
        for (role, number) in [("id", payload.id_field), ("stage field", payload.stage_field)] {
            if number != 0 {
                writeln!(out, "  {role} {number}")?;
            }
        }
        for after in &payload.after {
            writeln!(out, "  after {}", line(after))?;
        }
        for (rule, stage) in payload.stage_rules.iter().flat_map(rules) {
            writeln!(out, "  {rule} {}", line(&stage))?;
        }
    }
    for message in &manifest.messages {
        writeln!(out, "\nmessage {BOLD}{}{BOLD:#}", line(&message.name))?;
        fields(message, out)?;
    }
    for one in &manifest.enums {
        writeln!(out, "\nenum {BOLD}{}{BOLD:#}", line(&one.name))?;
        for value in &one.values {
            write!(out, "  {:>3}  {}", value.number, line(&value.name))?;
            match value.since {
                0 => writeln!(out)?,
                since => writeln!(out, "  {NOTE}since {since}{NOTE:#}")?,
            }
        }
    }
    Ok(())
}

fn fields(message: &Message, out: &mut dyn Write) -> io::Result<()> {
    let fields: Vec<_> =
        message.fields.iter().map(|field| (line(&field.name), line(&field.kind), field)).collect();
    let width = show::width(fields.iter().map(|(name, _, _)| name.as_ref()));
    for (name, kind, field) in &fields {
        write!(out, "  {:>3}  {name}{}  {kind}", field.number, padding(name, width))?;
        let notes = notes(field);
        match notes.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, "  {NOTE}{}{NOTE:#}", line(&notes.join("; ")))?,
        }
    }
    Ok(())
}

/// The properties of a field besides its kind.
fn notes(field: &Field) -> Vec<String> {
    let mut notes = Vec::new();
    if !field.oneof.is_empty() {
        notes.push(format!("oneof {}", field.oneof));
    }
    if field.since != 0 {
        notes.push(format!("since {}", field.since));
    }
    notes.extend(field.defines.iter().map(|name| format!("defines {name}")));
    notes.extend(field.refers.iter().map(|name| format!("refers {name}")));
    let plain = Meaning::default();
    notes.extend(field.meanings.iter().filter(|m| **m != plain).map(ToString::to_string));
    notes
}

/// The stage rules that there are, by the names of the attributes.
pub(super) fn rules(rules: &StageRules) -> Vec<(&'static str, String)> {
    let carried = if rules.carried { "carried" } else { "not carried" };
    let mut all = vec![("stage", carried.to_owned()), ("save_from", rules.save_from.join(", "))];
    all.extend([
        ("freeze_to", rules.freeze_to.clone()),
        ("import_as", rules.import_as.clone()),
        ("abort_to", rules.abort_to.clone()),
        ("live", rules.live.clone()),
    ]);
    all.retain(|(_, stage)| !stage.is_empty());
    all
}
