//! The derives work wherever a type can stand: without a prelude, with the crate elsewhere, inside of
//! functions and of macros, under raw names, and without a warning.

#![no_implicit_prelude]
#![deny(warnings, missing_docs, unused_qualifications)]

/// A re-export, as a framework on top of this one has it.
pub mod framework {
    /// The crate, behind two doors.
    pub mod inner {
        pub use ::snapshot_core as snapshots;
    }
}

mod elsewhere {
    #[derive(::snapshot_core::Snapshot)]
    #[snapshot(message = ::snapshot_proto::lcow::v1::scsi_snapshot::Reservation)]
    #[snapshot(crate = crate::framework::inner::snapshots)]
    pub(crate) struct Reservation {
        pub(crate) slot: u32,
        pub(crate) partition: u64,
    }
}

mod raw {
    use ::snapshot_proto::fixture::v1 as r#mod;

    /// Keywords are names; those that cannot be raw have an underscore, as prost names them.
    #[derive(::snapshot_core::Snapshot)]
    #[snapshot(message = r#mod::Keywords, crate = super::framework::inner::snapshots)]
    #[snapshot(ignore(async, r#gen, camel_case, ipv4_2nd, kind))]
    pub(crate) struct r#Struct {
        pub(crate) r#type: ::std::string::String,
        #[snapshot(field = match)]
        pub(crate) r#loop: u32,
        pub(crate) self_: bool,
        #[snapshot(field = crate)]
        pub(crate) r#crate_: bool,
        pub(crate) r#fn: ::std::option::Option<r#Enum>,
    }

    #[derive(::snapshot_core::Snapshot)]
    #[snapshot(oneof = r#mod::keywords::Fn)]
    pub(crate) enum r#Enum {
        Where(u32),
        r#Loop(::std::string::String),
    }
}

mod as_it_is {
    use ::std::clone::Clone;
    use ::std::convert::Infallible;
    use ::std::result::Result::{self, Ok};

    pub(crate) fn to_wire<T: Clone>(value: &T) -> Result<T, Infallible> {
        Ok(value.clone())
    }

    pub(crate) fn from_wire<T>(value: T) -> Result<T, Infallible> {
        Ok(value)
    }
}

macro_rules! state {
    ($(#[$meta:meta])* $name:ident as $message:path { $($field:ident: $ty:ty = $max:expr),* }) => {
        $(#[$meta])*
        #[derive(::snapshot_core::Snapshot)]
        #[snapshot(message = $message, validate = check)]
        struct $name {
            $(#[snapshot(range = 0..=$max, with = $crate::as_it_is)] $field: $ty,)*
        }

        fn check(_: &$name) -> ::std::result::Result<(), &'static str> {
            ::std::result::Result::Ok(())
        }
    };
}

fn main() {
    const MOST: u32 = 3;
    state! {
        /// Made by a macro, inside of a function.
        Reserved as ::snapshot_proto::lcow::v1::scsi_snapshot::Reservation {
            slot: u32 = MOST,
            partition: u64 = 7
        }
    }
    let bytes = ::snapshot_core::codec::to_bytes(&Reserved { slot: 3, partition: 7 });
    ::std::assert!(bytes.is_ok());
    let state = elsewhere::Reservation { slot: 1, partition: 2 };
    ::std::assert!(::snapshot_core::codec::to_bytes(&state).is_ok());
    let link = ::std::option::Option::Some(raw::r#Enum::Where(1));
    let state = raw::r#Struct {
        r#type: ::std::string::String::new(),
        r#loop: 1,
        self_: true,
        r#crate_: false,
        r#fn: link,
    };
    ::std::assert!(::snapshot_core::codec::to_bytes(&state).is_ok());
    ::std::mem::drop(raw::r#Enum::Loop(::std::string::String::new()));
}
