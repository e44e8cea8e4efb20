//! The two revisions of hcsshim's payloads, with the same type URLs and version but different field
//! numbers.

use std::collections::BTreeSet;

use snapshot_core::evolution::lock::Lock;
use snapshot_core::evolution::{Verdict, compatible};
use snapshot_core::schema::Manifest;
use snapshot_examples::hcsshim;

/// Returns the manifest of the current revision, from the types that read it.
fn current() -> Manifest {
    hcsshim::manifest().unwrap()
}

/// Returns the manifest of the earlier revision, according to its `.proto` files.
fn earlier() -> Manifest {
    let lock: Lock = include_str!("../golden/hcsshim/earlier.lock").parse().unwrap();
    lock.manifest().unwrap()
}

type Moved = (&'static str, &'static str, Option<u32>, Option<u32>);

/// Every field that moved: message, name, earlier number, current number.
const MOVED: [Moved; 38] = [
    ("linuxcontainer.save.v1.Payload", "io_retry_timeout", Some(5), Some(4)),
    ("linuxcontainer.save.v1.Payload", "layers", Some(6), Some(5)),
    ("linuxcontainer.save.v1.Payload", "plan9_reservation_ids", Some(8), None),
    ("linuxcontainer.save.v1.Payload", "processes", Some(10), Some(7)),
    ("linuxcontainer.save.v1.Payload", "scsi_reservation_ids", Some(7), Some(6)),
    ("linuxcontainer.save.v1.Payload", "state", Some(4), None),
    ("linuxcontainer.save.v1.Payload", "vpci_vmbus_guids", Some(9), None),
    ("network.save.v1.Payload", "state", Some(5), None),
    ("network.save.v1.Payload", "vm_endpoints", Some(6), Some(5)),
    ("process.save.v1.Payload", "bundle", Some(5), Some(4)),
    ("process.save.v1.Payload", "exit_code", Some(8), None),
    ("process.save.v1.Payload", "exited_at", Some(7), None),
    ("process.save.v1.Payload", "io_retry_timeout", Some(9), Some(6)),
    ("process.save.v1.Payload", "oci_process_spec_json", Some(6), Some(5)),
    ("process.save.v1.Payload", "pid", Some(4), Some(3)),
    ("process.save.v1.Payload", "state", Some(3), None),
    ("process.save.v1.Payload", "stderr_port", Some(12), Some(9)),
    ("process.save.v1.Payload", "stdin_port", Some(10), Some(7)),
    ("process.save.v1.Payload", "stdout_port", Some(11), Some(8)),
    ("process.save.v1.Payload", "wait_call_id", None, Some(10)),
    ("scsi.save.v1.DiskState", "mounts", Some(3), Some(2)),
    ("scsi.save.v1.DiskState", "state", Some(2), None),
    ("scsi.save.v1.MountState", "guest_path", Some(4), Some(3)),
    ("scsi.save.v1.MountState", "ref_count", Some(3), Some(2)),
    ("scsi.save.v1.MountState", "state", Some(2), None),
    ("vm.save.v1.ConfidentialConfig", "security_policy", Some(1), None),
    ("vm.save.v1.ConfidentialConfig", "security_policy_enforcer", Some(2), None),
    ("vm.save.v1.ConfidentialConfig", "uvm_reference_info_file", Some(3), None),
    ("vm.save.v1.Payload", "bridge_next_id", None, Some(8)),
    ("vm.save.v1.Payload", "compat_info", Some(9), Some(6)),
    ("vm.save.v1.Payload", "gcs_next_port", Some(8), Some(5)),
    ("vm.save.v1.Payload", "hcs_document", None, Some(7)),
    ("vm.save.v1.Payload", "plan9", Some(7), None),
    ("vm.save.v1.Payload", "sandbox_options", Some(4), Some(3)),
    ("vm.save.v1.Payload", "scsi", Some(5), Some(4)),
    ("vm.save.v1.Payload", "state", Some(3), None),
    ("vm.save.v1.Payload", "vpci", Some(6), None),
    ("vm.save.v1.SandboxOptions", "confidential", Some(6), None),
];

const PACKAGES: &str = "hcsshim.controller.";

/// Returns the fields that moved between two manifests, according to the report.
fn moved(
    source: &Manifest,
    destination: &Manifest,
) -> BTreeSet<(String, String, [Option<u32>; 2])> {
    let mut moved = BTreeSet::new();
    for payload in compatible(source, destination).payloads {
        let Verdict::Differs { differences, .. } = payload.verdict else { continue };
        for difference in differences {
            let field = difference.field.expect(&difference.reason);
            let message = difference.place.strip_prefix(PACKAGES).expect(&difference.place);
            let numbers = [field.source, field.destination];
            assert!(moved.insert((message.to_owned(), field.name, numbers)), "twice: {message}");
        }
    }
    moved
}

#[test]
fn the_report_names_every_field_that_moved_between_the_revisions_and_no_other() {
    let there = MOVED.map(|(message, name, earlier, current)| {
        (message.to_owned(), name.to_owned(), [earlier, current])
    });
    assert_eq!(moved(&earlier(), &current()), BTreeSet::from(there.clone()));
    let back = there.map(|(message, name, [earlier, current])| (message, name, [current, earlier]));
    assert_eq!(moved(&current(), &earlier()), BTreeSet::from(back));
}

#[test]
fn no_payload_that_both_revisions_have_is_compatible() {
    let report = compatible(&earlier(), &current());
    let verdicts: Vec<_> = report
        .payloads
        .iter()
        .map(|payload| {
            let kind = payload.type_url.split('.').nth(4).unwrap();
            (kind, payload.verdict.is_compatible(), payload.verdict == Verdict::Missing)
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            ("linuxcontainer", false, false),
            ("network", false, false),
            ("plan9", false, true),
            ("process", false, false),
            ("scsi", false, false),
            ("vm", false, false),
            ("vpci", false, true),
        ]
    );
    assert!(!report.is_compatible());
}

#[test]
fn a_lock_of_the_earlier_revision_refuses_the_current_one_under_the_same_version() {
    let lock: Lock = include_str!("../golden/hcsshim/earlier.lock").parse().unwrap();
    let error = lock.updated(&current()).unwrap_err().to_string();
    for kind in ["linuxcontainer", "network", "process", "scsi", "vm"] {
        let text = format!("controller.{kind}.save.v1.Payload has changed and its version has not");
        assert!(error.contains(&text), "{error}");
    }
    for (message, name, from, to) in MOVED {
        let line = error.lines().find(|line| line.contains(&format!("{PACKAGES}{message}: ")));
        let said = match (from, to) {
            (Some(from), Some(to)) => format!("field {name} is {from} in the lock and {to} now"),
            (Some(from), None) => format!("only the lock has field {from} ({name})"),
            (None, Some(to)) => format!("only the program has field {to} ({name})"),
            (None, None) => unreachable!(),
        };
        assert!(line.is_some_and(|line| line.contains(&said)), "{said}: {error}");
    }
}
