//! Checks the pages: their code compiles, their links have targets, and their lists are complete.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attributes;
mod code;
mod dependencies;
mod errors;
mod handover;
mod links;
mod locks;

use snapshot_docs::Page;

/// A finding about a place in a page.
fn at(page: &Page, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", page.path.display())
}

#[track_caller]
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

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
