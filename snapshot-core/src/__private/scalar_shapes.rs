//! The shapes of scalar fields, as constants with short names: the compiler resolves them faster
//! than their parts, of which a message would name three for each field.

#![allow(non_upper_case_globals, reason = "they have the names of the kinds")]

macro_rules! shapes {
    ($($module:ident $shape:ident)*) => {$(
        pub mod $module {
            shapes!(
                $shape: Double Float Int32 Int64 Uint32 Uint64 Sint32 Sint64 Fixed32 Fixed64
                Sfixed32 Sfixed64 Bool String Bytes
            );
        }
    )*};
    ($shape:ident: $($kind:ident)*) => {$(
        pub const $kind: crate::schema::FieldShape =
            crate::schema::FieldShape::$shape(crate::schema::ValueKind::$kind);
    )*};
}

shapes! { singular Singular optional Optional repeated Repeated packed Packed }
