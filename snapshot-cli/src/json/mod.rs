//! `snapshot json` and `snapshot from-json`: convert a snapshot to JSON and back, byte for byte.
//!
//! ```text
//! {
//!   "form": "snapshot",                                  or "any"
//!   "provenance": { "@type": "type.googleapis.com/snapshot.v1.Provenance", ... },   if it has one
//!   "payload": {
//!     "@type": "type.googleapis.com/lcow.v1.SandboxSnapshot",
//!     "schemaVersion": 1,
//!     "vm": { "@type": "...", ... },
//!     "pods": [ { "@type": "...", "@bytes": "CAE=" } ]   if it would not come back otherwise
//!   }
//! }
//! ```
//!
//! A payload that would not come back byte for byte is printed as its bytes. In the other direction,
//! `from-json` never drops, rounds or chooses a value: it refuses JSON that it cannot represent exactly.

mod from;
mod number;
mod parse;
mod to;
mod well_known;

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Value as Json, json};
use snapshot_core::{Error, Provenance, Snapshot, WriteOptions};

use crate::cli::{FromJson, Json as Show, Options};
use crate::document::{Document, Form};
use crate::escape::write_json;
use crate::files::{name_of, read_bytes};
use crate::schemas::Schemas;
use crate::{Problem, Verdict, deliver};
use parse::{Node, Way, Wrong};

/// The type URL of a payload.
const TYPE: &str = "@type";
/// What stands beside the payload of a stored snapshot.
const PROVENANCE: &str = "provenance";
/// Its type URL.
const PROVENANCE_TYPE: &str = "type.googleapis.com/snapshot.v1.Provenance";
/// A payload as its bytes, in base64.
const BYTES: &str = "@bytes";

/// The maximum nesting of the written JSON, which other readers of JSON accept.
const DEPTH_LIMIT: u32 = 120;

pub(crate) fn show(
    of: &Show,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let document = Document::read(&of.file, options)?;
    // This only checks the number of payloads, because JSON takes more memory than they do.
    document.payloads(schemas)?;
    write_json(out, &document_to_json(&document, schemas))?;
    Ok(Verdict::Fine)
}

pub(crate) fn restore(
    of: &FromJson,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let name = name_of(&of.file);
    let text = read_bytes(&of.file, options)?;
    let Parts { form, provenance, snapshot } = parse::parse(&text)
        .and_then(|json| document_from_json(&json, schemas))
        .map_err(|wrong| wrong.into_error(&name, &text))?;
    let bytes = match (form, provenance) {
        (Form::Any, _) => any_bytes(of, &name, &snapshot)?,
        (Form::Snapshot, None) => write_options(of).to_bytes(&snapshot)?,
        (Form::Snapshot, Some(provenance)) => {
            write_options(of).provenance(provenance).to_bytes(&snapshot)?
        }
    };
    deliver(&bytes, of.output.as_deref(), of.replace, out)?;
    Ok(Verdict::Fine)
}

#[cfg(feature = "zstd")]
fn write_options(of: &FromJson) -> WriteOptions {
    match of.zstd {
        Some(level) => WriteOptions::new().zstd(level),
        None => WriteOptions::new(),
    }
}

#[cfg(not(feature = "zstd"))]
fn write_options(_: &FromJson) -> WriteOptions {
    WriteOptions::new()
}

fn any_bytes(of: &FromJson, name: &str, snapshot: &Snapshot) -> Result<Vec<u8>, Error> {
    #[cfg(feature = "zstd")]
    if of.zstd.is_some() {
        let reason = format!("{name}: is a bare Any, which cannot be compressed: remove --zstd");
        return Err(Error::invalid(reason));
    }
    let _ = (of, name);
    Ok(snapshot.any_bytes().to_vec())
}

/// Converts a file to JSON.
fn document_to_json(document: &Document, schemas: &Schemas) -> Json {
    let form = match document.form {
        Form::Snapshot => "snapshot",
        Form::Any => "any",
    };
    let snapshot = &document.snapshot;
    let (type_url, value) = (snapshot.type_url().to_owned(), snapshot.payload().to_vec());
    let bytes = Bytes::from(value.clone());
    let mut json = match Snapshot::from_any(&prost_types::Any { type_url, value }) {
        Ok(again) if again == *snapshot => {
            let payload = to::payload(snapshot.type_url(), &bytes, schemas, DEPTH_LIMIT - 2);
            json!({ "form": form, "payload": payload })
        }
        // The encoding of the `Any` around the payload is not canonical.
        _ => json!({ "form": form, BYTES: BASE64.encode(snapshot.any_bytes()) }),
    };
    if let Some(provenance) = snapshot.provenance() {
        let bytes = Bytes::copy_from_slice(provenance.as_bytes());
        json[PROVENANCE] = to::payload(PROVENANCE_TYPE, &bytes, schemas, DEPTH_LIMIT - 2);
    }
    json
}

/// What a file is made of.
struct Parts {
    form: Form,
    provenance: Option<Provenance>,
    snapshot: Snapshot,
}

/// Converts JSON to a file.
fn document_from_json(json: &Node, schemas: &Schemas) -> Result<Parts, Wrong> {
    let parse::Value::Object(members) = &json.value else {
        return Err(Wrong::whole("not the JSON of a snapshot: expected an object"));
    };
    let (mut form, mut provenance, mut payload, mut bytes) = (None, None, None, None);
    for (name, node) in members {
        match name.as_str() {
            "form" => form = Some(node),
            PROVENANCE => provenance = Some(node),
            "payload" => payload = Some(node),
            BYTES => bytes = Some(node),
            _ => {
                let reason = "the JSON of a snapshot has no such member";
                return Err(Wrong::new(node, &Way::to(name), reason));
            }
        }
    }
    let form = match form.map(|node| &node.value) {
        Some(parse::Value::Text(text)) if text == "snapshot" => Form::Snapshot,
        Some(parse::Value::Text(text)) if text == "any" => Form::Any,
        _ => {
            let reason = "not the JSON of a snapshot: \"form\" is neither \"snapshot\" nor \"any\"";
            return Err(Wrong::whole(reason));
        }
    };
    let snapshot = match (payload, bytes) {
        (Some(node), None) => {
            let way = Way::to("payload");
            let (type_url, value) = from::payload(node, schemas, &way)?;
            Snapshot::from_any(&prost_types::Any { type_url, value })
                .map_err(|error| Wrong::new(node, &way, error))?
        }
        (None, Some(node)) => {
            let way = Way::to(BYTES);
            Snapshot::from_any_bytes(&from::base64(node, &way)?)
                .map_err(|error| Wrong::new(node, &way, error))?
        }
        _ => {
            let reason =
                format!("not the JSON of a snapshot: expected either \"payload\" or \"{BYTES}\"");
            return Err(Wrong::whole(reason));
        }
    };
    let provenance =
        provenance.map(|node| provenance_from_json(node, form, schemas)).transpose()?;
    Ok(Parts { form, provenance, snapshot })
}

fn provenance_from_json(json: &Node, form: Form, schemas: &Schemas) -> Result<Provenance, Wrong> {
    let way = Way::to(PROVENANCE);
    if form == Form::Any {
        return Err(Wrong::new(json, &way, "a bare Any cannot have one: remove it"));
    }
    let (type_url, value) = from::payload(json, schemas, &way)?;
    if type_url != PROVENANCE_TYPE {
        return Err(Wrong::new(json, &way, format!("must be of type {PROVENANCE_TYPE}")));
    }
    Provenance::from_bytes(&value).map_err(|error| Wrong::new(json, &way, error))
}
