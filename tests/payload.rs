//! Runs the example `payload` like a user: with the goldens, with other files, and with wrong arguments.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod example_binary;
#[path = "payload/program.rs"]
mod program;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use program::{Ended, run};
use serde_json::Value;
use tempfile::tempdir;

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{file}.binpb"))
}

/// The goldens of hcsshim with this verdict, by kind.
fn hcsshim_goldens(kind: &str, wanted: &str) -> Vec<PathBuf> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/hcsshim/expected.tsv");
    let table = fs::read_to_string(table).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let is_it = columns[1] == kind && columns[3] == wanted;
        is_it.then(|| golden(&format!("hcsshim/{}", columns[0])))
    })
    .collect()
}

/// The goldens of an LCOW sandbox of this kind, either those with unknown stages or the others.
fn lcow_goldens(kind: &str, refused: bool) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/lcow").join(kind);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "binpb"))
        .filter(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap();
            (name.ends_with("_99") || name.ends_with("negative")) == refused
        })
        .collect()
}

const HCSSHIM: [&str; 8] =
    ["any", "migration", "vm", "scsi", "network", "pod", "linuxcontainer", "process"];
const LCOW: [&str; 7] = ["vm", "scsi", "vpci", "plan9", "network", "linuxcontainer", "process"];

fn call(options: &[&str], files: &[PathBuf]) -> Ended {
    let options = options.iter().map(AsRef::<OsStr>::as_ref);
    run(options.chain(files.iter().map(AsRef::as_ref)))
}

/// The lines for these files, without the names.
#[track_caller]
fn verdicts(ended: &Ended, files: &[PathBuf]) -> Vec<String> {
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), files.len(), "{ended:?}");
    let verdict = |(line, file): (&&str, &PathBuf)| {
        let rest = line.strip_prefix(file.to_str().unwrap()).expect("the file as it was given");
        rest.strip_prefix('\t').expect("a tab").to_owned()
    };
    lines.iter().zip(files).map(verdict).collect()
}

#[track_caller]
fn recodes_unchanged(options: &[&str], files: &[PathBuf]) {
    let ended = call(&[options, &["verify"]].concat(), files);
    assert_eq!(verdicts(&ended, files), vec!["ok"; files.len()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    // One by one, because goldens in different folders have the same names.
    for file in files {
        let dir = tempdir().unwrap();
        let out = dir.path().join("new/out");
        let to = ["recode", "--out", out.to_str().unwrap()];
        let ended = call(&[&to, options].concat(), std::slice::from_ref(file));
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
        let written: Vec<_> =
            fs::read_dir(&out).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(written, [out.join(file.file_name().unwrap())]);
        assert_eq!(fs::read(&written[0]).unwrap(), fs::read(file).unwrap(), "{file:?}");
    }
}

#[test]
fn canonical_payloads_of_hcsshim_are_right_and_come_back_unchanged() {
    let mut count = 0;
    for kind in HCSSHIM {
        let files = hcsshim_goldens(kind, "same");
        recodes_unchanged(&["--kind", kind], &files);
        count += files.len();
    }
    assert_eq!(count, 61);
}

#[test]
fn payloads_of_a_sandbox_are_right_and_come_back_unchanged() {
    let mut count = 0;
    for kind in LCOW {
        let files = lcow_goldens(kind, false);
        recodes_unchanged(&["--schema", "lcow", "--kind", kind], &files);
        count += files.len();
    }
    assert_eq!(count, 22);
}

#[test]
fn a_payload_that_is_not_canonical_is_rewritten_as_go_writes_it() {
    let mut count = 0;
    for kind in HCSSHIM {
        for file in hcsshim_goldens(kind, "reencoded") {
            let dir = tempdir().unwrap();
            let out = dir.path().to_str().unwrap();
            let ended =
                call(&["recode", "--kind", kind, "--out", out], std::slice::from_ref(&file));
            assert_eq!(ended.code, 0, "{ended:?}");
            let again = fs::read(dir.path().join(file.file_name().unwrap())).unwrap();
            assert_eq!(again, fs::read(file.with_extension("reencoded")).unwrap(), "{file:?}");
            count += 1;
        }
    }
    assert_eq!(count, 4);
}

#[test]
fn whatever_is_wrong_is_refused_with_a_reason_and_leaves_nothing() {
    let mut count = 0;
    let of_hcsshim = HCSSHIM.map(|kind| (vec!["--kind", kind], hcsshim_goldens(kind, "refused")));
    let of_lcow = ["linuxcontainer", "process", "vm", "vpci"]
        .map(|kind| (vec!["--schema", "lcow", "--kind", kind], lcow_goldens(kind, true)));
    for (options, files) in of_hcsshim.into_iter().chain(of_lcow) {
        if files.is_empty() {
            continue;
        }
        let ended = call(&[&["verify"], &options[..]].concat(), &files);
        for verdict in verdicts(&ended, &files) {
            let reason = verdict.strip_prefix("refused\t").expect(&verdict);
            assert!(!reason.is_empty() && !reason.contains(['\t', '\r', '\n']), "{reason:?}");
        }
        assert_eq!(ended.code, 1);
        let dir = tempdir().unwrap();
        let to = ["recode", "--out", dir.path().to_str().unwrap()];
        let one = &files[..1];
        let ended = call(&[&to, &options[..]].concat(), one);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
        let begin = format!("{}: refused: ", one[0].display());
        assert!(ended.stderr.starts_with(&begin), "{ended:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let ended = call(&[&["json"], &options[..]].concat(), one);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
        assert!(ended.stderr.starts_with(&begin), "{ended:?}");
        count += files.len();
    }
    assert_eq!(count, 231 + 5);
}

#[test]
fn a_reason_tells_the_place() {
    let files = [
        golden("hcsshim/bad/semantic/env_dangling_reservation"),
        golden("hcsshim/envelope/container_with_exec"),
    ];
    let ended = call(&["verify"], &files);
    let verdicts = verdicts(&ended, &files);
    assert!(
        verdicts[0].starts_with("refused\tpods/p/containers/c: ")
            && verdicts[0].contains(".scsi_reservation_ids[0]: refers to scsi.reservation"),
        "{verdicts:?}"
    );
    assert_eq!(verdicts[1], "ok");
    assert_eq!(ended.code, 1);
}

#[test]
fn a_payload_is_shown_as_the_json_of_protobuf() {
    for (kind, file) in HCSSHIM
        .iter()
        .flat_map(|kind| hcsshim_goldens(kind, "same").into_iter().map(move |f| (kind, f)))
    {
        let ended = call(&["json", "--kind", kind], std::slice::from_ref(&file));
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{file:?}");
        assert!(serde_json::from_str::<Value>(&ended.stdout).unwrap().is_object());
    }
    let show = |options: &[&str], file: &str| -> Value {
        serde_json::from_str(&call(options, &[golden(file)]).stdout).unwrap()
    };
    let sandbox = show(&["json"], "hcsshim/envelope/container_with_exec");
    let url = |kind: &str| format!("type.microsoft.com/hcsshim.controller.{kind}.save.v1.Payload");
    assert_eq!(sandbox["@type"], url("migration"));
    assert_eq!(sandbox["vm"]["scsi"]["@type"], url("scsi"));
    assert_eq!(sandbox["vm"]["scsi"]["disks"]["2"]["mounts"]["0"]["refCount"], 1);
    let container = &sandbox["pods"][0]["containers"][0];
    assert_eq!(container["ioRetryTimeout"], "5s");
    assert_eq!(container["processes"]["exec-1"]["@type"], url("process"));
    assert_eq!(container["processes"]["exec-1"]["pid"], 777);
    let exec = container["processes"]["exec-1"]["ociProcessSpecJson"].as_str().unwrap();
    assert_eq!(exec, "eyJjd2QiOiIvIiwiYXJncyI6WyJzaCJdfQ==");

    let vm = show(&["--schema", "lcow", "json", "--kind", "vm"], "lcow/vm/typical");
    assert_eq!(vm["scsi"]["@type"], "type.googleapis.com/lcow.v1.ScsiSnapshot");
    assert_eq!(vm["state"], "STAGE_MIGRATING");
}

#[test]
fn the_same_bytes_are_the_same_json_every_time() {
    let json = || call(&["json"], &[golden("hcsshim/envelope/container_with_exec")]).stdout;
    let first = json();
    assert!((0..5).all(|_| json() == first));
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let dir = tempdir().unwrap();
    let files = [dir.path().join("none"), dir.path().to_path_buf()];
    let ended = call(&["verify"], &files);
    assert_eq!(ended.code, 1);
    for verdict in verdicts(&ended, &files) {
        assert!(verdict.starts_with("refused\tcannot be read: "), "{verdict}");
    }
}

#[test]
fn an_empty_file_and_one_of_another_schema_are_refused() {
    let dir = tempdir().unwrap();
    let empty = dir.path().join("empty");
    fs::write(&empty, b"").unwrap();
    for (options, reason) in [
        (vec!["verify"], "has no type URL"),
        (vec!["verify", "--kind", "process"], "schema_version: has no schema version"),
        (vec!["verify", "--schema", "lcow", "--kind", "plan9"], "schema_version: has no schema"),
    ] {
        let ended = call(&options, std::slice::from_ref(&empty));
        let verdict = &verdicts(&ended, std::slice::from_ref(&empty))[0];
        assert!(verdict.starts_with(&format!("refused\t{reason}")), "{verdict}");
    }
    let file = [golden("hcsshim/envelope/container_with_exec")];
    let ended = call(&["--schema", "lcow", "verify"], &file);
    assert!(verdicts(&ended, &file)[0].contains("which no payload of a sandbox has"), "{ended:?}");
}

#[test]
fn a_length_in_a_file_costs_nothing() {
    // An `Any` whose value claims 2 GiB and has no bytes.
    let dir = tempdir().unwrap();
    let file = dir.path().join("huge");
    let mut bytes = b"\x12\x80\x80\x80\x80\x08".to_vec();
    bytes.resize(100, 1);
    fs::write(&file, bytes).unwrap();
    let ended = call(&["verify"], std::slice::from_ref(&file));
    let verdict = &verdicts(&ended, std::slice::from_ref(&file))[0];
    assert!(verdict.starts_with("refused\tvalue: "), "{verdict}");
    let longest = fs::File::create(&file).unwrap();
    longest.set_len((16 << 20) + 1).unwrap();
    let ended = call(&["verify"], std::slice::from_ref(&file));
    let verdict = &verdicts(&ended, std::slice::from_ref(&file))[0];
    assert_eq!(verdict, "refused\tis longer than 16 MiB, which no payload is");
}

#[test]
fn two_files_of_one_name_are_not_written_over_each_other() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    let to = ["recode", "--out", out.to_str().unwrap()];
    let files =
        [golden("hcsshim/any/process/minimal"), golden("hcsshim/any/linuxcontainer/minimal")];
    let ended = call(&to, &files);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("would both be written to"), "{ended:?}");
    assert!(!out.exists());
    // A file is not written over itself either.
    let own = dir.path().join("process.binpb");
    fs::copy(&files[0], &own).unwrap();
    let ended = call(&["recode", "--out", dir.path().to_str().unwrap()], &[own]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("would be written over itself"), "{ended:?}");
}

#[test]
fn accepted_files_are_written_and_a_failed_write_is_reported() {
    let dir = tempdir().unwrap();
    let files = [
        golden("hcsshim/bad/unknown/varint"),
        golden("hcsshim/payload/process/full"),
        golden("hcsshim/payload/process/minimal"),
    ];
    fs::create_dir(dir.path().join("minimal.binpb")).unwrap();
    let to = ["recode", "--kind", "process", "--out", dir.path().to_str().unwrap()];
    let ended = call(&to, &files);
    assert_eq!((ended.code, ended.stderr.lines().count()), (1, 2), "{ended:?}");
    assert!(ended.stderr.contains("minimal.binpb"), "{ended:?}");
    let written = fs::read(dir.path().join("full.binpb")).unwrap();
    assert_eq!(written, fs::read(&files[1]).unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_wrong_command_line_has_another_exit_code_than_a_refusal() {
    let file = golden("hcsshim/any/process/minimal");
    let file = file.to_str().unwrap();
    for (call, reason) in [
        (vec![], "Usage"),
        (vec!["verify"], "FILE"),
        (vec!["recode", file], "--out"),
        (vec!["verify", "--schema", "other", file], "possible values: hcsshim, lcow"),
        (
            vec!["verify", "--kind", "plan9", file],
            "--kind: \"plan9\" is no kind of payload: migration, vm",
        ),
        (vec!["--schema", "lcow", "--kind", "migration", "json", file], "is no kind of payload"),
    ] {
        let ended = run(call.iter().map(AsRef::<OsStr>::as_ref));
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{call:?}");
        assert!(ended.stderr.contains(reason), "{ended:?}");
    }
}
