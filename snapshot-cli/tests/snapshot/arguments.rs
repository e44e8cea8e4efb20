//! Arguments: options without effect are refused, and refused arguments are displayed safely.

use crate::acme::{Tool, any};
use crate::program::{Files, golden, run};

#[test]
fn an_option_without_effect_on_a_command_is_refused() {
    let tool = Tool::new();
    let lock = golden("earlier.lock");
    let lock = lock.to_str().unwrap();
    for words in [
        &["timeline", "report.json"][..],
        &["schema", "check", lock],
        &["schema", "diff", lock, lock],
        &["schema", "show", lock],
        &["schema", "show", "--schema", "lcow"],
        &["completions", "bash"],
        &["man"],
    ] {
        let ended = tool.run(words);
        assert_eq!(ended.code, 2, "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("--descriptors has no effect on"), "{}", ended.stderr);
        let line = words.iter().chain(&["--id", "acme.Disk=size"]);
        assert!(run(line).stderr.contains("--id has no effect on"), "{words:?}");
    }
    assert_eq!(run(["man", "--limit", "3"]).code, 2);
    let ended = run(["diff", "-", "-"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("can be read only once"), "{}", ended.stderr);
}

#[test]
fn an_id_of_an_unknown_message_or_field_is_refused() {
    let tool = Tool::new();
    let file = tool.files.put("a", &any("Disk", b"\x08\x01"));
    let file = file.to_str().unwrap();
    for (id, told) in [
        ("acme.Disc=size", "no message acme.Disc is known"),
        ("acme.Disk=sise", "acme.Disk has no field sise"),
        ("acme.Pod=mounts", "an id is a string, an integer, a bool or an enum"),
        ("acme.Every=d", "an id is"),
    ] {
        for command in ["inspect", "verify", "json"] {
            let ended = tool.run(&[command, file, "--id", id]);
            assert_eq!(ended.code, 3, "{id}");
            assert!(ended.stderr.contains(told), "{id}: {}", ended.stderr);
        }
    }
    let ended =
        tool.run(&["inspect", file, "--id", "acme.Disk=size", "--id", "acme.Disk=schema_version"]);
    assert!(ended.stderr.contains("another field was given"), "{}", ended.stderr);
}

#[test]
fn an_empty_file_is_refused() {
    let files = Files::new();
    let empty = files.put("empty", b"");
    let empty = empty.to_str().unwrap();
    let any = golden("any/scsi/minimal.binpb");
    let any = any.to_str().unwrap();
    let lock = golden("earlier.lock");
    let lock = lock.to_str().unwrap();
    for words in [
        &["inspect", empty][..],
        &["verify", empty],
        &["verify", any, "--manifest", empty],
        &["diff", any, empty],
        &["json", empty],
        &["from-json", empty],
        &["timeline", empty],
        &["schema", "show", empty],
        &["schema", "check", empty],
        &["schema", "check", lock, "--manifest", empty],
        &["schema", "diff", empty, empty],
        &["inspect", any, "--descriptors", empty],
    ] {
        let ended = run(words);
        assert_eq!((ended.code, ended.stdout.len()), (3, 0), "{words:?}");
        assert!(ended.stderr.contains("empty: is empty"), "{words:?}: {}", ended.stderr);
    }
    // Bytes of an empty manifest: an unknown field is reported as well.
    let comment = files.put("comment", b"# a comment\n");
    assert_eq!(run(["schema", "show", comment.to_str().unwrap()]).code, 3);
}

/// Text that would control a terminal or forge a line of a log.
const ACTING: &str = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{200b}\u{2028}\nsnapshot: forged";

#[track_caller]
fn assert_safe(text: &str) {
    let acts = |c: char| {
        c != '\n' && (c.is_control() || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2028}'))
    };
    assert!(!text.contains(acts), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("snapshot: forged")), "{text:?}");
}

#[test]
fn text_that_controls_a_terminal_is_escaped_from_every_source() {
    let tool = Tool::new();
    // As a type URL, an id, a value, and an unknown type.
    let value = crate::acme::delimited(5, ACTING.as_bytes());
    let child = any("Part", &value);
    let slots = crate::acme::delimited(4, &crate::acme::delimited(1, ACTING.as_bytes()));
    let vm = any("Vm", &crate::acme::delimited(4, &child));
    let url = prost::Message::encode_to_vec(&prost_types::Any {
        type_url: format!("a/{ACTING}"),
        value: vec![0xff],
    });
    let name = |file: &str| tool.files.path(file).to_str().unwrap().to_owned();
    for (file, bytes) in
        [("vm", &vm), ("slots", &any("Slots", &slots)), ("url", &url), ("part", &child)]
    {
        tool.files.put(file, bytes);
    }
    let escaped = ACTING.replace('/', "%2F");
    for words in [
        vec!["inspect", &name("vm"), "--id", "acme.Part=name"],
        vec!["inspect", &name("vm"), "--id", "acme.Part=name", "--json"],
        vec!["inspect", &name("part"), "--path", "."],
        vec!["inspect", &name("part"), "--path", ".", "--json"],
        vec!["inspect", &name("vm"), "--path", &escaped],
        vec!["inspect", &name("slots"), "--path", "."],
        vec!["inspect", &name("url")],
        vec!["verify", &name("url")],
        vec!["verify", &name("vm"), "--id", "acme.Part=name"],
        vec!["json", &name("vm")],
        vec!["json", &name("url")],
        vec!["diff", &name("vm"), &name("part")],
        vec!["diff", &name("slots"), &name("url")],
        vec!["diff", &name("vm"), &name("url"), "--id", "acme.Part=name"],
        vec!["inspect", ACTING],
        vec!["inspect", &name("vm"), "--id", ACTING],
        vec!["inspect", &name("vm"), "--id", &format!("{ACTING}=a")],
        vec!["from-json", &name("vm"), "-o", ACTING],
        vec![ACTING],
        vec!["--limit", ACTING, "man"],
        vec!["schema", "show", "--message", ACTING],
        vec!["schema", "show", "--schema", ACTING],
    ] {
        let ended = match words.first() {
            Some(&"schema") => run(&words),
            _ => tool.run(&words),
        };
        assert_safe(ended.text());
        assert_safe(&ended.stderr);
    }
    let told = tool.restore(
        "Part",
        &format!("\"{}\": 1", ACTING.escape_default().to_string().replace("\\u{", "x")),
    );
    assert_safe(&told.stderr);
    let members = serde_json::json!({ ACTING: 1 }).to_string();
    let told = tool.restore("Part", members.trim_matches(['{', '}']));
    assert_eq!(told.code, 3);
    assert_safe(&told.stderr);
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_utf_8_stays_on_its_line() {
    use std::os::unix::ffi::OsStrExt;
    let word = std::ffi::OsStr::from_bytes(b"--no\xff\nsnapshot: all is right\x1b[2J");
    let ended = run([word]);
    assert_eq!(ended.code, 2);
    let mut lines = ended.stderr.lines();
    assert!(!lines.any(|text| text.starts_with("snapshot: ")), "{}", ended.stderr);
    assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
}
