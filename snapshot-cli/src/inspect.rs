//! `snapshot inspect`: what is in a snapshot.

use std::cmp::Reverse;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use prost_reflect::Value;
use serde_json::json;
use snapshot_core::Error;

use crate::canonical::length_of;
use crate::cli::{Inspect, Options};
use crate::input::{self, Document, Form};
use crate::schemas::Schemas;
use crate::show::{line, plural, quoted, size, value};
use crate::tree::{Content, Payload};
use crate::{Problem, Verdict};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const STAGE: Style = AnsiColor::Green.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();

pub(crate) fn run(
    of: &Inspect,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let document = input::read(&of.file, options)?;
    let root = document.payloads(schemas)?;
    let shown = match &of.path {
        None => &root,
        Some(id) => root.find(id).ok_or_else(|| no_such(&document, id, &root))?,
    };
    if of.json {
        let json = json!({
            "file": document.name,
            "form": form(&document),
            "stored_bytes": document.stored,
            "bytes": document.snapshot.len(),
            "controllers": as_json(shown, of.path.is_some()),
        });
        serde_json::to_writer_pretty(&mut *out, &json).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(Verdict::Fine);
    }
    if of.path.is_none() {
        head(&document, &root, out)?;
    }
    tree(shown, out)?;
    if of.path.is_some() {
        fields(shown, out)?;
    }
    Ok(Verdict::Fine)
}

fn no_such(document: &Document, id: &str, root: &Payload) -> Error {
    let all = root.all();
    let (last, near) = (id.rsplit('/').next().unwrap_or(id), 8);
    let mut alike: Vec<&str> =
        all.iter().map(|p| p.id.as_str()).filter(|known| known.contains(last)).collect();
    if alike.is_empty() {
        alike = all.iter().map(|payload| payload.id.as_str()).collect();
    }
    let more = if alike.len() > near { ", ..." } else { "" };
    alike.truncate(near);
    let name = &document.name;
    Error::invalid(format!(
        "{name}: has no controller {id:?}: there are {}{more}",
        alike.join(", ")
    ))
}

fn form(document: &Document) -> &'static str {
    match document.form {
        Form::Any => "any",
        Form::Snapshot if document.stored == document.snapshot.len() as u64 => "snapshot",
        Form::Snapshot => "snapshot, zstd",
    }
}

fn head(document: &Document, root: &Payload, out: &mut dyn Write) -> std::io::Result<()> {
    let what = match form(document) {
        "any" => "a bare Any".to_owned(),
        "snapshot" => "a snapshot, digest right".to_owned(),
        _ => format!("a snapshot, digest right, compressed to {}", size(document.stored)),
    };
    let bytes = size(document.snapshot.len() as u64);
    let controllers = plural(root.all().len(), "controller", "controllers");
    let name = line(&document.name);
    writeln!(out, "{BOLD}{name}{BOLD:#}: {what}; {bytes}, {controllers}\n")
}

/// One row of the tree.
struct Row {
    tree: String,
    payload_type: String,
    version: String,
    stage: String,
    own: String,
    all: String,
    wrong: Option<String>,
}

fn tree(root: &Payload, out: &mut dyn Write) -> std::io::Result<()> {
    let mut rows = Vec::new();
    collect(root, String::new(), String::new(), &root.id, &mut rows);
    let width = |cell: fn(&Row) -> &str, head: &str| {
        let cells = rows.iter().map(|row| cell(row).chars().count());
        cells.max().unwrap_or(0).max(head.len())
    };
    let widths = [
        width(|row| &row.tree, "controller"),
        width(|row| &row.payload_type, "type"),
        width(|row| &row.version, "version"),
        width(|row| &row.stage, "stage"),
        width(|row| &row.own, "own"),
        width(|row| &row.all, "with all below"),
    ];
    let [a, b, c, d, e, f] = widths;
    writeln!(
        out,
        "{DIM}{:<a$}  {:<b$}  {:<c$}  {:<d$}  {:>e$}  {:>f$}{DIM:#}",
        "controller", "type", "version", "stage", "own", "with all below"
    )?;
    for Row { tree, payload_type, version, stage, own, all, wrong } in &rows {
        write!(
            out,
            "{BOLD}{tree:<a$}{BOLD:#}  {payload_type:<b$}  {version:<c$}  \
             {STAGE}{stage:<d$}{STAGE:#}  {own:>e$}  {all:>f$}"
        )?;
        match wrong {
            Some(wrong) => writeln!(out, "  {WRONG}{wrong}{WRONG:#}")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

fn by_size(payload: &Payload) -> Vec<&Payload> {
    let mut children: Vec<&Payload> = payload.children.iter().collect();
    children.sort_by_key(|child| Reverse(child.bytes.len()));
    children
}

fn collect(payload: &Payload, lead: String, below: String, name: &str, rows: &mut Vec<Row>) {
    rows.push(Row {
        tree: format!("{lead}{}", line(name)),
        payload_type: line(payload.message_name()),
        version: payload.version().map_or_else(|| "-".to_owned(), |version| version.to_string()),
        stage: payload.stage().unwrap_or_else(|| "-".to_owned()),
        own: size(payload.own_bytes()),
        all: size(payload.bytes.len() as u64),
        wrong: match &payload.content {
            Content::Message(_) => None,
            Content::Unknown => Some("of an unknown type".to_owned()),
            Content::Malformed(why) => Some(format!("cannot be read: {}", line(why))),
        },
    });
    let children = by_size(payload);
    let last = children.len().saturating_sub(1);
    for (place, child) in children.into_iter().enumerate() {
        let (lead, next) = match place == last {
            true => ("└── ", "    "),
            false => ("├── ", "│   "),
        };
        // What it adds to the id of its parent.
        let name = child.id.strip_prefix(&payload.id).unwrap_or(&child.id);
        let name = name.strip_prefix('/').unwrap_or(name);
        collect(child, format!("{below}{lead}"), format!("{below}{next}"), name, rows);
    }
}

/// The fields of a payload, the largest first.
fn fields(payload: &Payload, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(message) = payload.message() else { return Ok(()) };
    let mut fields: Vec<_> =
        message.fields().map(|(field, value)| (length_of(&field, value), field, value)).collect();
    fields.sort_by_key(|(length, field, _)| (Reverse(*length), field.number()));
    let width = fields.iter().map(|(_, field, _)| field.name().len()).max().unwrap_or(0);
    writeln!(out)?;
    for (length, field, found) in fields {
        let shown = match found {
            Value::Message(inner) if is_payload(inner) => "a controller, see above".to_owned(),
            _ => value(&field.kind(), found),
        };
        let (name, length) = (field.name(), size(length as u64));
        writeln!(out, "  {BOLD}{name:<width$}{BOLD:#}  {length:>10}  {shown}")?;
    }
    Ok(())
}

fn is_payload(message: &prost_reflect::DynamicMessage) -> bool {
    use prost_reflect::ReflectMessage;
    message.descriptor().full_name() == crate::tree::ANY
}

fn as_json(payload: &Payload, with_fields: bool) -> serde_json::Value {
    let mut json = json!({
        "id": payload.id,
        "type_url": payload.type_url,
        "version": payload.version(),
        "stage": payload.stage(),
        "own_bytes": payload.own_bytes(),
        "bytes": payload.bytes.len(),
        "children": by_size(payload).into_iter().map(|c| as_json(c, false)).collect::<Vec<_>>(),
    });
    match &payload.content {
        Content::Unknown => json["problem"] = "unknown type".into(),
        Content::Malformed(why) => json["problem"] = why.as_str().into(),
        Content::Message(message) if with_fields => {
            let fields = message.fields().map(|(field, found)| {
                let length = length_of(&field, found);
                json!({
                    "name": field.name(),
                    "bytes": length,
                    "value": match found {
                        Value::String(text) => quoted(text),
                        _ => value(&field.kind(), found),
                    },
                })
            });
            json["fields"] = fields.collect();
        }
        Content::Message(_) => {}
    }
    json
}
