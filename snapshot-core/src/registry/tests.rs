//! Contradictory registries, and the manifest.

use prost::Message;

use super::{Registration, Registry};
use crate::controller::ControllerSet;
use crate::error::Code;
use crate::orchestrator::tests::{Box_, Disk, Job, Net, Tail, Thing};
use crate::payload::Payload;
use crate::registry::registry;
use crate::schema::MessageDescriptor;

fn all() -> Vec<Registration> {
    vec![
        Registration::of::<Thing<Job>>(),
        Registration::of::<Thing<Box_>>(),
        Registration::of::<Thing<Disk>>(),
        Registration::of::<Thing<Net>>(),
    ]
}

#[test]
fn registrations_are_sorted_by_type_url_whatever_the_link_order() {
    let there = Registry::new(all()).unwrap();
    let back = Registry::new(all().into_iter().rev()).unwrap();
    let urls = |registry: &Registry| -> Vec<_> {
        registry.iter().map(|registration| registration.info().type_url).collect()
    };
    assert_eq!(urls(&there), urls(&back));
    assert!(urls(&there).is_sorted());
    let disk = there.get("type.googleapis.com/test.DiskSnapshot").unwrap();
    assert_eq!(disk.info().controller.short_name(), "Thing<Disk>");
    assert!(there.get("test.DiskSnapshot").is_none());
    assert_eq!(there.manifest().encode_to_vec(), back.manifest().encode_to_vec());
}

#[test]
fn the_same_type_registered_twice_is_one() {
    assert_eq!(Registry::new(all().into_iter().chain(all())).unwrap().len(), 4);
}

#[test]
fn an_after_type_that_is_not_registered_is_an_error() {
    let error = Registry::new([
        Registration::of::<Thing<Tail>>(),
        Registration::of::<Thing<Job>>(),
        Registration::of::<Thing<Disk>>(),
    ])
    .unwrap_err();
    let lines: Vec<_> = error.findings().map(|finding| finding.reason().to_owned()).collect();
    assert_eq!(lines.len(), 1, "{error}");
    assert!(lines[0].contains("comes after") && lines[0].contains("is not registered"), "{error}");
}

#[test]
fn the_registry_of_the_program_has_every_linked_type() {
    let registry = registry().unwrap();
    assert!(registry.len() >= 6);
    crate::registry::require![Thing<Disk>, Thing<Net>, ControllerSet].unwrap();
    let error =
        Registry::new([]).unwrap().require(&[crate::registry::TypeInfo::of::<ControllerSet>()]);
    assert_eq!(error.unwrap_err().code(), Code::Internal);
}

#[test]
fn the_manifest_describes_saved_and_accepted_schemas_field_by_field() {
    let registry = registry().unwrap();
    let manifest = registry.manifest();
    let url = <<ControllerSet as crate::Controller>::State as Payload>::TYPE_URL;
    let set = manifest.payloads.iter().find(|payload| payload.type_url == url).unwrap();
    assert_eq!((set.version, set.accepts.as_slice()), (1, &[1][..]));
    assert_eq!(set.message, "snapshot.v1.ControllerSetSnapshot");
    assert_eq!(set.stage_rules, None);
    let entry = "snapshot.v1.ControllerSetSnapshot.Entry";
    let entry = manifest.messages.iter().find(|message| message.name == entry).unwrap();
    let fields: Vec<_> =
        entry.fields.iter().map(|f| (f.number, f.name.as_str(), f.kind.as_str())).collect();
    assert_eq!(
        fields,
        [
            (1, "id", "string"),
            (2, "after", "repeated string"),
            (3, "controller", "google.protobuf.Any"),
        ]
    );
    let job = manifest.payloads.iter().find(|p| p.message == "test.JobSnapshot").unwrap();
    assert_eq!(
        job.after,
        ["type.googleapis.com/test.DiskSnapshot", "type.googleapis.com/test.NetSnapshot"]
    );
    let rules = job.stage_rules.as_ref().unwrap();
    assert_eq!(rules.save_from, ["Running", "Stopped"]);
    assert_eq!(
        [&rules.freeze_to, &rules.import_as, &rules.abort_to, &rules.live],
        ["Frozen", "Imported", "Dead", ""]
    );
    assert!(rules.carried);
    assert!(manifest.messages.is_sorted_by(|a, b| a.name < b.name));
    assert!(manifest.payloads.is_sorted_by(|a, b| a.type_url < b.type_url));
}

#[test]
fn two_types_with_one_message_or_one_type_url_are_refused_and_both_are_named() {
    let mut twin = Registration::of::<Thing<Net>>();
    twin.info.message_name = Registration::of::<Thing<Disk>>().info.message_name;
    let error = Registry::new([twin, Registration::of::<Thing<Disk>>()]).unwrap_err().to_string();
    for part in ["Thing<", "Disk", "Net", "both claim message test.DiskSnapshot"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let mut twin = Registration::of::<Thing<Net>>();
    twin.info.type_url = Registration::of::<Thing<Disk>>().info.type_url;
    let error = Registry::new([twin, Registration::of::<Thing<Disk>>()]).unwrap_err().to_string();
    for part in ["Disk", "Net", "both claim type URL \"type.googleapis.com/test.DiskSnapshot\""] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_lookup_does_not_allocate() {
    let registry = registry().unwrap();
    let mut found = 0;
    let allocations = allocation_counter::measure(|| {
        found = ["type.googleapis.com/test.DiskSnapshot", "type.googleapis.com/test.Nothing", ""]
            .into_iter()
            .filter(|type_url| registry.get(type_url).is_some())
            .count();
    });
    assert_eq!((found, allocations.count_total), (1, 0));
}

/// The same registration with another type URL of prost.
fn renamed(mut registration: Registration, prost_type_url: fn() -> String) -> Registration {
    registration.prost_type_url = prost_type_url;
    registration
}

#[test]
fn a_message_may_have_a_type_url_without_a_domain_and_no_other_name() {
    let disk = Registration::of::<Thing<Disk>>();
    let without_domain = renamed(disk, || "/test.DiskSnapshot".to_owned());
    Registry::new([without_domain]).unwrap();

    // The message is nested. prost's functions show that, its constants do not.
    static NESTED: MessageDescriptor = MessageDescriptor {
        name: "DiskSnapshot",
        full_name: || "test.Bus.DiskSnapshot".to_owned(),
        fields: &[],
    };
    let names: [fn() -> String; 2] = [
        || "type.googleapis.com/test.Bus.DiskSnapshot".to_owned(),
        || "/test.Bus.DiskSnapshot".to_owned(),
    ];
    for prost_type_url in names {
        let mut nested = renamed(disk, prost_type_url);
        nested.descriptor = &NESTED;
        let error = Registry::new([nested]).unwrap_err().to_string();
        for part in
            ["message test.Bus.DiskSnapshot", "the derive assumed test.DiskSnapshot", "top level"]
        {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    let elsewhere = renamed(disk, || "example.com/test.DiskSnapshot".to_owned());
    let error = Registry::new([elsewhere]).unwrap_err().to_string();
    assert!(
        error.contains("add #[snapshot(type_url = \"example.com/test.DiskSnapshot\")]"),
        "{error}"
    );
}
