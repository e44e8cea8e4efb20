//! What the pages say is there: their code compiles, their links lead somewhere, their lists are
//! complete.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod code;
mod links;
mod reference;

use snapshot_docs::Page;

/// A finding about a place in a page.
fn at(page: &Page, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", page.path.display())
}

#[track_caller]
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}
