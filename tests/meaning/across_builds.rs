//! Pairs of builds that differ in exactly one meaning. A state that moves between them, in either direction,
//! arrives as it was, or is refused before the freeze with the field named.

use std::sync::atomic::Ordering;

use crate::directions::TRIED;

direction! {
    mapped_to_ignored
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(number, text, list, maybe, other)) {  } |_| 0;
    State { number: 7 } => arrival if refused(arrival, "number", "has a value, but the destination ignores the field"),
    State { number: 0 } => Arrival::Whole,
}

direction! {
    ignored_to_mapped
    from (version = 1, ignore(number, text, list, maybe, other)) {  } |_| 0;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State {} => Arrival::Whole,
}

direction! {
    mapped_to_discarded
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other), discard(number)) {  } |_| 0;
    State { number: 7 } => Arrival::Dropped(dropped) if dropped.iter().any(|text| text.contains("number")),
    State { number: 0 } => Arrival::Whole,
}

direction! {
    millis_to_seconds
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::seconds)] pub number: Duration } |s| s.number;
    State { number: Duration::from_secs(30) } => arrival if refused(arrival, "number", "means milliseconds at the source and seconds at the destination"),
}

direction! {
    seconds_to_millis
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::seconds)] pub number: Duration } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number;
    State { number: Duration::from_secs(30) } => arrival if refused(arrival, "number", "means seconds"),
}

direction! {
    millis_to_rounded_millis
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis_rounded)] pub number: Duration } |s| s.number;
    State { number: Duration::from_millis(1_500) } => Arrival::Whole,
}

direction! {
    rounded_millis_to_millis
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis_rounded)] pub number: Duration } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number;
    State { number: Duration::from_millis(1_500) } => Arrival::Whole,
}

direction! {
    millis_to_a_number
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number.as_millis() as u64;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State { number: Duration::from_secs(1) } => arrival if refused(arrival, "number", "means milliseconds at the source and the value itself"),
}

direction! {
    a_number_to_millis
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number.as_millis() as u64;
    State { number: 1 } => arrival if refused(arrival, "number", "means the value itself"),
}

direction! {
    a_named_number_to_millis
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(form = "milliseconds")] pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = codec::millis)] pub number: Duration } |s| s.number.as_millis() as u64;
    State { number: 1_500 } => Arrival::Whole,
}

direction! {
    wider_to_narrower
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u8 } |s| u64::from(s.number);
    State { number: 256 } => arrival if refused(arrival, "number", "is 256, but the destination takes at most 255"),
    State { number: 255 } => Arrival::Whole,
}

direction! {
    narrower_to_wider
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u8 } |s| u64::from(s.number);
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State { number: 255 } => Arrival::Whole,
}

direction! {
    signed_to_unsigned
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: i64 } |s| s.number as u64;
    State { number: 1 << 63 } => arrival if refused(arrival, "number", "the destination takes at most 9223372036854775807"),
    State { number: 5 } => Arrival::Whole,
}

direction! {
    any_number_to_a_range
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(range = 1..=8)] pub number: u64 } |s| s.number;
    State { number: 9 } => arrival if refused(arrival, "number", "is 9, but the destination takes 1 to 8"),
    State { number: 0 } => arrival if refused(arrival, "number", "is 0, but the destination takes 1 to 8"),
    State { number: 8 } => Arrival::Whole,
}

direction! {
    a_range_to_any_number
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(range = 1..=8)] pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State { number: 8 } => Arrival::Whole,
}

direction! {
    any_number_to_one_that_is_not_0
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: NonZero<u64> } |s| s.number.get();
    State { number: 0 } => arrival if refused(arrival, "number", "is missing, but the destination requires it"),
    State { number: 3 } => Arrival::Whole,
}

direction! {
    one_that_is_not_0_to_any_number
    from (version = 1, ignore(text, list, maybe, other)) { pub number: NonZero<u64> } |s| s.number.get();
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State { number: NonZero::new(3).unwrap() } => Arrival::Whole,
}

direction! {
    any_text_to_a_short_one
    from (version = 1, ignore(number, list, maybe, other)) { pub text: String } |s| s.text.clone();
    to (version = 1, ignore(number, list, maybe, other)) { #[snapshot(max = 3)] pub text: String } |s| s.text.clone();
    State { text: "abcd".into() } => arrival if refused(arrival, "text", "has 4 bytes, but the destination takes at most 3"),
    State { text: "abc".into() } => Arrival::Whole,
}

direction! {
    a_short_text_to_any
    from (version = 1, ignore(number, list, maybe, other)) { #[snapshot(max = 3)] pub text: String } |s| s.text.clone();
    to (version = 1, ignore(number, list, maybe, other)) { pub text: String } |s| s.text.clone();
    State { text: "abc".into() } => Arrival::Whole,
}

direction! {
    any_text_to_an_address
    from (version = 1, ignore(number, list, maybe, other)) { pub text: String } |s| s.text.clone();
    to (version = 1, ignore(number, list, maybe, other)) { pub text: IpAddr } |s| s.text.to_string();
    State { text: "localhost".into() } => arrival if refused(arrival, "text", "is \"localhost\", but the destination takes ip"),
    State { text: "::1".into() } => Arrival::Whole,
}

direction! {
    an_address_to_any_text
    from (version = 1, ignore(number, list, maybe, other)) { pub text: IpAddr } |s| s.text.to_string();
    to (version = 1, ignore(number, list, maybe, other)) { pub text: String } |s| s.text.clone();
    State { text: "::1".parse().unwrap() } => Arrival::Whole,
}

direction! {
    a_type_to_its_text
    from (version = 1, ignore(number, list, maybe, other)) { #[snapshot(with = codec::display)] pub text: IpAddr } |s| s.text;
    to (version = 1, ignore(number, list, maybe, other)) { pub text: IpAddr } |s| s.text;
    State { text: "::1".parse().unwrap() } => Arrival::Whole,
}

direction! {
    any_text_to_a_character
    from (version = 1, ignore(number, list, maybe, other)) { pub text: String } |s| s.text.clone();
    to (version = 1, ignore(number, list, maybe, other)) { pub text: char } |s| s.text.to_string();
    State { text: "ab".into() } => arrival if refused(arrival, "text", "the destination takes char"),
    State { text: "a".into() } => Arrival::Whole,
}

direction! {
    a_list_to_a_set
    from (version = 1, ignore(number, text, maybe, other)) { pub list: Vec<u32> } |s| s.list.clone();
    to (version = 1, ignore(number, text, maybe, other)) { pub list: BTreeSet<u32> } |s| s.list.iter().copied().collect();
    State { list: vec![3, 1, 2] } => arrival if refused(arrival, "list[1]", "is not in ascending order, but the destination takes a set"),
    State { list: vec![1, 1] } => arrival if refused(arrival, "list[1]", "takes a set"),
    State { list: vec![1, 2] } => Arrival::Whole,
}

direction! {
    a_set_to_a_list
    from (version = 1, ignore(number, text, maybe, other)) { pub list: BTreeSet<u32> } |s| s.list.iter().copied().collect();
    to (version = 1, ignore(number, text, maybe, other)) { pub list: Vec<u32> } |s| s.list.clone();
    State { list: [3, 1].into() } => Arrival::Whole,
}

direction! {
    a_list_to_an_array
    from (version = 1, ignore(number, text, maybe, other)) { pub list: Vec<u32> } |s| s.list.clone();
    to (version = 1, ignore(number, text, maybe, other)) { pub list: [u32; 2] } |s| s.list.to_vec();
    State { list: vec![1] } => arrival if refused(arrival, "list", "has 1 element, but the destination takes 2"),
    State { list: Vec::new() } => arrival if refused(arrival, "list", "has 0 elements"),
    State { list: vec![1, 2] } => Arrival::Whole,
}

direction! {
    an_array_to_another
    from (version = 1, ignore(number, text, maybe, other)) { pub list: [u32; 2] } |s| s.list.to_vec();
    to (version = 1, ignore(number, text, maybe, other)) { pub list: [u32; 3] } |s| s.list.to_vec();
    State { list: [1, 2] } => arrival if refused(arrival, "list", "has 2 elements at the source and 3 elements at the destination"),
}

direction! {
    elements_to_narrower_ones
    from (version = 1, ignore(number, text, maybe, other)) { pub list: Vec<u32> } |s| s.list.clone();
    to (version = 1, ignore(number, text, maybe, other)) { pub list: Vec<u8> } |s| s.list.iter().map(|&n| u32::from(n)).collect();
    State { list: vec![1, 300] } => arrival if refused(arrival, "list[1]", "is 300, but the destination takes at most 255"),
    State { list: vec![1, 2] } => Arrival::Whole,
}

direction! {
    optional_to_required
    from (version = 1, ignore(number, text, list, other)) { pub maybe: Option<u32> } |s| s.maybe;
    to (version = 1, ignore(number, text, list, other)) { pub maybe: u32 } |s| Some(s.maybe);
    State { maybe: None } => arrival if refused(arrival, "maybe", "is missing, but the destination requires it"),
    State { maybe: Some(0) } => Arrival::Whole,
}

direction! {
    required_to_optional
    from (version = 1, ignore(number, text, list, other)) { pub maybe: u32 } |s| Some(s.maybe);
    to (version = 1, ignore(number, text, list, other)) { pub maybe: Option<u32> } |s| s.maybe;
    State { maybe: 0 } => Arrival::Whole,
}

direction! {
    unrelated_to_below
    from (version = 1, ignore(text, list, maybe)) { pub number: u64, pub other: u64 } |s| (s.number, s.other);
    to (version = 1, ignore(text, list, maybe)) { #[snapshot(below = other)] pub number: u64, pub other: u64 } |s| (s.number, s.other);
    State { number: 4, other: 4 } => arrival if refused(arrival, "number", "is 4, but the destination takes below 4 beside the other fields"),
    State { number: 3, other: 4 } => Arrival::Whole,
    State { number: 0, other: 0 } => arrival if refused(arrival, "number", "is 0, but the destination takes below 0"),
}

direction! {
    unrelated_to_below_with_no_numbers
    from (version = 1, ignore(text, number)) { pub list: Vec<u32>, pub maybe: Option<u32>, pub other: u64 }
        |s| (s.list.clone(), s.maybe, s.other);
    to (version = 1, ignore(text, number)) {
        #[snapshot(below = other)] pub list: Vec<u32>, #[snapshot(below = other)] pub maybe: Option<u32>, pub other: u64
    } |s| (s.list.clone(), s.maybe, s.other);
    State { list: vec![], maybe: None, other: 0 } => Arrival::Whole,
    State { list: vec![0], maybe: None, other: 0 } => arrival if refused(arrival, "list", "is 0, but the destination takes below 0"),
    State { list: vec![], maybe: Some(0), other: 0 } => arrival if refused(arrival, "maybe", "is 0, but the destination takes below 0"),
}

direction! {
    any_number_to_an_option_that_is_never_zero
    from (version = 1, ignore(text, list, maybe)) { pub number: u64, pub other: u64 } |s| (s.number, s.other);
    to (version = 1, ignore(text, list, maybe)) {
        #[snapshot(range = NonZero::new(5).unwrap()..=NonZero::new(10).unwrap())] pub number: Option<NonZero<u64>>,
        #[snapshot(below = number)] pub other: u64
    } |s| (s.number.map_or(0, NonZero::get), s.other);
    State { number: 0, other: 7 } => Arrival::Whole,
    State { number: 6, other: 5 } => Arrival::Whole,
    State { number: 6, other: 6 } => arrival if refused(arrival, "other", "is 6, but the destination takes below 6"),
    State { number: 3, other: 0 } => arrival if refused(arrival, "number", "is 3, but the destination takes 5 to 10"),
}

direction! {
    below_to_unrelated
    from (version = 1, ignore(text, list, maybe)) { #[snapshot(below = other)] pub number: u64, pub other: u64 } |s| (s.number, s.other);
    to (version = 1, ignore(text, list, maybe)) { pub number: u64, pub other: u64 } |s| (s.number, s.other);
    State { number: 3, other: 4 } => Arrival::Whole,
}

direction! {
    a_users_adapter_to_none
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = dozens)] pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State { number: 24 } => arrival if refused(arrival, "number", "means "),
}

direction! {
    none_to_a_users_adapter
    from (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = dozens)] pub number: u64 } |s| s.number;
    State { number: 24 } => arrival if refused(arrival, "number", "means the value itself"),
}

direction! {
    a_users_adapter_under_another_name
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = dozens)] pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { #[snapshot(with = twelves)] pub number: u64 } |s| s.number;
    State { number: 24 } => Arrival::Whole,
}

direction! {
    secret_to_open
    from (version = 1, ignore(text, list, maybe, other)) { #[snapshot(secret)] pub number: u64 } |s| s.number;
    to (version = 1, ignore(text, list, maybe, other)) { pub number: u64 } |s| s.number;
    State { number: 24 } => Arrival::Whole,
}

/// Keeps its name at the end of the list: tests run in the order of their names where one thread runs them.
#[test]
fn zz_no_change_was_silent() {
    // `migrate` fails the test of a pair whose state arrives changed.
    println!(
        "{} states were moved between pairs of builds, 0 changed silently",
        TRIED.load(Ordering::Relaxed)
    );
}
