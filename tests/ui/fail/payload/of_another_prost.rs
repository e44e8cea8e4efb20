//! A message that another version of prost generated. It has its name, but for that prost.

use snapshot_core::{Schema, Snapshot};

/// Stands for prost 0.13 beside 0.14, both of which are called `prost` in their own code.
mod prost_0_13 {
    pub trait Name {
        const NAME: &'static str;
        const PACKAGE: &'static str;
    }
}

#[derive(Schema, Clone, Default, PartialEq)]
pub struct DiskSnapshot {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
}

impl prost_0_13::Name for DiskSnapshot {
    const NAME: &'static str = "DiskSnapshot";
    const PACKAGE: &'static str = "disks.v1";
}

#[derive(Snapshot)]
#[snapshot(message = DiskSnapshot, version = 1)]
struct Disk {}

fn main() {}
