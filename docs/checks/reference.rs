//! The reference: every attribute and every error is in it, and nothing that is not there any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use snapshot_core::Code;
use snapshot_docs::{Page, root};

use crate::assert_none;

/// Stands for what differs, in the pages and here.
const ANY: &str = "…";

/// The code spans of some text.
fn spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let fence = if rest[start..].starts_with("``") { "``" } else { "`" };
        rest = &rest[start + fence.len()..];
        let Some(end) = rest.find(fence) else { break };
        spans.push(rest[..end].trim().to_owned());
        rest = &rest[end + fence.len()..];
    }
    spans
}

/// The first cell of a row of a table, as a code span.
fn first_cell(line: &str) -> Option<String> {
    spans(line.strip_prefix("| ")?.split(" | ").next()?).into_iter().next()
}

#[test]
fn every_attribute_is_in_the_reference() {
    let derive = Page::read("snapshot-derive/src/snapshot.md").unwrap();
    let headings = derive.prose().filter_map(|(_, line)| line.strip_prefix("## "));
    let name = |span: String| {
        let end = span.find([' ', '(']).unwrap_or(span.len());
        span[..end].to_owned()
    };
    let described: BTreeSet<String> = headings.flat_map(spans).map(name).collect();
    let page = Page::read("docs/reference/attributes.md").unwrap();
    let (attributes, _) = page.text.split_once("## Elsewhere").unwrap();
    let listed: BTreeSet<String> = attributes.lines().filter_map(first_cell).map(name).collect();
    assert_eq!(listed, described);
}

#[test]
fn every_attribute_says_what_holds_without_it() {
    let derive = Page::read("snapshot-derive/src/snapshot.md").unwrap();
    let silent: Vec<String> = derive
        .text
        .split("\n## ")
        .skip(1)
        .filter(|section| !section.contains("When not present") && !section.contains("- Required"))
        .filter_map(|section| section.lines().next().map(str::to_owned))
        .collect();
    assert_none(&silent);
}

#[test]
fn every_code_is_in_the_reference() {
    let page = Page::read("docs/reference/errors.md").unwrap();
    let codes = [
        Code::InvalidArgument,
        Code::FailedPrecondition,
        Code::DataLoss,
        Code::Unimplemented,
        Code::DeadlineExceeded,
        Code::Cancelled,
        Code::Internal,
    ];
    for code in codes {
        assert!(page.text.contains(&format!("| `{code}` |")), "{code} is not explained");
    }
}

/// The string literal that a text begins with, each argument of a `format!` as [`ANY`].
fn literal(text: &str) -> Option<String> {
    let mut literal = String::new();
    let mut chars = text.strip_prefix('"')?.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some(literal),
            '\\' => match chars.next()? {
                '\n' => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                escaped => literal.push(escaped),
            },
            '{' => {
                chars.by_ref().find(|c| *c == '}')?;
                literal.push_str(ANY);
            }
            c => literal.push(c),
        }
    }
    None
}

/// The code of snapshot-core, without its tests and comments.
fn source() -> Vec<String> {
    let mut files = Vec::new();
    read_folder(&root().join("snapshot-core/src"), &mut files);
    files
}

fn read_folder(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // The lock and the contract kit speak to developers, and say what to do themselves.
        let is_left_out =
            name.contains("tests") || ["testing", "lock", "compare.rs"].contains(&name);
        if is_left_out {
        } else if path.is_dir() {
            read_folder(&path, files);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            files.push(lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Whatever the code has as a string.
fn literals(code: &str) -> impl Iterator<Item = String> {
    code.match_indices('"').filter_map(|(at, _)| literal(&code[at..]))
}

/// The reasons that the code gives for errors: what stands right behind one of these. A constant one of
/// an internal error tells of a bug in the framework, for which the page has one sentence.
fn reasons(code: &str) -> Vec<String> {
    const BEFORE: [&str; 7] = [
        "Error::invalid(",
        "Error::precondition(",
        "Error::internal(",
        "Error::new(",
        "malformed(",
        "damaged(",
        "let reason =",
    ];
    let behind = |before: &'static str| {
        code.match_indices(before).map(move |(at, _)| (before, &code[at + before.len()..]))
    };
    let reason = |(before, text): (&'static str, &str)| {
        let text = text.trim_start();
        if before == "Error::internal(" && text.starts_with('"') {
            return None;
        }
        let text = match text.strip_prefix("Code::") {
            Some(code) => code.split_once(',')?.1.trim_start(),
            None => text,
        };
        literal(text.strip_prefix("format!(").unwrap_or(text).trim_start())
    };
    let reasons = BEFORE.into_iter().flat_map(behind).filter_map(reason);
    reasons.filter(|reason| reason.contains(char::is_alphabetic)).collect()
}

/// What the page of the errors lists, and what it lists of the compiler's.
fn listed() -> (BTreeSet<String>, BTreeSet<String>) {
    let page = Page::read("docs/reference/errors.md").unwrap();
    let (runtime, compiler) = page.text.split_once("## When it does not compile").unwrap();
    let (_, runtime) = runtime.split_once("## The bytes are damaged").unwrap();
    let rows = |text: &str| -> BTreeSet<String> { text.lines().filter_map(first_cell).collect() };
    (rows(runtime), rows(compiler))
}

#[test]
fn every_reason_of_an_error_is_in_the_reference() {
    let (listed, _) = listed();
    let code = source();
    // A row may be the end of a reason behind what differs, or leave out its last part.
    let is_listed = |reason: &str| {
        let is_last_part = |rest: &str| rest.is_empty() || rest.starts_with(',');
        listed.iter().any(|row| {
            row.ends_with(reason) || reason.strip_prefix(row.as_str()).is_some_and(is_last_part)
        })
    };
    let missing: BTreeSet<String> = code
        .iter()
        .flat_map(|code| reasons(code))
        .filter(|reason| !is_listed(reason.trim()))
        .collect();
    assert_none(&missing.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_error_of_the_reference_exists() {
    let (listed, _) = listed();
    let literals: Vec<String> = source().iter().flat_map(|code| literals(code)).collect();
    let is_there = |row: &String| {
        let row = row.trim_start_matches(ANY).trim_start_matches(':').trim();
        literals.iter().any(|literal| literal.contains(row))
    };
    let gone: Vec<String> = listed.into_iter().filter(|row| !is_there(row)).collect();
    assert_none(&gone);
}

#[test]
fn every_error_of_the_compiler_is_that_of_a_case() {
    let mut cases = String::new();
    let mut folders = vec![root().join("tests/ui")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "stderr") {
                cases.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let (_, listed) = listed();
    let gone: Vec<String> = listed.into_iter().filter(|row| !cases.contains(row)).collect();
    assert_none(&gone);
}
