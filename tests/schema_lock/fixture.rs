//! A small program before and after a change, as the text of its lock.

use snapshot_core::Error;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::evolution::{PayloadVerdict, Verdict, compatible};
use snapshot_core::schema::Manifest;
use snapshot_core::wire::v1::manifest::Older;

/// The released program.
pub(crate) const RELEASED: &str = "
format 1

payload example.com/a.Nic
  accepts 1
  saves 1

  version 1
    root a.Nic

    message a.Nic
      1 mac: bytes

payload example.com/a.Vm
  accepts 1
  saves 1
  freeze_to Migrating

  version 1
    root a.Vm
    stage carried
    save_from Paused
    save_from Running

    message a.Disk
      1 path: string
      2 sectors: uint64
      3 cache: optional bool

    message a.Vm
      1 schema_version: uint32
      2 name: string
      3 cpus: uint32
      4 disks: repeated a.Disk
      5 root_disk: a.Disk
      6 state: a.Vm.Stage
      7 tap: string
        oneof network
      8 vhost: string
        oneof network
      9 labels: map<string, uint32>
      10 delta: sint32
      11 mask: fixed32
      reserved 12 serial

    enum a.Vm.Stage
      0 STOPPED
      1 RUNNING
      2 PAUSED
      reserved 3 CRASHED
";

/// The type URL of the payload that all changes concern.
pub(crate) const VM: &str = "example.com/a.Vm";

pub(crate) fn released() -> Lock {
    RELEASED.parse().unwrap()
}

/// A text in the released lock, and its replacement.
pub(crate) type Change = (&'static str, &'static str);

fn changed((from, to): Change) -> Manifest {
    let count = RELEASED.matches(from).count();
    assert_eq!(count, 1, "{from:?} is {count} times in the fixture");
    RELEASED.replace(from, to).parse::<Lock>().unwrap().manifest().unwrap()
}

/// Applies a change under the released version. Returns the lock after an update.
pub(crate) fn same_version(change: Change) -> Result<Lock, Error> {
    released().updated(&changed(change))
}

/// Applies a change as version 2, which still reads version 1 as the released message.
pub(crate) fn next_version(change: Change) -> Result<Lock, Error> {
    released().updated(&next_manifest(change))
}

pub(crate) fn next_manifest(change: Change) -> Manifest {
    let mut next = changed(change);
    let old = |name: &str| name.replace("a.", "old.a.");
    let before = released().manifest().unwrap();
    for mut message in before.messages {
        message.name = old(&message.name);
        message.fields.iter_mut().for_each(|field| field.kind = old(&field.kind));
        next.messages.push(message);
    }
    for mut one in before.enums {
        one.name = old(&one.name);
        next.enums.push(one);
    }
    let vm = next.payloads.iter_mut().find(|payload| payload.message == "a.Vm");
    let payload = vm.unwrap();
    payload.version = 2;
    payload.accepts = vec![1, 2];
    payload.saves = vec![2];
    payload.older = vec![Older { version: 1, message: "old.a.Vm".to_owned(), ..Older::default() }];
    next
}

/// Returns whether the changed program restores snapshots of the released one.
pub(crate) fn restores(change: Change) -> Verdict {
    between(&released().manifest().unwrap(), &changed(change))
}

/// Returns whether the released program restores snapshots of the changed one.
pub(crate) fn restored_by_released(change: Change) -> Verdict {
    between(&changed(change), &released().manifest().unwrap())
}

pub(crate) fn between(source: &Manifest, destination: &Manifest) -> Verdict {
    let report = compatible(source, destination);
    let vm = |payload: &PayloadVerdict| payload.type_url == VM;
    report.payloads.into_iter().find(vm).map_or(Verdict::Missing, |payload| payload.verdict)
}
