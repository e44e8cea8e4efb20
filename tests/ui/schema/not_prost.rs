//! Types that prost did not generate.

use snapshot_core::Schema;

#[derive(Schema)]
struct State {
    name: String,
    count: u32,
}

#[derive(Schema)]
struct Tuple(u32);

#[derive(Schema)]
enum Stage {
    Running,
    Stopped,
}

#[derive(Schema)]
enum Choice {
    Text(String),
    Number(u32),
}

#[derive(Schema)]
struct Generic<T> {
    #[prost(message, optional, tag = "1")]
    value: Option<T>,
}

#[derive(Schema)]
union Union {
    value: u32,
}

fn main() {}
