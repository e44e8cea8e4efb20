//! Checks that no type is forgotten: compares the sources of the examples with their tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The structs with a message of their own: the name after `struct` that follows `message =` in an
/// attribute.
fn states(source: &str) -> BTreeSet<String> {
    let mut states = BTreeSet::new();
    let mut has_message = false;
    for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        has_message |= line.contains("message = ");
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.any(|word| word == "struct")
            && let Some(name) = words.next()
        {
            if has_message {
                states.insert(name.to_owned());
            }
            has_message = false;
        }
    }
    states
}

/// Checks that every state in the sources is named in a call of `check` or `contract` somewhere in
/// `tests`, or built there for one.
#[track_caller]
fn assert_tested(states: &BTreeSet<String>, tests: &str, at_least: usize) {
    assert!(
        states.len() >= at_least,
        "only {states:?} were found: has the form of states changed?"
    );
    let words: BTreeSet<&str> = tests.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let forgotten: Vec<_> = states.iter().filter(|state| !words.contains(state.as_str())).collect();
    assert!(forgotten.is_empty(), "no contract test of {forgotten:?}: add one to this folder");
}

fn states_in(folder: &str) -> BTreeSet<String> {
    let mut paths = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(folder), &mut paths);
    paths.iter().flat_map(|path| states(&std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn no_state_of_the_sandbox_is_forgotten() {
    assert_tested(&states_in("lcow"), include_str!("lcow.rs"), 23);
}

#[test]
fn no_state_of_hcsshim_is_forgotten() {
    assert_tested(&states_in("hcsshim"), include_str!("hcsshim.rs"), 16);
}

/// A template contains its test: after `mod tests`, where its states are built.
#[test]
fn no_template_is_without_a_contract() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut templates = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let (code, tests) = source.split_once("mod tests {").unwrap_or((&source, ""));
        let states = states(code);
        if !states.is_empty() {
            templates += 1;
            assert!(tests.contains("contract"), "{} has no contract test", path.display());
            assert_tested(&states, tests, 1);
        }
    }
    assert!(templates >= 5, "only {templates} templates were found");
}
