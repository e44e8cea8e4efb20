//! Moves states between programs that differ in exactly one meaning, in both directions: a state arrives as
//! it was, or the source refuses before the freeze and names the field.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use snapshot_build_tests::build::{REFUSED, UNFIT};

use Expected::{Arrives, Drops, Refuses, Unfit};

/// What should become of a state.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// It arrives as it was.
    Arrives,
    /// The preflight refuses, with this field and this reason.
    Refuses(&'static str, &'static str),
    /// The destination drops the value of this field, and the preflight says so.
    Drops(&'static str),
    /// The source's type does not have the values.
    Unfit,
}

/// Two builds that differ in one meaning.
struct Pair {
    /// The kind of difference.
    kind: &'static str,
    builds: [&'static str; 2],
    moves: &'static [Move],
}

/// Values, with the expected result of a move from the first build to the second, and of a move back.
type Move = (&'static [&'static str], Expected, Expected);

const PAIRS: &[Pair] = &[
    Pair {
        kind: "mapped, ignored",
        builds: ["numbers", "numbers_ignored"],
        moves: &[
            (
                &["number=7", "other=1"],
                Refuses("number", "the destination ignores the field"),
                Arrives,
            ),
            (&["other=1"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "mapped, discarded",
        builds: ["numbers", "numbers_discarded"],
        moves: &[(&["number=7"], Drops("number"), Arrives), (&["other=1"], Arrives, Arrives)],
    },
    Pair {
        kind: "ignored, discarded",
        builds: ["numbers_ignored", "numbers_discarded"],
        moves: &[(&["other=1"], Arrives, Arrives)],
    },
    Pair {
        kind: "integer width",
        builds: ["numbers", "numbers_narrow"],
        moves: &[
            (
                &["number=256"],
                Refuses("number", "is 256, but the destination takes at most 255"),
                Unfit,
            ),
            (&["number=255"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "range",
        builds: ["numbers", "numbers_in_a_range"],
        moves: &[
            (
                &["number=101"],
                Refuses("number", "is 101, but the destination takes 1 to 100"),
                Refuses("number", "is not in 1..=100"),
            ),
            (&["number=100"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "0 taken",
        builds: ["numbers", "numbers_not_zero"],
        moves: &[
            (&[], Refuses("number", "is missing, but the destination requires it"), Unfit),
            (&["number=1"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "form: a user's adapter",
        builds: ["numbers", "numbers_in_dozens"],
        moves: &[(
            &["number=24"],
            Refuses("number", "means the value itself at the source"),
            Refuses("number", "dozens at the source and the value itself at the destination"),
        )],
    },
    Pair {
        kind: "form: unit",
        builds: ["numbers_in_millis", "numbers_in_seconds"],
        moves: &[(
            &["number=30000"],
            Refuses("number", "means milliseconds at the source and seconds at the destination"),
            Refuses("number", "means seconds at the source and milliseconds at the destination"),
        )],
    },
    Pair {
        kind: "form: an adapter, none",
        builds: ["numbers_in_millis", "numbers"],
        moves: &[(
            &["number=30000"],
            Refuses("number", "means milliseconds at the source and the value itself"),
            Refuses("number", "means the value itself at the source and milliseconds"),
        )],
    },
    Pair {
        kind: "form: exact, rounding",
        builds: ["numbers_in_millis", "numbers_in_rounded_millis"],
        moves: &[(&["number=1500"], Arrives, Arrives)],
    },
    Pair {
        kind: "form: an adapter, its name",
        builds: ["numbers_in_millis", "numbers_called_millis"],
        moves: &[(&["number=1500"], Arrives, Arrives)],
    },
    Pair {
        kind: "relation",
        builds: ["numbers", "numbers_below_the_other"],
        moves: &[
            (
                &["number=4", "other=4"],
                Refuses("number", "the destination takes below 4"),
                Refuses("number", "but must be below `other`"),
            ),
            (&["number=3", "other=4"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "secret",
        builds: ["numbers", "numbers_secret"],
        moves: &[(&["number=7"], Arrives, Arrives)],
    },
    Pair {
        kind: "max",
        builds: ["texts", "texts_short"],
        moves: &[
            (
                &["text=abcd"],
                Refuses("text", "has 4 bytes, but the destination takes at most 3"),
                Refuses("text", "the maximum is 3"),
            ),
            (&["text=abc"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "form of text: an address",
        builds: ["texts", "texts_addresses"],
        moves: &[
            (&["text=localhost"], Refuses("text", "the destination takes ip"), Unfit),
            (&["text=::1"], Arrives, Arrives),
            // Another text of the same address.
            (&["text=0::1"], Refuses("text", "the destination takes ip"), Arrives),
        ],
    },
    Pair {
        kind: "form of text: by `display`",
        builds: ["texts_displayed_addresses", "texts_addresses"],
        moves: &[(&["text=::1"], Arrives, Arrives)],
    },
    Pair {
        kind: "form of text: a character",
        builds: ["texts", "texts_characters"],
        moves: &[
            (&["text=ab"], Refuses("text", "the destination takes char"), Unfit),
            (&["text=a"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "number of bytes",
        builds: ["texts", "texts_with_4_bytes"],
        moves: &[
            (&["data=1,2"], Refuses("data", "the destination takes 4 bytes"), Unfit),
            (&["data=1,2,3,4"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "numbers of bytes",
        builds: ["texts_with_4_bytes", "texts_with_2_bytes"],
        moves: &[
            (&["data=1,2,3,4"], Refuses("data", "holds 4 bytes at the source and 2 bytes"), Unfit),
            (&["data=1,2"], Unfit, Refuses("data", "holds 2 bytes at the source and 4 bytes")),
        ],
    },
    Pair {
        kind: "a list, a set",
        builds: ["lists", "lists_sets"],
        moves: &[
            (&["list=3,1,2"], Refuses("list", "is not in ascending order"), Arrives),
            (&["list=1,1"], Refuses("list", "the destination takes a set"), Arrives),
            (&["list=1,2,3"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "a list, an array",
        builds: ["lists", "lists_of_2"],
        moves: &[
            (&["list=1"], Refuses("list", "has 1 element, but the destination takes 2"), Unfit),
            (&[], Refuses("list", "has 0 elements, but the destination takes 2"), Unfit),
            (&["list=1,2"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "lengths of arrays",
        builds: ["lists_of_2", "lists_of_3"],
        moves: &[
            (&["list=1,2"], Refuses("list", "has 2 elements at the source and 3 elements"), Unfit),
            (
                &["list=1,2,3"],
                Unfit,
                Refuses("list", "has 3 elements at the source and 2 elements"),
            ),
        ],
    },
    Pair {
        kind: "width of elements",
        builds: ["lists", "lists_narrow"],
        moves: &[
            (
                &["list=1,300"],
                Refuses("list[1]", "is 300, but the destination takes at most 255"),
                Unfit,
            ),
            (&["list=1,2"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "width of a map's values",
        builds: ["lists", "maps_narrow"],
        moves: &[
            (
                &["map=a:300"],
                Refuses("map[\"a\"]", "is 300, but the destination takes at most 255"),
                Unfit,
            ),
            (&["map=a:3,b:0"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "optional, required",
        builds: ["options", "options_required"],
        moves: &[
            (&[], Refuses("maybe", "is missing, but the destination requires it"), Unfit),
            (&["maybe=0"], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "default for older payloads",
        builds: ["newer", "newer_by_100"],
        moves: &[
            (&["number=7"], Arrives, Arrives),
            (&["number=1000"], Arrives, Arrives),
            (&["number=100"], Arrives, Arrives),
            (&[], Arrives, Arrives),
        ],
    },
    Pair {
        kind: "`since` on a value of an enum",
        builds: ["newer", "newer_with_old_values"],
        moves: &[(&["power=paused"], Arrives, Arrives), (&["power=on"], Arrives, Arrives)],
    },
    Pair {
        kind: "`since` on a member of a oneof",
        builds: ["newer", "newer_with_old_members"],
        moves: &[(&["place=shelf top"], Arrives, Arrives), (&["place=slot 0"], Arrives, Arrives)],
    },
    Pair {
        kind: "the field with the name",
        builds: ["parts", "parts_by_alias"],
        moves: &[(&["name=a", "alias=b", "now=on"], Arrives, Arrives)],
    },
    Pair {
        kind: "the field with the stage",
        builds: ["parts", "parts_in_the_stage_before"],
        moves: &[(
            &["name=a", "now=on"],
            Refuses("stage", "is in field 4 at the source and field 5 at the destination"),
            Refuses("stage", "is in field 5 at the source and field 4 at the destination"),
        )],
    },
];

/// The program of a build.
fn program(build: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_numbers")).parent().unwrap();
    folder.join(format!("{build}{}", std::env::consts::EXE_SUFFIX))
}

fn run(build: &str, arguments: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let Output { status, stdout, stderr } =
        Command::new(program(build)).args(arguments).output().unwrap();
    let lines = String::from_utf8(stdout).unwrap().lines().map(str::to_owned).collect();
    (status.code(), lines, String::from_utf8(stderr).unwrap())
}

/// What became of a state that moved from one build to another.
enum Arrival {
    Whole,
    Dropped(String),
    Refused(String),
    Unfit,
    /// It arrived with other values, and nothing was said.
    Changed(String),
}

impl Arrival {
    fn is(&self, expected: Expected) -> bool {
        match (self, expected) {
            (Arrival::Whole, Arrives) | (Arrival::Unfit, Unfit) => true,
            (Arrival::Dropped(path), Drops(field)) => path.contains(field),
            (Arrival::Refused(text), Refuses(field, reason)) => {
                text.contains(field) && text.contains(reason)
            }
            _ => false,
        }
    }

    fn text(&self) -> &str {
        match self {
            Arrival::Whole => "arrives as it was",
            Arrival::Dropped(path) => path,
            Arrival::Refused(text) => text,
            Arrival::Unfit => "is no state of the source",
            Arrival::Changed(values) => values,
        }
    }
}

/// The files of the moves: the manifest of each program, and the snapshot under way.
struct Folder(tempfile::TempDir);

impl Folder {
    fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Asks each program for its manifest.
    fn with_manifests() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let builds: BTreeSet<&str> = PAIRS.iter().flat_map(|pair| pair.builds).collect();
        for build in builds {
            let (code, _, error) = run(build, &["manifest", &folder.file(build)]);
            assert_eq!(code, Some(0), "{build}: {error}");
        }
        folder
    }

    /// Moves a state with these values from one program to another.
    fn travel(&self, from: &str, to: &str, values: &[&str]) -> Arrival {
        let snapshot = self.file("snapshot");
        let command = ["send", &self.file(to), &snapshot];
        let (code, sent, error) = run(from, &[&command, values].concat());
        match code {
            Some(0) => {}
            Some(code) if code == i32::from(REFUSED) => return Arrival::Refused(error),
            Some(code) if code == i32::from(UNFIT) => return Arrival::Unfit,
            _ => panic!("{from}: {error}"),
        }
        let (code, received, error) = run(to, &["receive", &snapshot]);
        assert_eq!(code, Some(0), "the preflight of {from} passes, and {to} refuses: {error}");
        let dropped: Vec<&str> =
            sent.iter().filter_map(|line| line.strip_prefix("dropped ")).collect();
        let is_kept = |line: &&String| {
            let name = line.split_once('=').map_or("", |(name, _)| name);
            !line.starts_with("dropped ") && !dropped.iter().any(|path| path.ends_with(name))
        };
        let kept: Vec<&String> = sent.iter().filter(is_kept).collect();
        let received: Vec<&String> = received.iter().collect();
        if received != kept {
            return Arrival::Changed(format!("{kept:?} arrives as {received:?}"));
        }
        match dropped.first() {
            Some(path) => Arrival::Dropped((*path).to_owned()),
            None => Arrival::Whole,
        }
    }
}

#[test]
fn a_state_arrives_as_it_was_or_is_refused_before_the_freeze_by_name() {
    let folder = Folder::with_manifests();
    let mut wrong = Vec::new();
    let (mut whole, mut refused, mut dropped, mut silent) = (0, 0, 0, 0);
    println!("kind | from | to | verdict for each state | silent changes");
    for Pair { kind, builds: [first, second], moves } in PAIRS {
        let mut direction = |from: &str, to: &str, wanted: &dyn Fn(&Move) -> Expected| {
            let mut verdicts = Vec::new();
            let silent_before = silent;
            for one in *moves {
                let (values, expected) = (one.0, wanted(one));
                let arrival = folder.travel(from, to, values);
                if !arrival.is(expected) {
                    let found = arrival.text();
                    wrong.push(format!(
                        "{kind}: {from} to {to}, {values:?}: {found}, expected {expected:?}"
                    ));
                }
                verdicts.push(match arrival {
                    Arrival::Whole => {
                        whole += 1;
                        "arrives"
                    }
                    Arrival::Refused(_) => {
                        refused += 1;
                        "refused"
                    }
                    Arrival::Dropped(_) => {
                        dropped += 1;
                        "dropped and reported"
                    }
                    Arrival::Unfit => "-",
                    Arrival::Changed(_) => {
                        silent += 1;
                        "CHANGED"
                    }
                });
            }
            let verdicts = verdicts.join(", ");
            println!("{kind} | {from} | {to} | {verdicts} | {}", silent - silent_before);
        };
        direction(first, second, &|one| one.1);
        direction(second, first, &|one| one.2);
    }
    println!(
        "{} kinds in {} directions: {whole} states arrived as they were, {refused} were refused before \
         the freeze, {dropped} arrived without a value that is dropped on purpose, {silent} changed silently",
        PAIRS.len(),
        2 * PAIRS.len(),
    );
    assert_eq!(silent, 0, "{}", wrong.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
