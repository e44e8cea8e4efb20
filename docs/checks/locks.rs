//! Checks that locks survive a panic. If a panic poisons the lock of a controller, the controller can
//! neither be undone nor retried, and readers copy the code of the pages and programs.

use std::fs;
use std::path::{Path, PathBuf};

use snapshot_docs::{Page, root};

use crate::assert_none;

/// Programs that readers copy: those of the pages, and the examples.
const PROGRAMS: [&str; 2] = ["docs/programs", "examples"];

/// Pages with code in the source.
const IN_THE_SOURCE: [&str; 2] =
    ["snapshot-core/src/front_page.md", "snapshot-derive/src/snapshot.md"];

/// The offsets where code takes a lock of std with `unwrap` or `expect`, also on the next line.
fn panics_when_poisoned(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for taken in [".lock()", ".read()", ".write()"] {
        for (at, _) in text.match_indices(taken) {
            let rest = text[at + taken.len()..].trim_start();
            if [".unwrap()", ".expect("].iter().any(|unwrap| rest.starts_with(unwrap)) {
                found.push(at);
            }
        }
    }
    found.sort_unstable();
    found
}

fn findings(path: &Path, text: &str) -> impl Iterator<Item = String> {
    // Tests of an example may panic, and they lock files.
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    panics_when_poisoned(&text[..end]).into_iter().map(move |at| {
        let line = text[..at].lines().count().max(1);
        let cure = "use `unwrap_or_else(PoisonError::into_inner)`";
        format!("{}:{line}: panics after a panic that held the lock: {cure}", path.display())
    })
}

fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_controller_survives_a_panic_that_held_its_lock() {
    let mut all = Vec::new();
    for folder in PROGRAMS {
        let mut paths = Vec::new();
        programs(Path::new(folder), &mut paths);
        for path in paths {
            let text = fs::read_to_string(root().join(&path)).unwrap();
            all.extend(findings(&path, &text));
        }
    }
    let in_the_source = IN_THE_SOURCE.iter().map(|path| Page::read(path).unwrap());
    for page in Page::all().unwrap().into_iter().chain(in_the_source) {
        for block in page.blocks() {
            all.extend(findings(&page.path, &block.lines.join("\n")));
        }
    }
    assert_none(&all);
}

#[test]
fn the_check_recognises_the_forms_that_panic() {
    assert_eq!(panics_when_poisoned("self.0.lock().unwrap()"), [6]);
    assert_eq!(panics_when_poisoned("self.0\n    .lock()\n    .expect(\"free\")").len(), 1);
    assert_eq!(panics_when_poisoned("state.write().unwrap().size = 1").len(), 1);
    assert!(panics_when_poisoned("lock().unwrap_or_else(PoisonError::into_inner)").is_empty());
    assert!(panics_when_poisoned("self.turn.lock().await").is_empty());
}
