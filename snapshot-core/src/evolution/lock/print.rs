//! Writes the text form of a lock.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter, Write};

use super::{Lock, LockedPayload, Record, Unversioned};
use crate::evolution::meaning::Hex;
use crate::wire::v1::manifest::{Meaning, Values};

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

fn put_payload(f: &mut Formatter<'_>, locked: &LockedPayload) -> fmt::Result {
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
    for (version, type_url) in &unversioned.older_urls {
        writeln!(f, "  reads_from {version} {}", Word(type_url))?;
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
    if record.states_meaning {
        writeln!(f, "    meaning stated")?;
    }
    for (keyword, number) in [("id", record.id_field), ("stage_field", record.stage_field)] {
        if number != 0 {
            writeln!(f, "    {keyword} {number}")?;
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
            if field.meanings != [Meaning::default()] {
                for meaning in &field.meanings {
                    put_meaning(f, meaning)?;
                }
            }
        }
        reserved(f, name)?;
    }
    for (name, one) in &schema.enums {
        writeln!(f, "\n    enum {}", Word(name))?;
        for value in &one.values {
            writeln!(f, "      {} {}", value.number, Word(&value.name))?;
            if value.since != 0 {
                writeln!(f, "        since {}", value.since)?;
            }
        }
        reserved(f, name)?;
    }
    Ok(())
}

/// Writes one meaning of a field, on one line.
fn put_meaning(f: &mut Formatter<'_>, meaning: &Meaning) -> fmt::Result {
    let use_of = match meaning {
        Meaning { ignored: true, .. } => "ignored",
        Meaning { discarded: true, .. } => "discarded",
        _ => "mapped",
    };
    write!(f, "        {use_of}")?;
    if !meaning.form.is_empty() {
        write!(f, " form {}", Word(&meaning.form))?;
    }
    for (keyword, is_set) in [
        ("set", meaning.set),
        ("required", meaning.required),
        ("secret", meaning.secret),
        ("default_none", meaning.default_none),
        ("may_stay_behind", meaning.may_stay_behind),
    ] {
        if is_set {
            write!(f, " {keyword}")?;
        }
    }
    for (keyword, number) in [("length", meaning.length), ("max", meaning.max)] {
        if let Some(number) = number {
            write!(f, " {keyword} {number}")?;
        }
    }
    if !meaning.range.is_empty() {
        write!(f, " range {}", Word(&meaning.range))?;
    }
    for limit in &meaning.limits {
        let keyword = if limit.included { "at_most" } else { "below" };
        write!(f, " {keyword} {}", limit.field)?;
    }
    if let Some(default) = &meaning.default_bytes {
        write!(f, " default {}", Word(&Hex(default).to_string()))?;
    }
    for (keyword, values) in [("keys", &meaning.keys), ("values", &meaning.values)] {
        if let Some(values) = values {
            write!(f, " {keyword}{}", ValuesText(values))?;
        }
    }
    f.write_char('\n')
}

/// Writes the parts of some values, each after a space.
struct ValuesText<'v>(&'v Values);

impl Display for ValuesText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let values = self.0;
        for (keyword, text) in
            [("as", &values.form), ("least", &values.least), ("most", &values.most)]
        {
            if !text.is_empty() {
                write!(f, " {keyword} {}", Word(text))?;
            }
        }
        if let Some(bytes) = values.bytes {
            write!(f, " bytes {bytes}")?;
        }
        for (keyword, is_set) in
            [("most_excluded", values.most_excluded), ("not_zero", values.not_zero)]
        {
            if is_set {
                write!(f, " {keyword}")?;
            }
        }
        Ok(())
    }
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
