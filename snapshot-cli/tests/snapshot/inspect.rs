//! `snapshot inspect` shows the content of the file.

use std::sync::Arc;

use crate::acme::{Tool, any, delimited};
use crate::program::{Files, golden, run, sandbox};
use serde_json::Value;
use snapshot_core::{ControllerSet, Incoming, Provenance, Snapshot, WriteOptions};

fn ids(json: &Value, found: &mut Vec<(String, String, u64, Option<String>)>) {
    found.push((
        json["id"].as_str().unwrap().to_owned(),
        json["type_url"].as_str().unwrap().to_owned(),
        json["version"].as_u64().unwrap(),
        json["stage"].as_str().map(str::to_owned),
    ));
    json["children"].as_array().unwrap().iter().for_each(|child| ids(child, found));
}

#[test]
fn the_tool_shows_the_controllers_that_a_destination_would_build() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let ended = run(["inspect".as_ref(), "--json".as_ref(), path.as_os_str()]);
    let json: Value = serde_json::from_str(ended.fine()).unwrap();
    let mut found = Vec::new();
    ids(&json["controllers"], &mut found);
    found.sort();
    let preview = Incoming::from(snapshot.clone()).preview().unwrap();
    let controllers = preview.controllers.iter();
    let mut expected: Vec<_> = controllers
        .map(|c| {
            let stage = c.stage.map(str::to_owned);
            (c.id.to_string(), c.type_url.to_owned(), u64::from(c.version), stage)
        })
        .collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(json["bytes"], snapshot.len());
    assert_eq!(json["controllers"]["bytes"], snapshot.payload().len());
}

#[test]
fn the_members_of_a_set_have_their_own_ids() {
    let (sandbox, _) = sandbox();
    let set = Arc::new(ControllerSet::new());
    let network = || sandbox.pods()[0].network().unwrap();
    set.insert("net", network()).unwrap();
    set.insert("host/net", network()).unwrap();
    let state = snapshot_core::Controller::state(&*set);
    let any = snapshot_core::codec::to_any_bytes(&*state).unwrap();
    let snapshot = Snapshot::from_any_bytes(&any).unwrap();
    let files = Files::new();
    let path = files.put("a.snapshot", snapshot.as_bytes());
    let ended = run(["inspect".as_ref(), "--json".as_ref(), path.as_os_str()]);
    let mut found = Vec::new();
    ids(&serde_json::from_str::<Value>(ended.fine()).unwrap()["controllers"], &mut found);
    let mut found: Vec<_> = found.into_iter().map(|(id, ..)| id).collect();
    found.sort();
    let preview = Incoming::from(snapshot).preview().unwrap();
    let mut expected: Vec<_> = preview.controllers.iter().map(|c| c.id.to_string()).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(found, [".", "host%2Fnet", "net"]);
}

#[test]
fn the_tree_shows_the_largest_first_without_colours_in_a_pipe() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    WriteOptions::new().zstd(3).write_to_path(&snapshot, &path).unwrap();
    let ended = run(["inspect".as_ref(), path.as_os_str()]);
    let text = ended.fine();
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(text.contains("valid digest, compressed to"), "{text}");
    let line = |of: &str| {
        text.lines().position(|line| line.contains(of)).unwrap_or_else(|| panic!("{of}: {text}"))
    };
    assert!(line("lcow.v1.SandboxSnapshot") < line("lcow.v1.PodSnapshot"));
    let row = text.lines().nth(line("lcow.v1.VmSnapshot")).unwrap();
    assert!(row.contains("Running") && row.contains(" 1 "), "{row}");
    // A container with its spec of 2 KiB is larger than all disks.
    assert!(line("lcow.v1.ContainerSnapshot") < line("lcow.v1.ScsiSnapshot"), "{text}");
}

#[test]
fn a_path_shows_one_controller_with_its_fields() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let preview = Incoming::from(snapshot).preview().unwrap();
    for controller in preview.controllers {
        let id = controller.id.as_str();
        let ended = run(["inspect".as_ref(), path.as_os_str(), "--path".as_ref(), id.as_ref()]);
        assert!(ended.fine().contains("schema_version"), "{}", ended.text());
    }
    let ended = run(["inspect".as_ref(), path.as_os_str(), "--path".as_ref(), "vm/scsi".as_ref()]);
    let text = ended.fine();
    let place = |of: &str| text.find(of).unwrap_or_else(|| panic!("{of}: {text}"));
    assert!(place("disks") < place("num_controllers"), "the largest field first: {text}");
    let ended = run(["inspect".as_ref(), path.as_os_str(), "--path".as_ref(), "vm/scsy".as_ref()]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("no controller \"vm/scsy\": there are ., vm"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_bare_any_of_hcsshim_is_shown() {
    let ended = run(["inspect".as_ref(), golden("any/migration/full.binpb").as_os_str()]);
    let text = ended.fine();
    assert!(text.contains("a bare Any"), "{text}");
    assert!(text.contains("hcsshim.controller.scsi.save.v1.Payload"), "{text}");
}

#[test]
fn types_that_are_not_built_in_need_their_descriptors() {
    use prost::Message;
    use prost_types::field_descriptor_proto::Type;
    let any = prost_types::Any {
        type_url: "type.test/acme.v1.Disk".to_owned(),
        value: b"\x08\x01\x12\x01d".to_vec(),
    };
    let files = Files::new();
    let path = files.put("any", &any.encode_to_vec());
    let ended = run(["inspect".as_ref(), path.as_os_str()]);
    assert!(ended.fine().contains("of an unknown type"), "{}", ended.text());

    let field = |name: &str, number, kind: Type| prost_types::FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        r#type: Some(kind as i32),
        label: Some(1),
        ..Default::default()
    };
    let file = prost_types::FileDescriptorProto {
        name: Some("acme.proto".to_owned()),
        package: Some("acme.v1".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![prost_types::DescriptorProto {
            name: Some("Disk".to_owned()),
            field: vec![field("schema_version", 1, Type::Uint32), field("image", 2, Type::String)],
            ..Default::default()
        }],
        ..Default::default()
    };
    let set = prost_types::FileDescriptorSet { file: vec![file] };
    let set = files.put("set", &set.encode_to_vec());
    let ended = run([
        "inspect".as_ref(),
        path.as_os_str(),
        "--descriptors".as_ref(),
        set.as_os_str(),
        "--path".as_ref(),
        ".".as_ref(),
    ]);
    assert!(ended.fine().contains("image"), "{}", ended.text());
    assert!(ended.text().contains("\"d\""), "{}", ended.text());
    let ended =
        run(["verify".as_ref(), path.as_os_str(), "--descriptors".as_ref(), set.as_os_str()]);
    assert!(ended.fine().contains("not checked: versions, values and references"));
    let ended =
        run(["inspect".as_ref(), path.as_os_str(), "--descriptors".as_ref(), path.as_os_str()]);
    assert_eq!(ended.code, 3, "{ended:?}");
}

#[test]
fn colours_are_written_on_request() {
    use std::process::Command;
    let any = golden("any/scsi/minimal.binpb");
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapshot"));
    command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").arg("inspect").arg(any);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(text.contains("\u{1b}[1m"), "{text:?}");
    let text = String::from_utf8(command.env("NO_COLOR", "1").output().unwrap().stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn fields_that_the_descriptors_do_not_know_are_shown_by_number_type_and_bytes() {
    let tool = Tool::new();
    let disk = [&b"\x08\x01"[..], &delimited(3, b"alice")].concat();
    tool.files.put("disk", &any("Disk", &disk));
    let note = "  1 unknown field (3: length-delimited, 5 bytes (616c696365) \"alice\")\n";
    let ended = tool.run(&["inspect", "@disk"]);
    assert!(ended.fine().contains(note), "{}", ended.text());
    let ended = tool.run(&["inspect", "@disk", "--path", "."]);
    let row = ended.fine().lines().last().unwrap();
    assert!(row.contains("unknown field 3 "), "{row}");
    assert!(row.ends_with("length-delimited, 5 bytes (616c696365) \"alice\""), "{row}");
    let ended = tool.run(&["inspect", "@disk", "--json"]);
    let json: Value = serde_json::from_str(ended.fine()).unwrap();
    let expected = serde_json::json!([
        { "path": "", "number": 3, "wire_type": "length-delimited", "bytes": 5, "hex": "616c696365" }
    ]);
    assert_eq!(json["controllers"]["unknown_fields"], expected);
    // In a nested message of the payload.
    tool.files.put("pod", &any("Pod", &delimited(2, b"\x48\x07")));
    let ended = tool.run(&["inspect", "@pod", "--path", "."]);
    assert!(ended.fine().contains("mounts[0] unknown field 9"), "{}", ended.text());
    assert!(ended.text().contains("varint 7"), "{}", ended.text());
}

#[test]
fn a_field_of_any_type_with_a_text_form_can_be_an_id() {
    let tool = Tool::new();
    let vm = |part: &[u8]| any("Vm", &delimited(4, &any("Part", part)));
    // number: sint64 -7; flag: true; kind: RUNNING; name: a/b.
    tool.files.put("vm", &vm(b"\x10\x0d\x18\x01\x20\x01\x2a\x03a/b"));
    for (field, id) in [
        ("number", "list/-7"),
        ("flag", "list/true"),
        ("kind", "list/RUNNING"),
        ("name", "list/a%2Fb"),
    ] {
        let ended = tool.run(&["inspect", "@vm", "--id", &format!("acme.Part={field}")]);
        assert!(ended.fine().contains(id), "{field}: {}", ended.text());
        let path =
            tool.run(&["inspect", "@vm", "--path", id, "--id", &format!("acme.Part={field}")]);
        assert!(path.fine().contains("acme.Part"), "{}", path.text());
    }
}

#[test]
fn a_stage_that_is_found_only_by_its_name_is_shown_as_a_guess() {
    let tool = Tool::new();
    tool.make("vm", "Vm", r#""stage": "RUNNING""#);
    let ended = tool.run(&["inspect", "@vm"]);
    assert!(ended.fine().contains("  RUNNING?  "), "{}", ended.text());
    let ended = tool.run(&["inspect", "@vm", "--json"]);
    assert!(ended.fine().contains("\"stage_is_guess\": true"), "{}", ended.text());
}

#[test]
fn an_id_and_a_field_of_any_length_are_shown() {
    let tool = Tool::new();
    let name = "n".repeat(70_000);
    let part = delimited(5, name.as_bytes());
    tool.files.put("vm", &any("Vm", &delimited(4, &any("Part", &part))));
    let ended = tool.run(&["inspect", "@vm", "--id", "acme.Part=name"]);
    assert!(ended.fine().contains("bytes)...nnn"), "{}", ended.text());
    assert!(ended.text().len() < 5_000);
    let path = format!("list/{name}");
    tool.run(&["inspect", "@vm", "--id", "acme.Part=name", "--path", &path]).fine();
    let json = tool.run(&["inspect", "@vm", "--id", "acme.Part=name", "--json"]);
    assert!(json.fine().contains(&path), "the whole id, for machines");
}

#[test]
fn a_stored_snapshot_says_which_one_it_is_and_who_wrote_it() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    let provenance = Provenance::new("sandbox-7/\u{202e}12", "shim", "1.2").unwrap();
    WriteOptions::new().provenance(provenance).write_to_path(&snapshot, &path).unwrap();
    let ended = run(["inspect".as_ref(), path.as_os_str()]);
    let stored = ended.fine().lines().nth(1).unwrap();
    assert!(stored.starts_with("stored as sandbox-7/\\u{202e}12 by shim 1.2 at 20"), "{stored}");
    let ended = run(["inspect".as_ref(), "--json".as_ref(), path.as_os_str()]);
    let json: Value = serde_json::from_str(ended.fine()).unwrap();
    assert_eq!(json["provenance"]["id"], "sandbox-7/\u{202e}12");
    assert_eq!(json["provenance"]["build"], "1.2");
}
