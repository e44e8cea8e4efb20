//! Types without an attribute for their proto counterpart: each error names the attribute to add.

use snapshot_core::Snapshot;

#[derive(Snapshot)]
struct Struct {
    name: String,
}

#[derive(Snapshot)]
#[snapshot(version = 1)]
struct StructWithAVersion {
    #[snapshot(id)]
    name: String,
}

#[derive(Snapshot)]
struct Newtype(String);

#[derive(Snapshot)]
struct Tuple(String, u32);

#[derive(Snapshot)]
struct Unit;

#[derive(Snapshot)]
enum Plain {
    On,
    Off,
}

#[derive(Snapshot)]
enum WithData {
    Text(String),
    Number(u32),
}

fn main() {}
