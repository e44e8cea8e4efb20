//! What is read from a schema is checked by the compiler: names, kinds and values.

use snapshot_core::schema::{EnumSchema, Field, OneofSchema, Schema, kind};
use snapshot_proto::fixture::v1::{Choice, Signed, choice};

fn main() {
    let _ = Choice::FIELDS.befor;
    let _ = choice::Kind::MEMBERS.Nummer;
    let _ = Signed::VALUES.MinusTwo;
    let _: Field<kind::Singular<kind::Uint32>> = Choice::FIELDS.before;
}
