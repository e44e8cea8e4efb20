//! A hand-written state with one mistake in each variant.

use super::{assert_broken, assert_sound};
use crate::codec::{Reader, Wire, Writer};
use crate::schema::kind::{Message, WireType};
use crate::{Error, State};

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Counter {
    #[prost(uint32, tag = "1")]
    pub(super) count: u32,
    #[prost(enumeration = "Mode", tag = "2")]
    pub(super) mode: i32,
}

impl prost::Name for Counter {
    const NAME: &'static str = "Counter";
    const PACKAGE: &'static str = "kit.v1";
}

#[derive(crate::Schema, Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Mode {
    Off = 0,
    On = 1,
    Auto = 5,
}

const NONE: u8 = 0;
const TAKES_THE_LAST: u8 = 1;
const SKIPS_UNKNOWN: u8 = 2;
const SKIPS_WRONG_WIRE_TYPES: u8 = 3;
const UNKNOWN_ENUM_IS_ZERO: u8 = 4;
const STOPS_AT_DAMAGE: u8 = 5;
const PANICS: u8 = 6;
const WANTS_ORDER: u8 = 7;
const WRITES_IN_WRONG_ORDER: u8 = 8;
const WRITES_DEFAULTS: u8 = 9;
const CUTS_NUMBERS_OFF: u8 = 10;
const OTHER_IN_PROST: u8 = 11;
const KEEPS_ONE_VALUE: u8 = 12;
const NOT_SAVED_AGAIN: u8 = 13;

struct ByHand<const MISTAKE: u8> {
    count: u32,
    mode: i32,
}

/// Two samples, so that every field has two values.
fn samples<const MISTAKE: u8>() -> [ByHand<MISTAKE>; 2] {
    [ByHand { count: 7, mode: 5 }, ByHand { count: 8, mode: 1 }]
}

impl<const MISTAKE: u8> crate::codec::Sealed for ByHand<MISTAKE> {}

impl<const MISTAKE: u8> Wire<Message<Counter>> for ByHand<MISTAKE> {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.message(|w| self.put_fields(w))
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.message(Self::take_fields)
    }

    fn is_default(&self) -> bool {
        false
    }
}

impl<const MISTAKE: u8> crate::__private::Keep for ByHand<MISTAKE> {}

impl<const MISTAKE: u8> State for ByHand<MISTAKE> {
    type Message = Counter;

    fn put_fields(&self, w: &mut Writer) -> Result<(), Error> {
        if MISTAKE == NOT_SAVED_AGAIN && self.count == 9 {
            return Err(Error::invalid("is nine"));
        }
        let count = (1, u64::from(self.count));
        let mode = (2, self.mode as u64);
        // Fields are written backwards: the first call writes the last field.
        let fields = if MISTAKE == WRITES_IN_WRONG_ORDER { [count, mode] } else { [mode, count] };
        for (number, value) in fields {
            if value != 0 || MISTAKE == WRITES_DEFAULTS {
                w.varint(value);
                w.tag(number, WireType::Varint);
            }
        }
        Ok(())
    }

    fn take_fields_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
        let (mut count, mut mode) = (None, None);
        loop {
            let tag = match r.tag() {
                Ok(Some(tag)) => tag,
                Ok(None) => break,
                Err(_) if MISTAKE == STOPS_AT_DAMAGE => break,
                Err(error) => return Err(error),
            };
            let slot = match tag.number {
                1 if MISTAKE == WANTS_ORDER && mode.is_some() => {
                    return Err(Error::invalid("comes too late"));
                }
                1 => &mut count,
                2 => &mut mode,
                _ if MISTAKE == SKIPS_UNKNOWN => {
                    r.skip(tag.wire_type)?;
                    continue;
                }
                _ => return Err(Error::invalid("is unknown")),
            };
            if tag.wire_type != WireType::Varint {
                if MISTAKE == SKIPS_WRONG_WIRE_TYPES {
                    r.skip(tag.wire_type)?;
                    continue;
                }
                return Err(Error::invalid("has another wire type"));
            }
            let value = match r.varint() {
                Ok(value) => value,
                Err(_) if MISTAKE == STOPS_AT_DAMAGE => break,
                Err(error) => return Err(error),
            };
            if slot.replace(value).is_some() && MISTAKE != TAKES_THE_LAST {
                return Err(Error::invalid("occurs twice"));
            }
        }
        let count = count.unwrap_or(0);
        assert!(MISTAKE != PANICS || count != 100, "a hundred");
        let count = match u32::try_from(count) {
            Ok(count) => count,
            Err(_) if MISTAKE == CUTS_NUMBERS_OFF => count as u32,
            Err(_) => return Err(Error::invalid("is too large")),
        };
        if MISTAKE == KEEPS_ONE_VALUE && count != 7 {
            return Err(Error::invalid("is not seven"));
        }
        let mode = match mode.unwrap_or(0) {
            mode @ (0 | 1 | 5) => mode as i32,
            _ if MISTAKE == UNKNOWN_ENUM_IS_ZERO => 0,
            _ => return Err(Error::invalid("is no mode")),
        };
        *slot = Some(Self { count, mode });
        Ok(())
    }

    fn from_message(message: &Counter) -> Result<Self, Error> {
        let count = if MISTAKE == OTHER_IN_PROST { message.count + 1 } else { message.count };
        Ok(Self { count, mode: message.mode })
    }
}

#[test]
fn a_state_without_a_mistake_keeps_the_contract() {
    assert_sound(samples::<NONE>());
}

#[test]
fn the_type_its_message_and_the_bytes_are_in_the_report() {
    assert_broken(
        samples::<TAKES_THE_LAST>(),
        &["ByHand<1> (kit.v1.Counter) breaks its contract in 2 places:", "bytes: 0807080710"],
    );
}

#[test]
fn a_duplicate_that_is_accepted_is_found() {
    assert_broken(
        samples::<TAKES_THE_LAST>(),
        &["duplicates are refused:\n  count: the field twice is not refused"],
    );
}

#[test]
fn an_unknown_field_that_is_skipped_is_found() {
    assert_broken(
        samples::<SKIPS_UNKNOWN>(),
        &[
            "unknown fields are refused:\n  kit.v1.Counter: the unknown field 3 (varint) is not refused",
        ],
    );
}

#[test]
fn a_wrong_wire_type_that_is_skipped_is_found() {
    assert_broken(
        samples::<SKIPS_WRONG_WIRE_TYPES>(),
        &["  count: the wire type 64-bit in place of varint is not refused"],
    );
}

#[test]
fn an_unknown_enum_number_that_is_read_as_a_default_is_found() {
    assert_broken(
        samples::<UNKNOWN_ENUM_IS_ZERO>(),
        &["  mode: the number -2147483648, which Mode does not have, is not refused"],
    );
}

#[test]
fn a_truncation_that_is_read_is_found() {
    assert_broken(
        samples::<STOPS_AT_DAMAGE>(),
        &[
            "truncated bytes are refused:\n",
            "sample 0, truncated to 1 of 4 bytes, is read, although it is malformed",
        ],
    );
}

#[test]
fn a_panic_is_found_with_its_text() {
    assert_broken(samples::<PANICS>(), &["  count: 100: the read panicked: a hundred"]);
}

#[test]
fn reading_that_depends_on_the_order_is_found() {
    assert_broken(
        samples::<WANTS_ORDER>(),
        &["sample 0 with its fields in descending order is refused: comes too late"],
    );
}

#[test]
fn an_encoding_that_is_not_canonical_is_found() {
    let not_canonical = ["sample 0: is saved in a form that is not canonical"];
    assert_broken(samples::<WRITES_IN_WRONG_ORDER>(), &not_canonical);
    let off = ByHand::<WRITES_DEFAULTS> { count: 7, mode: 0 };
    assert_broken([off], &not_canonical);
}

#[test]
fn a_truncated_number_is_found() {
    assert_broken(
        samples::<CUTS_NUMBERS_OFF>(),
        &["  count: the varint 4294967296, which does not fit its kind, is not refused"],
    );
}

#[test]
fn a_state_that_prost_does_not_share_is_found() {
    assert_broken(
        samples::<OTHER_IN_PROST>(),
        &["sample 0: is another state after prost has read and written it"],
    );
}

#[test]
fn a_field_that_keeps_only_one_value_is_found() {
    assert_broken(
        [ByHand::<KEEPS_ONE_VALUE> { count: 7, mode: 1 }],
        &[
            "  count: only one value of it came back; ",
            "the first with: is not seven",
            ".fixed(PATH)",
        ],
    );
}

#[test]
fn a_state_that_is_read_but_cannot_be_saved_is_found() {
    assert_broken(
        samples::<NOT_SAVED_AGAIN>(),
        &["  count: 9 is read, and then cannot be saved: is nine"],
    );
}

#[test]
fn a_sample_that_is_refused_is_found() {
    assert_broken(
        [ByHand::<NONE> { count: 7, mode: 2 }],
        &["kit.v1.Counter, sample 0: is saved, and then refused: is no mode", "bytes: 08071002"],
    );
}

#[test]
fn a_test_without_samples_fails() {
    assert_broken::<ByHand<NONE>>([], &["there is nothing to test: give at least one sample"]);
}

#[test]
#[should_panic(expected = "ByHand<2> (kit.v1.Counter) breaks its contract")]
fn contract_panics_for_a_broken_type() {
    super::super::contract(samples::<SKIPS_UNKNOWN>());
}
