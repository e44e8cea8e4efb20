//! JSON with the rules of Go's `encoding/json`.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value};
use snapshot_core::codec::Json;

/// JSON text that is kept byte for byte, and that Go would also read into a `T`.
pub type GoJson<T> = Json<Go<T>>;

/// A `T` that is read from JSON as Go reads a struct: unknown members are skipped, missing members and
/// those with `null` get their zero value, and the case of names does not matter.
///
/// `T` derives `Deserialize` with `#[serde(default)]`, which does the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Go<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Go<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        T::deserialize(Lenient(value)).map(Go).map_err(D::Error::custom)
    }
}

/// A value in which `null` stands for the zero value of any requested type.
struct Lenient(Value);

impl Lenient {
    fn or(self, zero: impl Into<Value>) -> Self {
        if self.0.is_null() { Self(zero.into()) } else { self }
    }
}

macro_rules! null_is {
    ($($zero:expr => $($method:ident)*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.or($zero).deserialize_any(visitor)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(elements) => {
                visitor.visit_seq(SeqDeserializer::new(elements.into_iter().map(Lenient)))
            }
            Value::Object(members) => visitor.visit_map(MapDeserializer::new(
                members.into_iter().map(|(name, value)| (name, Lenient(value))),
            )),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.or(Map::new()).0 {
            Value::Object(members) => {
                Self(named_as(members, fields).into()).deserialize_any(visitor)
            }
            // serde would also accept an array with the members in order.
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            value => Self(value).deserialize_any(visitor),
        }
    }

    null_is! {
        false => deserialize_bool;
        0 => deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
            deserialize_f32 deserialize_f64;
        "" => deserialize_str deserialize_string;
        Value::Array(Vec::new()) => deserialize_seq;
        Map::new() => deserialize_map;
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct enum
        identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Renames the members to the names in the struct. A member with the exact name takes precedence over
/// one whose name differs in case.
fn named_as(members: Map<String, Value>, fields: &[&'static str]) -> Map<String, Value> {
    let (mut named, others): (Map<_, _>, Map<_, _>) =
        members.into_iter().partition(|(name, _)| fields.contains(&name.as_str()));
    for (name, value) in others {
        if let Some(field) = fields.iter().find(|field| field.eq_ignore_ascii_case(&name)) {
            named.entry(*field).or_insert(value);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Sample {
        user_id: u32,
        args: Vec<String>,
        limits: BTreeMap<String, Inner>,
        inner: Option<Inner>,
        flag: bool,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        hard: u64,
    }

    fn read(json: &str) -> Result<Sample, String> {
        GoJson::new(json)
            .and_then(|json| json.get())
            .map(|Go(value)| value)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn null_and_missing_members_are_zero() {
        let zero = Sample::default();
        assert_eq!(read("null").unwrap(), zero);
        assert_eq!(read("{}").unwrap(), zero);
        let nulls = r#"{"userId":null,"args":null,"limits":null,"inner":null,"flag":null}"#;
        assert_eq!(read(nulls).unwrap(), zero);
        let deep = read(r#"{"args":["a",null],"limits":{"x":null}}"#).unwrap();
        assert_eq!(deep.args, ["a", ""]);
        assert_eq!(deep.limits["x"], Inner::default());
    }

    #[test]
    fn the_case_of_a_name_does_not_matter_and_an_exact_one_comes_first() {
        assert_eq!(read(r#"{"USERID":7,"Inner":{"HARD":3}}"#).unwrap().user_id, 7);
        assert_eq!(read(r#"{"Inner":{"HARD":3}}"#).unwrap().inner, Some(Inner { hard: 3 }));
        assert_eq!(read(r#"{"USERID":1,"userId":2,"UserID":3}"#).unwrap().user_id, 2);
        // The keys of a map are not names of members.
        assert!(read(r#"{"limits":{"X":{},"x":{}}}"#).unwrap().limits.len() == 2);
    }

    #[test]
    fn unknown_members_of_any_type_are_skipped() {
        assert_eq!(read(r#"{"other":[{"a":null},1e300,"\u00e9"]}"#).unwrap(), Sample::default());
    }

    #[test]
    fn json_that_go_refuses_is_refused() {
        for json in [
            "",
            " ",
            "[]",
            "1",
            r#""{}""#,
            "{}x",
            "{",
            "\u{feff}{}",
            r#"{"userId":-1}"#,
            r#"{"userId":1.0}"#,
            r#"{"userId":4294967296}"#,
            r#"{"userId":"1"}"#,
            r#"{"args":"a"}"#,
            r#"{"args":[1]}"#,
            r#"{"inner":[]}"#,
            r#"{"flag":0}"#,
            "{'a':1}",
        ] {
            assert!(read(json).is_err(), "{json:?} is read");
        }
    }
}
