//! The type that is tested, behind functions: the laws are compiled once and not for every type.

use std::fmt;

use crate::caught::caught;
use crate::codec::{Reader, from_bytes, to_bytes};
use crate::schema::{MessageDescriptor, Schema};
use crate::{Error, State};

use super::watch::{Watch, Watched};

/// What can be done with the type.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) type_name: &'static str,
    pub(super) descriptor: &'static MessageDescriptor,
    recode: fn(&[u8]) -> (Recoded, Watch),
    pub(super) prost_refuses: fn(&[u8]) -> Option<String>,
    pub(super) through_prost: fn(&[u8]) -> Result<Vec<u8>, String>,
}

/// What became of bytes that were read and written again.
#[derive(Debug)]
pub(super) enum Recoded {
    Refused(Error),
    /// Read, but not written: an error or a panic.
    NotWritten(Error),
    /// Reading panicked.
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

    /// Reads the bytes and writes what was read.
    pub(super) fn recode(&self, bytes: &[u8]) -> (Recoded, Watch) {
        (self.recode)(bytes)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name)
    }
}

fn recode<S: State>(bytes: &[u8]) -> (Recoded, Watch) {
    let scope = Watched::default();
    let read = caught(|| {
        let mut reader = Reader::new(bytes);
        reader.set_scope(&scope);
        Ok(S::take_fields(&mut reader).map_err(Error::at_root))
    });
    let recoded = match read {
        Err(panic) => Recoded::Panicked(panic),
        Ok(Err(error)) => Recoded::Refused(error),
        Ok(Ok(state)) => match caught(|| to_bytes(&state)) {
            Ok(bytes) => Recoded::Written(bytes),
            Err(error) => Recoded::NotWritten(error),
        },
    };
    (recoded, scope.into_watch())
}

fn prost_refuses<S: State>(bytes: &[u8]) -> Option<String> {
    <S::Message as prost::Message>::decode(bytes).err().map(|error| error.to_string())
}

/// What is written after prost has read the bytes, and again after prost has written them.
fn through_prost<S: State>(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let message = <S::Message as prost::Message>::decode(bytes)
        .map_err(|error| format!("prost does not read what was saved: {error}"))?;
    let state = S::from_message(&message)
        .map_err(|error| format!("what prost has read and written is refused: {error}"))?;
    let message = state.to_message().map_err(|error| format!("is no prost message: {error}"))?;
    let state = from_bytes::<S>(&prost::Message::encode_to_vec(&message))
        .map_err(|error| format!("what prost has written is refused: {error}"))?;
    to_bytes(&state).map_err(|error| format!("is not saved after prost: {error}"))
}
