//! Checks the links and the index.

use std::path::{Path, PathBuf};

use snapshot_docs::{Page, root};

use crate::{assert_none, at};

/// Pages elsewhere in the repository.
const ELSEWHERE: [&str; 8] = [
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "examples/hcsshim/README.md",
    "examples/live_migration/README.md",
    "fuzz/README.md",
    "snapshot-cli/README.md",
    "snapshot-handover/README.md",
];

#[test]
fn every_link_has_a_target() {
    let mut findings = Vec::new();
    let elsewhere = ELSEWHERE.iter().map(|path| Page::read(path).unwrap());
    for page in Page::all().unwrap().into_iter().chain(elsewhere) {
        for (line, link) in page.links() {
            let Some((target, anchor)) = page.target(link) else { continue };
            if !root().join(&target).exists() {
                findings.push(at(&page, line, &format!("{} does not exist", target.display())));
            } else if let Some(anchor) = anchor
                && !Page::read(&target).unwrap().anchors().any(|known| known == anchor)
            {
                findings.push(at(&page, line, &format!("no heading of {target:?} is #{anchor}")));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn every_page_is_in_the_index() {
    let index = Page::read("docs/README.md").unwrap();
    let linked: Vec<PathBuf> =
        index.links().filter_map(|(_, link)| index.target(link)).map(|(path, _)| path).collect();
    let pages = Page::all().unwrap().into_iter().map(|page| page.path);
    let missing: Vec<String> = pages
        .filter(|path| path.starts_with("docs") && path != Path::new("docs/README.md"))
        .filter(|path| !linked.contains(path))
        .map(|path| format!("docs/README.md does not link to {}", path.display()))
        .collect();
    assert_none(&missing);
}
