//! Follows the tutorial step by step in an empty folder: creates its files, changes them, runs its
//! commands and compares their output.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapshot_docs::{Block, Page, root};

/// The path of the checkout in the tutorial.
const CHECKOUT: &str = "../snapshot/";

/// How much debug information cargo writes; the manifest of the workspace has the same default.
const DEBUG: &str = "CARGO_PROFILE_DEV_DEBUG";

#[test]
fn the_tutorial_works_as_written() {
    let page = Page::read("docs/tutorial.md").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Reader { at: folder.path().to_owned() };
    let mut file = None;
    for block in page.blocks() {
        match block.language {
            "console" => reader.run(&block),
            language => {
                // A block without a file name belongs to the previous file.
                file = named(&block.before).or(file);
                let file = file.as_ref().expect("a block says which file it is");
                match language {
                    "diff" => reader.change(file, &block),
                    _ => reader.write(file, &block),
                }
            }
        }
    }
}

/// The last file name in the text before a block: "Create `src/main.rs`:".
fn named(before: &str) -> Option<String> {
    let (_, name) = before.trim_end().strip_suffix("`:")?.rsplit_once('`')?;
    Some(name.to_owned())
}

/// A reader who follows the page.
struct Reader {
    at: PathBuf,
}

impl Reader {
    fn write(&self, file: &str, block: &Block<'_>) {
        let path = self.at.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, block.lines.join("\n") + "\n").unwrap();
    }

    fn change(&self, file: &str, block: &Block<'_>) {
        let side = |other: char| -> String {
            let lines = block.lines.iter().filter(|line| !line.starts_with(other));
            lines.map(|line| format!("{}\n", &line[1..])).collect()
        };
        let path = self.at.join(file);
        let (text, before, after) = (fs::read_to_string(&path).unwrap(), side('+'), side('-'));
        assert_eq!(text.matches(&before).count(), 1, "line {}: not once in {file}", block.line);
        fs::write(path, text.replace(&before, &after)).unwrap();
    }

    fn run(&mut self, block: &Block<'_>) {
        let mut printed = String::new();
        let mut expects_failure = false;
        for line in &block.lines {
            let Some(command) = line.strip_prefix("$ ") else {
                let is_there = printed.lines().any(|printed| printed == *line);
                assert!(is_there, "line {}: {line:?} is not in:\n{printed}", block.line);
                continue;
            };
            if let Some(folder) = command.strip_prefix("cd ") {
                self.at.push(folder);
                // The versions of this workspace are available without a network.
                fs::copy(root().join("Cargo.lock"), self.at.join("Cargo.lock")).unwrap();
                continue;
            }
            expects_failure = block.lines.iter().any(|line| line.starts_with("error"));
            let (succeeds, output) = cargo(command, &self.at);
            assert_eq!(succeeds, !expects_failure, "line {}: {command}:\n{output}", block.line);
            printed = output;
        }
        assert!(expects_failure || !printed.contains("warning: "), "{printed}");
    }
}

fn cargo(command: &str, at: &Path) -> (bool, String) {
    let checkout = format!("{}/", root().canonicalize().unwrap().display());
    let arguments = command.strip_prefix("cargo ").expect("a command of cargo");
    let mut cargo = Command::new(env!("CARGO"));
    // The variables that cargo sets for the tests of this workspace must not reach the tutorial.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    let output = cargo
        .args(["--config", "profile.dev.package.\"*\".debug=false"])
        .args(arguments.split(' ').map(|argument| argument.replace(CHECKOUT, &checkout)))
        .current_dir(at)
        .env("CARGO_NET_OFFLINE", "true")
        // The folder of this workspace and its profile, so that what is compiled there already is used.
        .env(DEBUG, std::env::var_os(DEBUG).unwrap_or_else(|| "line-tables-only".into()))
        .env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/.."))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
