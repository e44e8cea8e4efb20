//! Looks ahead, skips values, and continues after errors.

use super::{DEFAULT_VALUE, Reader};
use crate::error::Error;
use crate::schema::kind::WireType;

impl<'a> Reader<'a> {
    /// Returns the number of values for which to make room before the first of field `number` is
    /// read: the number of consecutive values from here on.
    ///
    /// A value that is short on the wire and large in memory could need far more memory than the
    /// input, and may be refused in the end. Therefore the bound of four times the input.
    #[inline(never)]
    pub(crate) fn count_ahead<T>(&self, number: u32) -> usize {
        let mut ahead = self.fork();
        let mut count = 0;
        // Values longer than 16 KiB are not worth counting.
        while ahead.passes_short_bytes() {
            count += 1;
            if !ahead.passes_tag(number, WireType::Len) {
                break;
            }
        }
        let length = self.rest.len() - ahead.rest.len();
        count.min(1 + 4 * length / size_of::<T>().max(1))
    }

    /// Skips bytes whose length has one byte or two.
    #[inline]
    fn passes_short_bytes(&mut self) -> bool {
        let (length, value) = match self.rest {
            [length @ ..0x80, value @ ..] => (usize::from(*length), value),
            [low, high @ ..0x80, value @ ..] => {
                (usize::from(low & 0x7f) | usize::from(*high) << 7, value)
            }
            _ => return false,
        };
        let Some((_, rest)) = value.split_at_checked(length) else { return false };
        self.rest = rest;
        true
    }

    /// Returns the bytes between this place and that of a fork that has moved on.
    pub(crate) fn up_to(&self, later: &Reader<'a>) -> &'a [u8] {
        let passed = self.rest.len().saturating_sub(later.rest.len());
        &self.rest[..passed]
    }

    /// Returns the result of `take`, or `None`; then this reader does not move.
    #[inline]
    pub(crate) fn attempt<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let taken = take(self);
        if taken.is_none() {
            self.rest = before;
        }
        taken
    }

    /// Returns whether a field with this number and this varint follows.
    #[inline]
    pub(crate) fn begins_with(&mut self, number: u32, value: u64) -> bool {
        let before = self.rest;
        let begins = self.passes_tag(number, WireType::Varint)
            && self.varint().is_ok_and(|found| found == value);
        self.rest = before;
        begins
    }

    /// Returns a reader at the same place, to look ahead.
    pub(crate) fn fork(&self) -> Reader<'a> {
        Reader { ..*self }
    }

    /// Skips the value if it is the proto3 default of its kind, in its one form.
    #[inline]
    pub(crate) fn passes_default(&mut self, wire_type: WireType) -> bool {
        let length = match wire_type {
            WireType::Varint | WireType::Len => 1,
            WireType::Fixed32 => 4,
            WireType::Fixed64 => 8,
        };
        match self.rest.strip_prefix(&DEFAULT_VALUE[..length]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Skips a value.
    pub fn skip(&mut self, wire_type: WireType) -> Result<(), Error> {
        match wire_type {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Len => self.bytes().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
        }
    }

    /// Returns the offset of the first tag whose number `is_it`, in the message that has just ended
    /// and began when `left` bytes were left.
    pub(crate) fn find_behind(&self, left: usize, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let end = self.offset_before(0) - self.base;
        let message = self.input.get(self.offset_before(left) - self.base..end)?;
        let mut behind = Reader { rest: message, ..self.fork() };
        loop {
            let offset = behind.offset();
            let tag = behind.tag().ok()??;
            if is_it(tag.number) {
                return Some(offset);
            }
            behind.skip(tag.wire_type).ok()?;
        }
    }

    /// Continues after an error in the value that started at `offset`, if its end is known, so that
    /// all problems of a message are reported together. Does not continue once the budget of memory
    /// is exhausted.
    #[cold]
    #[inline(never)]
    pub fn recover(&mut self, offset: usize, wire_type: WireType) -> bool {
        if self.memory.is_exhausted() {
            return false;
        }
        let end = self.offset_before(0) - self.base;
        match self.input.get(offset - self.base..end) {
            Some(rest) => self.rest = rest,
            None => return false,
        }
        self.skip(wire_type).is_ok()
    }

    /// Does the same if the tag of the value is at `offset`.
    #[cold]
    #[inline(never)]
    pub(crate) fn recover_field(&mut self, offset: usize, wire_type: WireType) -> bool {
        self.recover(offset, WireType::Varint) && self.skip(wire_type).is_ok()
    }
}
