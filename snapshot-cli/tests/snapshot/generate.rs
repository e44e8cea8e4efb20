//! Help, completions and man pages.

use crate::program::{Files, run};

const COMMANDS: [&str; 9] =
    ["inspect", "verify", "diff", "json", "from-json", "timeline", "schema", "completions", "man"];

const SCHEMA_COMMANDS: [&str; 3] = ["show", "check", "diff"];

#[test]
fn the_help_has_examples_and_the_exit_codes() {
    let ended = run(["--help"]);
    let text = ended.fine();
    for told in ["Examples:", "snapshot diff before.snapshot", "Exit codes:", "--descriptors"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    for command in COMMANDS {
        assert!(run([command, "--help"]).fine().contains("Usage: snapshot"), "{command}");
    }
    for command in SCHEMA_COMMANDS {
        let ended = run(["schema", command, "--help"]);
        assert!(ended.fine().contains("Example"), "{command}: {}", ended.text());
    }
    assert!(run(["--version"]).fine().starts_with("snapshot "));
    assert_eq!(run::<&str>([]).code, 2);
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(["completions", shell]);
        for command in COMMANDS {
            assert!(ended.fine().contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(run(["completions", "tcsh"]).code, 2);
}

#[test]
fn man_pages_are_generated_from_the_command_line() {
    let page = run(["man"]);
    assert!(page.fine().contains(".TH snapshot 1"), "{}", page.text());
    let files = Files::new();
    let folder = files.path("man");
    run(["man".as_ref(), "--out".as_ref(), folder.as_os_str()]).fine();
    for command in COMMANDS {
        let page = std::fs::read_to_string(folder.join(format!("snapshot-{command}.1")));
        assert!(page.unwrap().contains(command));
    }
    for command in SCHEMA_COMMANDS {
        let page = std::fs::read_to_string(folder.join(format!("snapshot-schema-{command}.1")));
        assert!(page.unwrap().contains(command));
    }
}
