//! Saving in an older version, for a destination that reads nothing later: only if nothing is lost.

use std::fmt::Display;

use prost::Message;

use super::stamp;
use crate::__private::Putting;
use crate::codec::{Reader, Writer, canonical, check_strictly};
use crate::error::Error;
use crate::schema::{Field, MessageDescriptor};
use crate::state::Payload;

/// The check of the fields that an older version does not have: each must be at the value that
/// reading the older version gives it. All that are not are told at once.
#[derive(Debug)]
pub struct Older {
    version: u32,
    error: Option<Error>,
}

impl Older {
    /// The check for a version.
    #[inline]
    pub fn new(version: u32) -> Self {
        Self { version, error: None }
    }

    /// Checks a field that is there from version `since` on. `put` puts its value, `put_default`
    /// the value that an older payload gives it: they are the same if their bytes are.
    #[inline]
    pub fn check<F>(
        &mut self,
        field: &Field<F>,
        since: u32,
        put: impl FnOnce(&mut Putting<'_, 0>),
        put_default: impl FnOnce(&mut Putting<'_, 0>),
    ) {
        if self.version < since {
            let value = bytes_of(put);
            let default = bytes_of(put_default);
            self.compare(field.name(), since, value, default);
        }
    }

    #[cold]
    fn compare(
        &mut self,
        field: &'static str,
        since: u32,
        value: Result<Option<Vec<u8>>, Error>,
        default: Result<Option<Vec<u8>>, Error>,
    ) {
        let error = match value {
            Err(error) => error,
            // A controller is no default of anything.
            Ok(Some(value))
                if default.as_ref().is_ok_and(|default| default.as_ref() == Some(&value)) =>
            {
                return;
            }
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

    /// What would be lost.
    #[inline]
    pub fn end(self) -> Result<(), Error> {
        match self.error {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}

/// The bytes of one field; `None` if a controller is in it.
fn bytes_of(put: impl FnOnce(&mut Putting<'_, 0>)) -> Result<Option<Vec<u8>>, Error> {
    let mut writer = Writer::seeking_children();
    let mut putting = Putting::new(&mut writer);
    put(&mut putting);
    let result = putting.finish();
    match writer.has_found_child() {
        true => Ok(None),
        false => result.map(|()| Some(writer.into_vec())),
    }
}

/// Puts a state as its message `Old`, with this descriptor, of the older version that is first in
/// the pair. `convert` makes it of the current message in the version that is second.
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
    // With this writer, so that the payloads inside have the versions and stages that they should.
    w.in_version(from, |w| state.put_fields(w))?;
    let newer = P::Message::decode(w.since(mark)).map_err(|error| {
        Error::internal("prost does not read what was saved").with_source(error)
    })?;
    w.rewind(mark);
    let bytes = stamp(&convert(newer)?.encode_to_vec(), P::VERSION_FIELD, version)?;
    check_strictly(descriptor, &mut Reader::without_places(&bytes)).map_err(|error| {
        error.explained(&format!("the downgrade has made no message of version {version}: "))
    })?;
    w.raw(&canonical(descriptor, &bytes)?);
    Ok(())
}

/// What a `downgrade` function to `version` has made.
pub fn downgraded<Old, E: Display + 'static>(
    result: Result<Old, E>,
    version: u32,
) -> Result<Old, Error> {
    result.map_err(|error| {
        crate::__private::validation::refusal(error)
            .explained(&format!("cannot be saved as version {version}: "))
    })
}
