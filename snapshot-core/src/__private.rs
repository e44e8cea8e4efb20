//! What the derives' code names. Not an interface: it changes with the derive, without notice.

pub use inventory;
pub use prost;

pub use crate::codec::{NeverDefault, Reader, Single, Tag, Wire, WireField, WireKey, Writer};
pub use crate::controller::Walk;
pub use crate::registry::{Registration, TypeInfo, TypeRef};
pub use crate::schema::probe::{NameOf, NoName, OpaqueShape, ShapeOf};
pub use crate::schema::{
    EnumDescriptor, EnumSchema, EnumValue, Field, FieldDescriptor, FieldShape, MessageDescriptor,
    OneofDescriptor, OneofSchema, Schema, ValueKind, kind,
};
pub use crate::{Code, Controller, Error, Payload, Stage, StageRules, StageVariant, State};
pub use std;
