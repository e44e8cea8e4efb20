//! Round trips of random values: every supported Rust type, in every kind of proto field that it
//! fits, compared with prost's own encoding of the same message.
//!
//! A *case* is a state struct with its own model: the prost value for each of its values (`Twin`). The
//! *laws* must hold for every case. Each test checks one law for one case with 32 random inputs;
//! `PROPTEST_CASES` changes that number.

// A test program exports nothing: `pub` here means that another of its files uses the item.
#![allow(unreachable_pub)]
// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "properties/collections.rs"]
mod collections;
#[path = "properties/entries.rs"]
mod entries;
#[path = "properties/laws.rs"]
mod laws;
#[path = "properties/noise.rs"]
mod noise;
#[path = "properties/numbers.rs"]
mod numbers;
#[path = "properties/place.rs"]
mod place;
#[path = "properties/states/mod.rs"]
mod states;
#[path = "properties/texts.rs"]
mod texts;
#[path = "properties/twin.rs"]
mod twin;
#[path = "properties/well_known.rs"]
mod well_known;

macro_rules! laws_for {
    ($($module:ident: $file:ident $case:ident $(, normalized $path:literal)?;)*) => {$(
        mod $module {
            #[test]
            fn it_keeps_the_contract() {
                crate::laws::it_keeps_the_contract::<crate::states::$file::$case>(&[$($path)?]);
            }

            laws_for! { @ $file $case:
                a_state_comes_back_from_its_bytes
                prost_reads_and_writes_the_same_bytes
                a_message_of_prost_is_read_or_all_that_is_wrong_is_told
                a_state_has_one_encoding
                a_truncated_encoding_is_a_shorter_message_or_refused
                fields_are_read_in_any_order
                arbitrary_bytes_are_refused_or_mean_one_state
                a_flipped_byte_is_refused_or_means_one_state
            }
        }
    )*};
    (@ $file:ident $case:ident: $($law:ident)*) => {$(
        #[test]
        fn $law() {
            crate::laws::$law::<crate::states::$file::$case>();
        }
    )*};
}

laws_for! {
    scalars: scalars Scalars;
    narrow_scalars: scalars NarrowScalars;
    crossed_scalars: scalars CrossedScalars;
    non_zero_scalars: scalars NonZeroScalars;
    absent_scalars: scalars AbsentScalars;
    path_scalars: scalars PathScalars;
    optional_scalars: scalars OptionalScalars;
    narrow_optional_scalars: scalars NarrowOptionalScalars;
    required_scalars: scalars RequiredScalars;
    shared_bytes: scalars SharedBytes;
    copied_bytes: scalars CopiedBytes;
    enums: enumerations Enums;
    required_enums: enumerations RequiredEnums;
    lists: repeats Lists;
    narrow_lists: repeats NarrowLists;
    arrays: repeats Arrays;
    sets: repeats Sets;
    hash_maps: maps HashMaps;
    narrow_maps: maps NarrowMaps;
    sorted_maps: maps SortedMaps;
    narrow_sorted_maps: maps NarrowSortedMaps;
    choice: choices Choice;
    native_choice: choices NativeChoice;
    signal: choices Signal;
    well_known_messages: well_known WellKnown;
    native_well_known: well_known NativeWellKnown;
    required_well_known: well_known RequiredWellKnown;
    recursive: nodes Recursive;
    node: nodes Node;
    gaps: edges Gaps;
    shuffled_gaps: edges ShuffledGaps;
    keywords: edges Keywords;
    blank: edges Blank;
    // Its JSON is that of a map: a changed member has another place.
    adapted: adapted Adapted, normalized "bytes";
    counter: controllers CounterState;
    group: controllers GroupState;
}
