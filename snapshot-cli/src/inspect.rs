//! `snapshot inspect`: shows the content of a snapshot.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::io::{self, Write};
use std::ops::ControlFlow;

use anstyle::{AnsiColor, Style};
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use prost_types::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;
use snapshot_core::Error;

use crate::canonical::length_of;
use crate::cli::{Inspect, Options};
use crate::document::{Document, Form};
use crate::escape::{line, write_json};
use crate::fields::{count_unknown, present, unknown};
use crate::schemas::Schemas;
use crate::show::{self, padding, plural, put_hex, quoted, size, value};
use crate::tree::{ANY, Child, Content, Payload, ROOT, enter, id_text};
use crate::{Problem, Verdict};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const STAGE: Style = AnsiColor::Green.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// The maximum number of bytes of ids in the JSON, which has each id in full: a short file can have a long
/// id above many controllers.
const IDS: usize = 256 << 20;

pub(crate) fn run(
    of: &Inspect,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let document = Document::read(&of.file, options)?;
    let root = document.payloads(schemas)?;
    let (id, shown) = match &of.path {
        None => (ROOT, &root),
        Some(id) => {
            let found = root.find(id).ok_or_else(|| no_such(&document, id, &root))?;
            (id.as_str(), found)
        }
    };
    if of.json {
        as_json(&document, id, shown, of.path.is_some(), out)?;
        return Ok(Verdict::Fine);
    }
    if of.path.is_none() {
        head(&document, &root, out)?;
    }
    tree(id, shown, out)?;
    if of.path.is_some() {
        fields(shown, out)?;
    }
    Ok(Verdict::Fine)
}

/// The maximum number of names in an error.
const NEAR: usize = 8;

fn no_such(document: &Document, id: &str, root: &Payload) -> Error {
    let last = id.rsplit('/').next().unwrap_or(id);
    let mut alike = Names::default();
    let mut all = Names::default();
    root.for_each(&mut |known, _| {
        all.add(known);
        if known.contains(last) {
            alike.add(known);
        }
    });
    let Names { names, count } = if alike.count == 0 { all } else { alike };
    let more = if count > NEAR { ", ..." } else { "" };
    let (name, id, names) = (&document.name, show::id(id), names.join(", "));
    Error::invalid(format!("{name}: has no controller \"{id}\": there are {names}{more}"))
}

/// The first few names of many.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    count: usize,
}

impl Names {
    fn add(&mut self, id: &str) {
        self.count += 1;
        if self.names.len() < NEAR {
            self.names.push(show::id(id).into_owned());
        }
    }
}

fn form(document: &Document) -> &'static str {
    match document.form {
        Form::Any => "any",
        Form::Snapshot if document.stored == document.snapshot.len() as u64 => "snapshot",
        Form::Snapshot => "snapshot, zstd",
    }
}

fn head(document: &Document, root: &Payload, out: &mut dyn Write) -> io::Result<()> {
    let what = match form(document) {
        "any" => "a bare Any".to_owned(),
        "snapshot" => "a snapshot, valid digest".to_owned(),
        _ => format!("a snapshot, valid digest, compressed to {}", size(document.stored)),
    };
    let bytes = size(document.snapshot.len() as u64);
    let controllers = plural(root.count(), "controller", "controllers");
    let name = line(&document.name);
    writeln!(out, "{BOLD}{name}{BOLD:#}: {what}; {bytes}, {controllers}")?;
    if let Some(provenance) = document.snapshot.provenance() {
        let [id, program, build] =
            [provenance.id(), provenance.program(), provenance.build()].map(line);
        let by = format!("{program} {build}");
        let time = Timestamp::from(provenance.written_at());
        writeln!(out, "stored as {BOLD}{id}{BOLD:#} by {} at {time}", by.trim_end())?;
    }
    writeln!(out)
}

/// One row of the tree.
struct TreeRow {
    tree: String,
    payload_type: String,
    version: String,
    stage: String,
    own: String,
    all: String,
    notes: Vec<String>,
}

/// One cell of a row.
type Cell = fn(&TreeRow) -> &str;

fn tree(id: &str, root: &Payload, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Vec::new();
    collect(root, String::new(), "", &show::id(id), &mut rows);
    let width = |cell: Cell, head: &str| show::width(rows.iter().map(cell)).max(head.len());
    let columns: [(&str, Cell); 6] = [
        ("controller", |row| &row.tree),
        ("type", |row| &row.payload_type),
        ("version", |row| &row.version),
        ("stage", |row| &row.stage),
        ("own", |row| &row.own),
        ("with all below", |row| &row.all),
    ];
    let widths = columns.map(|(head, cell)| width(cell, head));
    let heads = columns.map(|(head, _)| head);
    write!(out, "{DIM}")?;
    cells(heads, widths, [Style::new(); 6], out)?;
    writeln!(out, "{DIM:#}")?;
    let plain = Style::new();
    for row in &rows {
        let texts = columns.map(|(_, cell)| cell(row));
        cells(texts, widths, [BOLD, plain, plain, STAGE, plain, plain], out)?;
        match row.notes.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, "  {WRONG}{}{WRONG:#}", row.notes.join("; "))?,
        }
    }
    Ok(())
}

/// Writes one line of the table, with the sizes at its end aligned to the right.
fn cells(
    texts: [&str; 6],
    widths: [usize; 6],
    styles: [Style; 6],
    out: &mut dyn Write,
) -> io::Result<()> {
    for (column, ((text, width), style)) in texts.into_iter().zip(widths).zip(styles).enumerate() {
        let gap = if column > 0 { "  " } else { "" };
        let padding = padding(text, width);
        match column {
            0..4 => write!(out, "{gap}{style}{text}{style:#}{padding}")?,
            _ => write!(out, "{gap}{padding}{style}{text}{style:#}")?,
        }
    }
    Ok(())
}

fn by_size(payload: &Payload) -> Vec<Child<'_>> {
    let mut children = payload.children();
    children.sort_by_key(|child| Reverse(child.payload.bytes.len()));
    children
}

fn collect(payload: &Payload, lead: String, below: &str, name: &str, rows: &mut Vec<TreeRow>) {
    let mut notes = Vec::new();
    match &payload.content {
        Content::Message(message) => notes.extend(unknown_fields(message)),
        Content::Unknown => notes.push("of an unknown type".to_owned()),
        Content::Malformed(why) => notes.push(format!("cannot be read: {}", line(why))),
    }
    rows.push(TreeRow {
        tree: format!("{lead}{name}"),
        payload_type: show::id(payload.message_name()).into_owned(),
        version: payload.version().map_or_else(|| "-".to_owned(), |version| version.to_string()),
        stage: match &payload.stage {
            Some(stage) if stage.is_guess => format!("{}?", line(&stage.name)),
            Some(stage) => line(&stage.name).into_owned(),
            None => "-".to_owned(),
        },
        own: size(payload.own_bytes()),
        all: size(payload.bytes.len() as u64),
        notes,
    });
    let children = by_size(payload);
    let last = children.len().saturating_sub(1);
    for (place, child) in children.into_iter().enumerate() {
        let (lead, next) = match place == last {
            true => ("└── ", "    "),
            false => ("├── ", "│   "),
        };
        let name = child.steps.iter().map(|step| show::id(step)).collect::<Vec<_>>().join("/");
        let (lead, below) = (format!("{below}{lead}"), format!("{below}{next}"));
        collect(child.payload, lead, &below, &name, rows);
    }
}

/// The note on the unknown fields of a payload: their number, and the first ones.
fn unknown_fields(message: &DynamicMessage) -> Option<String> {
    const SHOWN: usize = 3;
    let count = count_unknown(message);
    let mut shown = Vec::new();
    if count > 0 {
        let _ = each_unknown(message, "", &mut |path, field| {
            shown.push(format!("{path}{}: {}", field.number, show::unknown(field)));
            if shown.len() < SHOWN { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }
    let rest = if count > SHOWN { ", ..." } else { "" };
    let fields = plural(count, "unknown field", "unknown fields");
    (count > 0).then(|| format!("{fields} ({}{rest})", shown.join(", ")))
}

/// Writes the fields of a payload, the largest first, and then the unknown fields.
fn fields(payload: &Payload, out: &mut dyn Write) -> io::Result<()> {
    let Some(message) = payload.message() else { return Ok(()) };
    let mut rows = Vec::new();
    for (field, found) in present(message) {
        let shown = match found {
            Value::Message(inner) if is_payload(inner) => "a controller, see above".to_owned(),
            _ => value(&field.kind(), found),
        };
        rows.push((length_of(&field, found), line(field.name()).into_owned(), shown));
    }
    // Fields of the same size keep their order by number.
    rows.sort_by_key(|(length, ..)| Reverse(*length));
    let _ = each_unknown(message, "", &mut |path, field| {
        let name = format!("{path}unknown field {}", field.number);
        rows.push((field.bytes.len(), name, show::unknown(field)));
        ControlFlow::Continue(())
    });
    let width = show::width(rows.iter().map(|(_, name, _)| name.as_str()));
    writeln!(out)?;
    for (length, name, shown) in rows {
        let (padding, length) = (padding(&name, width), size(length as u64));
        writeln!(out, "  {BOLD}{name}{BOLD:#}{padding}  {length:>10}  {shown}")?;
    }
    Ok(())
}

/// Visits each unknown field of a message and its nested messages, until `found` breaks off. The path to
/// the field's message ends with a space.
fn each_unknown(
    message: &DynamicMessage,
    path: &str,
    found: &mut dyn FnMut(&str, &crate::fields::Unknown) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for field in unknown(message) {
        found(path, &field)?;
    }
    let path = path.trim_end();
    let dot = if path.is_empty() { "" } else { "." };
    for (field, value) in message.fields() {
        let mut below = |step: &str, value: &Value| match value
            .as_message()
            .filter(|inner| count_unknown(inner) > 0)
        {
            Some(inner) => {
                let name = line(field.name());
                each_unknown(inner, &format!("{path}{dot}{name}{step} "), found)
            }
            None => ControlFlow::Continue(()),
        };
        match value {
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    below(&format!("[{index}]"), value)?;
                }
            }
            Value::Map(entries) => {
                for (key, value) in crate::canonical::sorted(entries) {
                    below(&show::key(key), value)?;
                }
            }
            value => below("", value)?,
        }
    }
    ControlFlow::Continue(())
}

fn is_payload(message: &DynamicMessage) -> bool {
    message.descriptor().full_name() == ANY
}

fn as_json(
    document: &Document,
    id: &str,
    payload: &Payload,
    with_fields: bool,
    out: &mut dyn Write,
) -> Result<(), Problem> {
    let mut length = 0_usize;
    payload.for_each(&mut |below, _| length = length.saturating_add(id.len() + below.len()));
    if length > IDS {
        return Err(Error::invalid(format!(
            "{}: its ids take {} as JSON, more than {}: remove --json, or select a part with --path",
            document.name,
            size(length as u64),
            size(IDS as u64)
        ))
        .into());
    }
    let steps = if id == ROOT { "" } else { id };
    let id = RefCell::new(steps.to_owned());
    let shown = Shown { document, payload, id: &id, with_fields };
    Ok(write_json(out, &Whole(shown))?)
}

/// A payload as JSON, serialised while it is written.
#[derive(Clone, Copy)]
struct Shown<'a> {
    document: &'a Document,
    payload: &'a Payload,
    /// The id of the payload that is being written.
    id: &'a RefCell<String>,
    with_fields: bool,
}

struct Whole<'a>(Shown<'a>);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = self.0.document;
        let mut map = serializer.serialize_map(None)?;
        if let Some(provenance) = document.snapshot.provenance() {
            let shown = json!({
                "id": provenance.id(),
                "program": provenance.program(),
                "build": provenance.build(),
                "written_at": Timestamp::from(provenance.written_at()).to_string(),
            });
            map.serialize_entry("provenance", &shown)?;
        }
        map.serialize_entry("bytes", &document.snapshot.len())?;
        map.serialize_entry("controllers", &self.0)?;
        map.serialize_entry("file", &document.name)?;
        map.serialize_entry("form", form(document))?;
        map.serialize_entry("stored_bytes", &document.stored)?;
        map.end()
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let payload = self.payload;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id_text(&self.id.borrow()))?;
        map.serialize_entry("type_url", &payload.type_url)?;
        map.serialize_entry("version", &payload.version())?;
        map.serialize_entry("stage", &payload.stage.as_ref().map(|stage| &stage.name))?;
        if let Some(stage) = &payload.stage {
            map.serialize_entry("stage_is_guess", &stage.is_guess)?;
        }
        map.serialize_entry("own_bytes", &payload.own_bytes())?;
        map.serialize_entry("bytes", &payload.bytes.len())?;
        match &payload.content {
            Content::Unknown => map.serialize_entry("problem", "unknown type")?,
            Content::Malformed(why) => map.serialize_entry("problem", why)?,
            Content::Message(message) => {
                if self.with_fields {
                    map.serialize_entry("fields", &fields_as_json(message))?;
                }
                let unknown = unknown_as_json(message);
                if !unknown.is_empty() {
                    map.serialize_entry("unknown_fields", &unknown)?;
                }
            }
        }
        map.serialize_entry("children", &Below(*self))?;
        map.end()
    }
}

/// The payloads directly below one.
struct Below<'a>(Shown<'a>);

impl Serialize for Below<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut list = serializer.serialize_seq(None)?;
        for Child { steps, payload } in by_size(self.0.payload) {
            let length = self.0.id.borrow().len();
            for step in steps {
                enter(&mut self.0.id.borrow_mut(), step);
            }
            list.serialize_element(&Shown { payload, with_fields: false, ..self.0 })?;
            self.0.id.borrow_mut().truncate(length);
        }
        list.end()
    }
}

fn fields_as_json(message: &DynamicMessage) -> Vec<serde_json::Value> {
    let fields = present(message).into_iter().map(|(field, found)| {
        json!({
            "name": field.name(),
            "bytes": length_of(&field, found),
            "value": match found {
                Value::String(text) => quoted(text),
                _ => value(&field.kind(), found),
            },
        })
    });
    fields.collect()
}

fn unknown_as_json(message: &DynamicMessage) -> Vec<serde_json::Value> {
    let mut fields = Vec::new();
    let _ = each_unknown(message, "", &mut |path, field| {
        let mut hex = String::with_capacity(2 * field.bytes.len());
        put_hex(&field.bytes, &mut hex);
        fields.push(json!({
            "path": path.trim_end(),
            "number": field.number,
            "wire_type": field.wire_type,
            "bytes": field.bytes.len(),
            "hex": hex,
        }));
        ControlFlow::Continue(())
    });
    fields
}
