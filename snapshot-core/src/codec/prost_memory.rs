//! Counts the memory that prost allocates for a message, by its descriptor, before prost decodes
//! it.

use std::collections::HashMap;

use super::Reader;
use super::memory::tree_entry;
use crate::Error;
use crate::schema::{FieldDescriptor, FieldShape, MessageDescriptor, ValueKind};

/// While a vector grows, its old and its new buffer exist together.
const GROWTH: usize = 3;

/// The maximum count for one message: messages nested by value can add up to any size.
const LARGEST: usize = 1 << 20;

/// Charges the memory that prost allocates for the rest of `r`, which is a valid message (see
/// [`check_strictly`](super::check_strictly)). Returns the amount; `r` does not move.
///
/// # Errors
///
/// If the budget does not allow it.
pub(crate) fn charge_for_prost(
    message: &'static MessageDescriptor,
    r: &mut Reader<'_>,
) -> Result<usize, Error> {
    let mut counter = Counter { sizes: HashMap::new(), charged: 0 };
    let ahead = r.fork();
    r.sharing(ahead, |r| counter.message(message, r))?;
    Ok(counter.charged)
}

struct Counter {
    /// The sizes of messages by the address of the descriptor; 0 while one is being computed.
    sizes: HashMap<usize, usize>,
    charged: usize,
}

impl Counter {
    fn charge(&mut self, bytes: usize, r: &mut Reader<'_>) -> Result<(), Error> {
        r.charge(bytes)?;
        self.charged = self.charged.saturating_add(bytes);
        Ok(())
    }

    fn message(
        &mut self,
        message: &'static MessageDescriptor,
        r: &mut Reader<'_>,
    ) -> Result<(), Error> {
        while let Some(tag) = r.tag()? {
            let shape = message.fields.iter().find_map(|field| field.shape_of(tag.number));
            match shape {
                Some(FieldShape::Singular(kind) | FieldShape::Optional(kind)) => {
                    // It is a part of its message, except behind a `Box`.
                    if let ValueKind::Message(inner) = kind {
                        let size = self.size_of(inner());
                        self.charge(size, r)?;
                    }
                    self.content(kind, r)?;
                }
                Some(FieldShape::Repeated(kind) | FieldShape::Packed(kind)) => {
                    let size = GROWTH * self.size_of_value(kind);
                    match kind {
                        ValueKind::Message(_) | ValueKind::String | ValueKind::Bytes => {
                            self.charge(size, r)?;
                            self.content(kind, r)?;
                        }
                        // Packed, with at least a byte each, or one by one.
                        _ => {
                            let before = r.remaining();
                            r.skip(tag.wire_type)?;
                            self.charge(size.saturating_mul(before - r.remaining()), r)?;
                        }
                    }
                }
                Some(FieldShape::Map(key, value)) => {
                    let size = self.size_of_value(key) + self.size_of_value(value);
                    self.charge(GROWTH * (size + tree_entry::<String>()), r)?;
                    r.message(|r| self.entry(value, r))?;
                }
                Some(FieldShape::Oneof(_) | FieldShape::Opaque) | None => r.skip(tag.wire_type)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, value: ValueKind, r: &mut Reader<'_>) -> Result<(), Error> {
        const VALUE: u32 = 2;
        while let Some(tag) = r.tag()? {
            match value {
                ValueKind::Message(_) if tag.number == VALUE => self.content(value, r)?,
                _ => r.skip(tag.wire_type)?,
            }
        }
        Ok(())
    }

    /// Counts the memory of a value besides its place.
    fn content(&mut self, kind: ValueKind, r: &mut Reader<'_>) -> Result<(), Error> {
        match kind {
            ValueKind::Message(inner) => r.message(|r| self.message(inner(), r)),
            // Copied once: they cannot outgrow the input.
            _ => r.skip(super::wire_type_of(kind)),
        }
    }

    fn size_of_value(&mut self, kind: ValueKind) -> usize {
        match kind {
            ValueKind::Message(inner) => self.size_of(inner()),
            ValueKind::String | ValueKind::Bytes => size_of::<String>(),
            _ => size_of::<u64>(),
        }
    }

    /// Returns an upper bound for the size of prost's struct for a message. The layout of its
    /// fields, and which of them are boxed, is not known.
    fn size_of(&mut self, message: &'static MessageDescriptor) -> usize {
        let address = std::ptr::from_ref(message).addr();
        if let Some(&size) = self.sizes.get(&address) {
            return size;
        }
        // A message inside itself is behind a pointer.
        self.sizes.insert(address, size_of::<usize>());
        let size =
            message.fields.iter().fold(0_usize, |sum, field| sum + self.size_of_field(field));
        let size = size.clamp(1, LARGEST);
        self.sizes.insert(address, size);
        size
    }

    fn size_of_field(&mut self, field: &FieldDescriptor) -> usize {
        /// The part that says whether a value is present, or which one.
        const PRESENCE: usize = size_of::<u64>();
        match field.shape {
            FieldShape::Singular(kind) => self.size_of_value(kind),
            FieldShape::Optional(kind) => self.size_of_value(kind) + PRESENCE,
            FieldShape::Repeated(_) | FieldShape::Packed(_) | FieldShape::Opaque => {
                size_of::<Vec<u8>>()
            }
            FieldShape::Map(..) => size_of::<HashMap<u8, u8>>(),
            FieldShape::Oneof(oneof) => {
                let members = oneof().members.iter();
                members.map(|member| self.size_of_field(member)).max().unwrap_or(0) + PRESENCE
            }
        }
    }
}
