//! The meanings in manifests and locks, and their comparison.

use snapshot_core::Snapshot;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::evolution::{Verdict, compatible};
use snapshot_core::registry::{Registration, Registry};
use snapshot_core::schema::Manifest;
use snapshot_core::wire::v1::manifest::Meaning;

use crate::pb;

macro_rules! build {
    ($module:ident ($($attribute:tt)*) { $($fields:tt)* }) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            #[derive(Snapshot)]
            #[snapshot(message = pb::Disk, $($attribute)*)]
            pub(crate) struct State { $($fields)* }

            controller!(Disk);

            pub(super) fn manifest() -> Manifest {
                Registry::new([Registration::of::<Disk>()]).unwrap().manifest()
            }
        }
    };
}

build!(plain (version = 1, ignore(place, boot_order)) { pub image: String, pub limit: u64 });
build!(narrow (version = 1, ignore(boot_order), discard(place)) {
    #[snapshot(id, max = 64)]
    pub image: String,
    #[snapshot(range = 1..=8, secret)]
    pub limit: u64,
});
build!(default_of_1000 (version = 3, ignore(place, boot_order), accept(version = 2)) {
    pub image: String,
    #[snapshot(since = 3, default = 1000)]
    pub limit: u64,
});
build!(default_of_100 (version = 3, ignore(place, boot_order), accept(version = 2)) {
    pub image: String,
    #[snapshot(since = 3, default = 100)]
    pub limit: u64,
});

/// The meanings of a field of the disk, as text.
fn texts(manifest: &Manifest, field: &str) -> Vec<String> {
    let disk = manifest.messages.iter().find(|message| message.name == "meaning.v1.Disk").unwrap();
    let field = disk.fields.iter().find(|known| known.name == field).unwrap();
    field.meanings.iter().map(ToString::to_string).collect()
}

/// The manifest as a build states it that knows no meanings.
fn without_meaning(mut manifest: Manifest) -> Manifest {
    for field in manifest.messages.iter_mut().flat_map(|message| &mut message.fields) {
        field.meanings.clear();
    }
    for payload in &mut manifest.payloads {
        (payload.id_field, payload.stage_field) = (0, 0);
    }
    manifest
}

#[test]
fn a_manifest_states_what_each_field_means() {
    let plain = plain::manifest();
    assert_eq!(texts(&plain, "limit"), ["mapped"]);
    assert_eq!(texts(&plain, "boot_order"), ["ignored"]);
    assert_eq!(texts(&plain, "shelf"), ["ignored"]);
    assert_eq!(texts(&plain, "schema_version"), [""; 0]);
    let narrow = narrow::manifest();
    assert_eq!(texts(&narrow, "limit"), ["1 to 8; secret"]);
    assert_eq!(texts(&narrow, "image"), ["max 64"]);
    assert_eq!(texts(&narrow, "slot"), ["discarded"]);
    assert_eq!(narrow.payloads[0].id_field, 2);
    assert_eq!(texts(&default_of_1000::manifest(), "limit"), ["default 18e807"]);
}

#[test]
fn a_difference_of_meaning_is_reported_with_both_sides_and_its_class() {
    let report = compatible(&plain::manifest(), &narrow::manifest());
    let payload = &report.payloads[0];
    assert_eq!(payload.verdict, Verdict::Readable);
    let tolerable: Vec<String> = payload.tolerable.iter().map(|d| d.reason.clone()).collect();
    for reason in [
        "field 2 (image) has any number of bytes at the source and at most 64 bytes at the destination",
        "field 3 (limit) holds any value at the source and 1 to 8 at the destination",
        "field 4 (slot) is ignored at the source and discarded at the destination",
    ] {
        assert!(tolerable.contains(&reason.to_owned()), "{reason}: {tolerable:#?}");
    }
    let same: Vec<&str> = payload.same.iter().map(|d| d.reason.as_str()).collect();
    assert_eq!(
        same,
        ["field 3 (limit) is no secret at the source and a secret at the destination"]
    );
    assert!(compatible(&plain::manifest(), &plain::manifest()).payloads[0].tolerable.is_empty());
}

#[test]
fn a_lock_refuses_another_meaning_of_a_released_version() {
    let lock = Lock::of(&plain::manifest()).unwrap();
    lock.check(&plain::manifest()).unwrap();
    let error = lock.check(&narrow::manifest()).unwrap_err().to_string();
    for part in [
        "type.googleapis.com/meaning.v1.Disk has changed and its version has not",
        "field 3 (limit) holds any value in the lock and 1 to 8 now",
        "+         mapped secret values least 1 most 8",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(lock.updated(&narrow::manifest()).is_err());
}

#[test]
fn another_default_is_a_difference_of_the_lock_and_of_the_older_version() {
    let (a, b) = (default_of_1000::manifest(), default_of_100::manifest());
    assert_ne!(a, b);
    let reason = "field 3 (limit) is read from older payloads as 1000 in the lock and 100 now";
    let error = Lock::of(&a).unwrap().check(&b).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
    // In version 3 the field is there; its default is of no account.
    let report = compatible(&a, &b);
    assert_eq!(report.payloads[0].verdict, Verdict::Readable);
    assert!(
        report
            .to_string()
            .contains("tolerable: meaning.v1.Disk: field 3 (limit) is read from older")
    );
    // Where the field is left out, the destination's default is read.
    let mut older = b;
    older.payloads[0].accepts = vec![2];
    older.payloads[0].version = 4;
    let Verdict::Differs { version: 2, differences } = &compatible(&a, &older).payloads[0].verdict
    else {
        panic!("{}", compatible(&a, &older));
    };
    assert_eq!(
        differences[0].reason,
        "field 3 (limit) is left out in version 2, and is then 1000 at the source and 100 at the \
         destination"
    );
}

#[test]
fn a_lock_survives_its_text_form_with_all_meanings() {
    for manifest in [plain::manifest(), narrow::manifest(), default_of_100::manifest()] {
        let lock = Lock::of(&manifest).unwrap();
        assert_eq!(lock.to_string().parse::<Lock>().unwrap(), lock);
        let again = compatible(&lock.manifest().unwrap(), &manifest);
        assert!(
            again.payloads[0].verdict.is_compatible() && again.payloads[0].tolerable.is_empty(),
            "{again}"
        );
    }
}

#[test]
fn a_manifest_and_a_lock_from_before_meanings_are_equal_to_all() {
    let (now, before) = (narrow::manifest(), without_meaning(plain::manifest()));
    assert_eq!(compatible(&before, &now).payloads[0].verdict, Verdict::Same);
    assert_eq!(compatible(&now, &before).payloads[0].verdict, Verdict::Same);
    let old = Lock::of(&before).unwrap();
    assert!(!old.to_string().contains("meaning stated"));
    old.check(&now).unwrap();
    Lock::of(&now).unwrap().check(&before).unwrap();
    // An update adds the meanings, and from then on they count.
    let updated = old.updated(&now).unwrap();
    assert!(updated.to_string().contains("meaning stated"));
    updated.check(&now).unwrap();
    assert!(updated.check(&plain::manifest()).is_err());
}

#[test]
fn a_meaning_without_anything_is_that_of_a_plain_field() {
    assert_eq!(Meaning::default().to_string(), "mapped");
}
