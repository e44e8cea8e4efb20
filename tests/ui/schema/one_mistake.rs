//! One mistake gives one message, although others need the schema of the type it is in.

use snapshot_core::Schema;
use snapshot_core::schema::{Field, kind};

#[derive(Schema)]
pub struct Inner {
    #[prost(uint32, tag = "0")]
    wrong: u32,
    #[prost(uint32, tag = "1")]
    right: u32,
}

#[derive(Schema)]
pub struct Outer {
    #[prost(message, optional, tag = "1")]
    inner: Option<Inner>,
}

fn main() {
    let _: Field<kind::Optional<kind::Message<Inner>>> = Outer::FIELDS.inner;
    let _: Field<kind::Singular<kind::Uint32>> = Inner::FIELDS.right;
}
