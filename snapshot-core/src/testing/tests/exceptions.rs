//! Exceptions that a user declares.

use snapshot_derive::Snapshot;

use super::super::Contract;

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Address {
    #[prost(string, tag = "1")]
    pub(super) family: String,
    #[prost(sint32, tag = "2")]
    pub(super) port: i32,
}

impl prost::Name for Address {
    const NAME: &'static str = "Address";
    const PACKAGE: &'static str = "kit.v1";
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = Address, validate = is_ethernet)]
struct Fixed {
    family: String,
    port: i32,
}

fn is_ethernet(state: &Fixed) -> Result<(), &'static str> {
    if state.family == "ethernet" { Ok(()) } else { Err("is another family") }
}

fn fixed() -> Contract<Fixed> {
    Contract::new().samples([Fixed { family: "ethernet".to_owned(), port: 1 }])
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = Address)]
struct Trimmed {
    #[snapshot(with = trimmed)]
    family: String,
    #[snapshot(with = unsigned)]
    port: i32,
}

mod trimmed {
    pub(super) fn to_wire(text: &str) -> Result<String, &'static str> {
        Ok(text.trim().to_owned())
    }
    pub(super) fn from_wire(text: String) -> Result<String, &'static str> {
        Ok(text)
    }
}

/// Loses the sign on save, and refuses negative numbers on read.
mod unsigned {
    pub(super) fn to_wire(port: &i32) -> Result<i32, &'static str> {
        Ok(port.wrapping_abs())
    }
    pub(super) fn from_wire(port: i32) -> Result<i32, &'static str> {
        if port < 0 { Err("is negative") } else { Ok(port) }
    }
}

fn trimmed(port: i32) -> Contract<Trimmed> {
    Contract::new().samples([Trimmed { family: "a".to_owned(), port }])
}

#[test]
fn a_field_with_one_value_is_exempted_by_its_path_or_its_message() {
    assert!(fixed().broken().is_some_and(|text| text.contains("  family: only one value")));
    assert_eq!(fixed().fixed("family").broken(), None);
    assert_eq!(fixed().fixed("kit.v1.Address.family").broken(), None);
}

#[test]
fn an_exemption_that_names_no_field_is_reported() {
    let text = fixed().fixed("family").fixed("famly").normalized("a.b").broken().unwrap();
    assert!(text.contains("  famly: is not a field that the samples reach"), "{text}");
    assert!(text.contains("  a.b: is not a field that the samples reach"), "{text}");
    assert!(text.contains("in 2 places"), "{text}");
}

#[test]
fn a_field_that_comes_back_in_another_form_is_exempted() {
    assert!(trimmed(1).broken().is_some());
    assert_eq!(trimmed(1).normalized("family").broken(), None);
}

#[test]
fn a_loss_that_the_bytes_do_not_show_is_found_by_comparing_values() {
    let sample = |port| trimmed(port).normalized("family");
    let text = sample(-1).broken().unwrap();
    let told =
        "sample 0: comes back with another value in `port`: its adapter saves several values";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("in 1 place:"), "{text}");
    assert!(text.contains("  help: a `with` module loses or changes values here: "), "{text}");
    assert_eq!(sample(1).broken(), None);
    // The exemption is for the value that the adapter gives back, and not for a comparison of the whole.
    assert_eq!(sample(-1).normalized("port").broken(), None);
    let text = sample(-1).normalized("port").compare(PartialEq::eq).broken().unwrap();
    assert!(text.contains("sample 0: is restored as a value that is not equal"), "{text}");
    assert_eq!(sample(1).compare(PartialEq::eq).broken(), None);
}
