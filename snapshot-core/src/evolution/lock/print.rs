//! Writes the text form of a lock.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter, Write};

use super::{Lock, Locked, Record, Unversioned};

const HEAD: &str = "\
# The schemas of this program's payloads, one record for each version of each. Written by a test:
# SNAPSHOT_UPDATE_LOCK=1 cargo test
# Commit it. The record of a released version is never changed: bump the version instead. By hand
# only: `draft` after a version that is not released yet, `retired` after the type URL of a payload
# that is gone for good, and `reserved` lines.
";

impl Display for Lock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        writeln!(f, "format {}", super::parse::FORMAT)?;
        for (type_url, locked) in &self.payloads {
            write!(f, "\npayload {}", Word(type_url))?;
            writeln!(f, "{}", if locked.retired { " retired" } else { "" })?;
            put_payload(f, locked)?;
        }
        Ok(())
    }
}

fn put_payload(f: &mut Formatter<'_>, locked: &Locked) -> fmt::Result {
    put_unversioned(f, &locked.unversioned)?;
    for (version, record) in &locked.records {
        writeln!(f, "\n  version {version}{}", if record.draft { " draft" } else { "" })?;
        put_record(f, record)?;
    }
    Ok(())
}

fn put_unversioned(f: &mut Formatter<'_>, unversioned: &Unversioned) -> fmt::Result {
    let mut versions = |keyword, versions: &BTreeSet<u32>| match versions.is_empty() {
        true => Ok(()),
        false => {
            write!(f, "  {keyword}")?;
            versions.iter().try_for_each(|version| write!(f, " {version}"))?;
            f.write_char('\n')
        }
    };
    versions("accepts", &unversioned.accepts)?;
    versions("saves", &unversioned.saves)?;
    for (version, message) in &unversioned.older {
        writeln!(f, "  reads {version} as {}", Word(message))?;
    }
    for after in &unversioned.after {
        writeln!(f, "  after {}", Word(after))?;
    }
    for (keyword, stage) in [
        ("freeze_to", &unversioned.freeze_to),
        ("import_as", &unversioned.import_as),
        ("abort_to", &unversioned.abort_to),
        ("live", &unversioned.live),
    ] {
        if !stage.is_empty() {
            writeln!(f, "  {keyword} {}", Word(stage))?;
        }
    }
    Ok(())
}

fn put_record(f: &mut Formatter<'_>, record: &Record) -> fmt::Result {
    let schema = &record.schema;
    writeln!(f, "    root {}", Word(&schema.root))?;
    if let Some(stage) = &record.stage {
        writeln!(f, "    stage {}", if stage.carried { "carried" } else { "not-carried" })?;
        for stage in &stage.save_from {
            writeln!(f, "    save_from {}", Word(stage))?;
        }
    }
    let reserved = |f: &mut Formatter<'_>, name: &str| {
        let reserved = record.reserved.get(name).into_iter().flatten();
        reserved
            .into_iter()
            .try_for_each(|(number, name)| writeln!(f, "      reserved {number} {}", Word(name)))
    };
    for (name, message) in &schema.messages {
        writeln!(f, "\n    message {}", Word(name))?;
        for field in &message.fields {
            writeln!(f, "      {} {}: {}", field.number, Word(&field.name), Line(&field.kind))?;
            if !field.oneof.is_empty() {
                writeln!(f, "        oneof {}", Word(&field.oneof))?;
            }
            if field.since != 0 {
                writeln!(f, "        since {}", field.since)?;
            }
            for (keyword, names) in [("defines", &field.defines), ("refers", &field.refers)] {
                for name in names {
                    writeln!(f, "        {keyword} {}", Line(name))?;
                }
            }
        }
        reserved(f, name)?;
    }
    for (name, one) in &schema.enums {
        writeln!(f, "\n    enum {}", Word(name))?;
        for value in &one.values {
            writeln!(f, "      {} {}", value.number, Word(&value.name))?;
        }
        reserved(f, name)?;
    }
    Ok(())
}

/// Writes a word, in quotes if it is empty or has special characters.
struct Word<'t>(&'t str);

impl Display for Word<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./<>".contains(c);
        match !self.0.is_empty() && self.0.chars().all(plain) {
            true => f.write_str(self.0),
            false => quoted(f, self.0),
        }
    }
}

/// Writes a text up to the end of the line, in quotes if it would not be read back unchanged.
struct Line<'t>(&'t str);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let lossy = text.is_empty()
            || text.starts_with('"')
            || text.trim() != text
            || text.chars().any(char::is_control);
        if lossy { quoted(f, text) } else { f.write_str(text) }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "{}", c.escape_unicode())?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
