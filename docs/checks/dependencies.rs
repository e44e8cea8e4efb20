//! Checks how the pages depend on this project. On the registry, the name of the core crate belongs to
//! another project, so a reader who copies a dependency on a version gets the code of that project.

use std::fs;
use std::path::{Path, PathBuf};

use snapshot_docs::{Page, root};

use crate::assert_none;

/// The packages that others could depend on.
const OURS: [&str; 5] =
    ["snapshot-core", "snapshot-derive", "snapshot-proto", "snapshot-examples", "snapshot-cli"];

/// Sites that show the packages of the registry.
const REGISTRY_SITES: [&str; 4] = ["docs.rs", "crates.io", "lib.rs", "static.crates.io"];

/// The files that readers see: pages, documentation of the source, manifests. Excludes build output.
fn texts() -> Vec<(PathBuf, String)> {
    let mut texts = Vec::new();
    read_folder(Path::new(""), &mut texts);
    texts
}

fn read_folder(folder: &Path, texts: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = folder.join(&name);
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && !["target", "corpus", "golden"].contains(&name.as_str()) {
                read_folder(&path, texts);
            }
        } else if path.extension().is_some_and(|end| end == "md" || end == "rs" || end == "toml") {
            texts.push((path.clone(), fs::read_to_string(root().join(path)).unwrap()));
        }
    }
}

/// Whether a line depends on a package of ours by a version, or adds one from the registry.
fn is_from_the_registry(line: &str) -> bool {
    let line = line.trim_start_matches(['/', '!', '#', '$', ' ']);
    let depends = OURS.iter().any(|package| {
        let value = line.strip_prefix(package).map(str::trim_start);
        value.and_then(|value| value.strip_prefix('=')).is_some_and(|value| {
            let elsewhere = ["path =", "git =", "workspace ="];
            !elsewhere.iter().any(|place| value.contains(place)) && value.contains('"')
        })
    });
    let words: Vec<&str> = line.split_whitespace().collect();
    let adds = matches!(words.as_slice(), ["cargo", "add" | "install", ..])
        && !words.iter().any(|word| ["--path", "--git"].contains(word))
        && words.iter().any(|word| OURS.contains(&word.split('@').next().unwrap_or(word)));
    depends || adds
}

/// Whether a line links to one of our packages, or to documentation of its modules, on the registry.
fn links_to_the_registry(line: &str) -> bool {
    line.split("://").skip(1).any(|link| {
        let link = link.split([')', '>', '"', ' ', '`']).next().unwrap_or(link);
        let (host, path) = link.split_once('/').unwrap_or((link, ""));
        let mut parts = path.split(['/', '?', '#']);
        REGISTRY_SITES.contains(&host)
            && parts.any(|part| OURS.contains(&part.replace('_', "-").as_str()))
    })
}

#[test]
fn no_page_depends_on_a_package_from_the_registry() {
    let mut findings = Vec::new();
    for (path, text) in texts() {
        // These lines are the examples of this check.
        if path == Path::new("docs/checks/dependencies.rs") {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            if is_from_the_registry(line) || links_to_the_registry(line) {
                findings.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn the_check_recognises_a_dependency_and_a_link_to_the_registry() {
    for line in [
        "snapshot-core = \"0.1\"",
        "//! snapshot-core = { version = \"0.1\", features = [\"testing\"] }",
        "$ cargo add snapshot-core",
        "$ cargo install snapshot-cli --locked",
        "cargo add --dev snapshot-core@0.1",
    ] {
        assert!(is_from_the_registry(line), "{line}");
    }
    for line in [
        "snapshot-core = { path = \"../snapshot/snapshot-core\" }",
        "snapshot-core = { workspace = true, features = [\"testing\"] }",
        "snapshot-core.workspace = true",
        "$ cargo add --path ../snapshot/snapshot-core",
    ] {
        assert!(!is_from_the_registry(line), "{line}");
    }
    assert!(links_to_the_registry("[`Wire`](https://docs.rs/snapshot-core/latest/snapshot_core/)"));
    assert!(links_to_the_registry("<https://crates.io/crates/snapshot-core>"));
    assert!(!links_to_the_registry("[prost](https://docs.rs/prost/latest/prost/)"));
}

#[test]
fn nothing_is_published() {
    let manifests = texts().into_iter().filter(|(path, text)| {
        path.file_name().is_some_and(|name| name == "Cargo.toml") && text.contains("[package]")
    });
    let is_kept =
        |text: &str| text.contains("publish.workspace = true") || text.contains("publish = false");
    let published: Vec<String> = manifests
        .filter(|(_, text)| !is_kept(text))
        .map(|(path, _)| format!("{} does not say `publish.workspace = true`", path.display()))
        .collect();
    assert_none(&published);
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("publish = false"));
}

/// The build scripts on the front page of the documentation. They are not doctests, because a doctest
/// does not have the dependencies of a build script.
#[test]
fn the_build_scripts_of_the_front_page_are_those_that_are_run() {
    let front_page = Page::read("snapshot-core/src/front_page.md").unwrap();
    let scripts: Vec<String> = front_page
        .blocks()
        .iter()
        .filter(|block| block.lines.first() == Some(&"// build.rs"))
        .map(|block| block.lines[1..].join("\n"))
        .collect();
    // The first is the tutorial's, which a test follows; the second is compiled by `cargo test`.
    let tutorial = Page::read("docs/tutorial.md").unwrap();
    let with_tonic = fs::read_to_string(root().join("tests/tonic/build.rs")).unwrap();
    let [plain, tonic] = scripts.as_slice() else { panic!("{} scripts", scripts.len()) };
    assert!(tutorial.text.contains(plain), "not the tutorial's:\n{plain}");
    assert!(with_tonic.contains(tonic), "not that of tests/tonic:\n{tonic}");
}
