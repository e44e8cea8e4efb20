//! Writes the fields of a message.

use super::field::place;
use crate::codec::{SaveScope, Writer};
use crate::schema::Field;
use crate::schema::kind::FieldKind;
use crate::{Error, Payload, State};

/// The fields of one message while they are written, in descending declared order. `N` is the
/// number of marks that bring them into the order of their numbers; 0 if they are declared in that
/// order.
pub struct Putting<'w, const N: usize> {
    pub(super) w: &'w mut Writer,
    mark: usize,
    ends: [(u32, usize); N],
    count: usize,
    /// The errors of fields. They are kept here and reported at the end, because an early return
    /// after each field costs the compiler more than the field.
    // One pointer, so that a message without errors costs nothing for them.
    wrong: Option<Box<PutErrors>>,
}

/// The errors of the fields of one message.
#[derive(Default)]
struct PutErrors {
    /// Each with the number of its field, for the order.
    errors: Vec<(u32, Error)>,
    /// The fields that a check has refused. A second error of such a field is not reported.
    checked: Vec<u32>,
}

impl<'w, const N: usize> Putting<'w, N> {
    #[inline]
    pub fn new(w: &'w mut Writer) -> Self {
        let mark = w.position();
        Self { w, mark, ends: [(0, 0); N], count: 0, wrong: None }
    }

    /// Records that a field was written, under this number.
    #[inline]
    pub(super) fn mark(&mut self, number: u32) {
        if let Some(end) = self.ends.get_mut(self.count) {
            *end = (number, self.w.position());
            self.count += 1;
        }
    }

    /// Writes a field whose `Arc` may be in other places of the tree too.
    pub fn unshared(&mut self, put: impl FnOnce(&mut Self)) {
        let outer = self.w.allow_sharing(true);
        put(self);
        self.w.allow_sharing(outer);
    }

    /// Handles a field without a value, which only older payloads may omit.
    #[cold]
    #[inline(never)]
    pub(super) fn older_only(&mut self, number: u32, name: &'static str) {
        if !self.w.notes_absence() {
            let error = Error::precondition(
                "is `None`, which stands for a payload from before the field was added: give it a value \
                 before it is saved, an empty one too",
            );
            self.fail(number, error.in_field(name));
        }
    }

    /// Records the error of a field that could not be written.
    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, number: u32, error: Error) {
        let wrong = self.wrong.get_or_insert_default();
        if !wrong.checked.contains(&number) {
            wrong.errors.push((number, error));
        }
    }

    /// Records the error of a field that could not be written, and names the field in it.
    // One call, because the code of each field contains it.
    #[cold]
    #[inline(never)]
    pub(super) fn fail_at<F: FieldKind>(&mut self, field: &Field<F>, error: Error) {
        self.fail(field.number(), place(field, error));
    }

    /// Keeps the result of a check of the field with this number, which is written later.
    #[inline]
    pub fn check(&mut self, number: u32, result: Result<(), Error>) {
        if let Err(error) = result {
            self.refuse(number, error);
        }
    }

    #[cold]
    #[inline(never)]
    fn refuse(&mut self, number: u32, error: Error) {
        let wrong = self.wrong.get_or_insert_default();
        wrong.errors.push((number, error));
        wrong.checked.push(number);
    }

    /// # Errors
    ///
    /// All errors of the fields, in the order of their numbers.
    #[inline]
    pub fn finish(self) -> Result<(), Error> {
        match self.wrong {
            Some(wrong) => Err(wrong.into_error()),
            None if N == 0 => Ok(()),
            None => self.w.reorder(self.mark, &self.ends[..self.count]),
        }
    }
}

/// The scope of a save of one field, which must have no controllers.
#[derive(Debug, Default)]
struct OneField {
    has_child: bool,
    /// The positions of missing values that only older payloads may omit.
    absences: Vec<usize>,
}

impl SaveScope for OneField {
    fn child(&mut self) -> Result<(), Error> {
        self.has_child = true;
        // This error only ends the save; it is never shown.
        Err(Error::internal("a controller was found"))
    }

    fn absent(&mut self, position: usize) -> bool {
        self.absences.push(position);
        true
    }
}

/// One field as it is on the wire, with what the bytes do not show.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldBytes {
    pub(crate) bytes: Vec<u8>,
    absences: Vec<usize>,
}

impl FieldBytes {
    /// Returns whether the field has no value, as opposed to an empty one.
    pub(super) fn has_no_value(&self) -> bool {
        self.bytes.is_empty() && !self.absences.is_empty()
    }

    /// Returns whether a value inside is missing, as opposed to empty.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.absences.is_empty()
    }
}

/// Returns the bytes of one field, or `None` if it contains a controller.
pub(crate) fn bytes_of(put: impl FnOnce(&mut Putting<'_, 0>)) -> Result<Option<FieldBytes>, Error> {
    let mut writer = Writer::default();
    writer.set_scope(OneField::default());
    let mut putting = Putting::new(&mut writer);
    put(&mut putting);
    let result = putting.finish();
    match writer.take_scope::<OneField>() {
        Some(scope) if !scope.has_child => {
            result.map(|()| Some(FieldBytes { bytes: writer.into_vec(), absences: scope.absences }))
        }
        _ => Ok(None),
    }
}

impl PutErrors {
    #[cold]
    #[inline(never)]
    fn into_error(mut self) -> Error {
        self.errors.sort_by_key(|(number, _)| *number);
        let errors = self.errors.into_iter().map(|(_, error)| error);
        // There is an error, or everything was right.
        errors
            .reduce(Error::and)
            .unwrap_or_else(|| Error::internal("a field was refused for nothing"))
    }
}

/// Writes a state as a field: a nested message, with its length and its tag.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn put_message_tagged<S: State>(state: &S, number: u32, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    w.enter(1)?;
    let put = state.put_nested(w);
    w.leave(1);
    put?;
    w.close_field(number, mark);
    Ok(())
}

/// Returns the length of a state as a nested message, including its length prefix.
#[inline]
pub fn message_size<S: State>(state: &S) -> usize {
    crate::codec::delimited_size(state.fields_size())
}

/// Adds the sizes of a message's fields. A written-out sum would have an overflow check for each.
#[inline]
pub fn sum(sizes: &[usize]) -> usize {
    sizes.iter().sum()
}

/// Writes a state as a nested message, with its length.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn put_message<S: State>(state: &S, w: &mut Writer) -> Result<(), Error> {
    w.message(|w| state.put_nested(w))
}

/// Writes the fields of a payload in the version in which it is to be saved.
pub fn put_payload<P: Payload>(payload: &P, w: &mut Writer) -> Result<(), Error> {
    w.payload(P::TYPE_URL, |w| payload.put_fields(w))
}
