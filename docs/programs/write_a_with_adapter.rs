//! A module converts a field with a type that the codec does not know.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use snapshot_core::{Snapshot, codec};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Debug, PartialEq)]
enum Image {
    File(String),
    BlockDevice(u32),
}

/// `file:NAME` or `block:NUMBER`, in a proto `string`.
mod image_text {
    use super::Image;

    pub(crate) fn to_wire(image: &Image) -> Result<String, String> {
        match image {
            Image::File(name) if name.is_empty() => Err("a file has a name".to_owned()),
            Image::File(name) => Ok(format!("file:{name}")),
            Image::BlockDevice(number) => Ok(format!("block:{number}")),
        }
    }

    pub(crate) fn from_wire(text: String) -> Result<Image, String> {
        let image = match text.split_once(':') {
            Some(("file", name)) => Image::File(name.to_owned()),
            Some(("block", number)) => {
                Image::BlockDevice(number.parse().map_err(|e| format!("{number:?}: {e}"))?)
            }
            _ => return Err(format!("{text:?} is neither file:NAME nor block:NUMBER")),
        };
        // "block:007" also has a number, but would be saved again as "block:7".
        if to_wire(&image).as_ref() == Ok(&text) {
            Ok(image)
        } else {
            Err(format!("{text:?} is not as it would be saved"))
        }
    }
}

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::DiskSnapshot, version = 1)]
struct DiskState {
    #[snapshot(with = image_text)]
    image: Image,
    stage: Stage,
    size: u64,
}

fn disk(image: Image) -> DiskState {
    DiskState { image, stage: Stage::Attached, size: 4096 }
}

#[test]
fn a_disk_keeps_the_contract() {
    // One sample for each form of the text: the kit cannot invent them.
    let samples = [disk(Image::File("root".into())), disk(Image::BlockDevice(7))];
    snapshot_core::testing::contract(samples);
}

#[test]
fn a_refusal_names_the_field() {
    let message =
        pb::DiskSnapshot { schema_version: 1, image: "block:007".into(), ..Default::default() };
    let error = DiskState::try_from(message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "image: \"block:007\" is not as it would be saved (byte 2 of 13)"
    );
    let unnamed = codec::to_bytes(&disk(Image::File(String::new()))).unwrap_err();
    assert_eq!(unnamed.to_string(), "image: a file has a name");
}
