//! The OCI process spec, as lenient about missing members as the program that wrote it.

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// An OCI process spec, read with the rules of Go's `encoding/json`: a missing `user` or `cwd` gets
/// the zero value, where the crate `oci-spec` would refuse the document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ProcessSpec(pub oci_spec::runtime::Process);

impl<'de> Deserialize<'de> for ProcessSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpecVisitor;

        impl<'de> Visitor<'de> for SpecVisitor {
            type Value = ProcessSpec;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an OCI process spec")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<ProcessSpec, A::Error> {
                let completed =
                    Completed { members, missing: vec![Member::User, Member::Cwd], pending: None };
                Deserialize::deserialize(MapAccessDeserializer::new(completed)).map(ProcessSpec)
            }
        }

        deserializer.deserialize_map(SpecVisitor)
    }
}

/// A member that `oci-spec` requires.
#[derive(Clone, Copy, PartialEq)]
enum Member {
    User,
    Cwd,
}

impl Member {
    fn name(self) -> &'static str {
        match self {
            Member::User => "user",
            Member::Cwd => "cwd",
        }
    }
}

/// Reads the members of an object, followed by the missing ones.
struct Completed<A> {
    members: A,
    missing: Vec<Member>,
    pending: Option<Member>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Completed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        if let Some(name) = self.members.next_key::<String>()? {
            self.missing.retain(|member| member.name() != name);
            return seed.deserialize(name.into_deserializer()).map(Some);
        }
        self.pending = self.missing.pop();
        match self.pending {
            Some(member) => seed.deserialize(member.name().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.pending {
            None => self.members.next_value_seed(seed),
            Some(Member::User) => {
                let nothing = std::iter::empty::<(&str, u32)>();
                seed.deserialize(MapDeserializer::new(nothing))
            }
            Some(Member::Cwd) => seed.deserialize("".into_deserializer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ProcessSpec, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_empty_object_is_a_spec_of_zero_values() {
        let ProcessSpec(spec) = read("{}").unwrap();
        assert_eq!(spec.cwd().as_os_str(), "");
        assert_eq!((spec.user().uid(), spec.user().gid()), (0, 0));
        assert_eq!(spec.args(), &None);
    }

    #[test]
    fn members_that_are_there_are_read() {
        let json = r#"{"user":{"uid":7},"args":["sh"],"cwd":"/w","unknown":1}"#;
        let ProcessSpec(spec) = read(json).unwrap();
        assert_eq!(spec.user().uid(), 7);
        assert_eq!(spec.cwd().to_str(), Some("/w"));
        assert_eq!(spec.args().as_deref(), Some(&["sh".to_owned()][..]));
    }

    #[test]
    fn members_of_another_type_are_refused() {
        for json in [r#"{"cwd":1}"#, r#"{"user":1}"#, r#"{"args":"sh"}"#, "[]", "null", "{}{}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
