//! Reading: strict, with limited recursion, within a budget of memory.

mod ahead;
#[cfg(test)]
mod tests;
mod text;

#[cfg(feature = "uuid")]
pub(super) use self::text::ascii_text;
use super::memory::{Memory, default_budget};
use super::scope::ReadScope;
use crate::error::{Code, Error, plural};
use crate::schema::kind::WireType;

/// The tag before a value: its field number and its wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The field number, 1 to 536,870,911.
    pub number: u32,
    /// The wire type.
    pub wire_type: WireType,
}

/// A view of encoded bytes, which knows the place for errors.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The whole input, so that offsets are those of the user's file or message.
    input: &'a [u8],
    /// The rest of the innermost message: a part of the input. It is a slice and not two positions,
    /// so that a read needs only one comparison.
    rest: &'a [u8],
    /// The number of messages that may still be nested.
    depth_left: u32,
    /// The offset of `input` in the user's bytes, for errors.
    base: usize,
    /// Whether offsets mean something to the user. Those in a stand-in for a default do not.
    has_places: bool,
    /// The scope of the read, if it is more than this value.
    scope: Option<&'a dyn ReadScope>,
    /// The schema version of the payload; the newest outside of a payload.
    version: u32,
    /// The schema version from which this payload was upgraded.
    origin: Option<u32>,
    /// The remaining memory.
    memory: Memory,
}

/// The high bits of eight bytes.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Eight zero bytes read as the proto3 default of every kind: varint 0, length 0, fixed 0.
static DEFAULT_VALUE: [u8; 8] = [0; 8];

impl<'a> Reader<'a> {
    /// The maximum depth of nested messages; an `Any` counts as two levels, like any message in a
    /// message. prost and protobuf-go stop at 100 and 10,000; a sandbox needs 12.
    pub const DEPTH_LIMIT: u32 = crate::visit::DEPTH_LIMIT;

    /// Creates a reader of a whole input.
    pub fn new(input: &'a [u8]) -> Self {
        Self::with_base(input, 0)
    }

    /// Creates a reader of bytes that start at offset `base` of the user's bytes.
    pub fn with_base(input: &'a [u8], base: usize) -> Self {
        Self {
            input,
            rest: input,
            depth_left: Self::DEPTH_LIMIT,
            base,
            has_places: true,
            scope: None,
            version: u32::MAX,
            origin: None,
            memory: Memory::new(default_budget(input.len())),
        }
    }

    /// Returns the same reader with another budget, in bytes, than the default one.
    pub(crate) fn with_memory(self, budget: u64) -> Self {
        Self { memory: Memory::new(budget), ..self }
    }

    /// Counts memory that is about to be allocated for the values that are read.
    ///
    /// # Errors
    ///
    /// If it exceeds the rest of the budget. Nothing more can be read then: [`Reader::recover`]
    /// gives up.
    #[inline]
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), Error> {
        self.memory.charge(bytes)
    }

    /// Returns the remaining memory.
    pub(crate) fn memory_left(&self) -> u64 {
        self.memory.left()
    }

    /// Returns the budget of memory.
    pub(super) fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// Counts memory that was freed.
    pub(crate) fn refund(&mut self, bytes: usize) {
        self.memory.refund(bytes);
    }

    /// Runs `read` on a reader that was derived from this one. Both share one budget.
    pub(crate) fn sharing<'o, T>(
        &mut self,
        mut other: Reader<'o>,
        read: impl FnOnce(&mut Reader<'o>) -> T,
    ) -> T {
        other.memory = self.memory;
        let value = read(&mut other);
        self.memory = other.memory;
        value
    }

    /// Creates a reader of bytes that the user does not have, so that offsets in them mean nothing.
    pub(crate) fn without_places(input: &'a [u8]) -> Self {
        Self { has_places: false, ..Self::new(input) }
    }

    /// Creates a reader that yields the proto3 default of any kind. Its errors have no place yet:
    /// it is that of the missing value.
    pub(crate) fn of_default() -> Reader<'static> {
        Reader::without_places(&DEFAULT_VALUE)
    }

    /// Does the same for a missing value inside of this reader's bytes.
    pub(crate) fn of_default_here(&self) -> Reader<'static> {
        Reader {
            version: self.version,
            depth_left: self.depth_left,
            memory: self.memory,
            ..Reader::of_default()
        }
    }

    /// Creates a reader of bytes that were made from those of this reader, at the same depth.
    /// Offsets in them mean nothing to the user.
    pub(crate) fn of_made<'m>(&self, input: &'m [u8]) -> Reader<'m>
    where
        'a: 'm,
    {
        Reader {
            depth_left: self.depth_left,
            scope: self.scope,
            memory: self.memory,
            origin: Some(self.origin_version()),
            ..Reader::without_places(input)
        }
    }

    /// Returns the schema version of the payload; outside of a payload the newest, `u32::MAX`.
    #[doc(hidden)]
    #[inline]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns the schema version that the payload had before its upgrade; without an upgrade, its
    /// version.
    pub(crate) fn origin_version(&self) -> u32 {
        self.origin.unwrap_or(self.version)
    }

    /// Sets the version of the payload that begins here, or restores that of the one around it.
    #[inline]
    pub(crate) fn set_version(&mut self, version: u32) {
        self.version = version;
    }

    /// Returns the offset of the next byte.
    #[inline]
    pub fn offset(&self) -> usize {
        self.base + (self.rest.as_ptr().addr() - self.input.as_ptr().addr())
    }

    /// Returns the offset at which this many bytes were left in the innermost message.
    pub(crate) fn offset_before(&self, left: usize) -> usize {
        self.offset() + self.rest.len() - left
    }

    /// Returns the number of bytes that are left in the innermost message.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Sets the offset of an error that has none.
    #[cold]
    #[inline(never)]
    pub fn locate(&self, error: Error, offset: usize) -> Error {
        match self.has_places {
            true => error.at_byte(offset, self.base + self.input.len()),
            false => error,
        }
    }

    #[cold]
    #[inline(never)]
    fn malformed(&self, reason: &'static str, offset: usize) -> Error {
        self.locate(Error::new(Code::DataLoss, reason), offset)
    }

    /// Reads a varint; it must have its shortest form and fit in 64 bits.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, Error> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            // Most lengths of more than one byte have two.
            [low, high, rest @ ..] if *high < 0x80 && *high > 0 => {
                self.rest = rest;
                Ok(u64::from(*low & 0x7f) | u64::from(*high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Error> {
        // Up to 56 bits, from eight bytes at once.
        if let Some(first) = self.rest.first_chunk() {
            let bytes = u64::from_le_bytes(*first);
            // The last byte is the first one without the high bit.
            let last = (!bytes & HIGH_BITS).trailing_zeros() / 8;
            if last < 8 && bytes >> (8 * last) & 0xff != 0 {
                let mut bits = bytes << (56 - 8 * last) >> (56 - 8 * last) & !HIGH_BITS;
                // Moves the groups of 7 bits, which are 8 bits apart, together: first pairs, then
                // fours, then all eight.
                bits = bits & 0x007f_007f_007f_007f | (bits & 0x7f00_7f00_7f00_7f00) >> 1;
                bits = bits & 0x0000_3fff_0000_3fff | (bits & 0x3fff_0000_3fff_0000) >> 2;
                bits = bits & 0x0fff_ffff | (bits & 0x0fff_ffff_0000_0000) >> 4;
                self.rest = &self.rest[last as usize + 1..];
                return Ok(bits);
            }
        }
        let start = self.offset();
        let mut value = 0u64;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            if index == 9 && byte > 1 {
                return Err(self.malformed("varint does not fit 64 bits", start));
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                if byte == 0 && index > 0 {
                    return Err(self.malformed("varint is longer than it needs to be", start));
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(self.malformed("ends within a varint", start))
    }

    /// Reads the next tag, or `None` at the end of the innermost message.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<Option<Tag>, Error> {
        match self.rest {
            [] => Ok(None),
            // The tags of the numbers 1 to 15, which are the most frequent.
            [byte @ 0x08..0x80, rest @ ..] if let Some(wire_type) = WireType::of_tag(*byte) => {
                self.rest = rest;
                Ok(Some(Tag { number: u32::from(*byte >> 3), wire_type }))
            }
            _ => self.long_tag(),
        }
    }

    /// Reads the next tag if it is this one. A tag of more than two bytes is left to
    /// [`Reader::tag`].
    #[inline(always)]
    pub(crate) fn passes_tag(&mut self, number: u32, wire_type: WireType) -> bool {
        let key = number << 3 | wire_type as u32;
        let rest = match self.rest {
            [byte, rest @ ..] if key < 0x80 && u32::from(*byte) == key => rest,
            [low, high, rest @ ..]
                if (0x80..0x4000).contains(&key)
                    && u32::from(*low) == key & 0x7f | 0x80
                    && u32::from(*high) == key >> 7 =>
            {
                rest
            }
            _ => return false,
        };
        self.rest = rest;
        true
    }

    #[inline(never)]
    fn long_tag(&mut self) -> Result<Option<Tag>, Error> {
        let start = self.offset();
        let value = self.varint()?;
        let Some(wire_type) = WireType::of_tag(value as u8) else {
            return Err(match value & 7 {
                3 | 4 => self.malformed("groups are not supported", start),
                _ => self.malformed("unknown wire type", start),
            });
        };
        match value >> 3 {
            number @ 1..=0x1fff_ffff => Ok(Some(Tag { number: number as u32, wire_type })),
            _ => Err(self.malformed("field number is not in 1 to 536870911", start)),
        }
    }

    /// Reads `length` bytes.
    #[inline]
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Error> {
        match self.rest.split_at_checked(length) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.past_the_end(length as u64)),
        }
    }

    #[cold]
    #[inline(never)]
    fn past_the_end(&self, length: u64) -> Error {
        let (left, s) = (self.remaining(), plural(length));
        let reason = format!("needs {length} byte{s}, but has {left} left");
        self.locate(Error::new(Code::DataLoss, reason), self.offset())
    }

    /// Reads a length, which is at most the rest.
    #[inline]
    pub fn length(&mut self) -> Result<usize, Error> {
        let length = self.varint()?;
        if length > self.remaining() as u64 {
            return Err(self.past_the_end(length));
        }
        Ok(length as usize)
    }

    /// Reads the rest of the innermost message.
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        let (all, nothing) = self.rest.split_at(self.rest.len());
        self.rest = nothing;
        all
    }

    /// Reads length-delimited bytes.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        // Usually the length is one byte.
        if let [length @ ..0x80, rest @ ..] = self.rest
            && let Some((bytes, rest)) = rest.split_at_checked(usize::from(*length))
        {
            self.rest = rest;
            return Ok(bytes);
        }
        self.long_bytes()
    }

    // Returned in registers, unlike a `Result` with an `Error`.
    #[inline]
    fn long_bytes(&mut self) -> Result<&'a [u8], Error> {
        match self.bytes_of_two() {
            Some(bytes) => Ok(bytes),
            None => self.bytes_of_any_length(),
        }
    }

    /// Reads bytes whose length has two bytes, as for most that are not short.
    #[inline(never)]
    fn bytes_of_two(&mut self) -> Option<&'a [u8]> {
        let [low @ 0x80..=0xff, high @ 1..0x80, rest @ ..] = self.rest else { return None };
        let length = usize::from(low & 0x7f) | usize::from(*high) << 7;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    #[inline(never)]
    fn bytes_of_any_length(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.raw(length)
    }

    /// Reads four little-endian bytes.
    #[inline]
    pub fn fixed32(&mut self) -> Result<u32, Error> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(u32::from_le_bytes(*bytes))
            }
            None => Err(self.past_the_end(4)),
        }
    }

    /// Reads eight little-endian bytes.
    #[inline]
    pub fn fixed64(&mut self) -> Result<u64, Error> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(u64::from_le_bytes(*bytes))
            }
            None => Err(self.past_the_end(8)),
        }
    }

    /// Reads a length and runs `read` on exactly that many bytes.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn message<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // As in `bytes`, but the bytes after a short message need not be stored in the reader.
        let (bytes, outer) = if let [length @ ..0x80, rest @ ..] = self.rest
            && let Some(parts) = rest.split_at_checked(usize::from(*length))
        {
            parts
        } else {
            match self.long_bytes() {
                Ok(bytes) => (bytes, self.rest),
                Err(error) => return Err(error),
            }
        };
        self.between(bytes, outer, read)
    }

    /// Runs `read` on a message of these bytes, which were read last. The result is one variable
    /// all the way, so that it is built at the caller's place.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn within<T>(
        &mut self,
        bytes: &'a [u8],
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.between(bytes, self.rest, read)
    }

    /// Runs `read` on a message of these bytes, and continues with `outer`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn between<T>(
        &mut self,
        bytes: &'a [u8],
        outer: &'a [u8],
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.rest = bytes;
        let mut value;
        if self.depth_left == 0 {
            value = Err(self.malformed("messages are nested too deep", self.offset()));
        } else {
            self.depth_left -= 1;
            value = read(self);
            self.depth_left += 1;
        }
        if value.is_ok() && !self.rest.is_empty() {
            value = Err(self.malformed("has bytes after its end", self.offset()));
        }
        // After an error the rest of the message is useless, but the bytes after it may be
        // readable.
        self.rest = outer;
        value
    }

    /// Runs `read` on a payload, which may be older or newer than the one around it.
    #[inline]
    pub(crate) fn payload<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> T) -> T {
        let (version, origin) = (self.version, self.origin.take());
        let value = read(self);
        (self.version, self.origin) = (version, origin);
        value
    }

    /// Runs `read` on a nested message of length 0 at this place.
    pub(crate) fn message_of_nothing<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let nothing = Reader { rest: &self.rest[..0], ..self.fork() };
        self.sharing(nothing, read)
    }

    /// Runs `read` on all packed values within the next length.
    #[inline]
    pub fn packed(
        &mut self,
        mut read: impl FnMut(&mut Reader<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.message(|reader| {
            while reader.remaining() > 0 {
                read(reader)?;
            }
            Ok(())
        })
    }

    /// Sets the scope of all that is read from now on.
    pub(crate) fn set_scope(&mut self, scope: &'a dyn ReadScope) {
        self.scope = Some(scope);
    }

    /// Returns the scope of the read, if it is more than one value.
    #[inline]
    pub(crate) fn scope(&self) -> Option<&'a dyn ReadScope> {
        self.scope
    }
}
