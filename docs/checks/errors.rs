//! Checks that the reference of the errors has every reason with its code, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use snapshot_core::Code;
use snapshot_docs::{Page, root};

use crate::{assert_none, first_cell, spans};

/// Marks a variable part, in the page and here.
const ANY: &str = "…";

#[test]
fn every_code_is_in_the_reference() {
    let page = Page::read("docs/reference/errors.md").unwrap();
    for code in Code::ALL {
        assert!(page.text.contains(&format!("| `{code}` |")), "{code} is not explained");
    }
}

/// The string literal at the beginning of a text, with [`ANY`] for each argument of a `format!`. An argument
/// `s` is the ending of a plural.
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
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                match name == "s" {
                    true if literal.ends_with(ANY) => {}
                    true => literal.push('s'),
                    false => literal.push_str(ANY),
                }
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
        // The messages of the lock and the contract kit are for developers and contain their cures.
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

/// All string literals of the code.
fn literals(code: &str) -> impl Iterator<Item = String> {
    code.match_indices('"').filter_map(|(at, _)| literal(&code[at..]))
}

/// The reasons of errors in the source, each with its code if the call names it. A constant reason of
/// an internal error means a bug in the framework; the page has one sentence for all of them.
fn reasons(code: &str) -> Vec<(Option<Code>, String)> {
    const BEFORE: [(&str, Option<Code>); 7] = [
        ("Error::invalid(", Some(Code::InvalidArgument)),
        ("Error::precondition(", Some(Code::FailedPrecondition)),
        ("Error::internal(", Some(Code::Internal)),
        ("malformed(", Some(Code::DataLoss)),
        ("damaged(", Some(Code::DataLoss)),
        ("Error::new(", None),
        ("let reason =", None),
    ];
    let behind = |(before, code_of): (&'static str, Option<Code>)| {
        code.match_indices(before).map(move |(at, _)| (code_of, &code[at + before.len()..]))
    };
    let reason = |(mut code, text): (Option<Code>, &str)| {
        let mut text = text.trim_start();
        if code == Some(Code::Internal) && text.starts_with('"') {
            return None;
        }
        if let Some((name, rest)) = text.strip_prefix("Code::").and_then(|t| t.split_once(',')) {
            code = Code::ALL.iter().copied().find(|code| format!("{code:?}") == name);
            text = rest.trim_start();
        }
        let reason = literal(text.strip_prefix("format!(").unwrap_or(text).trim_start())?;
        reason.contains(char::is_alphabetic).then(|| (code, reason.trim().to_owned()))
    };
    BEFORE.into_iter().flat_map(behind).filter_map(reason).collect()
}

/// The part of the page about errors at run time, and the part about the compiler's errors.
fn page() -> (String, String) {
    let page = Page::read("docs/reference/errors.md").unwrap();
    let (runtime, compiler) = page.text.split_once("## When it does not compile").unwrap();
    let (_, runtime) = runtime.split_once("## The bytes are damaged").unwrap();
    (runtime.to_owned(), compiler.to_owned())
}

/// The first code in a line.
fn code_in(line: &str) -> Option<Code> {
    let spans = spans(line);
    spans.iter().find_map(|span| Code::from_name(span))
}

/// The reasons on the page, each with the code of its row or of its section.
fn listed() -> BTreeMap<String, Option<Code>> {
    let mut listed = BTreeMap::new();
    let mut of_section = None;
    for line in page().0.lines() {
        match first_cell(line) {
            Some(reason) => {
                let code = line.split(" | ").nth(1).and_then(code_in);
                listed.insert(reason, code.or(of_section));
            }
            None if line.starts_with("## ") => of_section = None,
            None if !line.is_empty() => of_section = of_section.or_else(|| code_in(line)),
            None => {}
        }
    }
    listed
}

#[test]
fn every_reason_of_an_error_is_in_the_reference_with_its_code() {
    let listed = listed();
    // A row may be the end of a reason after a variable part, or omit the last part of a reason.
    let is_row_of = |row: &str, reason: &str| {
        let is_last_part = |rest: &str| rest.is_empty() || rest.starts_with(',');
        row.ends_with(reason) || reason.strip_prefix(row).is_some_and(is_last_part)
    };
    let mut findings = BTreeSet::new();
    for (code, reason) in source().iter().flat_map(|source| reasons(source)) {
        let mut codes = listed.iter().filter(|(row, _)| is_row_of(row, &reason)).peekable();
        if codes.peek().is_none() {
            findings.insert(format!("{reason:?} is not listed"));
        } else if let Some(code) = code
            && !codes.any(|(_, listed)| *listed == Some(code))
        {
            findings.insert(format!("{reason:?} is {code}, and listed as another"));
        }
    }
    assert_none(&findings.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_error_of_the_reference_exists() {
    let literals: Vec<String> = source().iter().flat_map(|code| literals(code)).collect();
    let is_there = |row: &String| {
        let row = row.trim_start_matches(ANY).trim_start_matches(':').trim();
        literals.iter().any(|literal| literal.contains(row))
    };
    let gone: Vec<String> = listed().into_keys().filter(|row| !is_there(row)).collect();
    assert_none(&gone);
}

#[test]
fn every_error_of_the_compiler_occurs_in_a_ui_case() {
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
    let (_, listed) = page();
    let rows = listed.lines().filter_map(first_cell);
    let gone: Vec<String> = rows.filter(|row| !cases.contains(row)).collect();
    assert_none(&gone);
}
