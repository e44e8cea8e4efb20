//! The report on a type, for its author.

use std::collections::HashSet;
use std::fmt::Write;

/// The maximum number of findings in a report.
const SHOWN: usize = 25;
/// The maximum number of input bytes in a finding.
const BYTES_SHOWN: usize = 96;

/// A rule that every state type keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Law {
    RoundTrip,
    Order,
    Truncation,
    UnknownField,
    WireType,
    Duplicate,
    Enum,
    Range,
    Restored,
    Prost,
    Coverage,
    Relation,
    Undo,
    Exemption,
}

impl Law {
    fn as_str(self) -> &'static str {
        match self {
            Law::RoundTrip => "a saved state is restored, and one state has one encoding",
            Law::Order => "fields are read in any order",
            Law::Truncation => "truncated bytes are refused",
            Law::UnknownField => "unknown fields are refused",
            Law::WireType => "wrong wire types are refused",
            Law::Duplicate => "duplicates are refused",
            Law::Enum => "unknown enum numbers are refused",
            Law::Range => "numbers outside of the range of the kind are refused",
            Law::Restored => "every accepted value is saved again unchanged",
            Law::Prost => "prost reads and writes the same state",
            Law::Coverage => "every field is tested with two values",
            Law::Relation => "a number that indexes a list is kept within it",
            Law::Undo => "every hook has an undo",
            Law::Exemption => "every exemption is needed",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Law::RoundTrip | Law::Restored => {
                "a `with` module loses or changes values here: refuse in `from_wire` every value that \
                 `to_wire` does not write back; if the other form is intended, add `.normalized(PATH)`"
            }
            Law::Order => "read the fields in any order",
            Law::Truncation | Law::UnknownField | Law::WireType | Law::Duplicate => {
                "read the message with `derive(Snapshot)`, which refuses this"
            }
            Law::Enum => {
                "map the enum with `stage` or `enumeration`, or refuse such numbers in `from_wire`"
            }
            Law::Range => "refuse numbers that do not fit; do not truncate them",
            Law::Prost => {
                "compare the struct with its message: the same bytes must mean the same state"
            }
            Law::Coverage => {
                "add samples that differ here; if the field has only one value, add `.fixed(PATH)`"
            }
            Law::Relation => {
                "say the relation with `below = LIST` or `at_most = LIST`, or check it in `validate`; if the \
                 number has nothing to do with the list, add `.unrelated(PATH)`"
            }
            Law::Undo => {
                "write the undo hook, which also runs after a hook that failed half-way; if there is \
                 nothing to undo, declare that with `no_undo`"
            }
            Law::Exemption => "correct the path, or remove the exemption",
        }
    }
}

#[derive(Debug)]
struct Violation {
    law: Law,
    path: String,
    text: String,
    bytes: Option<Vec<u8>>,
}

/// All findings.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Violation>,
    told: HashSet<(Law, String)>,
}

impl Report {
    /// Adds a finding, unless the same law is broken at the same path already.
    pub(super) fn add(&mut self, law: Law, path: &str, bytes: Option<&[u8]>, text: String) {
        if self.told.insert((law, path.to_owned())) {
            let bytes = bytes.map(<[u8]>::to_vec);
            self.findings.push(Violation { law, path: path.to_owned(), text, bytes });
        }
    }

    /// The text for the panic, or `None` without findings.
    pub(super) fn text(&self, type_name: &str, message: &str) -> Option<String> {
        if self.findings.is_empty() {
            return None;
        }
        let count = self.findings.len();
        let noun = if count == 1 { "place" } else { "places" };
        let mut text = format!("{type_name} ({message}) breaks its contract in {count} {noun}:\n");
        let mut laws: Vec<Law> = Vec::new();
        for finding in self.findings.iter().take(SHOWN) {
            if !laws.contains(&finding.law) {
                laws.push(finding.law);
            }
        }
        for law in laws {
            let _ = writeln!(text, "\n{}:", law.as_str());
            for finding in self.findings.iter().take(SHOWN).filter(|f| f.law == law) {
                let _ = writeln!(text, "  {}: {}", finding.path, finding.text);
                if let Some(bytes) = &finding.bytes {
                    let _ = writeln!(text, "    bytes: {}", hex(bytes));
                }
            }
            let _ = writeln!(text, "  help: {}", law.advice());
        }
        if count > SHOWN {
            let _ = writeln!(text, "\nand {} more", count - SHOWN);
        }
        Some(text)
    }
}

/// Formats bytes as hex; shows only the first ones of a long input.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(BYTES_SHOWN) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > BYTES_SHOWN {
        let _ = write!(text, "... ({} bytes)", bytes.len());
    }
    match text.is_empty() {
        true => "none".to_owned(),
        false => text,
    }
}
