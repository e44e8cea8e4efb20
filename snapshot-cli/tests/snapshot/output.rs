//! The targets of the output: files, links, pipes and descriptors.

use std::fs;

use crate::acme::Tool;
use crate::program::{Ended, golden, run};
use snapshot_core::Snapshot;

const JSON: &str =
    r#"{"form":"FORM","payload":{"@type":"type.googleapis.com/acme.Disk","size":"7"}}"#;

/// The tool, with the JSON of a snapshot and of a bare `Any`.
fn tool() -> Tool {
    let tool = Tool::new();
    for form in ["snapshot", "any"] {
        tool.files.put(&format!("{form}.json"), JSON.replace("FORM", form).as_bytes());
    }
    tool
}

fn written(tool: &Tool, form: &str, more: &[&str]) -> Ended {
    let file = format!("@{form}.json");
    tool.run(&[&["from-json", &file], more].concat())
}

#[test]
fn a_single_dash_is_the_standard_output() {
    let tool = tool();
    for form in ["snapshot", "any"] {
        let plain = written(&tool, form, &[]);
        assert_eq!(plain.code, 0);
        assert_eq!(written(&tool, form, &["-o", "-"]).stdout, plain.stdout);
    }
    assert!(!std::path::Path::new("-").exists());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_stays_and_a_replaced_file_keeps_its_mode() {
        let tool = tool();
        for form in ["snapshot", "any"] {
            let old = tool.files.put("old", b"old");
            fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).unwrap();
            let link = tool.files.path("current");
            let _ = fs::remove_file(&link);
            symlink("old", &link).unwrap();
            let ended = written(&tool, form, &["-o", "@current"]);
            assert_eq!(ended.code, 3);
            assert!(ended.stderr.contains("already exists"), "{}", ended.stderr);
            assert_eq!(fs::read(&old).unwrap(), b"old");
            written(&tool, form, &["-o", "@current", "--replace"]).fine();
            assert_eq!(fs::read_link(&link).unwrap(), std::path::Path::new("old"));
            assert_eq!(fs::read(&old).unwrap(), written(&tool, form, &[]).stdout);
            assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o644);
        }
    }

    #[test]
    fn only_the_owner_can_read_new_files() {
        let tool = tool();
        written(&tool, "any", &["-o", "@a"]).fine();
        run(["schema", "show", "--schema", "lcow", "-o", tool.files.path("b").to_str().unwrap()])
            .fine();
        for name in ["a", "b"] {
            let mode = fs::metadata(tool.files.path(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn every_command_writes_to_pipes_and_the_standard_output() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let tool = tool();
        let (pipe, link) = (tool.files.path("pipe"), tool.files.path("stdout"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        symlink("/proc/self/fd/1", &link).unwrap();
        for form in ["snapshot", "any"] {
            let expected = written(&tool, form, &[]).stdout;
            for more in [&["-o", "@pipe"][..], &["-o", "@pipe", "--replace"]] {
                let name = pipe.clone();
                let reader = std::thread::spawn(move || fs::read(name).unwrap());
                written(&tool, form, more).fine();
                assert_eq!(reader.join().unwrap(), expected);
            }
            for more in
                [&["-o", "@stdout"][..], &["-o", "@stdout", "--replace"], &["-o", "/dev/stdout"]]
            {
                assert_eq!(written(&tool, form, more).stdout, expected, "{more:?}");
            }
        }
        let shown = run(["schema", "show", "--schema", "lcow", "-o", link.to_str().unwrap()]);
        assert!(shown.code == 0 && !shown.stdout.is_empty());
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

#[test]
fn a_path_without_a_file_name_is_refused_with_the_cure() {
    let tool = tool();
    fs::create_dir(tool.files.path("folder")).unwrap();
    for (path, told) in [
        ("@missing/a", "create its folder first"),
        ("@folder", "name a file in it"),
        ("@snapshot.json/a", "cannot be written"),
    ] {
        let ended = written(&tool, "snapshot", &["-o", path, "--replace"]);
        assert_eq!(ended.code, 3);
        assert!(ended.stderr.contains(told), "{path}: {}", ended.stderr);
    }
    assert!(fs::read_dir(tool.files.path("folder")).unwrap().next().is_none());
    // The written file can be read.
    written(&tool, "snapshot", &["-o", "@folder/a"]).fine();
    Snapshot::read_from_path(tool.files.path("folder/a")).unwrap();
    assert!(golden("expected.tsv").exists());
}
