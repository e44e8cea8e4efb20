//! Reads the fields of a message, and reports all its errors together.

use super::field::is_member;
use crate::codec::{Reader, Tag, wire_type_of};
use crate::schema::kind::FieldKind;
use crate::schema::{Field, FieldDescriptor, FieldShape, MessageDescriptor};
use crate::{Error, State};

/// The state of the read of one message, with the errors so far.
#[derive(Default)]
pub struct Taking {
    // One pointer, so that a message without errors costs nothing for them.
    wrong: Option<Box<TakeErrors>>,
    /// The number of bytes of the message that were left before the last tag.
    pub(super) left: usize,
    /// The number of bytes before the first tag, if a field is checked after it was read.
    begun: usize,
}

/// The errors of a message.
#[derive(Default)]
struct TakeErrors {
    error: Option<Error>,
    /// The numbers of the fields that had errors. They are not missing as well.
    failed: Vec<u32>,
    /// Whether the bytes after the error can no longer be separated.
    lost: bool,
}

impl Taking {
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the read of a message some of whose fields are converted by an adapter, or checked,
    /// after they were read.
    #[inline]
    pub fn begun(r: &Reader<'_>) -> Self {
        Self { begun: r.remaining(), ..Self::default() }
    }

    /// Returns the next tag, until the message ends or its rest cannot be read.
    #[inline]
    pub fn next(&mut self, r: &mut Reader<'_>) -> Option<Tag> {
        // Usually nothing is left after the canonical encoding.
        match r.remaining() {
            0 => None,
            _ => self.next_of_rest(r),
        }
    }

    #[inline(never)]
    fn next_of_rest(&mut self, r: &mut Reader<'_>) -> Option<Tag> {
        self.left = r.remaining();
        match r.tag() {
            Ok(tag) => tag,
            Err(error) => {
                self.lose(r.locate(error, r.offset_before(self.left)), r);
                None
            }
        }
    }

    /// Reads a field that the struct does not map. The value of a discarded field is dropped. An
    /// ignored field must be absent, and a field that the message does not have is an error.
    #[cold]
    pub fn unmapped(
        &mut self,
        descriptor: &MessageDescriptor,
        discarded: &[u32],
        tag: Tag,
        r: &mut Reader<'_>,
    ) {
        match field_of(descriptor, tag.number) {
            Some(field) => {
                if let Some(scope) = r.scope() {
                    scope.ignored(r.offset_before(self.left));
                }
                if discarded.contains(&field.number) || is_absence(field, tag, r) {
                    if let Err(error) = r.skip(tag.wire_type) {
                        self.lose(r.locate(error, r.offset_before(self.left)), r);
                    }
                    return;
                }
                let error = Error::invalid(format!(
                    "has a value, but this build ignores the field: map it, or drop its value on \
                     purpose with `discard({})`",
                    field.name
                ));
                let name = descriptor.field_name(tag.number).unwrap_or(field.name);
                self.failed(error.in_field(name), tag, r);
            }
            None => {
                let (number, wire_type) = (tag.number, tag.wire_type.as_str());
                let message = (descriptor.full_name)();
                let reason = format!("unknown field {number} ({wire_type}) in {message}");
                self.failed(Error::invalid(reason), tag, r);
            }
        }
    }

    /// Returns the error of a field that exists only from version `since` on, in an older payload.
    #[cold]
    #[inline(never)]
    pub fn newer<F: FieldKind>(
        &mut self,
        field: &Field<F>,
        since: u32,
        tag: Tag,
        r: &mut Reader<'_>,
    ) {
        let reason =
            format!("exists from version {since} on, but this payload has version {}", r.version());
        let mut members = F::MEMBERS.iter();
        let name = members.find(|m| m.number == tag.number).map_or(field.name(), |m| m.name);
        self.failed(Error::invalid(reason).in_field(name), tag, r);
    }

    #[cold]
    #[inline(never)]
    pub(super) fn failed(&mut self, error: Error, tag: Tag, r: &mut Reader<'_>) {
        let tag_at = r.offset_before(self.left);
        let lost = !r.recover_field(tag_at, tag.wire_type);
        let wrong = self.add(r.locate(error, tag_at));
        wrong.failed.push(tag.number);
        wrong.lost |= lost;
        if lost {
            r.take_rest();
        }
    }

    #[cold]
    #[inline(never)]
    fn lose(&mut self, error: Error, r: &mut Reader<'_>) {
        self.add(error).lost = true;
        r.take_rest();
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, error: Error) -> &mut TakeErrors {
        let wrong = self.wrong.get_or_insert_default();
        wrong.error = Some(match wrong.error.take() {
            Some(earlier) => earlier.and(error),
            None => error,
        });
        wrong
    }

    /// Returns whether the value of this field may be used. After an error it may be a default that
    /// was never on the wire.
    #[inline]
    pub(super) fn is_known<F: FieldKind>(&self, field: &Field<F>) -> bool {
        self.wrong.is_none() || !self.is_told(field)
    }

    /// Returns the value of a field that is used before it is known that everything was read.
    #[inline]
    pub fn known<'v, F: FieldKind, T>(
        &self,
        field: &Field<F>,
        value: &'v Option<T>,
    ) -> Option<&'v T> {
        value.as_ref().filter(|_| self.is_known(field))
    }

    /// Returns whether a reported error already explains why a field has no value, or a default
    /// one.
    #[cold]
    fn is_told<F: FieldKind>(&self, field: &Field<F>) -> bool {
        self.wrong.as_deref().is_some_and(|wrong| {
            wrong.lost || wrong.failed.iter().any(|&number| is_member(field, number))
        })
    }

    /// Records the reason why a field has no value.
    #[cold]
    #[inline(never)]
    pub(super) fn unfinished<F: FieldKind>(&mut self, field: &Field<F>, error: Error) {
        if !self.is_told(field) {
            self.add(error.in_field(field.name()));
        }
    }

    /// Records the result of a check of the field.
    pub fn check<F: FieldKind>(
        &mut self,
        field: &Field<F>,
        result: Result<(), Error>,
        r: &Reader<'_>,
    ) {
        if let Err(error) = result {
            let error = self.at_field(field, error, r);
            self.add(error);
        }
    }

    /// Adds the place of its field to the error of a value that was read.
    #[cold]
    #[inline(never)]
    pub(super) fn at_field<F: FieldKind>(
        &self,
        field: &Field<F>,
        error: Error,
        r: &Reader<'_>,
    ) -> Error {
        match r.find_behind(self.begun, |number| is_member(field, number)) {
            Some(offset) => r.locate(error, offset),
            // The field was absent.
            None => error,
        }
    }

    /// Sets the name that the payload gives itself, from its field, for the errors.
    pub fn name<F: FieldKind, T>(
        &mut self,
        field: &Field<F>,
        value: &Option<T>,
        name: impl FnOnce(&T) -> String,
    ) {
        if self.wrong.is_none() {
            return;
        }
        let name = self.known(field, value).map(name);
        if let Some(wrong) = &mut self.wrong {
            wrong.error = wrong.error.take().map(|error| super::validation::with_name(error, name));
        }
    }

    /// Returns the errors, if there are any.
    #[inline]
    pub fn end(self) -> Result<(), Error> {
        match self.wrong.and_then(|wrong| wrong.error) {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}

/// Returns the field with this number, or the oneof around it.
fn field_of(message: &MessageDescriptor, number: u32) -> Option<&FieldDescriptor> {
    message.fields.iter().find(|field| match field.shape {
        FieldShape::Oneof(oneof) => oneof().contains(number),
        _ => field.number == number,
    })
}

/// Returns whether the following value is the written default of a field without presence. It means
/// the same as an absent value, and every reader must accept it.
fn is_absence(field: &FieldDescriptor, tag: Tag, r: &Reader<'_>) -> bool {
    let FieldShape::Singular(kind) = field.shape else { return false };
    wire_type_of(kind) == tag.wire_type && r.fork().passes_default(tag.wire_type)
}

/// Reads a state as a nested message, with its length, into its final place, because a struct is
/// large to move.
#[inline]
pub fn take_message_into<S: State>(slot: &mut Option<S>, r: &mut Reader<'_>) -> Result<(), Error> {
    let version = r.version();
    let taken = r.message(
        #[inline(always)]
        |r| S::take_fields_into(slot, r),
    );
    leave::<S>(version, r);
    taken
}

/// Reads a state as a nested message, with its length.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn take_message<S: State>(r: &mut Reader<'_>) -> Result<S, Error> {
    let version = r.version();
    let taken = r.message(
        #[inline(always)]
        |r| S::take_fields(r),
    );
    leave::<S>(version, r);
    taken
}

/// Restores the version of the payload around the state, if the state is a payload itself.
#[inline]
fn leave<S: State>(version: u32, r: &mut Reader<'_>) {
    if S::IS_PAYLOAD {
        r.set_version(version);
    }
}
