//! The laws that hold for every state struct.

use std::any::Any;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseError, TestCaseResult, TestError, TestRunner};
use prost::Message;
use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::Contract;
use snapshot_core::{Code, Error, Schema, State};

use super::entries::{fields, is_the_same_in_prost, put_right};
use super::noise;
use super::place::told;
use super::twin::Twin;

/// A state struct with its model.
pub trait Case: State + Twin<<Self as State>::Message> + Clone + PartialEq
where
    Self: TryFrom<Self::Message, Error = Error>,
    Self::Message: for<'s> From<&'s Self> + Clone + PartialEq + Debug,
{
    /// Messages that prost could send; most of their fields fit.
    fn messages() -> BoxedStrategy<Self::Message>;
}

/// The number of random inputs for each law, unless `PROPTEST_CASES` is set.
const TRIES: u32 = 32;

/// The same for a law that reads each input once for every byte.
const TRIES_OF_EACH_BYTE: u32 = 3;

/// A random input of any type: the runner is compiled once, and not for each law of each case.
#[derive(Debug)]
struct Input(Box<dyn AnyInput>);

trait AnyInput: Debug {
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<T: Debug + 'static> AnyInput for T {
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Input {
    fn of<T: Debug + 'static>(value: T) -> Self {
        Self(Box::new(value))
    }
}

fn of_any<T: Debug + 'static>(inputs: BoxedStrategy<T>) -> BoxedStrategy<Input> {
    inputs.prop_map(Input::of).boxed()
}

fn check<T: Debug + 'static>(
    tries: u32,
    inputs: BoxedStrategy<T>,
    law: impl Fn(T) -> TestCaseResult,
) {
    run(tries, &of_any(inputs), &|Input(input)| {
        law(*input.into_any().downcast().expect("an input was made of this type"))
    });
}

fn run(tries: u32, inputs: &BoxedStrategy<Input>, law: &dyn Fn(Input) -> TestCaseResult) {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = tries;
    }
    match TestRunner::new(config).run(inputs, law) {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => panic!("{reason}\nfor {input:#?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// Converts an error to a failure of the test.
fn refused(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(format!("refused: {error}"))
}

macro_rules! law {
    ($($(#[$doc:meta])* fn $name:ident<$case:ident>($tries:ident of $input:pat in $inputs:expr) $body:block)*) => {$(
        $(#[$doc])*
        pub fn $name<$case: Case>()
        where
            $case: TryFrom<$case::Message, Error = Error>,
            $case::Message: for<'s> From<&'s $case> + Clone + PartialEq + Debug,
        {
            check($tries, $inputs, |$input| { $body Ok(()) });
        }
    )*};
}

law! {
    fn a_state_comes_back_from_its_bytes<S>(TRIES of state in S::natives()) {
        let bytes = to_bytes(&state).map_err(refused)?;
        prop_assert_eq!(from_bytes::<S>(&bytes).map_err(refused)?, state);
    }

    /// See `entries` for the conversion of prost's bytes.
    fn prost_reads_and_writes_the_same_bytes<S>(TRIES of state in S::natives()) {
        let bytes = to_bytes(&state).map_err(refused)?;
        let twin = state.to_prost();
        let read = S::Message::decode(bytes.as_slice()).map_err(refused)?;
        prop_assert_eq!(&read, &twin);
        prop_assert_eq!(&S::Message::from(&state), &twin);
        let message = <S::Message as Schema>::DESCRIPTOR;
        for written in [read.encode_to_vec(), twin.encode_to_vec()] {
            prop_assert_eq!(put_right(message, &written), bytes.as_slice());
            if is_the_same_in_prost(message) {
                prop_assert_eq!(written, bytes.as_slice());
            }
        }
        prop_assert_eq!(put_right(message, &bytes), bytes);
    }

    /// Every place that does not fit is reported, and only once.
    fn a_message_of_prost_is_read_or_all_that_is_wrong_is_told<S>(TRIES of message in S::messages()) {
        match (S::try_from(message.clone()), S::of_prost(&message)) {
            (Ok(state), Ok(model)) => {
                prop_assert_eq!(&state, &model);
                prop_assert_eq!(S::Message::from(&state), model.to_prost());
                // Values that the model does not change in form or order come back.
                if model.to_prost() == message {
                    let message = put_right(
                        <S::Message as Schema>::DESCRIPTOR,
                        &message.encode_to_vec(),
                    );
                    prop_assert_eq!(to_bytes(&state).map_err(refused)?, message);
                }
            }
            (Err(error), Err(places)) => prop_assert_eq!(told(&error), places.lines(), "{}", error),
            (Ok(state), Err(places)) => {
                prop_assert!(false, "{:?} is wrong, but read as {:?}", places.lines(), state);
            }
            (Err(error), Ok(model)) => {
                prop_assert!(false, "{:?} is right, but refused: {}", model, error);
            }
        }
    }

    fn a_state_has_one_encoding<S>(TRIES of state in S::natives()) {
        let bytes = to_bytes(&state).map_err(refused)?;
        prop_assert_eq!(&to_bytes(&state.clone()).map_err(refused)?, &bytes);
        // Another map with the same entries in another order.
        let twin: S = from_bytes(&bytes).map_err(refused)?;
        prop_assert_eq!(to_bytes(&twin).map_err(refused)?, bytes);
    }

    /// A truncated encoding is accepted if and only if the cut is between two fields and the rest has
    /// all required fields.
    fn a_truncated_encoding_is_a_shorter_message_or_refused<S>(TRIES of state in S::natives()) {
        let bytes = to_bytes(&state).map_err(refused)?;
        let mut ends = vec![0];
        for field in fields(&bytes) {
            ends.push(ends.last().copied().unwrap_or(0) + field.to_bytes().len());
        }
        for cut in 0..bytes.len() {
            let result = from_bytes::<S>(&bytes[..cut]);
            if ends.contains(&cut) {
                let message = S::Message::decode(&bytes[..cut]).map_err(refused)?;
                match (result, S::of_prost(&message)) {
                    (Ok(state), Ok(model)) => {
                        prop_assert_eq!(&state, &model);
                        // An array, which must not be truncated, would have been refused.
                        prop_assert_eq!(to_bytes(&state).map_err(refused)?, &bytes[..cut]);
                    }
                    (Err(error), Err(places)) => prop_assert_eq!(told(&error), places.lines()),
                    (result, model) => prop_assert!(false, "{:?} is not {:?}", result, model),
                }
            } else {
                let Err(error) = result else {
                    return Err(TestCaseError::fail(format!("cut at {cut}, and yet read")));
                };
                prop_assert_eq!(error.findings().count(), 1, "{}", error);
                prop_assert_eq!(error.code(), Code::DataLoss, "{}", error);
                prop_assert!(error.first().offset().is_some_and(|at| at <= cut), "{}", error);
            }
        }
    }

    fn fields_are_read_in_any_order<S>(TRIES of (state, keys) in
        (S::natives(), proptest::collection::vec(any::<u8>(), 32)).boxed())
    {
        let bytes = to_bytes(&state).map_err(refused)?;
        let mut fields = fields(&bytes);
        // The sort is stable, so that the elements of a list keep their order.
        fields.sort_by_key(|field| keys[field.number as usize % keys.len()]);
        let shuffled: Vec<u8> = fields.iter().flat_map(|field| field.to_bytes()).collect();
        prop_assert_eq!(from_bytes::<S>(&shuffled).map_err(refused)?, state);
    }

    fn arbitrary_bytes_are_refused_or_mean_one_state<S>(TRIES of bytes in noise::bytes::<S>()) {
        is_refused_or_means_one_state::<S>(&bytes)?;
    }

    fn a_flipped_byte_is_refused_or_means_one_state<S>(TRIES_OF_EACH_BYTE of state in S::natives()) {
        let mut bytes = to_bytes(&state).map_err(refused)?;
        for index in 0..bytes.len() {
            for flip in [1 << (index % 8), 0xff] {
                bytes[index] ^= flip;
                is_refused_or_means_one_state::<S>(&bytes)?;
                bytes[index] ^= flip;
            }
        }
    }
}

/// The number of samples for the contract, enough to have every message and member.
const SAMPLES: usize = 6;

/// The kit agrees with the laws here, on samples of every kind of field.
pub fn it_keeps_the_contract<S>(normalized: &[&str])
where
    S: Case + TryFrom<S::Message, Error = Error>,
    S::Message: for<'s> From<&'s S> + Clone + PartialEq + Debug,
{
    let mut runner = TestRunner::deterministic();
    let natives = S::natives();
    let samples = std::iter::repeat_with(|| natives.new_tree(&mut runner).unwrap().current());
    let contract = Contract::new().samples(samples.take(SAMPLES));
    normalized.iter().copied().fold(contract, Contract::<S>::normalized).run();
}

/// Accepted bytes must be written as bytes that are read as the same state.
fn is_refused_or_means_one_state<S: State + PartialEq + Debug>(bytes: &[u8]) -> TestCaseResult {
    let Ok(state) = from_bytes::<S>(bytes) else { return Ok(()) };
    let canonical = to_bytes(&state).map_err(refused)?;
    let twin: S = from_bytes(&canonical).map_err(refused)?;
    prop_assert_eq!(to_bytes(&twin).map_err(refused)?, canonical);
    // Skip a state with a NaN, which does not equal itself.
    #[allow(clippy::eq_op, reason = "a NaN is not reflexive")]
    if state == state {
        prop_assert_eq!(twin, state);
    }
    Ok(())
}
