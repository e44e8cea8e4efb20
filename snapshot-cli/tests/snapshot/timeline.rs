//! `snapshot timeline`: the picture agrees with the report, for successful and failed migrations.

use std::path::PathBuf;
use std::sync::Arc;

use futures_executor::block_on;
use snapshot_core::{Incoming, MigrationReport, Phase, Session, SideReport, Source};
use snapshot_examples::lcow::{FakeHost, Sandbox, sample};

use crate::program::{Files, run};

/// Moves a sandbox of two containers; the destination fails at the given place.
fn migrate(fail: Option<(Phase, &str)>) -> [SideReport; 2] {
    let sandbox = sample::sandbox(2).unwrap();
    let plan = Arc::new(sample::plan(&sandbox));
    let (here, mut there) = (Session::new(), Session::new());
    if let Some((phase, id)) = fail {
        there = there.fail_at(phase, id);
    }
    let there = there.resource(Arc::new(FakeHost::new().handle())).resource(plan);
    block_on(async {
        let frozen = Source::new(&sandbox).freeze(&here).await.unwrap();
        let snapshot = frozen.save().unwrap();
        let imported = Incoming::from(snapshot).import::<Sandbox>().unwrap();
        let patched = match imported.patch(&there).await {
            Ok(patched) => patched,
            Err(failure) => {
                frozen.rollback().await.unwrap();
                let source = here.report("source").failed_in(failure.phase(), failure.cause());
                return [source, there.report("destination").failed(&failure)];
            }
        };
        patched.resume(&there).await.unwrap();
        frozen.commit().await.unwrap();
        [here.report("source"), there.report("destination")]
    })
}

fn draw(files: &Files, report: &MigrationReport) -> String {
    let json = report.to_json();
    assert_eq!(MigrationReport::from_json(json.as_bytes()).unwrap(), *report);
    let (report, picture) = (files.put("report.json", json.as_bytes()), files.path("m.svg"));
    let line = ["timeline".as_ref(), report.as_os_str(), "-o".as_ref(), picture.as_os_str()];
    assert_eq!(run(line).fine(), "");
    std::fs::read_to_string(picture).unwrap()
}

#[test]
fn every_hook_of_both_sides_has_a_bar_and_the_blackout_is_marked() {
    let [source, destination] = migrate(None);
    let bars: usize =
        [&source, &destination].map(|side| side.hooks.len() + side.phases.len()).iter().sum();
    assert!(source.hooks.iter().any(|hook| hook.phase == "commit"));
    assert_eq!(
        destination.phases.iter().map(|p| p.phase.as_str()).collect::<Vec<_>>(),
        ["import", "patch", "resume"]
    );
    let saved: Vec<_> = source.saved.iter().map(|s| s.controller.clone()).collect();
    let files = Files::new();
    let picture = draw(&files, &MigrationReport::new([source, destination]));
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert_eq!(picture.matches(" height=\"12.00\"><title>").count(), bars);
    assert_eq!(picture.matches("<rect class=\"blackout\"").count(), 1);
    for id in saved {
        let label = format!(">{}</text>", id.replace('"', "&quot;"));
        assert!(picture.contains(&label) || id.len() > 40, "{label}");
    }
    assert!(!picture.contains("failed\""), "{picture}");
    assert!(picture.contains(">Migration</text>"));
    assert!(picture.contains(">blackout "));
}

#[test]
fn the_blackout_ends_when_the_destination_is_live() {
    let [source, destination] = migrate(None);
    let blackout = source.blackout.clone().unwrap();
    let resume = destination.phases.last().unwrap();
    let end = destination.started_ns + resume.began_ns + resume.took_ns;
    let commit = source.phases.last().unwrap();
    assert_eq!(commit.phase, "commit");
    assert!(source.started_ns + commit.began_ns >= end, "one after the other");
    assert!(blackout.began_ns + blackout.took_ns >= commit.began_ns);
    let took = end - source.started_ns - blackout.began_ns;
    let micros = took as f64 / 1e3;
    let picture = draw(&Files::new(), &MigrationReport::new([source, destination]));
    let title = picture.split("<title>blackout ").nth(1).unwrap();
    let (number, unit) = title.split_once('<').unwrap().0.split_once(' ').unwrap();
    let shown: f64 = number.parse().unwrap();
    let shown = if unit == "ms" { shown * 1e3 } else { shown };
    assert!((shown - micros).abs() <= micros * 0.01, "{shown} {micros}");
}

#[test]
fn a_failed_migration_is_drawn_with_its_place_its_cause_and_its_undo() {
    let sides = migrate(Some((Phase::Patch, "vm/scsi")));
    let failure = sides[1].failure.clone().unwrap();
    assert_eq!((failure.phase.as_str(), failure.code.as_str()), ("patch", "INTERNAL"));
    assert_eq!(failure.findings[0].controller.as_deref(), Some("vm/scsi"));
    let of = |id: &str| failure.controllers.iter().find(|c| c.controller == id).unwrap();
    assert_eq!((of("vm/scsi").outcome.as_str(), of("vm/scsi").undo.as_str()), ("failed", "done"));
    assert_eq!(of("vm").undo, "done");
    assert!(failure.undo.is_empty());

    let picture = draw(&Files::new(), &MigrationReport::new(sides));
    assert!(picture.contains("Migration failed in patch on the destination: INTERNAL"));
    assert!(picture.contains("<rect class=\"patch failed\""), "{picture}");
    assert!(picture.contains("destination: vm/scsi: fails on purpose"), "{picture}");
    assert!(picture.contains("<rect class=\"thaw\""), "the source went on: {picture}");
}

#[test]
fn the_sides_can_be_in_separate_files_and_the_picture_can_go_to_a_pipe() {
    let files = Files::new();
    let names = ["a.json", "b.json"];
    let paths: Vec<PathBuf> = migrate(None)
        .into_iter()
        .zip(names)
        .map(|(side, name)| files.put(name, MigrationReport::new([side]).to_json().as_bytes()))
        .collect();
    let ended = run(["timeline".as_ref(), paths[0].as_os_str(), paths[1].as_os_str()]);
    let both = ended.fine();
    assert!(both.contains(">source</text>") && both.contains(">destination</text>"));
    let ended = run(["timeline".as_ref(), paths[0].as_os_str()]);
    assert!(!ended.fine().contains(">destination</text>"));
}

#[test]
fn a_file_that_is_not_a_report_is_refused() {
    let files = Files::new();
    for (json, told) in [
        ("", "is empty"),
        ("{}", "it has no format"),
        (r#"{"format":2,"sides":[]}"#, "has report format 2, but this build reads format 1"),
        (r#"{"format":1,"sides":[]}"#, "nothing to draw"),
        (r#"{"format":1,"sides":[{"phases":1}]}"#, "not the report of a migration"),
    ] {
        let path = files.put("a.json", json.as_bytes());
        let ended = run(["timeline".as_ref(), path.as_os_str()]);
        assert_eq!(ended.code, 3);
        assert!(ended.stderr.contains(told), "{json}: {}", ended.stderr);
    }
}

#[test]
fn extreme_times_and_names_with_markup_are_harmless() {
    let max = u64::MAX;
    let json = format!(
        r#"{{"format":1,"sides":[{{"side":"<&\"","started_ns":{max},
        "phases":[{{"phase":"<x>","began_ns":{max},"took_ns":{max},"succeeded":false}},
                  {{"phase":"freeze","began_ns":0,"took_ns":0,"succeeded":true}}],
        "hooks":[{{"controller":"]]>","type_url":"","phase":"","began_ns":7,"took_ns":{max}}},
                 {{"controller":"]]>","type_url":"","phase":"","began_ns":7,"took_ns":{max}}}],
        "blackout":{{"began_ns":{max},"took_ns":{max}}},
        "failure":{{"phase":"\u001b","findings":[{{"reason":"<script>"}}]}}}}]}}"#
    );
    let files = Files::new();
    let ended = run(["timeline".as_ref(), files.put("a.json", json.as_bytes()).as_os_str()]);
    let picture = ended.fine();
    assert!(!picture.contains("<script>") && !picture.contains("<x>"), "{picture}");
    assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
}

#[test]
fn controllers_that_do_not_fit_are_omitted_and_counted() {
    let hook = |number: u64| {
        format!(
            r#"{{"controller":"c{number}","phase":"freeze","began_ns":0,"took_ns":{number},"succeeded":true}}"#
        )
    };
    let hooks: Vec<_> = (1..=100).map(hook).collect();
    let json = format!(
        r#"{{"format":1,"sides":[{{"side":"source","hooks":[{}],
        "phases":[{{"phase":"freeze","began_ns":0,"took_ns":100,"succeeded":true}}]}}]}}"#,
        hooks.join(",")
    );
    let files = Files::new();
    let ended = run(["timeline".as_ref(), files.put("a.json", json.as_bytes()).as_os_str()]);
    let picture = ended.fine();
    assert!(picture.contains("20 controllers omitted"), "{picture}");
    assert!(picture.contains(">c100</text>") && !picture.contains(">c20</text>"));
}
