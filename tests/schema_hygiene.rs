//! `derive(Schema)` in the most hostile scope: no prelude, messages with the names of the standard library,
//! snapshot-core under another name, every lint an error.
//!
//! prost's own derives do not work in such a scope, so the types only have the derive of this project.

#![no_implicit_prelude]
#![deny(warnings, missing_docs, non_camel_case_types, non_snake_case, unreachable_pub)]
#![deny(unused, unused_qualifications, let_underscore_drop, single_use_lifetimes)]
#![deny(clippy::all, clippy::pedantic)]

// Hides the crate's name, so that generated code with that name does not compile.
extern crate snapshot_core as renamed;
extern crate std as snapshot_core;

/// Messages with the names that generated code needs.
pub mod shadows {
    /// Not the integer.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub struct I32 {}

    /// Not the optional value. Its fields are not in the order of their numbers.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub struct Option {
        /// In a box.
        #[prost(message, optional, boxed, tag = "9")]
        pub r#box: ::std::option::Option<::std::boxed::Box<Box>>,
        /// In a vector.
        #[prost(message, repeated, tag = "2")]
        pub vec: ::std::vec::Vec<Vec>,
        /// In a map.
        #[prost(btree_map = "sint32, message", tag = "3")]
        pub map: ::std::collections::BTreeMap<i32, String>,
        /// A oneof at numbers on both sides of another field.
        #[prost(oneof = "Result", tags = "8, 1")]
        pub result: ::std::option::Option<Result>,
        /// A message that is named like the struct of fields that the derive makes.
        #[prost(message, optional, tag = "4")]
        pub fields: ::std::option::Option<OptionFields>,
        /// An enum.
        #[prost(enumeration = "Copy", repeated, packed = "false", tag = "5")]
        pub copies: ::std::vec::Vec<i32>,
    }

    /// The name that the derive would use for the fields of `Option`.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub struct OptionFields {
        /// Named like a method of the generated code.
        #[prost(string, tag = "1")]
        pub full_name: ::std::string::String,
    }

    /// Not the text.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub struct String {
        /// A field, because clippy warns about maps of empty types.
        #[prost(bool, tag = "1")]
        pub value: bool,
    }

    /// Not the list.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub struct Vec {}

    /// Not the allocation.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub struct Box {}

    /// Not the outcome.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub enum Result {
        /// In a box.
        #[prost(message, tag = "8")]
        Ok(::std::boxed::Box<Option>),
        /// Of two words.
        #[prost(message, tag = "1")]
        NotOk(Box),
    }

    /// Not the trait.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    #[repr(i32)]
    pub enum Copy {
        /// The default.
        None = 0,
        /// A name that is a type's here.
        Option = -7,
        /// A negative number.
        Err = i32::MIN,
    }

    /// A keyword, which prost-build would not use.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    #[allow(non_camel_case_types)]
    pub struct r#type {}

    /// Not the trait that names enums.
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    #[repr(i32)]
    pub enum ByHand {
        /// The default.
        Zero = 0,
    }
}

/// Types with fields of less visible types, and deprecated types.
mod private {
    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    pub(crate) struct Outer {
        #[prost(message, optional, tag = "1")]
        #[deprecated]
        #[allow(deprecated, reason = "its type is, too")]
        _inner: ::std::option::Option<Inner>,
        #[prost(enumeration = "Level", tag = "2")]
        _level: i32,
    }

    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    #[deprecated]
    struct Inner {}

    #[derive(::renamed::Schema)]
    #[snapshot(crate = ::renamed)]
    #[repr(i32)]
    #[allow(dead_code, reason = "prost makes them from numbers")]
    enum Level {
        Low = 0,
        #[deprecated]
        High = 1,
    }
}

use ::renamed::schema::kind::{Map, Message, Oneof, Optional, Sint32};
use ::renamed::schema::{EnumSchema, Field, OneofSchema, Schema};
use ::std::iter::Iterator;
use ::std::option::Option::Some;
use ::std::vec::Vec;
use ::std::{assert, assert_eq};

#[test]
fn shadowed_names_keep_the_meaning_of_the_module() {
    fn is<F>(_: Field<F>) {}

    let fields = shadows::Option::FIELDS;
    is::<Optional<Message<shadows::Box>>>(fields.r#box);
    is::<Map<Sint32, Message<shadows::String>>>(fields.map);
    is::<Oneof<shadows::Result>>(fields.result);
    is::<Optional<Message<shadows::OptionFields>>>(fields.fields);
    is::<Optional<Message<shadows::Option>>>(shadows::Result::MEMBERS.Ok);

    let fields = shadows::Option::DESCRIPTOR.fields.iter();
    let numbers: Vec<_> = fields.map(|field| (field.number, field.name)).collect();
    assert_eq!(
        numbers,
        [(1, "result"), (2, "vec"), (3, "map"), (4, "fields"), (5, "copies"), (9, "box")]
    );
    let members = shadows::Result::DESCRIPTOR.members.iter();
    let names: Vec<_> = members.map(|member| (member.number, member.name)).collect();
    assert_eq!(names, [(1, "not_ok"), (8, "ok")]);
}

#[test]
fn types_without_names_from_prost_have_their_own() {
    assert_eq!((shadows::Option::DESCRIPTOR.full_name)(), "Option");
    let copy = shadows::Copy::DESCRIPTOR;
    assert_eq!(copy.value(-7).map(|value| (value.proto_name)()), Some("Option"));
    assert_eq!(shadows::Copy::VALUES.Err, i32::MIN);
    assert_eq!(shadows::ByHand::DESCRIPTOR.values.len(), 1);
    assert_eq!(shadows::r#type::DESCRIPTOR.name, "type");
}

#[test]
fn less_visible_and_deprecated_types_work() {
    assert_eq!(private::Outer::DESCRIPTOR.field_name(2), Some("_level"));
    assert!(shadows::I32::DESCRIPTOR.fields.is_empty());
}
