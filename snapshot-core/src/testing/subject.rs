//! The tested type, behind function pointers: the laws are compiled once and not for every type.

use std::fmt;

use crate::codec::{Reader, SaveScope, Writer, from_bytes, to_bytes};
use crate::panics::caught;
use crate::schema::{MessageDescriptor, Schema};
use crate::{Error, State};

use super::watch::{Sightings, WatchedRead};

/// The operations on the type.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) type_name: &'static str,
    pub(super) descriptor: &'static MessageDescriptor,
    recode: fn(&[u8]) -> (Recoded, Sightings),
    pub(super) prost_refuses: fn(&[u8]) -> Option<String>,
    pub(super) through_prost: fn(&[u8]) -> Result<Vec<u8>, String>,
}

/// The outcome of reading bytes and writing the value again.
#[derive(Debug)]
pub(super) enum Recoded {
    Refused(Error),
    /// The bytes were read, but writing failed with an error or a panic.
    NotWritten(Error),
    /// The read panicked.
    Panicked(Error),
    Written(Vec<u8>),
}

impl Subject {
    pub(super) fn of<S: State>() -> Self {
        Self {
            type_name: std::any::type_name::<S>(),
            descriptor: <S::Message as Schema>::DESCRIPTOR,
            recode: recode::<S>,
            prost_refuses: prost_refuses::<S>,
            through_prost: through_prost::<S>,
        }
    }

    /// Reads the bytes and writes the value again.
    pub(super) fn recode(&self, bytes: &[u8]) -> (Recoded, Sightings) {
        (self.recode)(bytes)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name)
    }
}

fn recode<S: State>(bytes: &[u8]) -> (Recoded, Sightings) {
    let scope = WatchedRead::default();
    let read = caught(|| {
        let mut reader = Reader::new(bytes);
        reader.set_scope(&scope);
        Ok(S::take_fields(&mut reader).map_err(Error::at_root))
    });
    let recoded = match read {
        Err(panic) => Recoded::Panicked(panic),
        Ok(Err(error)) => Recoded::Refused(error),
        Ok(Ok(state)) => match caught(|| saved(&state)) {
            Ok(bytes) => Recoded::Written(bytes),
            Err(error) => Recoded::NotWritten(error),
        },
    };
    (recoded, scope.into_watch())
}

/// The scope of a save of a value that was read. An older payload may have no value where the current version has
/// an empty one; the value is then saved as empty.
#[derive(Debug)]
struct SavedAgain;

impl SaveScope for SavedAgain {
    fn absent(&mut self, _: usize) -> bool {
        true
    }
}

fn saved<S: State>(state: &S) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::with_capacity(state.fields_size());
    writer.set_scope(SavedAgain);
    state.put_fields(&mut writer)?;
    Ok(writer.into_vec())
}

fn prost_refuses<S: State>(bytes: &[u8]) -> Option<String> {
    <S::Message as prost::Message>::decode(bytes).err().map(|error| error.to_string())
}

/// Reads the bytes with prost, writes them with prost, and saves the result again.
fn through_prost<S: State>(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let message = <S::Message as prost::Message>::decode(bytes)
        .map_err(|error| format!("prost does not read the saved bytes: {error}"))?;
    let state = S::from_message(&message)
        .map_err(|error| format!("is refused after prost has read and written it: {error}"))?;
    let message =
        state.to_message().map_err(|error| format!("cannot become a prost message: {error}"))?;
    let state = from_bytes::<S>(&prost::Message::encode_to_vec(&message))
        .map_err(|error| format!("is refused after prost has written it: {error}"))?;
    to_bytes(&state).map_err(|error| format!("cannot be saved after prost: {error}"))
}
