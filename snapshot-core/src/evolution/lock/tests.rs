//! The text form, the file, and one change of each kind.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Lock;
use crate::evolution::{Verdict, compatible};
use crate::schema::Manifest;
use crate::wire::v1::manifest::{Enum, Field, Message, Older, Payload, StageRules, Value};

const URL: &str = "type.googleapis.com/a.v1.Disk";

fn field(number: u32, name: &str, kind: &str) -> Field {
    Field { number, name: name.to_owned(), kind: kind.to_owned(), ..Field::default() }
}

fn value(number: i32, name: &str) -> Value {
    Value { number, name: name.to_owned(), since: 0 }
}

fn manifest() -> Manifest {
    Manifest {
        payloads: vec![Payload {
            type_url: URL.to_owned(),
            version: 1,
            accepts: vec![1],
            saves: vec![1],
            message: "a.v1.Disk".to_owned(),
            stage_rules: Some(StageRules {
                save_from: vec!["Attached".to_owned()],
                freeze_to: "Migrating".to_owned(),
                carried: true,
                ..StageRules::default()
            }),
            ..Payload::default()
        }],
        messages: vec![
            Message {
                name: "a.v1.Disk".to_owned(),
                fields: vec![
                    field(1, "image", "string"),
                    field(2, "stage", "a.v1.Disk.Stage"),
                    field(3, "mounts", "map<uint64, a.v1.Mount>"),
                ],
            },
            Message {
                name: "a.v1.Mount".to_owned(),
                fields: vec![Field {
                    defines: vec!["values: mount path".to_owned()],
                    ..field(1, "path", "string")
                }],
            },
        ],
        enums: vec![Enum {
            name: "a.v1.Disk.Stage".to_owned(),
            values: vec![value(0, "RESERVED"), value(1, "ATTACHED")],
        }],
        limits: None,
    }
}

/// The next version, which reads the first one with the same message.
fn second() -> Manifest {
    let mut second = manifest();
    let payload = &mut second.payloads[0];
    payload.version = 2;
    payload.accepts = vec![1, 2];
    payload.saves = vec![1, 2];
    second.messages[0].fields.push(Field { since: 2, ..field(4, "size", "uint64") });
    second
}

/// A version without the image. It reads the second one as the message that was released.
fn third() -> Manifest {
    let mut third = second();
    let payload = &mut third.payloads[0];
    payload.version = 3;
    payload.accepts = vec![2, 3];
    payload.saves = vec![3];
    payload.older =
        vec![Older { version: 2, message: "a.v1.DiskV2".to_owned(), ..Older::default() }];
    let mut old = third.messages[0].clone();
    old.name = "a.v1.DiskV2".to_owned();
    third.messages.push(old);
    third.messages[0].fields.remove(0);
    third
}

#[track_caller]
fn lock(manifest: &Manifest) -> Lock {
    Lock::of(manifest).unwrap()
}

#[track_caller]
fn refused(lock: &Lock, manifest: &Manifest) -> String {
    lock.updated(manifest).unwrap_err().to_string()
}

const SECOND: &str = "\
format 1

payload type.googleapis.com/a.v1.Disk
  accepts 1 2
  saves 1 2
  freeze_to Migrating

  version 1
    root a.v1.Disk
    stage carried
    save_from Attached

    message a.v1.Disk
      1 image: string
      2 stage: a.v1.Disk.Stage
      3 mounts: map<uint64, a.v1.Mount>

    message a.v1.Mount
      1 path: string
        defines values: mount path

    enum a.v1.Disk.Stage
      0 RESERVED
      1 ATTACHED

  version 2
    root a.v1.Disk
    stage carried
    save_from Attached

    message a.v1.Disk
      1 image: string
      2 stage: a.v1.Disk.Stage
      3 mounts: map<uint64, a.v1.Mount>
      4 size: uint64
        since 2

    message a.v1.Mount
      1 path: string
        defines values: mount path

    enum a.v1.Disk.Stage
      0 RESERVED
      1 ATTACHED
";

#[test]
fn a_lock_has_a_record_for_each_version_and_one_fact_per_line() {
    let text = lock(&second()).to_string();
    let body: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(body, SECOND.lines().collect::<Vec<_>>());
    assert_eq!(text.parse::<Lock>().unwrap(), lock(&second()));
}

#[test]
fn line_ends_and_indentation_do_not_change_a_lock() {
    let text = SECOND.replace("  ", "\t").replace('\n', "\r\n") + "\r\n# a remark\r\n";
    assert_eq!(text.parse::<Lock>().unwrap(), lock(&second()));
}

#[test]
fn a_lock_returns_the_manifest_that_it_was_made_from() {
    assert_eq!(lock(&manifest()).manifest().unwrap(), manifest());
    // With the older versions, whether read by the same message or by one of their own.
    assert_eq!(lock(&second()).manifest().unwrap(), second());
    let third = lock(&second()).updated(&third()).unwrap();
    let mut expected = self::third();
    expected.messages.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(third.manifest().unwrap(), expected);
    // If the older version's mounts differ from the current ones, they get a name of their own.
    expected.messages[2].fields.push(Field { since: 3, ..field(2, "options", "string") });
    let third = lock(&second()).updated(&expected).unwrap().manifest().unwrap();
    let names: Vec<_> = third.messages.iter().map(|message| message.name.as_str()).collect();
    assert_eq!(names, ["a.v1.Disk", "a.v1.DiskV2", "a.v1.Mount", "a.v1.Mount@a.v1.DiskV2"]);
    assert_eq!(third.messages[1].fields[2].kind, "map<uint64, a.v1.Mount@a.v1.DiskV2>");
    assert_eq!(third.messages[3].fields, manifest().messages[1].fields);
    for release in [manifest(), second()] {
        let verdict = &compatible(&release, &third).payloads[0].verdict;
        let version = release.payloads[0].version;
        match version {
            1 => assert_eq!(*verdict, Verdict::VersionNotAccepted { version, accepts: vec![2, 3] }),
            _ => assert_eq!(*verdict, Verdict::ReadableAfterUpgrade { version }),
        }
    }

    let other = SECOND.replace("a.v1.Disk\n", "b.Disk\n").replace("1 path:", "1 place:");
    let both = format!("{SECOND}{}", other.strip_prefix("format 1\n").unwrap());
    let error = both.parse::<Lock>().unwrap().manifest().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.v1.Mount is not the same in all payloads: lock each program in its own file"
    );
}

#[test]
fn an_invalid_text_is_refused_with_its_line() {
    let at = |line: usize, with: &str| {
        let mut lines: Vec<&str> = SECOND.lines().collect();
        lines[line - 1] = with;
        lines.join("\n").parse::<Lock>().unwrap_err().to_string()
    };
    for (line, with, reason) in [
        (1, "format 2", "line 1: format 2: this build reads format 1, once"),
        (1, "", "line 3: expected `format 1` at the beginning"),
        (2, "format 1", "line 2: format 1: this build reads format 1, once"),
        (3, "", "line 4: expected `payload TYPE-URL` before it"),
        (3, "payload a gone", "line 3: expected `retired` or nothing, found `gone`"),
        (4, "accepts 1 two", "line 4: expected a number, found `two`"),
        (4, "accepts 1 1", "line 4: this is stated twice"),
        (
            5,
            "payload type.googleapis.com/a.v1.Disk",
            "line 5: payload type.googleapis.com/a.v1.Disk twice",
        ),
        (6, "freeze Migrating", "line 6: unknown keyword `freeze`"),
        (6, "freeze_to A B", "line 6: unexpected `B` at the end of the line"),
        (8, "", "line 9: expected `version NUMBER` before it"),
        (10, "stage Carried", "line 10: expected `stage carried` or `stage not-carried`"),
        (10, "root a.v1.Disk", "line 10: this is stated twice"),
        (10, "accepts 3", "line 10: `accepts` belongs before the versions"),
        (10, "", "line 11: expected `stage` before it"),
        (12, "1 image: string", "line 12: expected `message NAME` or `enum NAME` before it"),
        (14, "1 image string", "line 14: expected `NUMBER NAME: KIND`"),
        (14, "1 image:", "line 14: the line ends too early"),
        (14, "1 \"im: string", "line 14: the closing quote is missing"),
        (14, "since 2", "line 14: expected a field of a message before it"),
        (15, "1 stage: string", "line 15: field 1 is not in ascending order"),
        (15, "-1 stage: string", "line 15: expected a number, found `-1`"),
        (18, "message a.v1.Disk", "line 18: a.v1.Disk twice"),
        (24, "0 RESERVED", "line 24: value 0 is not in ascending order"),
        (26, "version 1", "line 26: version 1 twice"),
    ] {
        assert_eq!(at(line, with), reason, "{with}");
    }
    assert_eq!("".parse::<Lock>().unwrap_err().to_string(), "expected `format 1` at the beginning");
}

#[test]
fn any_name_survives_the_text_form() {
    let odd = ["", " ", "a b", "\"", "\\", "a\nb", "\u{85}", "ümläut", "# a", "a: b", " x", "}"];
    for text in odd {
        let mut manifest = manifest();
        let text = text.to_owned();
        manifest.payloads[0].type_url = format!("u{text}");
        manifest.payloads[0].after = vec![text.clone()];
        let rules = manifest.payloads[0].stage_rules.as_mut().unwrap();
        (rules.freeze_to, rules.save_from) = (text.clone(), vec![text.clone()]);
        manifest.messages[0].fields[0].name.clone_from(&text);
        manifest.messages[0].fields[0].kind = format!("x{text}");
        manifest.messages[1].fields[0].defines = vec![text.clone()];
        manifest.messages[1].fields[0].oneof.clone_from(&text);
        manifest.enums[0].values[1].name.clone_from(&text);
        let lock = lock(&manifest);
        assert_eq!(lock.to_string().parse::<Lock>().unwrap(), lock, "{text:?}\n{lock}");
    }
}

#[test]
fn a_new_version_is_added_and_the_old_record_stays() {
    let first = lock(&manifest());
    let error = first.check(&second()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{URL}: version 2 is new\n\
             {URL}: version 2 is now accepted\n\
             {URL}: version 2 is now saved\n\
             SNAPSHOT_UPDATE_LOCK=1 writes this to the lock:\n\
\n\x20 payload {URL}\n\
             -   accepts 1\n\
             -   saves 1\n\
             +   accepts 1 2\n\
             +   saves 1 2\n\
             \x20   freeze_to Migrating\n\n\
             \x20 ...\n\
             \x20       0 RESERVED\n\
             \x20       1 ATTACHED\n\
             +\n\
             +   version 2\n\
             +     root a.v1.Disk\n\
             +     stage carried\n\
             +     save_from Attached\n\
             +\n\
             +     message a.v1.Disk\n\
             +       1 image: string\n\
             +       2 stage: a.v1.Disk.Stage\n\
             +       3 mounts: map<uint64, a.v1.Mount>\n\
             +       4 size: uint64\n\
             +         since 2\n\
             +\n\
             +     message a.v1.Mount\n\
             +       1 path: string\n\
             +         defines values: mount path\n\
             +\n\
             +     enum a.v1.Disk.Stage\n\
             +       0 RESERVED\n\
             +       1 ATTACHED"
        )
    );
    assert_eq!(first.updated(&second()).unwrap(), lock(&second()));
}

#[test]
fn a_change_without_a_version_is_refused_with_its_lines() {
    let mut changed = manifest();
    changed.messages[1].fields[0].kind = "bytes".to_owned();
    let reason = format!(
        "{URL} has changed and its version has not: a.v1.Mount: field 1 (path) is string in the lock \
         and bytes now; restore the schema, or set `version = 2` and accept version 1"
    );
    let lock = lock(&manifest());
    assert_eq!(refused(&lock, &changed), reason);
    assert_eq!(
        lock.check(&changed).unwrap_err().to_string(),
        format!(
            "{reason}\n\
             SNAPSHOT_UPDATE_LOCK=1 refuses this:\n\
             \x20 payload {URL}\n\
             \x20 ...\n\
             \x20   version 1\n\
             \x20 ...\n\n\
             \x20     message a.v1.Mount\n\
             -       1 path: string\n\
             +       1 path: bytes\n\
             \x20         defines values: mount path\n"
        )
        .trim_end()
    );
}

#[test]
fn a_removed_number_is_reserved_and_never_used_again() {
    let second = lock(&second());
    let third_lock = second.updated(&third()).unwrap();
    assert!(third_lock.to_string().contains(
        "
  version 3
    root a.v1.Disk
    stage carried
    save_from Attached

    message a.v1.Disk
      2 stage: a.v1.Disk.Stage
      3 mounts: map<uint64, a.v1.Mount>
      4 size: uint64
        since 2
      reserved 1 image
"
    ));
    third_lock.check(&third()).unwrap();
    let fourth = |change: fn(&mut Vec<Field>)| {
        let mut fourth = third();
        fourth.payloads[0].version = 4;
        fourth.payloads[0].accepts = vec![2, 3, 4];
        change(&mut fourth.messages[0].fields);
        fourth
    };
    let number = fourth(|fields| fields.insert(0, Field { since: 4, ..field(1, "id", "string") }));
    let refusal = refused(&third_lock, &number);
    assert!(
        refusal.starts_with(&format!(
            "{URL}: version 4 cannot follow version 3: a.v1.Disk: number 1 (id) is reserved: it was \
             image in an older version; use a number that was never used"
        )),
        "{refusal}"
    );
    let name = fourth(|fields| fields.push(Field { since: 4, ..field(9, "image", "string") }));
    let refusal = refused(&third_lock, &name);
    assert!(refusal.contains("the name image is reserved: it was number 1"), "{refusal}");

    // Nor can the memory be deleted, while the record before it is there.
    let forgotten = third_lock.to_string().replace("      reserved 1 image\n", "");
    let refusal = refused(&forgotten.parse().unwrap(), &third());
    assert_eq!(
        refusal,
        format!(
            "{URL}: version 3: the line `reserved 1 image` of a.v1.Disk is missing from the lock: restore \
             it"
        )
    );
    // It carries over to the versions that follow.
    let fine = fourth(|fields| fields.push(Field { since: 4, ..field(5, "id", "string") }));
    let fourth_lock = third_lock.updated(&fine).unwrap();
    assert_eq!(fourth_lock.to_string().matches("reserved 1 image").count(), 2);
}

#[test]
fn a_message_that_comes_back_follows_its_last_record() {
    let mut without = second();
    without.payloads[0].accepts = vec![2];
    without.messages[0].fields.remove(2);
    let mut again = without.clone();
    let version = |manifest: &mut Manifest, version| {
        let payload = &mut manifest.payloads[0];
        (payload.version, payload.accepts, payload.saves) = (version, vec![version], vec![version]);
    };
    version(&mut without, 3);
    version(&mut again, 4);
    let locked = lock(&second()).updated(&without).unwrap();
    again.messages[0].fields.push(Field { since: 4, ..field(7, "mount", "a.v1.Mount") });
    locked.updated(&again).unwrap();
    again.messages[1].fields[0].kind = "uint32".to_owned();
    assert_eq!(
        refused(&locked, &again),
        format!(
            "{URL}: version 4 cannot follow version 2: a.v1.Mount: number 1 was string (path) and is \
             uint32 (path); restore it, and use a number that was never used"
        )
    );
}

#[test]
fn reserved_lines_written_by_hand_are_enforced() {
    let text = lock(&manifest()).to_string();
    let reserved = text
        .replace("\n    message a.v1.Mount", "      reserved 4 flags\n\n    message a.v1.Mount");
    let locked: Lock = reserved.parse().unwrap();
    locked.check(&manifest()).unwrap();
    let refusal = refused(&locked, &second());
    assert!(refusal.contains("number 4 (size) is reserved: it was flags"), "{refusal}");

    let used = text
        .replace("\n    message a.v1.Mount", "      reserved 1 flags\n\n    message a.v1.Mount");
    assert_eq!(
        refused(&used.parse().unwrap(), &manifest()),
        format!(
            "{URL}: version 1: a.v1.Disk uses number 1 (image) and reserves 1 (flags): use a number \
             and a name that were never used"
        )
    );
}

#[test]
fn a_number_keeps_its_kind_in_every_version() {
    let follow = |change: fn(&mut Manifest)| {
        let mut next = third();
        next.messages[0].fields.insert(0, field(1, "image", "string"));
        change(&mut next);
        refused(&lock(&second()), &next)
    };
    let refusal = follow(|m| m.messages[0].fields[0].kind = "uint32".to_owned());
    assert_eq!(
        refusal,
        format!(
            "{URL}: version 3 cannot follow version 2: a.v1.Disk: number 1 was string (image) and is \
             uint32 (image); restore it, and use a number that was never used"
        )
    );
    let refusal = follow(|m| m.messages[0].fields[0].name = "size".to_owned());
    assert!(refusal.contains("field size has moved from number 4 to 1"), "{refusal}");
    let refusal = follow(|m| {
        m.enums[0].values.swap_with_slice(&mut [value(0, "ATTACHED"), value(1, "RESERVED")])
    });
    assert!(refusal.contains("value ATTACHED has moved from number 1 to 0"), "{refusal}");
    assert!(refusal.contains("version 2 of this build is not the version that was released"));

    // Presence may change with the version.
    let mut next = third();
    next.messages[0].fields.insert(0, field(1, "image", "optional string"));
    lock(&second()).updated(&next).unwrap();
}

#[test]
fn an_older_version_must_be_read_as_it_was_released() {
    let lock = lock(&second()).updated(&third()).unwrap();
    let mut wrong = third();
    wrong.messages[2].fields[3].kind = "uint32".to_owned();
    assert_eq!(
        refused(&lock, &wrong),
        format!(
            "{URL}: version 2 of this build is not the version that was released: a.v1.Disk: field \
             4 (size) is uint64 in the lock and uint32 now; restore it, or keep the message as it was \
             released and add `accept(version = 2, message = ..., upgrade = ...)`"
        )
    );
    // Reads the version with the newest message, although that message has lost a field.
    let mut wrong = third();
    wrong.payloads[0].older.clear();
    assert!(refused(&lock, &wrong).contains("only the lock has field 1 (image)"));
    // Its own names are those of its time.
    let mut renamed = third();
    renamed.messages[2].fields[0].name = "picture".to_owned();
    assert_eq!(lock.updated(&renamed).unwrap(), lock);
}

#[test]
fn a_version_never_decreases() {
    let refusal = refused(&lock(&second()), &manifest());
    assert_eq!(
        refusal,
        format!(
            "{URL}: version 1 is lower than version 2, which was released: set `version = 2`, or if \
             its schema has changed, 3"
        )
    );
}

#[test]
fn a_payload_is_retired_only_by_hand_and_does_not_come_back() {
    let second = lock(&second());
    let mut empty = Manifest::default();
    assert_eq!(
        refused(&second, &empty),
        format!(
            "{URL} is in the lock and not registered: register it (`registry::require!` links \
             controllers and checks that they are registered), or if it is removed for good, write \
             `retired` after it in the \
             lock"
        )
    );
    let retired: Lock = second.to_string().replace(URL, &format!("{URL} retired")).parse().unwrap();
    retired.check(&empty).unwrap();
    assert_eq!(retired.manifest().unwrap(), empty);
    empty = self::second();
    assert!(refused(&retired, &empty).contains("is retired in the lock and registered"));
}

#[test]
fn a_draft_may_change_until_its_word_is_removed() {
    let text = lock(&second()).to_string();
    let draft: Lock = text.replace("  version 2\n", "  version 2 draft\n").parse().unwrap();
    draft.check(&second()).unwrap();
    let mut changed = second();
    changed.messages[0].fields[3].kind = "uint32".to_owned();
    let error = draft.check(&changed).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{URL}: draft version 2 has changed")), "{error}");
    let updated = draft.updated(&changed).unwrap();
    assert!(updated.to_string().contains("  version 2 draft\n"));
    updated.check(&changed).unwrap();
    // And it may be given up.
    assert_eq!(updated.updated(&manifest()).unwrap(), lock(&manifest()));
}

/// A folder that is deleted with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("snapshot-lock-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_file_is_written_only_on_request_and_only_for_allowed_changes() {
    let folder = Folder::new("file");
    let file = folder.0.join("schema.lock");
    let run = |manifest: &Manifest, update: Option<&str>| {
        super::assert::run(&file, Path::new("schema.lock"), manifest, update.map(OsString::from))
    };
    let error = run(&manifest(), None).unwrap_err().to_string();
    assert!(error.ends_with(
        "does not exist: run the test with SNAPSHOT_UPDATE_LOCK=1 to write it, then commit it"
    ));
    assert!(!file.exists());
    run(&manifest(), Some("1")).unwrap();
    run(&manifest(), None).unwrap();
    run(&manifest(), Some("0")).unwrap();
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, lock(&manifest()).to_string());

    run(&second(), None).unwrap_err();
    let mut wrong = manifest();
    wrong.messages[0].fields.clear();
    run(&wrong, Some("1")).unwrap_err();
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
    assert_eq!(
        run(&manifest(), Some("yes")).unwrap_err().to_string(),
        "SNAPSHOT_UPDATE_LOCK is \"yes\": set it to 1 to rewrite schema.lock"
    );
    run(&second(), Some("1")).unwrap();
    run(&second(), None).unwrap();
}
