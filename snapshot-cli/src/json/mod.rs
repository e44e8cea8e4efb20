//! `snapshot json` and `snapshot from-json`: there and back, byte for byte.
//!
//! ```text
//! {
//!   "form": "snapshot",                                  or "any"
//!   "payload": {
//!     "@type": "type.googleapis.com/lcow.v1.SandboxSnapshot",
//!     "schemaVersion": 1,
//!     "vm": { "@type": "...", ... },
//!     "pods": [ { "@type": "...", "@bytes": "CAE=" } ]   what would not come back otherwise
//!   }
//! }
//! ```
//!
//! Each payload is turned into JSON and back while it is shown; one that does not come back byte for
//! byte is carried as its bytes.

mod from;
mod to;

use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use snapshot_core::{Error, Snapshot, WriteOptions};

use crate::cli::{FromJson, Json as Show, Options};
use crate::input::{self, Document, Form, name_of, read_bytes};
use crate::schemas::Schemas;
use crate::{Problem, Verdict};

/// The type URL of a payload.
const TYPE: &str = "@type";
/// A payload as its bytes, in base64.
const BYTES: &str = "@bytes";

/// How deep JSON may be nested: what serde_json reads.
const DEPTH_LIMIT: u32 = 120;

pub(crate) fn show(
    of: &Show,
    options: &Options,
    schemas: &Schemas,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let document = input::read(&of.file, options)?;
    // Only to know that there are not too many of them: JSON takes more memory than they do.
    document.payloads(schemas)?;
    let json = document_to_json(&document, schemas);
    serde_json::to_writer_pretty(&mut *out, &json).map_err(io::Error::from)?;
    writeln!(out)?;
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
    let json: Json = serde_json::from_slice(&text)
        .map_err(|error| Error::invalid(format!("{name}: not JSON: {error}")))?;
    let (form, snapshot) = document_from_json(&json, schemas)
        .map_err(|error| Error::new(error.code(), format!("{name}: {error}")))?;
    if form == Form::Any && of.zstd.is_some() {
        let reason =
            format!("{name}: is of a bare Any, which cannot be compressed: leave --zstd away");
        return Err(Error::invalid(reason).into());
    }
    let mut write = WriteOptions::new().replace(of.replace);
    if let Some(level) = of.zstd {
        write = write.zstd(level);
    }
    match (&of.output, form) {
        (Some(path), Form::Snapshot) => write.write_to_path(&snapshot, path)?,
        (Some(path), Form::Any) => write_any(path, &snapshot, of.replace)?,
        (None, Form::Snapshot) => out.write_all(&write.to_bytes(&snapshot)?)?,
        (None, Form::Any) => out.write_all(snapshot.any_bytes())?,
    }
    Ok(Verdict::Fine)
}

/// Beside the file first, so that there is never half of it.
fn write_any(path: &Path, snapshot: &Snapshot, replace: bool) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(snapshot.any_bytes())?;
        file.as_file().sync_all()?;
        let kept = if replace { file.persist(path) } else { file.persist_noclobber(path) };
        kept.map(|_| ()).map_err(|error| error.error)
    });
    written.map_err(|error| {
        let path = path.display();
        let told = match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{path}: exists already: choose another name, or give --replace")
            }
            _ => format!("{path}: cannot be written: {error}"),
        };
        Error::precondition(told).with_source(error)
    })
}

/// A file as JSON.
pub(crate) fn document_to_json(document: &Document, schemas: &Schemas) -> Json {
    let form = match document.form {
        Form::Snapshot => "snapshot",
        Form::Any => "any",
    };
    let snapshot = &document.snapshot;
    let payload = to::payload(snapshot.type_url(), snapshot.payload(), schemas, DEPTH_LIMIT - 2);
    let json = json!({ "form": form, "payload": payload });
    match document_from_json(&json, schemas) {
        Ok((_, again)) if again == *snapshot => json,
        // The Any around it is not written as we write it.
        _ => json!({ "form": form, BYTES: BASE64.encode(snapshot.any_bytes()) }),
    }
}

/// The file of some JSON.
pub(crate) fn document_from_json(
    json: &Json,
    schemas: &Schemas,
) -> Result<(Form, Snapshot), Error> {
    let form = match json.get("form").and_then(Json::as_str) {
        Some("snapshot") => Form::Snapshot,
        Some("any") => Form::Any,
        _ => {
            let reason = "not the JSON of a snapshot: \"form\" is neither \"snapshot\" nor \"any\"";
            return Err(Error::invalid(reason));
        }
    };
    let snapshot = match (json.get("payload"), json.get(BYTES)) {
        (Some(payload), None) => {
            let (type_url, value) = from::payload(payload, schemas, "payload")?;
            Snapshot::from_any(&prost_types::Any { type_url, value })?
        }
        (None, Some(bytes)) => Snapshot::from_any_bytes(&from::base64(bytes, BYTES)?)?,
        _ => {
            let reason = format!("not the JSON of a snapshot: expected \"payload\" or \"{BYTES}\"");
            return Err(Error::invalid(reason));
        }
    };
    Ok((form, snapshot))
}
