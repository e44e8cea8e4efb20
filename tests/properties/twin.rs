//! The model for the comparison with the codec: the prost value for each Rust value, and the prost values
//! without a Rust value. It uses only `std` and prost.

use std::fmt::Debug;

use proptest::prelude::*;

use super::place::Places;

/// A Rust value with a counterpart in a prost field of type `P`.
pub trait Twin<P>: Sized + Debug + 'static {
    /// Whether places in it begin with its own names instead of the field's, as for a oneof's members.
    const NAMELESS: bool = false;

    /// Values that can be saved.
    fn natives() -> BoxedStrategy<Self>;
    /// The prost value of this value.
    fn to_prost(&self) -> P;
    /// The Rust value of a prost value, or the places that do not fit.
    fn of_prost(prost: &P) -> Result<Self, Places>;
}

/// A type of prost's fields.
pub trait Foreign: Sized + Debug + 'static {
    /// All values of the type, including those without a Rust twin.
    fn foreigners() -> BoxedStrategy<Self>;
}

/// The values of a field's twin; the closure only determines the type of prost's field.
pub fn natives_of<T: Twin<P>, M, P>(_field: fn(&M) -> &P) -> BoxedStrategy<T> {
    T::natives()
}

/// Values of prost's field; most of them have a twin.
pub fn foreigners_of<T: Twin<P>, M, P: Foreign>(_field: fn(&M) -> &P) -> BoxedStrategy<P> {
    prop_oneof![
        3 => T::natives().prop_map(|native| native.to_prost()),
        1 => P::foreigners(),
    ]
    .boxed()
}

/// The name of the proto field of a Rust field.
pub fn proto_name(field: &'static str) -> &'static str {
    field.trim_start_matches("r#").trim_end_matches('_')
}

/// Declares a state struct, field by field, and its model.
macro_rules! case {
    ($(#[$meta:meta])* $name:ident: $message:path {
        $($(#[$attribute:meta])* $field:ident: $ty:ty,)*
    }) => {
        #[derive(Clone, Debug, PartialEq, Snapshot)]
        #[snapshot(message = $message)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$attribute])* pub $field: $ty,)*
        }

        impl Twin<$message> for $name {
            fn natives() -> BoxedStrategy<Self> {
                let fields = nest!($(natives_of::<$ty, $message, _>(|message| &message.$field),)*);
                fields.prop_map(|nested!($($field)*)| Self { $($field,)* }).boxed()
            }

            #[allow(clippy::needless_update, reason = "some cases leave fields out")]
            fn to_prost(&self) -> $message {
                $message { $($field: self.$field.to_prost(),)* ..Default::default() }
            }

            fn of_prost(message: &$message) -> Result<Self, Places> {
                let _ = message;
                #[allow(unused_mut, reason = "some cases have no fields")]
                let mut places = Places::default();
                $(
                    let result = <$ty as Twin<_>>::of_prost(&message.$field);
                    let $field = places.keep(result.map_err(|wrong| {
                        named::<$ty, _>(&message.$field, wrong, stringify!($field))
                    }));
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) if places.is_empty() => Ok(Self { $($field,)* }),
                    _ => Err(places),
                }
            }
        }

        impl Case for $name {
            #[allow(clippy::needless_update, reason = "some cases leave fields out")]
            fn messages() -> BoxedStrategy<$message> {
                let fields =
                    nest!($(foreigners_of::<$ty, $message, _>(|message| &message.$field),)*);
                let message = |nested!($($field)*)| {
                    $message { $($field,)* ..Default::default() }
                };
                fields.prop_map(message).boxed()
            }
        }
    };
}

/// Strategies as a tuple of tuples, because a long tuple is not a strategy.
macro_rules! nest {
    () => { Just(()) };
    ($first:expr, $($rest:expr,)*) => { ($first, nest!($($rest,)*)) };
}

macro_rules! nested {
    () => { () };
    ($first:ident $($rest:ident)*) => { ($first, nested!($($rest)*)) };
}

pub(crate) use {case, nest, nested};

/// The places of a field's errors. The value only determines its type.
pub fn named<T: Twin<P>, P>(_value: &P, places: Places, field: &'static str) -> Places {
    if T::NAMELESS { places } else { places.in_field(proto_name(field)) }
}
