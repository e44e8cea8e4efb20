//! Parses a JSON document as a tree, to find out whether a value keeps all of it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::Error;
use crate::codec::Quoted;

/// A node of a document. A member that occurs twice makes the document invalid.
#[derive(Debug, PartialEq)]
pub(super) enum JsonNode {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<JsonNode>),
    Object(BTreeMap<String, JsonNode>),
}

impl JsonNode {
    /// Checks that everything in this document is also in `kept`, the JSON of the value that was
    /// read from it. The order of members and white space are ignored, a null member is the same as
    /// none, and `kept` may have more members: the defaults of the type.
    ///
    /// # Errors
    ///
    /// The first missing part, with its place.
    pub(super) fn check_kept(&self, kept: &JsonNode) -> Result<(), Error> {
        match lost(self, kept, String::new()) {
            None => Ok(()),
            Some(place) => Err(Error::invalid(format!(
                "is JSON with {}, which the type does not keep: add it to the type, or carry the \
                 document unchanged as `codec::Json`",
                match place.as_str() {
                    "" => "the value".to_owned(),
                    place => Quoted(place).to_string(),
                }
            ))),
        }
    }
}

/// Returns the place of the first part of `read` that is not in `kept`.
fn lost(read: &JsonNode, kept: &JsonNode, place: String) -> Option<String> {
    match (read, kept) {
        (JsonNode::Object(read), JsonNode::Object(kept)) => {
            read.iter().find_map(|(name, value)| {
                let place = format!("{place}/{name}");
                match (value, kept.get(name)) {
                    (JsonNode::Null, None) => None,
                    (_, None) => Some(place),
                    (value, Some(kept)) => lost(value, kept, place),
                }
            })
        }
        (JsonNode::List(read), JsonNode::List(kept)) if read.len() == kept.len() => {
            let pairs = read.iter().zip(kept).enumerate();
            pairs
                .map(|(index, (read, kept))| lost(read, kept, format!("{place}/{index}")))
                .find_map(|lost| lost)
        }
        (JsonNode::Number(read), JsonNode::Number(kept)) if is_same_number(read, kept) => None,
        (read, kept) => (read != kept).then_some(place),
    }
}

/// Returns whether two numbers are equal: `1` and `1.0` are.
fn is_same_number(a: &Number, b: &Number) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a == b,
        (Some(integer), None) => is_same_value(integer, b),
        (None, Some(integer)) => is_same_value(integer, a),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn is_same_value(integer: i128, float: &Number) -> bool {
    // Both conversions are needed: the first one rounds.
    float.as_f64().is_some_and(|float| integer as f64 == float && float as i128 == integer)
}

impl<'de> Deserialize<'de> for JsonNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = JsonNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<JsonNode, E> {
        Ok(JsonNode::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsonNode, E> {
        Ok(JsonNode::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JsonNode, E> {
        Ok(JsonNode::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<JsonNode, E> {
        Ok(JsonNode::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<JsonNode, E> {
        Number::from_f64(value).map(JsonNode::Number).ok_or_else(|| E::custom("not a JSON number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<JsonNode, E> {
        Ok(JsonNode::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<JsonNode, E> {
        Ok(JsonNode::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<JsonNode, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(JsonNode::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<JsonNode, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<String, JsonNode>()? {
            match object.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(entry) => {
                    let name = Quoted(entry.key()).to_string();
                    return Err(A::Error::custom(format!("member {name} occurs twice")));
                }
            }
        }
        Ok(JsonNode::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(read: &str, kept: &str) -> Option<String> {
        let [read, kept] = [read, kept].map(|text| serde_json::from_str::<JsonNode>(text).unwrap());
        super::lost(&read, &kept, String::new())
    }

    #[test]
    fn what_means_the_same_is_kept() {
        for (read, kept) in [
            (r#"{"a": 1, "b": [true, null]}"#, r#"{"b":[true,null],"a":1}"#),
            (r#"{"a": null}"#, "{}"),
            (r#"{"a": null}"#, r#"{"a":null}"#),
            ("{}", r#"{"a":0}"#),
            ("[1, 2.0, 1e2]", "[1.0,2,100]"),
        ] {
            assert_eq!(lost(read, kept), None, "{read} {kept}");
        }
    }

    #[test]
    fn what_is_not_kept_is_found_with_its_place() {
        for (read, kept, place) in [
            (r#"{"a": 1}"#, "{}", "/a"),
            (r#"{"a": {"b": [0, {"c": "x"}]}}"#, r#"{"a":{"b":[0,{"c":"y"}]}}"#, "/a/b/1/c"),
            ("[1, 2]", "[1]", ""),
            ("18446744073709551615", "18446744073709551614", ""),
            ("18446744073709551615", "1.8446744073709552e19", ""),
            ("0.1", "0.10000000149011612", ""),
            (r#""1""#, "1", ""),
        ] {
            assert_eq!(lost(read, kept).as_deref(), Some(place), "{read} {kept}");
        }
    }

    #[test]
    fn a_member_twice_is_no_document() {
        let error = serde_json::from_str::<JsonNode>(r#"{"a":1,"a":2}"#).unwrap_err().to_string();
        assert_eq!(error, "member \"a\" occurs twice at line 1 column 13");
    }
}
