//! Looking ahead, passing over values, and going on after an error.

use super::{DEFAULT_VALUE, Reader};
use crate::error::Error;
use crate::schema::kind::WireType;

impl<'a> Reader<'a> {
    /// How many values to make room for before the first of the field `number` is taken: as many
    /// as follow one another from here on.
    ///
    /// A value that is short on the wire and large in memory could make it far more memory than the
    /// input takes, for what may be refused in the end; hence the bound of four times the input.
    #[inline(never)]
    pub(crate) fn count_ahead<T>(&self, number: u32) -> usize {
        let mut ahead = self.fork();
        let mut count = 0;
        // Those longer than 16 KiB are not worth counting.
        while ahead.passes_short_bytes() {
            count += 1;
            if !ahead.passes_tag(number, WireType::Len) {
                break;
            }
        }
        let length = self.rest.len() - ahead.rest.len();
        count.min(1 + 4 * length / size_of::<T>().max(1))
    }

    /// Passes over bytes whose length is one byte or two.
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

    /// The bytes between this place and that of a fork that went on.
    pub(crate) fn up_to(&self, later: &Reader<'a>) -> &'a [u8] {
        let passed = self.rest.len().saturating_sub(later.rest.len());
        &self.rest[..passed]
    }

    /// What `take` takes, or nothing, and then it stays at this place.
    #[inline]
    pub(crate) fn attempt<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let taken = take(self);
        if taken.is_none() {
            self.rest = before;
        }
        taken
    }

    /// Whether a field of this number and this varint follows.
    #[inline]
    pub(crate) fn begins_with(&mut self, number: u32, value: u64) -> bool {
        let before = self.rest;
        let begins = self.passes_tag(number, WireType::Varint)
            && self.varint().is_ok_and(|found| found == value);
        self.rest = before;
        begins
    }

    /// A reader at the same place, to look ahead with.
    pub(crate) fn fork(&self) -> Reader<'a> {
        Reader { ..*self }
    }

    /// Passes over the value if it is the proto3 default of its kind, in its one form.
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

    /// Passes over a value.
    pub fn skip(&mut self, wire_type: WireType) -> Result<(), Error> {
        match wire_type {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Len => self.bytes().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
        }
    }

    /// The offset of the first tag, of those of the message that has ended and began when `left` bytes
    /// were left, whose number `is_it`.
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

    /// Goes on after an error in the value that started at `offset`, if its end can be told, so
    /// that everything that is wrong with a message is reported at once. Does not go on once the
    /// budget of memory is exhausted.
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

    /// The same, where the tag of the value is at `offset`.
    #[cold]
    #[inline(never)]
    pub(crate) fn recover_field(&mut self, offset: usize, wire_type: WireType) -> bool {
        self.recover(offset, WireType::Varint) && self.skip(wire_type).is_ok()
    }
}
