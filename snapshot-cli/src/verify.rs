//! `snapshot verify`: reports all problems of a snapshot.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Write;

use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};
use snapshot_core::registry::{Manifest, registry};
use snapshot_core::{Code, Error, Incoming, Snapshot};

use crate::canonical::sorted;
use crate::cli::{Options, Verify};
use crate::document::Document;
use crate::escape::line;
use crate::fields::{present, unknown};
use crate::files::{name_of, read_bytes};
use crate::manifests;
use crate::schemas::Schemas;
use crate::show::{self, key, plural};
use crate::tree::{Content, Payload};
use crate::{Knowledge, Problem, Verdict};

/// Verifies a snapshot with a root controller that is registered in this program, as a destination does
/// before it builds anything: values, stages, versions, references.
pub fn registered(snapshot: &Snapshot) -> Option<Result<(), Error>> {
    match registry() {
        Ok(registry) => registry
            .get(snapshot.type_url())
            .map(|_| Incoming::from(snapshot.clone()).preview().map(|_| ())),
        Err(error) => Some(Err(error)),
    }
}

pub(crate) fn run(
    of: &Verify,
    options: &Options,
    schemas: &Schemas,
    knowledge: &Knowledge<'_>,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let manifest = of.manifest.as_deref();
    let manifest = manifest.map(|path| manifests::read(path, options)?.manifest(path));
    let manifest = manifest.transpose()?;
    // A file that cannot be read is an error; a damaged file is a finding.
    let bytes = read_bytes(&of.file, options)?;
    let name = name_of(&of.file);
    let document = match Document::open(&name, bytes, options) {
        Ok(document) => document,
        Err(error) if matches!(error.code(), Code::DataLoss | Code::Unimplemented) => {
            writeln!(out, "{}", line(&error.to_string()))?;
            return Ok(Verdict::Findings);
        }
        Err(error) => return Err(error.into()),
    };
    let root = document.payloads(schemas)?;
    let found = check(&document.snapshot, &root, knowledge, manifest.as_ref());
    let name = line(&document.name);
    if found.findings.is_empty() {
        let checked = found.checked.join(", ");
        writeln!(out, "{name}: valid; checked: {checked}")?;
        if let Some(not) = found.not_checked {
            writeln!(out, "not checked: {not}")?;
        }
        return Ok(Verdict::Fine);
    }
    for finding in &found.findings {
        writeln!(out, "{name}: {}", line(finding))?;
    }
    let count = found.findings.len() + found.dropped;
    let dropped = match found.dropped {
        0 => String::new(),
        more => format!(", {more} of them not shown"),
    };
    writeln!(out, "{}{dropped}", plural(count, "finding", "findings"))?;
    Ok(Verdict::Findings)
}

/// The result of a check.
#[derive(Debug, Default)]
struct Found {
    findings: Vec<String>,
    dropped: usize,
    checked: Vec<&'static str>,
    not_checked: Option<String>,
}

/// Checks a snapshot with a valid header.
fn check(
    snapshot: &Snapshot,
    root: &Payload,
    knowledge: &Knowledge<'_>,
    manifest: Option<&Manifest>,
) -> Found {
    let mut found = Found { checked: vec!["digest", "structure"], ..Found::default() };
    match knowledge.verifiers.iter().find_map(|verifier| verifier(snapshot)) {
        Some(result) => {
            found.checked.extend(["versions", "unknown fields", "values", "references"]);
            if let Err(error) = result {
                let mut once = HashSet::new();
                let findings = error.findings().map(ToString::to_string);
                found.findings.extend(findings.filter(|finding| once.insert(finding.clone())));
                found.dropped = error.dropped();
            }
        }
        None => {
            found.checked.push("unknown fields");
            found.not_checked = Some(format!(
                "versions, values and references: no states are linked in for {:?}",
                snapshot.type_url()
            ));
            root.for_each(&mut |id, payload| alone(&show::id(id), payload, &mut found.findings));
        }
    }
    if let Some(manifest) = manifest {
        found.checked.push("manifest");
        let manifest = KnownTypes::of(manifest);
        root.for_each(&mut |id, payload| {
            manifest.check(&show::id(id), payload, &mut found.findings);
        });
    }
    found
}

/// Checks one payload against its descriptors.
fn alone(id: &str, payload: &Payload, findings: &mut Vec<String>) {
    match &payload.content {
        Content::Unknown => findings.push(format!(
            "{id}: type URL {:?} is not known: give its descriptors with --descriptors",
            payload.type_url
        )),
        Content::Malformed(why) => {
            findings.push(format!("{id}: not a {}: {why}", payload.message_name()));
        }
        Content::Message(message) => {
            let name = payload.message_name();
            let before = findings.len();
            strangers(message, &format!("{id}: {name}"), findings);
            if findings.len() == before && !payload.is_canonical() {
                findings.push(format!(
                    "{id}: {name}: is not in canonical form: fields or map entries are out of order or \
                     duplicate, or defaults are written"
                ));
            }
        }
    }
}

/// Reports unknown fields and unknown enum values of a message and its nested messages.
fn strangers(message: &DynamicMessage, path: &str, findings: &mut Vec<String>) {
    for field in unknown(message) {
        let shown = show::unknown(&field);
        findings.push(format!("{path}: unknown field {}: {shown}", field.number));
    }
    for_each_value(message, &mut |step, kind, value| match (kind, value) {
        (Kind::Enum(kind), Value::EnumNumber(n)) if kind.get_value(*n).is_none() => {
            findings.push(format!("{path}.{step}: {n} is not a value of {}", kind.full_name()));
        }
        (_, Value::Message(inner)) => strangers(inner, &format!("{path}.{step}"), findings),
        _ => {}
    });
}

/// Visits each present value, including the values in lists and maps.
fn for_each_value(message: &DynamicMessage, show: &mut dyn FnMut(String, &Kind, &Value)) {
    for (field, value) in present(message) {
        let (name, kind) = (field.name(), field.kind());
        match value {
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    show(format!("{name}[{index}]"), &kind, value);
                }
            }
            Value::Map(entries) => {
                let Kind::Message(entry) = kind else { continue };
                let kind = entry.map_entry_value_field().kind();
                for (found, value) in sorted(entries) {
                    show(format!("{name}{}", key(found)), &kind, value);
                }
            }
            value => show(name.to_owned(), &kind, value),
        }
    }
}

/// The versions and fields that the build of a manifest knows.
struct KnownTypes<'a> {
    /// The accepted versions by type URL.
    payloads: HashMap<&'a str, &'a [u32]>,
    /// The numbers of the fields by message.
    messages: HashMap<&'a str, BTreeSet<u32>>,
}

impl<'a> KnownTypes<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let payloads = manifest.payloads.iter();
        let messages = manifest.messages.iter();
        Self {
            payloads: payloads.map(|p| (p.type_url.as_str(), p.accepts.as_slice())).collect(),
            messages: messages
                .map(|m| (m.name.as_str(), m.fields.iter().map(|f| f.number).collect()))
                .collect(),
        }
    }

    fn check(&self, id: &str, payload: &Payload, findings: &mut Vec<String>) {
        let Some(accepts) = self.payloads.get(payload.type_url.as_str()) else {
            let url = &payload.type_url;
            findings.push(format!("{id}: the manifest has no payload of type URL {url:?}"));
            return;
        };
        let Some(message) = payload.message() else { return };
        if let Some(version) = payload.version()
            && !accepts.contains(&version)
        {
            let accepts: Vec<_> = accepts.iter().map(ToString::to_string).collect();
            findings.push(format!(
                "{id}: schema version {version}, the manifest accepts {}",
                accepts.join(", ")
            ));
            return;
        }
        self.fields(message, &format!("{id}: {}", payload.message_name()), findings);
    }

    fn fields(&self, message: &DynamicMessage, path: &str, findings: &mut Vec<String>) {
        let descriptor = message.descriptor();
        // The well-known types are not in a manifest.
        let Some(known) = self.messages.get(descriptor.full_name()) else { return };
        let there = present(message)
            .into_iter()
            .map(|(field, _)| (field.number(), field.name().to_owned()));
        for (number, name) in there.filter(|(number, _)| !known.contains(number)) {
            findings.push(format!("{path}.{name}: the manifest has no field {number}"));
        }
        for unknown in message.unknown_fields().filter(|u| !known.contains(&u.number())) {
            findings.push(format!("{path}: the manifest has no field {}", unknown.number()));
        }
        for_each_value(message, &mut |step, _, value| {
            if let Value::Message(inner) = value {
                self.fields(inner, &format!("{path}.{step}"), findings);
            }
        });
    }
}
