//! Writing: one pass over the state, from the last byte to the first.
//!
//! A length precedes the value that it measures. When writing backwards, the length is known when
//! it is written: no sizing pass, no cache of lengths that could disagree with the bytes, and an
//! adapter converts only once. The price is that fields are written in descending order.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::Reader;
use super::scope::SaveScope;
use super::shared::Shared;
use crate::error::Error;
use crate::panics::caught;
use crate::schema::kind::WireType;

/// The destination of an encoding: a buffer that fills from its end towards its start. Only this crate and
/// the derive write into it.
#[derive(Debug, Default)]
pub struct Writer {
    /// Zeroed up to `start`, written from there on.
    buffer: Vec<u8>,
    start: usize,
    /// The scope of the save, if it is more than this value.
    scope: Option<Box<dyn SaveScope>>,
    /// The depth of nested messages at this place.
    depth: u32,
    /// The schema version in which the surrounding payload is saved; 0 for the current one.
    version: u32,
    /// The values whose `Arc` is also held elsewhere.
    shared: Shared,
    /// Memory for sorting, kept for the next map. Two are enough, and four for a map in a map.
    pub(super) scratch: [Scratch; 4],
}

/// Memory for the entries of a map while they are sorted, each with a prefix of its key, and
/// without borrows.
pub(super) type Scratch = Vec<(u64, (usize, usize))>;

impl Writer {
    /// Creates a writer with room for `capacity` bytes before it must grow.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { buffer: vec![0; capacity], start: capacity, ..Self::default() }
    }

    /// Writes to every page of the unused memory, so that the system provides it now.
    pub(crate) fn touch(&mut self) {
        // The smallest page of the known systems.
        const PAGE: usize = 4096;
        for byte in self.buffer[..self.start].iter_mut().step_by(PAGE) {
            // Zero as before. Without `black_box` the compiler would remove it.
            *byte = std::hint::black_box(0);
        }
    }

    /// Sets the scope of all that is written from now on.
    pub(crate) fn set_scope(&mut self, scope: impl SaveScope) {
        self.scope = Some(Box::new(scope));
    }

    /// Ends the scope, and returns it if it is an `S`.
    pub(crate) fn take_scope<S: SaveScope>(&mut self) -> Option<Box<S>> {
        let scope: Box<dyn Any> = self.scope.take()?;
        scope.downcast().ok()
    }

    /// Announces a controller to the scope.
    pub(crate) fn before_child(&mut self) -> Result<(), Error> {
        match &mut self.scope {
            None => Ok(()),
            Some(scope) => scope.child(),
        }
    }

    /// Begins the payload of a controller: see [`SaveScope::enter`].
    pub(crate) fn begin_controller(
        &mut self,
        address: usize,
        type_url: &'static str,
        found: Option<i32>,
    ) -> Option<i32> {
        self.scope.as_mut()?.enter(address, type_url, found)
    }

    /// Ends the payload of a controller, which was written since `mark`.
    pub(crate) fn end_controller(&mut self, address: usize, mark: usize) {
        let written = mark..self.position();
        if let Some(scope) = &mut self.scope {
            scope.leave(address, written);
        }
    }

    /// Notes that a value that only older payloads are without is not there. Returns false if it must be.
    pub(crate) fn notes_absence(&mut self) -> bool {
        let position = self.position();
        self.scope.as_mut().is_some_and(|scope| scope.absent(position))
    }

    /// Returns the type URL that payloads of this type are saved under.
    pub(crate) fn type_url_of(&self, own: &'static str) -> &'static str {
        self.scope.as_ref().map_or(own, |scope| scope.type_url_of(own))
    }

    /// The scope of the save.
    pub(crate) fn scope_mut(&mut self) -> Option<&mut dyn SaveScope> {
        self.scope.as_deref_mut()
    }

    /// Returns the schema version in which the surrounding payload is saved. It is `u32::MAX` for
    /// the current version, and outside of a payload.
    #[doc(hidden)]
    #[inline]
    pub fn version(&self) -> u32 {
        if self.version == 0 { u32::MAX } else { self.version }
    }

    /// Runs `put` for a payload, in the version in which it is to be saved.
    #[inline]
    pub(crate) fn payload(
        &mut self,
        type_url: &str,
        put: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let version = match &self.scope {
            None => 0,
            Some(scope) => scope.version_of(type_url),
        };
        self.in_version(version, put)
    }

    /// Runs `put` for a payload in this version; 0 for the current one.
    #[inline]
    pub(crate) fn in_version(
        &mut self,
        version: u32,
        put: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let outer = std::mem::replace(&mut self.version, version);
        let result = put(self);
        self.version = outer;
        result
    }

    /// Records that the value of this `Arc` is written from here on, if the `Arc` is also held
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// If it was written before: after a restore, the two places would have separate values.
    #[inline]
    pub(super) fn meet<T: ?Sized>(&mut self, arc: &Arc<T>) -> Result<(), Error> {
        match Arc::strong_count(arc) {
            1 => Ok(()),
            _ => self.shared.meet(Arc::as_ptr(arc).addr(), self.position()),
        }
    }

    /// Sets whether values may be in other places too. Returns the previous setting.
    pub(crate) fn allow_sharing(&mut self, allow: bool) -> bool {
        self.shared.pause(allow)
    }

    /// Returns the number of bytes written so far. It is also a mark for [`Writer::length_since`]
    /// and [`Writer::since`].
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Returns the bytes written so far, in wire order.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Returns the bytes written after `mark`, in wire order.
    pub(crate) fn since(&self, mark: usize) -> &[u8] {
        &self.buffer[self.start..self.buffer.len() - mark]
    }

    /// Removes the bytes written after `mark`; nothing if `mark` is not valid here.
    pub(crate) fn rewind(&mut self, mark: usize) {
        self.start = self.buffer.len() - mark.min(self.position());
        self.shared.rewind(mark);
    }

    /// Removes everything, including the scope, and keeps the memory.
    pub fn clear(&mut self) {
        self.start = self.buffer.len();
        // A panic during a save may have left them.
        (self.depth, self.version) = (0, 0);
        self.shared = Shared::default();
        self.scope = None;
    }

    /// Returns the written bytes, without a copy. The memory before them stays allocated.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from(self.buffer).slice(self.start..)
    }

    /// Returns the written bytes, as a vector of exactly that length.
    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, needed: usize) {
        let written = self.position();
        let capacity = (written + needed.max(written / 2)).max(256);
        let mut larger = vec![0; capacity];
        larger[capacity - written..].copy_from_slice(self.as_bytes());
        self.start = capacity - written;
        self.buffer = larger;
    }

    /// Returns room for `length` bytes in front of the written bytes, for the caller to fill.
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) fn reserve(&mut self, length: usize) -> &mut [u8] {
        if self.start < length {
            self.grow(length);
        }
        self.start -= length;
        // A save is a sequence of these calls. With a second check, it takes 26 % more instructions
        // and 19 % more time (BENCHMARKS.md).
        //
        // SAFETY: `start` is never beyond the buffer's end, see its declaration, `clear`, `rewind`
        // and `grow`; and it was at least `length`, or `grow` has made it so.
        unsafe { self.buffer.get_unchecked_mut(self.start..self.start + length) }
    }

    /// Writes bytes unchanged.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len()).copy_from_slice(bytes);
    }

    /// Writes a varint in its shortest form, 1 to 10 bytes.
    #[inline]
    pub(crate) fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.reserve(1)[0] = value as u8;
        } else {
            self.long_varint(value);
        }
    }

    fn long_varint(&mut self, mut value: u64) {
        let length = (70 - value.leading_zeros() as usize) / 7;
        let out = self.reserve(length);
        for byte in &mut out[..length - 1] {
            *byte = value as u8 | 0x80;
            value >>= 7;
        }
        out[length - 1] = value as u8;
    }

    /// Writes the tag of a field. In wire order it precedes the value, so it is written after it.
    #[inline]
    pub(crate) fn tag(&mut self, number: u32, wire_type: WireType) {
        self.varint(u64::from(number) << 3 | wire_type as u64);
    }

    /// Writes the length of everything that was written after `mark`.
    #[inline]
    pub(crate) fn length_since(&mut self, mark: usize) {
        self.varint((self.position() - mark) as u64);
    }

    /// Writes a nested message: the bytes that `put` writes, with their length.
    ///
    /// # Errors
    ///
    /// Those of `put`. Also if the message is nested deeper than [`Reader::DEPTH_LIMIT`], because
    /// it could not be read; a very long chain of boxes thus ends in an error and not in a stack
    /// overflow.
    #[inline]
    pub(crate) fn message(
        &mut self,
        put: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mark = self.position();
        self.deeper(1, put)?;
        self.length_since(mark);
        Ok(())
    }

    /// Runs `put`, which calls code of the user. A panic in it becomes an error; the writer is then
    /// as before, except for the written bytes.
    #[inline]
    pub(crate) fn caught(
        &mut self,
        put: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (depth, version) = (self.depth, self.version);
        let result = caught(|| put(self));
        (self.depth, self.version) = (depth, version);
        result
    }

    /// Runs `put` for a value that will be nested in this many more messages.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn deeper(
        &mut self,
        levels: u32,
        put: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.enter(levels)?;
        let result = put(self);
        self.leave(levels);
        result
    }

    /// Enters this many nested messages, unless they would be nested too deep.
    // Apart from `deeper`, for derived structs and the entries of maps: the compiler calls the closure of
    // `deeper`, and a call for each of them takes one percent of a save.
    #[inline]
    pub(crate) fn enter(&mut self, levels: u32) -> Result<(), Error> {
        if self.depth + levels > Reader::DEPTH_LIMIT {
            return Err(too_deep());
        }
        self.depth += levels;
        Ok(())
    }

    /// Leaves this many messages that were entered.
    #[inline]
    pub(crate) fn leave(&mut self, levels: u32) {
        self.depth -= levels;
    }

    /// Writes bytes with their length before them.
    #[inline]
    pub(crate) fn length_delimited(&mut self, bytes: &[u8]) {
        self.raw(bytes);
        self.varint(bytes.len() as u64);
    }

    /// Writes a whole field of bytes: its tag, their length, the bytes.
    #[inline]
    pub(crate) fn bytes_field(&mut self, number: u32, bytes: &[u8]) {
        // Room for all three at once, if tag and length have one byte each, as usual.
        match (short_tag(number, WireType::Len), bytes.len()) {
            (Some(tag), length @ ..0x80) => {
                let out = self.reserve(length + 2);
                out[0] = tag;
                out[1] = length as u8;
                out[2..].copy_from_slice(bytes);
            }
            _ => self.long_bytes_field(number, bytes),
        }
    }

    /// Writes a whole field of `N` bytes, fewer than 128, which `fill` creates in place.
    #[cfg(any(test, feature = "uuid"))]
    #[inline]
    pub(crate) fn array_field<const N: usize>(
        &mut self,
        number: u32,
        fill: impl FnOnce(&mut [u8; N]),
    ) {
        const { assert!(N < 0x80, "its length must be one byte") }
        let Some(tag) = short_tag(number, WireType::Len) else {
            fill(self.reserve_array());
            return self.long_varint_field(number, WireType::Len, N as u64);
        };
        let (header, out) = self.reserve(N + 2).split_at_mut(2);
        header.copy_from_slice(&[tag, N as u8]);
        if let Some(out) = out.first_chunk_mut() {
            fill(out);
        }
    }

    #[inline(never)]
    fn long_bytes_field(&mut self, number: u32, bytes: &[u8]) {
        self.length_delimited(bytes);
        self.tag(number, WireType::Len);
    }

    /// Writes a whole field of a varint: its tag and the value.
    #[inline]
    pub(crate) fn varint_field(&mut self, number: u32, value: u64) {
        match (short_tag(number, WireType::Varint), value) {
            (Some(tag), ..0x80) => self.reserve(2).copy_from_slice(&[tag, value as u8]),
            (Some(tag), 0x80..0x4000) => {
                let field = [tag, value as u8 | 0x80, (value >> 7) as u8];
                self.reserve(3).copy_from_slice(&field);
            }
            _ => self.long_varint_field(number, WireType::Varint, value),
        }
    }

    #[inline(never)]
    fn long_varint_field(&mut self, number: u32, wire_type: WireType, value: u64) {
        self.varint(value);
        self.tag(number, wire_type);
    }

    /// Makes a field of everything that was written after `mark`: writes its length and its tag.
    #[inline]
    pub(crate) fn close_field(&mut self, number: u32, mark: usize) {
        let length = self.position() - mark;
        match (short_tag(number, WireType::Len), length) {
            (Some(tag), ..0x80) => self.reserve(2).copy_from_slice(&[tag, length as u8]),
            (Some(tag), 0x80..0x4000) => {
                let field = [tag, length as u8 | 0x80, (length >> 7) as u8];
                self.reserve(3).copy_from_slice(&field);
            }
            _ => self.long_varint_field(number, WireType::Len, length as u64),
        }
    }

    /// Returns room for `N` bytes in front of the written bytes.
    #[cfg(any(test, feature = "uuid"))]
    #[inline]
    pub(crate) fn reserve_array<const N: usize>(&mut self) -> &mut [u8; N] {
        match self.reserve(N).first_chunk_mut() {
            Some(out) => out,
            // `reserve` returns exactly as many bytes as requested.
            None => unreachable!(),
        }
    }

    /// Brings the fields of one message into ascending order, for a struct that declares its fields
    /// in another order than their numbers.
    ///
    /// `ends` has the number of every field and the position after it, in the order in which they
    /// were written; the first was written at `mark`.
    pub(crate) fn reorder(&mut self, mark: usize, ends: &[(u32, usize)]) -> Result<(), Error> {
        let mut pieces = Vec::with_capacity(ends.len());
        let mut from = mark;
        for &(number, to) in ends {
            if to < from || to > self.position() {
                return Err(Error::internal("the marks of a message are out of order"));
            }
            pieces.push((number, from, to));
            from = to;
        }
        pieces.sort_by_key(|piece| piece.0);
        let length = self.buffer.len();
        let mut ordered = Vec::with_capacity(self.position() - mark);
        for (_, from, to) in pieces {
            ordered.extend_from_slice(&self.buffer[length - to..length - from]);
        }
        self.rewind(mark);
        self.raw(&ordered);
        Ok(())
    }
}

/// Returns the tag of a field, if it has one byte: for the numbers 1 to 15.
#[inline(always)]
fn short_tag(number: u32, wire_type: WireType) -> Option<u8> {
    (number < 16).then_some((number << 3) as u8 | wire_type as u8)
}

#[cold]
#[inline(never)]
fn too_deep() -> Error {
    Error::invalid(format!(
        "messages are nested more than {} deep and could not be read back",
        Reader::DEPTH_LIMIT
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_their_shortest_form() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut writer = Writer::default();
            writer.varint(value);
            let mut expected = Vec::new();
            prost::encoding::encode_varint(value, &mut expected);
            assert_eq!(writer.as_bytes(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_put_last_comes_first_and_growth_keeps_it() {
        let mut writer = Writer::with_capacity(1);
        for byte in (0..=255).rev() {
            writer.raw(&[byte, byte]);
        }
        let expected: Vec<u8> = (0..=255).flat_map(|byte| [byte, byte]).collect();
        assert_eq!(writer.into_vec(), expected);
    }

    #[test]
    fn a_field_put_at_once_is_as_prost_writes_it_whatever_its_number_and_length() {
        use prost::encoding;

        for number in [1, 15, 16, 2047, 2048, (1 << 29) - 1] {
            for length in [0, 1, 127, 128, 16_383, 16_384, 1 << 21] {
                let bytes = vec![7; length];
                let mut expected = Vec::new();
                encoding::bytes::encode(number, &bytes, &mut expected);
                let mut writer = Writer::default();
                writer.bytes_field(number, &bytes);
                assert_eq!(writer.as_bytes(), expected, "{length} bytes in field {number}");
                writer.clear();
                writer.raw(&bytes);
                writer.close_field(number, 0);
                assert_eq!(writer.as_bytes(), expected, "a message in field {number}");
                let mut expected = Vec::new();
                encoding::uint64::encode(number, &(length as u64), &mut expected);
                writer.clear();
                writer.varint_field(number, length as u64);
                assert_eq!(writer.as_bytes(), expected, "{length} in field {number}");
            }
            let mut expected = Vec::new();
            encoding::bytes::encode(number, &vec![9; 36], &mut expected);
            let mut writer = Writer::with_capacity(3);
            writer.array_field(number, |bytes| *bytes = [9; 36]);
            assert_eq!(writer.as_bytes(), expected);
        }
    }

    #[test]
    fn what_could_be_too_deep_to_be_read_is_not_written() {
        fn nest(w: &mut Writer, levels: u32) -> Result<(), Error> {
            match levels {
                0 => Ok(()),
                _ => w.message(|w| nest(w, levels - 1)),
            }
        }
        fn unnest(r: &mut Reader<'_>) -> Result<u32, Error> {
            match r.remaining() {
                0 => Ok(0),
                _ => r.message(unnest).map(|levels| levels + 1),
            }
        }
        let mut writer = Writer::default();
        nest(&mut writer, Reader::DEPTH_LIMIT).unwrap();
        assert_eq!(unnest(&mut Reader::new(writer.as_bytes())).unwrap(), Reader::DEPTH_LIMIT);
        writer.clear();
        let error = nest(&mut writer, 1_000_000).unwrap_err().to_string();
        assert_eq!(error, "messages are nested more than 100 deep and could not be read back");
        // The depth follows from the position of the writer, not from its history.
        writer.clear();
        nest(&mut writer, 1).unwrap();
    }

    #[test]
    fn a_mark_of_another_writer_forgets_nothing() {
        let mut writer = Writer::with_capacity(8);
        writer.raw(b"kept");
        for mark in [5, 8, 9, usize::MAX] {
            writer.rewind(mark);
            assert_eq!(writer.as_bytes(), b"kept");
        }
        writer.raw(b"and used ");
        assert_eq!(writer.as_bytes(), b"and used kept");
    }

    #[test]
    fn reorder_sorts_fields_by_number_and_leaves_the_rest_alone() {
        let mut writer = Writer::default();
        writer.raw(b"tail");
        let mark = writer.position();
        writer.raw(b"one");
        let first = writer.position();
        writer.raw(b"three");
        let second = writer.position();
        writer.raw(b"two");
        let third = writer.position();
        writer.reorder(mark, &[(1, first), (3, second), (2, third)]).unwrap();
        assert_eq!(writer.as_bytes(), b"onetwothreetail");
    }
}
