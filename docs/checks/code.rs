//! Checks the blocks of code: excerpts of programs that compile, and commands that exist.

use std::fs;
use std::path::PathBuf;

use snapshot_docs::{Block, Page, is_excerpt, root};

use crate::{assert_none, at};

/// The page that its own test follows step by step.
const FOLLOWED: &str = "docs/tutorial.md";

/// The languages that a block can have.
const LANGUAGES: [&str; 6] = ["rust", "proto", "console", "toml", "diff", "text"];

#[test]
fn every_block_names_its_language() {
    let mut findings = Vec::new();
    for page in Page::all().unwrap() {
        for block in page.blocks() {
            if !LANGUAGES.contains(&block.language) {
                let what = format!("{:?} is not one of {}", block.language, LANGUAGES.join(", "));
                findings.push(at(&page, block.line, &what));
            }
        }
    }
    assert_none(&findings);
}

/// The programs that a page links to. All of them are compiled: the programs in `docs/` and the
/// examples as tests, the others with their crates.
fn programs(page: &Page) -> Vec<PathBuf> {
    let is_program = |path: &PathBuf| path.extension().is_some_and(|e| e == "rs" || e == "proto");
    page.links()
        .filter_map(|(_, link)| page.target(link))
        .map(|(path, _)| path)
        .filter(is_program)
        .collect()
}

#[test]
fn code_is_an_excerpt_of_a_program_that_the_page_links_to() {
    let mut findings = Vec::new();
    for page in Page::all().unwrap() {
        if page.path.as_os_str() == FOLLOWED {
            continue;
        }
        let programs: Vec<String> = programs(&page)
            .iter()
            .map(|path| fs::read_to_string(root().join(path)).unwrap())
            .collect();
        let is_code = |block: &&Block<'_>| ["rust", "proto"].contains(&block.language);
        for block in page.blocks().iter().filter(is_code) {
            if !programs.iter().any(|program| is_excerpt(&block.lines, program)) {
                findings.push(at(&page, block.line, "is in no program that the page links to"));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn every_program_in_docs_is_shown_and_run() {
    let shown: Vec<PathBuf> = Page::all().unwrap().iter().flat_map(programs).collect();
    let manifest = fs::read_to_string(root().join("docs/Cargo.toml")).unwrap();
    let mut findings = Vec::new();
    for entry in fs::read_dir(root().join("docs/programs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".rs") {
            continue;
        }
        if !shown.contains(&PathBuf::from("docs/programs").join(&name)) {
            findings.push(format!("no page links to docs/programs/{name}"));
        }
        if !manifest.contains(&format!("path = \"programs/{name}\"")) {
            findings.push(format!("docs/Cargo.toml has no test with docs/programs/{name}"));
        }
    }
    assert_none(&findings);
}

/// Whether a command line can be run: the example, the package or the subcommand exists.
fn is_known(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let after = |option: &str| words.iter().skip_while(|word| **word != option).nth(1).copied();
    let has = |file: &str, text: &str| {
        fs::read_to_string(root().join(file)).is_ok_and(|contents| contents.contains(text))
    };
    let example = |name: &str| has("examples/Cargo.toml", &format!("name = \"{name}\""));
    let package = |name: &str| {
        let mut folders =
            ["benches", "docs", "snapshot-cli", "snapshot-core", "snapshot-handover", "tests"]
                .iter();
        folders.any(|at| has(&format!("{at}/Cargo.toml"), &format!("name = \"{name}\"")))
    };
    let test = |name: &str| {
        let mut folders = ["docs", "tests"].iter();
        folders.any(|at| has(&format!("{at}/Cargo.toml"), &format!("name = \"{name}\"")))
    };
    match words.as_slice() {
        ["cargo", "xtask", chore, ..] => has("xtask/src/main.rs", &format!("\"{chore}\"")),
        ["cargo", ..] => {
            after("--example").is_none_or(example)
                && after("-p").is_none_or(package)
                && after("--test").is_none_or(test)
        }
        ["SNAPSHOT_UPDATE_LOCK=1", "cargo", "test", ..] => true,
        ["snapshot", ..] => is_parsed(words.iter().take_while(|word| **word != ">")),
        _ => false,
    }
}

/// Whether the tool `snapshot` accepts a command line. The files do not have to exist.
fn is_parsed<'w>(words: impl Iterator<Item = &'w &'w str>) -> bool {
    let nothing = snapshot_cli::Knowledge::default();
    snapshot_cli::run(words.copied(), &nothing, false, &mut std::io::sink()).is_ok()
}

#[test]
fn every_command_exists() {
    let mut findings = Vec::new();
    for page in Page::all().unwrap() {
        if page.path.as_os_str() == FOLLOWED {
            continue;
        }
        for block in page.blocks().iter().filter(|block| block.language == "console") {
            for (line, text) in (block.line + 1..).zip(&block.lines) {
                let Some(command) = text.strip_prefix("$ ") else { continue };
                let command = command.split(" #").next().unwrap_or(command);
                if !is_known(command) {
                    findings.push(at(&page, line, &format!("{command:?} is not known")));
                }
            }
        }
    }
    assert_none(&findings);
}
