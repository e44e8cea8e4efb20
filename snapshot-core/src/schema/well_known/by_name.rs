//! Types of other crates that stand for the messages of `google.protobuf`, recognised by proto name.
//!
//! prost-build takes such types from any crate (`extern_path`), and none of these crates can implement
//! our traits. `derive(Schema)` therefore replaces such a type in the kind of a field by the one type
//! that we know under its proto name, and everything that fits a field of that fits the field. The
//! bytes are the same; only the Rust type of prost's struct field differs.

/// The package of the well-known types.
const PACKAGE: &str = "google.protobuf";

/// The type that is known by number `N` of `number_of`, in place of `M`; `M` itself for 0.
pub struct Known<const N: usize>;

/// See [`Known`].
pub trait InPlaceOf<M> {
    /// The type.
    type Message;
}

impl<M> InPlaceOf<M> for Known<0> {
    type Message = M;
}

/// `number name = type`, numbered from 1.
macro_rules! known {
    ($($number:literal $name:ident = $message:ty)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(
            #[doc = concat!("The type for `google.protobuf.", stringify!($name), "`.")]
            pub type $name = $message;

            impl<M> InPlaceOf<M> for Known<$number> {
                type Message = $message;
            }
        )*
    };
}

known! {
    1 Any = prost_types::Any
    2 Duration = prost_types::Duration
    3 Timestamp = prost_types::Timestamp
    4 FieldMask = prost_types::FieldMask
    5 Empty = ()
    6 Struct = prost_types::Struct
    7 Value = prost_types::Value
    8 ListValue = prost_types::ListValue
    9 DoubleValue = f64
    10 FloatValue = f32
    11 Int64Value = i64
    12 UInt64Value = u64
    13 Int32Value = i32
    14 UInt32Value = u32
    15 BoolValue = bool
    16 StringValue = String
    17 BytesValue = Vec<u8>
}

/// The number by which the message of this name is known, or 0.
pub(crate) const fn number_of(package: &str, name: &str) -> usize {
    let mut number = 0;
    if is_same(package, PACKAGE) {
        let mut index = 0;
        while index < NAMES.len() {
            if is_same(name, NAMES[index]) {
                number = index + 1;
            }
            index += 1;
        }
    }
    number
}

/// `a == b`, which a constant cannot say.
const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;

    #[test]
    fn each_number_is_that_of_the_type_with_the_name() {
        macro_rules! check {
            ($($number:literal)*) => {$(
                let message = <<Known<$number> as InPlaceOf<()>>::Message as Schema>::DESCRIPTOR;
                assert_eq!(number_of(PACKAGE, message.name), $number);
                assert_eq!((message.full_name)(), format!("{PACKAGE}.{}", NAMES[$number - 1]));
            )*};
        }
        check!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17);
        assert_eq!(NAMES.len(), 17);
    }

    #[test]
    fn only_the_package_of_google_has_well_known_types() {
        assert_eq!(number_of("lcow.v1", "Timestamp"), 0);
        assert_eq!(number_of("google.protobuf", "Timestamps"), 0);
        assert_eq!(number_of("google.protobuf", "timestamp"), 0);
    }
}
