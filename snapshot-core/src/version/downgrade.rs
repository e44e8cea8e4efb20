//! Saves in an older version, for a destination that reads no later one, if nothing is lost by it.

use std::fmt::Display;

use prost::Message;

use super::{check_saves, stamp};
use crate::__private::{FieldBytes, Putting, bytes_of};
use crate::codec::{Reader, Writer, canonical, check_strictly};
use crate::error::Error;
use crate::payload::Payload;
use crate::schema::{Field, MessageDescriptor};

/// Checks the fields that an older version does not have: each must have the value that it gets when
/// the older version is read. All fields that differ are reported together.
#[derive(Debug)]
pub struct Older {
    version: u32,
    error: Option<Error>,
}

impl Older {
    /// Creates the check for a version.
    pub fn new(version: u32) -> Self {
        Self { version, error: None }
    }

    /// Checks a field that exists from version `since` on. `put` writes its value, and `put_default`
    /// the value that it gets from an older payload. The two are equal if their bytes are.
    pub fn check<F>(
        &mut self,
        field: &Field<F>,
        since: u32,
        put: impl FnOnce(&mut Putting<'_, 0>),
        put_default: impl FnOnce(&mut Putting<'_, 0>),
    ) {
        self.check_or_leave(field, since, put, put_default, || false);
    }

    /// The same for a field that may stay behind: `leave` returns whether it does, if its value is not its
    /// default.
    pub fn check_or_leave<F>(
        &mut self,
        field: &Field<F>,
        since: u32,
        put: impl FnOnce(&mut Putting<'_, 0>),
        put_default: impl FnOnce(&mut Putting<'_, 0>),
        leave: impl FnOnce() -> bool,
    ) {
        if self.version < since {
            let value = bytes_of(put);
            let default = bytes_of(put_default);
            self.compare(field.name(), since, value, default, leave);
        }
    }

    /// Compares the bytes of a field with those of its default, and records the error.
    #[cold]
    fn compare(
        &mut self,
        field: &'static str,
        since: u32,
        value: Result<Option<FieldBytes>, Error>,
        default: Result<Option<FieldBytes>, Error>,
        leave: impl FnOnce() -> bool,
    ) {
        let error = match value {
            Err(error) => error,
            // A field with a controller inside (`None`) is never at its default.
            Ok(Some(value))
                if default.as_ref().is_ok_and(|default| default.as_ref() == Some(&value)) =>
            {
                return;
            }
            Ok(_) if leave() => return,
            Ok(_) => Error::precondition(format!(
                "exists from version {since} on and is not at its default: it would be lost in \
                 version {}",
                self.version
            ))
            .in_field(field),
        };
        self.error = Some(match self.error.take() {
            Some(earlier) => earlier.and(error),
            None => error,
        });
    }

    /// Ends the check.
    ///
    /// # Errors
    ///
    /// One finding for each field whose value would be lost.
    pub fn end(self) -> Result<(), Error> {
        match self.error {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}

/// Encodes the state of a payload as a build would read it that knows no version later than
/// `version`. Payloads inside of it are encoded in their current versions.
///
/// # Errors
///
/// A version that this build does not save; a field that `version` does not have and that is not at
/// its default; a value that a `downgrade` function refuses; and as [`to_bytes`](crate::codec::to_bytes).
pub fn to_bytes_as<P: Payload>(state: &P, version: u32) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::default();
    check_saves::<P>(version)?;
    writer.in_version(version, |w| state.put_fields(w))?;
    Ok(writer.into_vec())
}

/// Writes a state in an older version with a message of its own, `Old`, and this descriptor. The pair
/// has the older version first, and second the version of the current message that `convert` takes.
pub fn put_older<P, Old>(
    state: &P,
    descriptor: &MessageDescriptor,
    (version, from): (u32, u32),
    w: &mut Writer,
    convert: impl FnOnce(P::Message) -> Result<Old, Error>,
) -> Result<(), Error>
where
    P: Payload,
    Old: Message,
{
    let mark = w.position();
    // The same writer, so that the payloads inside get the right versions and stages.
    w.in_version(from, |w| state.put_fields(w))?;
    let newer = P::Message::decode(w.since(mark)).map_err(|error| {
        Error::internal("prost cannot decode the saved bytes").with_source(error)
    })?;
    w.rewind(mark);
    let bytes = stamp(&convert(newer)?.encode_to_vec(), P::VERSION_FIELD, version)?;
    check_strictly(descriptor, &mut Reader::without_places(&bytes)).map_err(|error| {
        error.explained(&format!(
            "the downgrade did not make a valid message of version {version}: "
        ))
    })?;
    w.raw(&canonical(descriptor, &bytes)?);
    Ok(())
}

/// Returns the result of a `downgrade` function, its error explained.
pub fn downgraded<Old, E: Display + 'static>(
    result: Result<Old, E>,
    version: u32,
) -> Result<Old, Error> {
    result.map_err(|error| {
        crate::__private::validation::refusal(error)
            .explained(&format!("cannot be saved as version {version}: "))
    })
}
