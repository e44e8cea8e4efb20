//! The rules of `buf breaking` in its category `WIRE` (version 2 of its configuration), one by one.
//!
//! A change that buf refuses is refused here under the same version, and usually under the next one
//! too. [`STRICTER`] has the changes that buf permits and we refuse: its readers skip unknown
//! fields and convert between integers, while ours refuse every difference, so that nothing is
//! silent.

use super::fixture::{Change, next_version, released, same_version};

/// The result of a change.
#[derive(Clone, Copy)]
enum Then {
    /// Refused, for this reason among others.
    Refused(&'static str),
    /// Written, with this text in the lock.
    Written(&'static str),
}
use Then::{Refused, Written};

struct Case {
    rule: &'static str,
    change: Change,
    /// Under the same version.
    same: Then,
    /// As the next version, which still reads the one before.
    next: Then,
}

const fn case(rule: &'static str, change: Change, same: Then, next: Then) -> Case {
    Case { rule, change, same, next }
}

const WIRE: &[Case] = &[
    case(
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
        ("      3 cpus: uint32\n", ""),
        Refused("a.Vm: only the lock has field 3 (cpus)"),
        Written("reserved 3 cpus"),
    ),
    case(
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
        ("      3 cpus: uint32\n", "      3 sockets: string\n"),
        Refused("a.Vm: only the program has field 3 (sockets)"),
        Refused("number 3 was uint32 (cpus) and is string (sockets)"),
    ),
    case(
        "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
        ("      2 PAUSED\n", ""),
        Refused("a.Vm.Stage: only the lock has value 2 (PAUSED)"),
        Written("reserved 2 PAUSED"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("2 name: string", "2 name: uint64"),
        Refused("field 2 (name) is string in the lock and uint64 now"),
        Refused("number 2 was string (name) and is uint64 (name)"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("3 cpus: uint32", "3 cpus: sint32"),
        Refused("field 3 (cpus) is uint32 in the lock and sint32 now"),
        Refused("number 3 was uint32"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("1 mac: bytes", "1 mac: string"),
        Refused("field 1 (mac) is bytes in the lock and string now"),
        // The other payload keeps its version, independent of this one.
        Refused("field 1 (mac) is bytes in the lock and string now"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("5 root_disk: a.Disk", "5 root_disk: bytes"),
        Refused("field 5 (root_disk) is a.Disk in the lock and bytes now"),
        Refused("number 5 was a.Disk (root_disk) and is bytes (root_disk)"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("      2 PAUSED\n", "      5 PAUSED\n"),
        Refused("value PAUSED is 2 in the lock and 5 now"),
        Refused("value PAUSED has moved from number 2 to 5"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_CARDINALITY",
        ("3 cpus: uint32", "3 cpus: repeated uint32"),
        Refused("field 3 (cpus) is uint32 in the lock and repeated uint32 now"),
        Refused("number 3 was uint32 (cpus) and is repeated uint32 (cpus)"),
    ),
    case(
        "FIELD_SAME_ONEOF",
        ("      8 vhost: string\n        oneof network\n", "      8 vhost: string\n"),
        Refused("field 8 (vhost) is string in oneof network in the lock and string now"),
        Written("      8 vhost: string\n      9"),
    ),
    case(
        "FIELD_SAME_ONEOF",
        ("2 name: string", "2 name: string\n        oneof network"),
        Refused("field 2 (name) is string in the lock and string in oneof network now"),
        Written("2 name: string\n        oneof network"),
    ),
    case(
        "FIELD_SAME_ONEOF",
        (
            "      8 vhost: string\n        oneof network\n",
            "      8 vhost: string\n        oneof other\n",
        ),
        Refused("field 8 (vhost) is in oneof network in the lock and in oneof other, with other"),
        Written("oneof other"),
    ),
    case(
        "FILE_SAME_PACKAGE",
        ("payload example.com/a.Vm", "payload example.com/b.Vm"),
        Refused("example.com/a.Vm is in the lock and not registered"),
        // It is another payload, with any version.
        Refused("example.com/a.Vm is in the lock and not registered"),
    ),
];

/// The rules of the category about features that do not exist here.
const NOTHING_OF_OURS: &[(&str, &str)] = &[
    ("FIELD_SAME_DEFAULT", "what a proto2 reader assumes of an absent field; ours assume nothing"),
    (
        "MESSAGE_SAME_REQUIRED_FIELDS",
        "proto2's `required` has presence, as `optional` has; that it must be there is up to the \
         Rust type, which no manifest has",
    ),
    ("RPC_SAME_CLIENT_STREAMING", "no services"),
    ("RPC_SAME_IDEMPOTENCY_LEVEL", "no services"),
    ("RPC_SAME_REQUEST_TYPE", "no services"),
    ("RPC_SAME_RESPONSE_TYPE", "no services"),
    ("RPC_SAME_SERVER_STREAMING", "no services"),
];

/// The rules about lines of the lock itself. Each has its own test.
const OF_THE_LOCK: &[&str] = &["RESERVED_ENUM_NO_DELETE", "RESERVED_MESSAGE_NO_DELETE"];

/// The changes that pass buf's `WIRE`, each with the rule that permits it, if there is one.
const STRICTER: &[Case] = &[
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("3 cpus: uint32", "3 cpus: int64"),
        Refused("field 3 (cpus) is uint32 in the lock and int64 now"),
        Refused("number 3 was uint32"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("10 delta: sint32", "10 delta: sint64"),
        Refused("field 10 (delta) is sint32 in the lock and sint64 now"),
        Refused("number 10 was sint32"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("11 mask: fixed32", "11 mask: sfixed32"),
        Refused("field 11 (mask) is fixed32 in the lock and sfixed32 now"),
        Refused("number 11 was fixed32"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("2 name: string", "2 name: bytes"),
        Refused("field 2 (name) is string in the lock and bytes now"),
        Refused("number 2 was string"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        ("      2 PAUSED\n", "      2 PAUSED\n      4 SAVING\n"),
        Refused("a.Vm.Stage: only the program has value 4 (SAVING)"),
        Written("4 SAVING"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_CARDINALITY",
        ("3 cpus: uint32", "3 cpus: optional uint32"),
        Refused("field 3 (cpus) is uint32 in the lock and optional uint32 now"),
        Written("3 cpus: optional uint32"),
    ),
    case(
        "FIELD_WIRE_COMPATIBLE_CARDINALITY",
        ("9 labels: map<string, uint32>", "9 labels: repeated a.Disk"),
        Refused("field 9 (labels) is map<string, uint32> in the lock and repeated a.Disk now"),
        Refused("number 9 was map<string, uint32>"),
    ),
    case(
        "",
        ("      11 mask: fixed32\n", "      11 mask: fixed32\n      13 flags: uint32\n"),
        Refused("a.Vm: only the program has field 13 (flags)"),
        Written("13 flags: uint32"),
    ),
    case(
        "",
        ("3 cpus: uint32", "3 cpus: uint32\n        refers cpu"),
        Refused("field 3 (cpus) refers to nothing in the lock and cpu now"),
        Written("refers cpu"),
    ),
    case(
        "",
        ("    save_from Paused\n", ""),
        Refused("stage Paused may be saved only in the lock"),
        Written("    stage carried\n    save_from Running\n"),
    ),
];

/// The category as of `V2Spec` in bufbuild/buf at 0c54c1fa9ad7a8fe45129b565198b797cc74c33c.
const CATEGORY: [&str; 15] = [
    "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
    "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
    "FIELD_SAME_DEFAULT",
    "FIELD_SAME_ONEOF",
    "FIELD_WIRE_COMPATIBLE_CARDINALITY",
    "FIELD_WIRE_COMPATIBLE_TYPE",
    "FILE_SAME_PACKAGE",
    "MESSAGE_SAME_REQUIRED_FIELDS",
    "RESERVED_ENUM_NO_DELETE",
    "RESERVED_MESSAGE_NO_DELETE",
    "RPC_SAME_CLIENT_STREAMING",
    "RPC_SAME_IDEMPOTENCY_LEVEL",
    "RPC_SAME_REQUEST_TYPE",
    "RPC_SAME_RESPONSE_TYPE",
    "RPC_SAME_SERVER_STREAMING",
];

#[track_caller]
fn check(cases: &[Case]) {
    for Case { rule, change, same, next } in cases {
        for (done, then) in [(same_version(*change), same), (next_version(*change), next)] {
            match (done, then) {
                (Err(error), Refused(reason)) => {
                    assert!(error.to_string().contains(reason), "{rule} {change:?}: {error}");
                }
                (Ok(lock), Written(text)) => {
                    assert!(lock.to_string().contains(text), "{rule} {change:?}: {lock}");
                }
                (Ok(lock), Refused(reason)) => panic!("{rule} {change:?}: not {reason:?}: {lock}"),
                (Err(error), Written(text)) => panic!("{rule} {change:?}: not {text:?}: {error}"),
            }
        }
    }
}

#[test]
fn every_rule_of_the_category_is_here() {
    let mut rules: Vec<&str> = WIRE.iter().map(|case| case.rule).collect();
    rules.extend(NOTHING_OF_OURS.iter().map(|(rule, _)| *rule));
    rules.extend(OF_THE_LOCK);
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(rules, CATEGORY);
}

#[test]
fn changes_that_break_the_wire_by_bufs_rules_are_refused() {
    check(WIRE);
}

#[test]
fn changes_that_buf_permits_also_need_a_version() {
    check(STRICTER);
}

/// `RESERVED_MESSAGE_NO_DELETE` and `RESERVED_ENUM_NO_DELETE`: reserved entries stay
/// reserved in every later version.
#[test]
fn a_reserved_number_or_name_stays_reserved_forever() {
    let added = ("      11 mask: fixed32\n", "      11 mask: fixed32\n      13 flags: uint32\n");
    let next = next_version(added).unwrap();
    assert_eq!(next.to_string().matches("reserved 12 serial").count(), 2);
    assert_eq!(next.to_string().matches("reserved 3 CRASHED").count(), 2);
    for (line, place) in [("reserved 12 serial", "a.Vm"), ("reserved 3 CRASHED", "a.Vm.Stage")] {
        // Deletes the line from the later record, which is checked against the earlier one.
        let text = next.to_string();
        let at = text.rfind(line).unwrap();
        let without = format!("{}{}", &text[..at], &text[at + line.len()..]);
        let error = without.parse::<super::Lock>().unwrap();
        let error = error.updated(&super::fixture::next_manifest(added)).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "example.com/a.Vm: version 2: the line `{line}` of {place} is missing from the lock: \
                 restore it"
            )
        );
    }
    for (change, reason) in [
        (
            ("      reserved 12 serial\n", "      12 disk_count: uint32\n"),
            "number 12 (disk_count) is reserved: it was serial in an older version",
        ),
        (
            ("      reserved 12 serial\n", "      14 serial: uint32\n"),
            "the name serial is reserved: it was number 12 in an older version",
        ),
        (
            ("      reserved 3 CRASHED\n", "      3 SAVING\n"),
            "number 3 (SAVING) is reserved: it was CRASHED in an older version",
        ),
    ] {
        let error = next_version(change).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(released().to_string().matches("reserved").count(), 3);
}
