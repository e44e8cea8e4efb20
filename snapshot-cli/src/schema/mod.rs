//! `snapshot schema`: shows and compares the schemas of builds from their manifests and locks.

mod descriptors;
mod diff;
mod json;
mod show;

use std::io::Write;

use snapshot_core::registry::Manifest;
use snapshot_core::{Code, Error};

use crate::cli::{Options, Schema, SchemaCheck, SchemaDiff};
use crate::escape::line;
use crate::files::name_of;
use crate::manifests;
use crate::show::plural;
use crate::{Knowledge, Problem, Verdict, findings};

pub(crate) fn run(
    command: &Schema,
    options: &Options,
    knowledge: &Knowledge<'_>,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    match command {
        Schema::Show(of) => show::run(of, options, knowledge, out),
        Schema::Check(of) => check(of, options, knowledge, out),
        Schema::Diff(of) => diff(of, options, out),
    }
}

/// The built-in manifest with this name, or the first one.
fn built_in(knowledge: &Knowledge<'_>, name: Option<&str>) -> Result<Manifest, Error> {
    let mut known = knowledge.manifests.iter();
    let found = match name {
        Some(name) => known.find(|(known, _)| *known == name),
        None => known.next(),
    };
    let (_, manifest) = found.ok_or_else(|| {
        let names: Vec<_> = knowledge.manifests.iter().map(|(name, _)| *name).collect();
        Error::invalid(match (names.is_empty(), name) {
            (true, _) => "no schemas are built in: name a file with a manifest".to_owned(),
            (false, name) => {
                let name = name.unwrap_or_default();
                format!("{name:?} is not built in: there are {}", names.join(", "))
            }
        })
    })?;
    manifest()
}

/// Compares a lock with a build, with the messages of `assert_locked!`.
fn check(
    of: &SchemaCheck,
    options: &Options,
    knowledge: &Knowledge<'_>,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let name = name_of(&of.lock);
    let known = manifests::read(&of.lock, options)?;
    let lock = known.lock().ok_or_else(|| {
        Error::invalid(format!("{name}: is a manifest, but a lock is needed: see `schema diff`"))
    })?;
    let manifest = match &of.manifest {
        Some(path) => manifests::read(path, options)?.manifest(path)?,
        None => built_in(knowledge, of.schema.as_deref())?,
    };
    match lock.check(&manifest) {
        Ok(()) => {
            let payloads = plural(manifest.payloads.len(), "payload", "payloads");
            writeln!(out, "{}: valid; checked: {payloads}", line(&name))?;
            Ok(Verdict::Fine)
        }
        Err(error) if error.code() == Code::FailedPrecondition => {
            writeln!(out, "{}:", line(&name))?;
            for finding in findings(&error) {
                // The message of `assert_locked!` has several lines.
                finding.lines().try_for_each(|text| writeln!(out, "{}", line(text)))?;
            }
            Ok(Verdict::Findings)
        }
        Err(error) => Err(error.into()),
    }
}

fn diff(of: &SchemaDiff, options: &Options, out: &mut dyn Write) -> Result<Verdict, Problem> {
    let (a, b) = (manifests::read(&of.before, options)?, manifests::read(&of.after, options)?);
    let (before, after) = (a.manifest(&of.before)?, b.manifest(&of.after)?);
    let mut changes = diff::changes(&before, &after);
    if let (Some(a), Some(b)) = (a.lock(), b.lock())
        && changes.is_empty()
        && a != b
    {
        changes.push(
            "the locks differ only in entries that no current build has: `retired` payloads, records of \
             versions that are no longer read, `draft` or `reserved`"
                .to_owned(),
        );
    }
    for change in &changes {
        writeln!(out, "{}", line(change))?;
    }
    if changes.is_empty() {
        return Ok(Verdict::Fine);
    }
    writeln!(out)?;
    diff::direction("from A to B", &before, &after, out)?;
    diff::direction("from B to A", &after, &before, out)?;
    Ok(Verdict::Findings)
}
