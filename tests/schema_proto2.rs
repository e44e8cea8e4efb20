//! `derive(Schema)` on the output of prost-build for proto2, on types of other crates, and on deprecated
//! items: none of them may break a build, and none may get a wrong description.

#![allow(unreachable_pub, reason = "generated code is public")]

use snapshot_core::Schema;
use snapshot_core::schema::kind::{self, Group, Optional, Packed, Repeated};
use snapshot_core::schema::{EnumSchema, Field, FieldShape, OneofSchema, ValueKind};

/// Types of a crate that does not use snapshots.
mod foreign {
    #[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
    pub struct Status {
        #[prost(int32, tag = "1")]
        pub code: i32,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
    #[repr(i32)]
    pub enum Code {
        Ok = 0,
    }
}

/// The output of prost-build 0.14, except for the methods of the enum.
mod proto2 {
    #[derive(::snapshot_core::Schema, Clone, PartialEq, ::prost::Message)]
    pub struct Legacy {
        #[prost(string, required, tag = "1")]
        pub name: ::prost::alloc::string::String,
        #[prost(int32, optional, tag = "2", default = "-5")]
        pub level: ::core::option::Option<i32>,
        #[prost(bytes = "vec", optional, tag = "3", default = "b\"a\\x01\\\"b\"")]
        pub blob: ::core::option::Option<::prost::alloc::vec::Vec<u8>>,
        #[prost(int32, repeated, packed = "false", tag = "4")]
        pub loose: ::prost::alloc::vec::Vec<i32>,
        #[prost(int32, repeated, tag = "5")]
        pub tight: ::prost::alloc::vec::Vec<i32>,
        #[prost(group, repeated, tag = "6")]
        pub row: ::prost::alloc::vec::Vec<legacy::Row>,
        #[prost(group, optional, boxed, tag = "9")]
        pub single: ::core::option::Option<::prost::alloc::boxed::Box<legacy::Single>>,
        #[prost(enumeration = "legacy::Mode", required, tag = "10", default = "On")]
        pub mode: i32,
        #[prost(message, required, tag = "12")]
        pub row_as_message: legacy::Row,
        #[prost(message, required, boxed, tag = "17")]
        pub always: ::prost::alloc::boxed::Box<legacy::Row>,
        #[deprecated]
        #[prost(double, optional, tag = "13", default = "inf")]
        pub inf: ::core::option::Option<f64>,
        #[prost(oneof = "legacy::Pick", tags = "14, 15, 16")]
        pub pick: ::core::option::Option<legacy::Pick>,
    }
    pub mod legacy {
        #[derive(::snapshot_core::Schema, Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
        pub struct Row {
            #[prost(uint32, required, tag = "7")]
            pub cell: u32,
        }
        #[derive(::snapshot_core::Schema, Clone, PartialEq, ::prost::Message)]
        pub struct Single {
            #[prost(message, optional, boxed, tag = "1")]
            pub back: ::core::option::Option<::prost::alloc::boxed::Box<super::Legacy>>,
        }
        #[derive(
            ::snapshot_core::Schema,
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            Hash,
            PartialOrd,
            Ord,
            ::prost::Enumeration,
        )]
        #[repr(i32)]
        pub enum Mode {
            Off = 0,
            On = 1,
        }
        #[derive(::snapshot_core::Schema, Clone, PartialEq, ::prost::Oneof)]
        pub enum Pick {
            #[prost(group, tag = "14")]
            Pack(Row),
            #[prost(message, tag = "15")]
            Other(::prost::alloc::boxed::Box<super::Legacy>),
            #[prost(enumeration = "Mode", tag = "16")]
            #[deprecated]
            ModeOf(i32),
        }
    }

    #[derive(::snapshot_core::Schema, Clone, PartialEq, ::prost::Message)]
    pub struct Mixed {
        #[prost(message, optional, tag = "1")]
        pub status: ::core::option::Option<super::foreign::Status>,
        #[prost(map = "string, message", tag = "2")]
        pub statuses:
            ::std::collections::HashMap<::prost::alloc::string::String, super::foreign::Status>,
        #[prost(enumeration = "super::foreign::Code", repeated, tag = "3")]
        pub codes: ::prost::alloc::vec::Vec<i32>,
        #[prost(uint32, tag = "4")]
        pub known: u32,
    }
}

/// The shapes by number, as text.
fn shapes<S: Schema>() -> Vec<(u32, String)> {
    S::DESCRIPTOR
        .fields
        .iter()
        .map(|field| {
            let shape = match field.shape {
                FieldShape::Optional(ValueKind::Message(message)) => message().name.to_owned(),
                FieldShape::Optional(ValueKind::Enum(values)) => values().name.to_owned(),
                FieldShape::Oneof(oneof) => oneof().name.to_owned(),
                shape => format!("{shape:?}"),
            };
            (field.number, shape)
        })
        .collect()
}

#[test]
fn required_fields_of_proto2_have_presence_and_defaults_do_not_matter() {
    let expected = [
        (1, "Optional(String)"),
        (2, "Optional(Int32)"),
        (3, "Optional(Bytes)"),
        (4, "Repeated(Int32)"),
        (5, "Packed(Int32)"),
        (6, "Opaque"),
        (9, "Opaque"),
        (10, "Mode"),
        (12, "Row"),
        (13, "Optional(Double)"),
        (14, "Pick"),
        (17, "Row"),
    ];
    assert_eq!(shapes::<proto2::Legacy>(), expected.map(|(n, shape)| (n, shape.to_owned())));
}

#[test]
fn a_group_has_a_kind_that_nothing_fits() {
    fn is<F>(_: Field<F>) {}

    is::<Group>(proto2::Legacy::FIELDS.row);
    is::<Group>(proto2::Legacy::FIELDS.single);
    is::<Group>(proto2::legacy::Pick::MEMBERS.Pack);
    is::<Repeated<kind::Int32>>(proto2::Legacy::FIELDS.loose);
    is::<Packed<kind::Int32>>(proto2::Legacy::FIELDS.tight);
    is::<Optional<kind::Message<proto2::legacy::Row>>>(proto2::Legacy::FIELDS.always);
    is::<Optional<kind::Message<proto2::Legacy>>>(proto2::legacy::Pick::MEMBERS.Other);
}

#[test]
fn a_type_without_a_schema_leaves_the_message_around_it_usable() {
    let expected = [(1, "Opaque"), (2, "Opaque"), (3, "Opaque"), (4, "Singular(Uint32)")];
    assert_eq!(shapes::<proto2::Mixed>(), expected.map(|(n, shape)| (n, shape.to_owned())));
    assert_eq!(proto2::Mixed::DESCRIPTOR.field_name(2), Some("statuses"));
}

#[test]
fn an_enum_written_by_hand_is_named_by_its_variants() {
    let names: Vec<_> =
        proto2::legacy::Mode::DESCRIPTOR.values.iter().map(|v| (v.proto_name)()).collect();
    assert_eq!(names, ["Off", "On"]);
    assert_eq!(proto2::legacy::Pick::DESCRIPTOR.members[2].name, "mode_of");
}
