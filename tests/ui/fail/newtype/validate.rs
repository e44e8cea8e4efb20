//! A check of a newtype whose function takes the wrapped value.

use snapshot_core::Snapshot;

#[derive(Snapshot)]
#[snapshot(transparent, validate = is_a_name)]
struct Name(String);

fn is_a_name(name: &String) -> Result<(), String> {
    if name.is_empty() { Err("is empty".to_owned()) } else { Ok(()) }
}

fn main() {}
