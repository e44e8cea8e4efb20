//! Checks that every single change of a real manifest is noticed, and that the text form is lossless.

use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;
use snapshot_core::schema::Manifest;
use snapshot_core::wire::v1::manifest::{Enum, Field, Message, Older, Payload, StageRules, Value};

use super::Lock;

/// The required reaction of the lock to a change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// Refuse it without a new version, or always.
    Refuse,
    /// Report it, and write it on request.
    Update,
}
use Then::{Refuse, Update};

struct Mutation {
    name: String,
    then: Then,
    manifest: Manifest,
}

/// Returns the manifest of this repository with one more payload, which has the features that the
/// others do not have: an older version with its own message, another with the same message, later
/// fields, a oneof and references.
fn rich() -> Manifest {
    let mut manifest = super::registered().manifest();
    let text = |text: &str| text.to_owned();
    manifest.payloads.push(Payload {
        type_url: text("example.com/rich.Root"),
        version: 3,
        accepts: vec![1, 2, 3],
        saves: vec![2, 3],
        message: text("rich.Root"),
        stage_rules: Some(StageRules {
            save_from: vec![text("Off"), text("On")],
            freeze_to: text("Frozen"),
            import_as: text("Imported"),
            abort_to: text("Off"),
            live: text("On"),
            carried: false,
        }),
        after: vec![text("type.googleapis.com/lcow.v1.VmSnapshot")],
        older: vec![Older { version: 1, message: text("rich.First"), ..Older::default() }],
        ..Payload::default()
    });
    let field = |number, name: &str, kind: &str| Field {
        number,
        name: text(name),
        kind: text(kind),
        ..Field::default()
    };
    manifest.messages.extend([
        Message { name: text("rich.First"), fields: vec![field(1, "id", "string")] },
        Message {
            name: text("rich.Root"),
            fields: vec![
                Field { defines: vec![text("rich.id")], ..field(1, "id", "string") },
                Field { oneof: text("way"), ..field(2, "tap", "string") },
                Field { oneof: text("way"), since: 2, ..field(3, "vhost", "rich.Way") },
                Field {
                    refers: vec![text("keys: rich.id")],
                    ..field(4, "peers", "map<string, bool>")
                },
                Field { since: 3, ..field(5, "level", "optional uint32") },
            ],
        },
    ]);
    manifest.enums.push(Enum {
        name: text("rich.Way"),
        values: vec![
            Value { name: text("LEFT"), number: 0, since: 0 },
            Value { name: text("RIGHT"), number: 1, since: 0 },
        ],
    });
    manifest
}

/// Returns the released lock of [`rich`]. The versions of its special payload were released in turn.
fn released() -> Lock {
    let mut first = rich();
    let rich_payload = |manifest: &mut Manifest| {
        manifest.payloads.iter().position(|payload| payload.message == "rich.Root").unwrap()
    };
    let at = rich_payload(&mut first);
    let payload = &mut first.payloads[at];
    payload.version = 1;
    (payload.accepts, payload.saves, payload.older) = (vec![1], vec![1], vec![]);
    payload.message = "rich.First".to_owned();
    Lock::of(&first).unwrap().updated(&rich()).unwrap()
}

/// Every mutation, each of one item.
fn mutations() -> Vec<Mutation> {
    let base = rich();
    let mut all = Vec::new();
    let mut add = |name: String, then, change: &dyn Fn(&mut Manifest)| {
        let mut manifest = base.clone();
        change(&mut manifest);
        assert_ne!(manifest, base, "{name}");
        all.push(Mutation { name, then, manifest });
    };
    for (i, message) in base.messages.iter().enumerate() {
        let name = &message.name;
        // The names in an older message are those of its release: only the upgrade uses them, and the
        // record that it must agree with has the released names.
        let labels = if name == "rich.First" { None } else { Some(Update) };
        for (j, field) in message.fields.iter().enumerate() {
            let at = format!("{name}.{}", field.name);
            let mut on = |what: &str, then, change: &dyn Fn(&mut Field)| {
                add(format!("{at}: {what}"), then, &|m| change(&mut m.messages[i].fields[j]));
            };
            if let Some(then) = labels {
                on("renamed", then, &|f| f.name.push_str("_too"));
            }
            on("renumbered", Refuse, &|f| f.number += 5_000);
            let scalar = if field.kind == "double" { "float" } else { "double" };
            on("another kind", Refuse, &|f| f.kind = scalar.to_owned());
            on("repeated", Refuse, &|f| f.kind = format!("repeated {}", f.kind));
            on("optional", Refuse, &|f| f.kind = format!("optional {}", f.kind));
            on("another oneof", Refuse, &|f| {
                f.oneof = if f.oneof == "way" { String::new() } else { "way".to_owned() };
            });
            on("defines", Refuse, &|f| f.defines.push("what".to_owned()));
            on("refers", Refuse, &|f| f.refers.push("what".to_owned()));
            if !field.defines.is_empty() || !field.refers.is_empty() {
                on("no references", Refuse, &|f| {
                    f.defines.clear();
                    f.refers.clear();
                });
            }
            on("later", Refuse, &|f| f.since += 8);
            if field.since > 0 {
                // Version 1 of it is another message, so that no build reads version 1 with this one.
                let then = if field.since == 2 { Update } else { Refuse };
                on("earlier", then, &|f| f.since -= 1);
            } else if let Some(then) = labels {
                on("from the first", then, &|f| f.since = 1);
            }
            add(format!("{at}: removed"), Refuse, &|m| {
                m.messages[i].fields.remove(j);
            });
        }
        add(format!("{name}: a field more"), Refuse, &|m| {
            let field = Field { number: 9_000, kind: "bool".to_owned(), ..Field::default() };
            m.messages[i].fields.push(Field { name: "more".to_owned(), ..field });
        });
        add(format!("{name}: removed"), Refuse, &|m| drop(m.messages.remove(i)));
        add(format!("{name}: renamed"), Update, &|m| rename(m, name, "z.Renamed"));
    }
    for (i, one) in base.enums.iter().enumerate() {
        let name = &one.name;
        for (j, value) in one.values.iter().enumerate() {
            let mut on = |what: &str, then, change: &dyn Fn(&mut Vec<Value>)| {
                let at = format!("{name}.{}: {what}", value.name);
                add(at, then, &|m| change(&mut m.enums[i].values));
            };
            on("renamed", Update, &|v| v[j].name.push_str("_TOO"));
            on("renumbered", Refuse, &|v| v[j].number += 5_000);
            on("negative", Refuse, &|v| v[j].number = -7);
            on("removed", Refuse, &|v| drop(v.remove(j)));
            on("a further name", Update, &|v| {
                let name = "ALIAS".to_owned();
                v.push(Value { number: v[j].number, name, since: 0 });
            });
        }
        add(format!("{name}: a value more"), Refuse, &|m| {
            m.enums[i].values.push(Value { number: 9_000, name: "MORE".to_owned(), since: 0 });
        });
        add(format!("{name}: removed"), Refuse, &|m| drop(m.enums.remove(i)));
        add(format!("{name}: renamed"), Update, &|m| rename(m, name, "z.Renamed"));
    }
    for (i, payload) in base.payloads.iter().enumerate() {
        let mut on = |what: &str, then, change: &dyn Fn(&mut Payload)| {
            add(format!("{}: {what}", payload.type_url), then, &|m| change(&mut m.payloads[i]));
        };
        on("another type URL", Refuse, &|p| p.type_url.push('2'));
        on("a lower version", Refuse, &|p| p.version -= 1);
        on("a higher version", Update, &|p| p.version += 1);
        on("another message", Refuse, &|p| p.message = "google.protobuf.Any".to_owned());
        on("accepts nothing", Update, &|p| p.accepts.clear());
        on("accepts less", Update, &|p| p.accepts.truncate(p.accepts.len() - 1));
        on("accepts too much", Refuse, &|p| p.accepts.push(99));
        on("saves nothing", Update, &|p| p.saves.clear());
        on("after another", Update, &|p| p.after.push("example.com/other".to_owned()));
        if !payload.after.is_empty() {
            on("after nothing", Update, &|p| p.after.clear());
        }
        if !payload.older.is_empty() {
            on("older as the newest", Refuse, &|p| p.older.clear());
            on("older as another", Refuse, &|p| p.older[0].message = "rich.Root".to_owned());
            on("more as an older one", Refuse, &|p| {
                p.older.push(Older {
                    version: 2,
                    message: "rich.First".to_owned(),
                    ..Older::default()
                });
            });
        }
        let Some(rules) = &payload.stage_rules else {
            on("stage rules", Refuse, &|p| p.stage_rules = Some(StageRules::default()));
            continue;
        };
        on("no stage rules", Refuse, &|p| p.stage_rules = None);
        let mut rule = |what: &str, then, change: &dyn Fn(&mut StageRules)| {
            on(what, then, &|p| change(p.stage_rules.get_or_insert_default()));
        };
        rule("saved in more stages", Refuse, &|r| r.save_from.push("Odd".to_owned()));
        rule("saved in fewer stages", Refuse, &|r| drop(r.save_from.pop()));
        rule("carried or not", Refuse, &|r| r.carried = !r.carried);
        rule("freeze_to", Update, &|r| r.freeze_to.push_str("Too"));
        rule("import_as", Update, &|r| r.import_as.push_str("Too"));
        rule("abort_to", Update, &|r| r.abort_to.push_str("Too"));
        rule("live", Update, &|r| r.live.push_str("Too"));
        if !rules.freeze_to.is_empty() {
            rule("no freeze_to", Update, &|r| r.freeze_to.clear());
        }
    }
    for i in 0..base.payloads.len() {
        let url = &base.payloads[i].type_url;
        add(format!("{url}: removed"), Refuse, &|m| drop(m.payloads.remove(i)));
        add(format!("{url}: twice"), Refuse, &|m| m.payloads.push(m.payloads[i].clone()));
    }
    all
}

/// Renames a message or an enum everywhere.
fn rename(manifest: &mut Manifest, from: &str, to: &str) {
    let renamed = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    for payload in &mut manifest.payloads {
        renamed(&mut payload.message);
        payload.older.iter_mut().for_each(|older| renamed(&mut older.message));
    }
    manifest.enums.iter_mut().for_each(|one| renamed(&mut one.name));
    for message in &mut manifest.messages {
        renamed(&mut message.name);
        for field in &mut message.fields {
            for prefix in
                ["", "repeated ", "optional ", "map<string, ", "map<uint32, ", "map<uint64, "]
            {
                let end = if prefix.starts_with("map") { ">" } else { "" };
                if field.kind == format!("{prefix}{from}{end}") {
                    field.kind = format!("{prefix}{to}{end}");
                }
            }
        }
    }
}

#[test]
fn every_single_change_of_a_manifest_is_noticed_and_only_harmless_ones_are_written() {
    let lock = released();
    lock.check(&rich()).unwrap();
    let mutations = mutations();
    assert!(mutations.len() > 1_500, "only {}", mutations.len());
    let wrong_of = |Mutation { name, then, manifest }: &Mutation| {
        let checked = lock.check(manifest);
        match (&checked, lock.updated(manifest), then) {
            (Err(_), Err(_), Refuse) => None,
            // The written file is the lock of the change.
            (Err(_), Ok(next), Update)
                if next.check(manifest).is_ok()
                    && next.to_string().parse::<Lock>().unwrap() == next =>
            {
                None
            }
            (checked, updated, _) => Some(format!(
                "{name}: must {then:?}; check: {}; update: {}",
                checked.is_err(),
                updated.map_or_else(|error| error.to_string(), |_| "written".to_owned())
            )),
        }
    };
    // Half a minute on one processor.
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let wrong: Vec<String> = thread::scope(|scope| {
        let parts = mutations.chunks(mutations.len().div_ceil(threads));
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().filter_map(wrong_of).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), mutations.len(), wrong.join("\n"));
}

/// The released records as text: the lines about the wire, by type URL and version.
fn records(lock: &Lock) -> Vec<String> {
    let text = lock.to_string();
    let mut url = "";
    let mut records: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(payload) = line.strip_prefix("payload ") {
            url = payload;
        } else if line.starts_with("  version ") {
            records.push(format!("{url}{line}\n"));
        } else if line.starts_with("    ")
            && let Some(record) = records.last_mut()
        {
            record.push_str(line);
            record.push('\n');
        }
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// An update with any number of changes keeps every released record.
    #[test]
    fn no_update_alters_a_record_but_by_names(picks in vec(any::<prop::sample::Index>(), 1..4)) {
        static MUTATIONS: LazyLock<Vec<Mutation>> = LazyLock::new(|| {
            // A further name for an enum value adds a line.
            mutations().into_iter().filter(|m| !m.name.ends_with("a further name")).collect()
        });
        let mut before = released();
        for pick in picks {
            let Ok(next) = before.updated(&pick.get(&MUTATIONS).manifest) else { continue };
            let (old, new) = (records(&before), records(&next));
            prop_assert!(old.len() <= new.len());
            for record in &old {
                let head = record.lines().next().unwrap_or_default();
                let same = new.iter().find(|other| other.lines().next() == Some(head));
                let same = same.expect("a record is gone");
                prop_assert_eq!(numbers(record), numbers(same), "{}", head);
            }
            before = next;
        }
    }

    #[test]
    fn the_text_form_loses_nothing(manifest in manifests()) {
        let lock = Lock::of(&manifest).unwrap();
        let text = lock.to_string();
        let read: Lock = text.parse().unwrap();
        prop_assert_eq!(&read, &lock, "{}", text);
        prop_assert_eq!(read.to_string(), text);
        read.check(&manifest).unwrap();
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in lines()) {
        if let Ok(lock) = text.parse::<Lock>() {
            prop_assert_eq!(lock.to_string().parse::<Lock>().unwrap(), lock);
        }
    }
}

/// Returns the numbers of a record in their order. No renaming changes them.
fn numbers(record: &str) -> Vec<&str> {
    let first = |line| str::split_whitespace(line).next();
    let digits = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let mut numbers: Vec<&str> = record.lines().filter_map(first).filter(digits).collect();
    // A message with another name has another place.
    numbers.sort_unstable();
    numbers
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{1,6}", "[A-Z][a-z.]{0,5}", "\\PC{0,4}", any::<String>()]
}

fn kinds() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("uint32".to_owned()),
        Just("repeated string".to_owned()),
        Just("optional bool".to_owned()),
        (0..4usize).prop_map(|m| format!("m{m}")),
        (0..4usize).prop_map(|m| format!("map<string, m{m}>")),
        (0..3usize).prop_map(|e| format!("repeated e{e}")),
        texts(),
    ]
}

prop_compose! {
    fn fields()(
        number in 1..40u32,
        name in texts(),
        kind in kinds(),
        oneof in prop_oneof![Just(String::new()), texts()],
        since in 0..3u32,
        defines in vec(texts(), 0..3),
        refers in vec(texts(), 0..2),
    ) -> Field {
        Field { number, name, kind, oneof, since, defines, refers, ..Field::default() }
    }
}

prop_compose! {
    fn manifests()(
        messages in vec(vec(fields(), 0..6), 4),
        enums in vec(vec((-3..5i32, texts()), 0..4), 3),
        payloads in vec((texts(), 1..3u32, 0..4usize, vec(texts(), 0..3), any::<bool>(), vec(texts(), 0..3)), 0..4),
    ) -> Manifest {
        let unique = |mut fields: Vec<Field>| {
            fields.sort_by_key(|field| field.number);
            fields.dedup_by_key(|field| field.number);
            let mut names = std::collections::BTreeSet::new();
            fields.retain(|field| names.insert(field.name.clone()));
            fields
        };
        let values = |mut values: Vec<(i32, String)>| {
            values.sort();
            values.dedup_by_key(|(_, name)| name.clone());
            let mut names = std::collections::BTreeSet::new();
            values.retain(|(_, name)| names.insert(name.clone()));
            values.into_iter().map(|(number, name)| Value { number, name, since: 0 }).collect()
        };
        let mut urls = std::collections::BTreeSet::new();
        Manifest {
            payloads: payloads
                .into_iter()
                .filter(|(url, ..)| urls.insert(url.clone()))
                .map(|(type_url, version, message, stages, staged, after)| Payload {
                    type_url,
                    version,
                    accepts: (1..=version).collect(),
                    saves: vec![version],
                    message: format!("m{message}"),
                    stage_rules: staged.then(|| StageRules {
                        freeze_to: stages.first().cloned().unwrap_or_default(),
                        save_from: stages,
                        ..StageRules::default()
                    }),
                    after,
                    older: vec![],
                    ..Payload::default()
                })
                .collect(),
            messages: messages
                .into_iter()
                .enumerate()
                .map(|(i, fields)| Message { name: format!("m{i}"), fields: unique(fields) })
                .collect(),
            enums: enums
                .into_iter()
                .enumerate()
                .map(|(i, one)| Enum { name: format!("e{i}"), values: values(one) })
                .collect(),
            limits: None,
        }
    }
}

/// Generates texts that look like a lock.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("payload a".to_owned()),
        Just("version 1".to_owned()),
        Just("root m".to_owned()),
        Just("stage carried".to_owned()),
        Just("message m".to_owned()),
        Just("enum e".to_owned()),
        "(accepts|saves|reads|after|live|since|oneof|defines|refers|reserved|save_from|[0-9]{1,11}) [^\n]{0,8}",
        "[0-9]{1,2} [a-z\"\\\\]{1,4}: [a-z\"]{1,3}",
        "\\PC{0,12}",
    ];
    vec(line, 0..12).prop_map(|lines| format!("format 1\n{}", lines.join("\n")))
}
