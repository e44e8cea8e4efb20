//! Types of another project: their `.proto` file, compiled by a test, and snapshots of them.

use std::path::PathBuf;
use std::sync::OnceLock;

use prost::Message;

use crate::program::{Ended, Files, run};

const PROTO: &str = r#"
syntax = "proto3";
package acme;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

message Disk { uint32 schema_version = 1; uint64 size = 2; }
message Nic {
  uint32 schema_version = 1;
  oneof backend { string switch = 2; google.protobuf.Empty loopback = 3; }
}
message Slots {
  uint32 schema_version = 1;
  map<uint32, string> disks = 2;
  map<bool, string> flags = 3;
  map<string, Disk> named = 4;
}
message Mount { string source = 1; string target = 2; repeated string options = 3; }
message Pod { uint32 schema_version = 1; repeated Mount mounts = 2; }
enum Lifecycle { CREATED = 0; RUNNING = 1; }
message Vm {
  uint32 schema_version = 1;
  Lifecycle phase = 2;
  map<int64, google.protobuf.Any> children = 3;
  repeated google.protobuf.Any list = 4;
  Lifecycle stage = 5;
}
message Part {
  uint32 schema_version = 1;
  sint64 number = 2;
  bool flag = 3;
  Lifecycle kind = 4;
  string name = 5;
}
message Every {
  double d = 1; float f = 2; int32 i = 3; int64 l = 4; uint32 u = 5; uint64 w = 6;
  sint32 si = 7; sint64 sl = 8; fixed32 fu = 9; fixed64 fw = 10; sfixed32 fi = 11; sfixed64 fl = 12;
  bool b = 13; string s = 14; bytes y = 15; Lifecycle e = 16; Mount m = 17;
  repeated sint32 packed = 18; repeated double doubles = 19; repeated Mount mounts = 20;
  map<int64, float> floats = 21; map<string, Every> below = 22; optional float maybe = 23;
  google.protobuf.Timestamp time = 24; google.protobuf.Duration took = 25;
  google.protobuf.Value json = 26; google.protobuf.Struct object = 27;
  google.protobuf.FloatValue wrapped = 28; google.protobuf.UInt64Value counted = 29;
  google.protobuf.Any any = 30; google.protobuf.NullValue null = 31;
  oneof one { float a = 32; google.protobuf.NullValue nothing = 33; Mount mount = 34; }
  google.protobuf.BytesValue raw = 35;
}
"#;

/// The descriptors, compiled once.
fn descriptors() -> &'static [u8] {
    static SET: OnceLock<Vec<u8>> = OnceLock::new();
    SET.get_or_init(|| {
        let files = Files::new();
        files.put("acme.proto", PROTO.as_bytes());
        protox::compile(["acme.proto"], [files.path("")]).unwrap().encode_to_vec()
    })
}

/// The bytes of a bare `Any`.
pub(crate) fn any(message: &str, value: &[u8]) -> Vec<u8> {
    let type_url = format!("type.googleapis.com/acme.{message}");
    prost_types::Any { type_url, value: value.to_vec() }.encode_to_vec()
}

/// A length-delimited field in wire format.
pub(crate) fn delimited(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(value.len() as u64, &mut out);
    [out.as_slice(), value].concat()
}

/// The tool with the descriptors.
pub(crate) struct Tool {
    pub(crate) files: Files,
    descriptors: PathBuf,
}

impl Tool {
    pub(crate) fn new() -> Self {
        let files = Files::new();
        let descriptors = files.put("acme.binpb", descriptors());
        Self { files, descriptors }
    }

    /// Runs the tool. A word that begins with `@` is a file of this test.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        let line = words.iter().map(|word| match word.strip_prefix('@') {
            Some(name) => self.files.path(name).into_os_string(),
            None => word.into(),
        });
        let descriptors = ["--descriptors".into(), self.descriptors.clone().into_os_string()];
        run(line.chain(descriptors))
    }

    /// Converts the members of a payload to a snapshot.
    pub(crate) fn restore(&self, message: &str, members: &str) -> Ended {
        let json = format!(
            r#"{{"form":"snapshot","payload":{{"@type":"type.googleapis.com/acme.{message}",{members}}}}}"#
        );
        self.restore_text(&json)
    }

    pub(crate) fn restore_text(&self, json: &str) -> Ended {
        self.files.put("made.json", json.as_bytes());
        self.run(&["from-json", "@made.json"])
    }

    /// Writes a snapshot of these members to a file.
    pub(crate) fn make(&self, name: &str, message: &str, members: &str) -> PathBuf {
        let ended = self.restore(message, members);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{members}");
        self.files.put(name, &ended.stdout)
    }
}
