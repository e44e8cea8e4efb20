//! Members of oneofs. Each is named here, since the field around them has only the oneof's name,
//! which is no part of a path.

use crate::Error;
use crate::codec::{Reader, Tag, Wire, Writer, expect_wire_type};
use crate::controller::Walk;
use crate::schema::kind::FieldKind;
use crate::schema::kind::{Kind, Oneof, Optional};
use crate::schema::{Field, OneofSchema};

/// Puts a member. Unlike a field it is put even at its default.
pub fn put_member<K: Kind, T: Wire<K>>(
    member: &Field<Optional<K>>,
    value: &T,
    w: &mut Writer,
) -> Result<u32, Error> {
    match value.put(w) {
        Ok(()) => {
            w.tag(member.number(), K::WIRE_TYPE);
            Ok(member.number())
        }
        Err(error) => Err(error.in_field(member.name())),
    }
}

pub fn take_member<K: Kind, T: Wire<K>>(
    member: &Field<Optional<K>>,
    tag: Tag,
    r: &mut Reader<'_>,
) -> Result<T, Error> {
    match expect_wire_type::<K>(tag).and_then(|()| T::take(r)) {
        Ok(value) => Ok(value),
        Err(error) => Err(error.in_field(member.name())),
    }
}

pub fn walk_member<K: Kind, T: Wire<K>>(
    member: &Field<Optional<K>>,
    value: &mut T,
    walk: &mut Walk<'_>,
) -> Result<(), Error> {
    if T::LEAF {
        return Ok(());
    }
    walk.field(member.name(), |walk| value.walk(walk))
}

/// A member that the enum leaves out on purpose.
#[cold]
pub fn unmapped_member<O: OneofSchema>(tag: Tag) -> Error {
    let error = Error::invalid("is a member that this build does not map");
    match Oneof::<O>::MEMBERS.iter().find(|member| member.number == tag.number) {
        Some(member) => error.in_field(member.name),
        None => error,
    }
}
