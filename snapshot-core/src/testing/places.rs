//! The messages of a type's schema that the samples reach, and the properties of their fields. Both
//! are needed to read bytes into a [`TreeMessage`].

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::Error;
use crate::codec::Reader;
use crate::schema::kind::WireType;
use crate::schema::{MessageDescriptor, ValueKind};

use super::adapters::FieldStep;
use super::shape::{FieldInfo, Presence, Shape, wire_type};
use super::tree::{TreeField, TreeMessage, Value, varint_length};

/// A field of a message at a place.
pub(super) type FieldKey = (usize, u32);

/// The places of messages in the schema of a type. A message inside a message of the same type is at
/// the same place as the outer one, so that recursive schemas are finite.
#[derive(Debug)]
pub(super) struct Places {
    all: RefCell<Vec<Place>>,
    /// Places by parent, field number and descriptor. A map entry has no descriptor.
    children: RefCell<HashMap<(usize, u32, *const MessageDescriptor), usize>>,
    /// Schemas by type URL.
    pub(super) payloads: RefCell<HashMap<String, &'static MessageDescriptor>>,
    /// `Any` fields with a payload that the type does not read.
    pub(super) unread: RefCell<HashSet<usize>>,
    /// Fields that the Rust type ignores.
    pub(super) ignored: RefCell<HashSet<FieldKey>>,
    /// Repeated fields that are sets: they do not keep the order of their elements.
    pub(super) sets: RefCell<HashSet<FieldKey>>,
}

#[derive(Debug)]
struct Place {
    parent: Option<usize>,
    path: String,
    name: String,
    shape: Shape,
    is_any: bool,
    fields: Rc<[FieldInfo]>,
}

impl Place {
    fn new(parent: Option<usize>, path: String, shape: Shape) -> Self {
        let fields = shape.fields().into();
        Self { parent, path, name: shape.name(), shape, is_any: shape.is_any(), fields }
    }
}

/// The place of the outermost message.
pub(super) const ROOT: usize = 0;

impl Places {
    pub(super) fn new(root: &'static MessageDescriptor) -> Self {
        let place = Place::new(None, String::new(), Shape::Message(root));
        Self {
            all: RefCell::new(vec![place]),
            children: RefCell::default(),
            payloads: RefCell::default(),
            unread: RefCell::default(),
            ignored: RefCell::default(),
            sets: RefCell::default(),
        }
    }

    /// The place of a message in a field of another one.
    fn child(&self, parent: usize, field: &FieldInfo, shape: Shape) -> usize {
        let descriptor = match shape {
            Shape::Message(message) => std::ptr::from_ref(message),
            Shape::Entry(..) => std::ptr::null(),
        };
        let key = (parent, field.number, descriptor);
        if let Some(&place) = self.children.borrow().get(&key) {
            return place;
        }
        let name = shape.name();
        let mut all = self.all.borrow_mut();
        // A constant can have several addresses.
        let path = match all[parent].is_any {
            // A payload is at the place of its `Any`.
            true => all[parent].path.clone(),
            false => join(&all[parent].path, field.name),
        };
        let same = |place: &Place| {
            place.parent == Some(parent) && place.path == path && place.name == name
        };
        if let Some(place) = all.iter().position(same) {
            self.children.borrow_mut().insert(key, place);
            return place;
        }
        let mut above = Some(parent);
        // An `Any` in an `Any` is not a place of its own: only their payloads count.
        while let Some(place) = above.filter(|_| !shape.is_any()) {
            if !name.is_empty() && all[place].name == name {
                self.children.borrow_mut().insert(key, place);
                return place;
            }
            above = all[place].parent;
        }
        all.push(Place::new(Some(parent), path, shape));
        let place = all.len() - 1;
        self.children.borrow_mut().insert(key, place);
        place
    }

    /// All known places, with their shapes.
    pub(super) fn shapes(&self) -> Vec<(usize, Shape)> {
        self.all.borrow().iter().map(|place| place.shape).enumerate().collect()
    }

    /// The fields of the messages at a place.
    fn fields(&self, place: usize) -> Rc<[FieldInfo]> {
        Rc::clone(&self.all.borrow()[place].fields)
    }

    fn is_any(&self, place: usize) -> bool {
        self.all.borrow()[place].is_any
    }

    /// The path of a field, `disks.value.config.read_only`.
    pub(super) fn path(&self, place: usize, field: &str) -> String {
        join(&self.all.borrow()[place].path, field)
    }

    /// The path of a message, or the name of the outermost message.
    pub(super) fn message_path(&self, place: usize) -> String {
        let place = &self.all.borrow()[place];
        if place.path.is_empty() { place.name.clone() } else { place.path.clone() }
    }

    /// The names by which a user can refer to a field: its path, or its message and name.
    pub(super) fn names(&self, place: usize, field: &str) -> [String; 2] {
        [self.path(place, field), format!("{}.{field}", self.all.borrow()[place].name)]
    }

    /// The names of the field that these steps lead to; `None` if the samples do not reach it.
    pub(super) fn names_at(&self, steps: &[FieldStep]) -> Option<[String; 2]> {
        let (FieldStep::Field(last), before) = steps.split_last()? else { return None };
        let mut place = ROOT;
        for step in before {
            place = match step {
                FieldStep::Field(name) => self.inner(place, |_, at| at == *name)?,
                FieldStep::Entry => self.inner(place, |_, at| at == "value")?,
                FieldStep::Payload(message) => self.inner(place, |name, _| name == *message)?,
                // Its controller is in the only message inside.
                FieldStep::Member => {
                    let mut inside = self.inner(place, |_, _| true)?;
                    while !self.is_any(inside) {
                        inside = self.inner(inside, |_, _| true)?;
                    }
                    inside
                }
            };
        }
        Some(self.names(place, last))
    }

    /// A place inside of another one, by the name of its message and the field that it is in.
    fn inner(&self, parent: usize, is_it: impl Fn(&str, &str) -> bool) -> Option<usize> {
        let fields = self.fields(parent);
        let all = self.all.borrow();
        let children = self.children.borrow();
        let mut found: Vec<usize> = children
            .iter()
            .filter(|((outer, ..), _)| *outer == parent)
            .filter(|((_, number, _), place)| {
                let field = fields.iter().find(|field| field.number == *number);
                field.is_some_and(|field| is_it(&all[**place].name, field.name))
            })
            .map(|(_, place)| *place)
            .collect();
        // The order of the map is arbitrary.
        found.sort_unstable();
        found.first().copied()
    }

    pub(super) fn is_ignored(&self, place: usize, number: u32) -> bool {
        self.ignored.borrow().contains(&(place, number))
    }

    /// Reads the bytes of the outermost message; `None` if they are malformed.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<TreeMessage> {
        self.message(&mut Reader::new(bytes), Shape::Message(self.root()), ROOT).ok()
    }

    fn root(&self) -> &'static MessageDescriptor {
        match self.all.borrow()[ROOT].shape {
            Shape::Message(message) => message,
            // The outermost message is not one.
            Shape::Entry(..) => <() as crate::Schema>::DESCRIPTOR,
        }
    }

    fn message(
        &self,
        r: &mut Reader<'_>,
        shape: Shape,
        place: usize,
    ) -> Result<TreeMessage, Error> {
        let mut fields = Vec::new();
        let infos = self.fields(place);
        loop {
            let offset = r.offset();
            let Some(tag) = r.tag()? else { break };
            let info = infos.iter().find(|info| info.number == tag.number);
            let value = match (info, tag.wire_type) {
                (_, WireType::Varint) => Value::Varint(r.varint()?),
                (_, WireType::Fixed64) => Value::Fixed64(r.fixed64()?),
                (_, WireType::Fixed32) => Value::Fixed32(r.fixed32()?),
                (Some(info), WireType::Len) => self.delimited(r, info, place)?,
                (None, WireType::Len) => Value::Bytes(r.bytes()?.to_vec()),
            };
            fields.push(TreeField { number: tag.number, value, offset });
        }
        let mut message = TreeMessage { shape, place, fields };
        self.open_payload(&mut message);
        Ok(message)
    }

    fn delimited(
        &self,
        r: &mut Reader<'_>,
        info: &FieldInfo,
        place: usize,
    ) -> Result<Value, Error> {
        if let Some(shape) = info.shape() {
            let place = self.child(place, info, shape);
            return r.message(|r| self.message(r, shape, place)).map(Value::Message);
        }
        let is_list = matches!(info.presence, Presence::Repeated | Presence::Packed);
        match info.scalar().map(wire_type) {
            Some(wire_type) if is_list && wire_type != WireType::Len => {
                let mut values = Vec::new();
                r.packed(|r| {
                    values.push(match wire_type {
                        WireType::Varint => Value::Varint(r.varint()?),
                        WireType::Fixed64 => Value::Fixed64(r.fixed64()?),
                        _ => Value::Fixed32(r.fixed32()?),
                    });
                    Ok(())
                })?;
                Ok(Value::Packed(values))
            }
            _ => Ok(Value::Bytes(r.bytes()?.to_vec())),
        }
    }

    /// Reads the value of an `Any`, if the schema behind its type URL is known.
    fn open_payload(&self, any: &mut TreeMessage) {
        if !self.is_any(any.place) || self.unread.borrow().contains(&any.place) {
            return;
        }
        let type_url = any.fields.iter().find_map(|field| match &field.value {
            Value::Bytes(text) if field.number == 1 => std::str::from_utf8(text).ok(),
            _ => None,
        });
        let payloads = self.payloads.borrow();
        let Some(descriptor) = type_url.and_then(|type_url| payloads.get(type_url)) else { return };
        let (shape, place) = (Shape::Message(descriptor), any.place);
        let Some(info) = any.shape.field(2) else { return };
        for field in any.fields.iter_mut().filter(|field| field.number == 2) {
            if let Value::Bytes(bytes) = &field.value {
                // Offsets in errors and of tags count from the beginning of the whole input.
                let base = field.offset + 1 + varint_length(bytes.len());
                let place = self.child(place, &info, shape);
                if let Ok(message) = self.message(&mut Reader::with_base(bytes, base), shape, place)
                {
                    field.value = Value::Message(message);
                }
            }
        }
    }

    /// Returns the canonical form of a message: fields in ascending order, no defaults, complete and sorted
    /// entries. Omits the ignored fields, whose tags are at `ignored`. If `sets` is true, sorts the elements
    /// of sets.
    pub(super) fn canonical(
        &self,
        message: &TreeMessage,
        ignored: &[usize],
        sets: bool,
    ) -> TreeMessage {
        let mut fields = Vec::new();
        for info in self.fields(message.place).iter() {
            let occurrences = message
                .fields
                .iter()
                .filter(|field| field.number == info.number && !ignored.contains(&field.offset));
            let mut values = Vec::new();
            for field in occurrences {
                match &field.value {
                    Value::Packed(packed) => values.extend(packed.iter().cloned()),
                    Value::Message(inner) => {
                        values.push(Value::Message(self.canonical(inner, ignored, sets)));
                    }
                    value => values.push(value.clone()),
                }
            }
            match info.presence {
                Presence::Implicit => values.retain(|value| !is_default(value)),
                Presence::Always if values.is_empty() => {
                    values.push(self.default(message.place, info));
                }
                Presence::Map => sort_entries(&mut values),
                Presence::Repeated | Presence::Packed
                    if sets && self.sets.borrow().contains(&(message.place, info.number)) =>
                {
                    values.sort_by_cached_key(Value::bytes);
                }
                _ => {}
            }
            if info.presence == Presence::Packed && !values.is_empty() {
                values = vec![Value::Packed(values)];
            }
            fields.extend(values.into_iter().map(|value| TreeField::new(info.number, value)));
        }
        fields.sort_by_key(|field| field.number);
        TreeMessage { shape: message.shape, place: message.place, fields }
    }

    /// The default of a field.
    pub(super) fn default(&self, place: usize, info: &FieldInfo) -> Value {
        match (info.shape(), info.wire_type()) {
            (Some(shape), _) => {
                let place = self.child(place, info, shape);
                let nothing = TreeMessage { shape, place, fields: Vec::new() };
                Value::Message(self.canonical(&nothing, &[], false))
            }
            (None, WireType::Varint) => Value::Varint(0),
            (None, WireType::Fixed64) => Value::Fixed64(0),
            (None, WireType::Fixed32) => Value::Fixed32(0),
            (None, WireType::Len) => Value::Bytes(Vec::new()),
        }
    }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

pub(super) fn is_default(value: &Value) -> bool {
    match value {
        Value::Varint(value) | Value::Fixed64(value) => *value == 0,
        Value::Fixed32(value) => *value == 0,
        Value::Bytes(bytes) => bytes.is_empty(),
        // The payload in an `Any`. In the schema, its `value` is plain bytes.
        Value::Message(message) => message.fields.is_empty(),
        Value::Packed(_) | Value::Group | Value::NoWireType(_) => false,
    }
}

/// Integers by value, strings by bytes.
fn sort_entries(entries: &mut [Value]) {
    entries.sort_by_cached_key(|entry| {
        let Value::Message(entry) = entry else { return (0, Vec::new()) };
        let kind = entry.shape.field(1).and_then(|key| key.scalar());
        let key = entry.fields.iter().find(|field| field.number == 1).map(|field| &field.value);
        match (key, kind) {
            (Some(Value::Bytes(bytes)), _) => (0, bytes.clone()),
            (Some(value), Some(kind)) => (number(value, kind), Vec::new()),
            _ => (0, Vec::new()),
        }
    });
}

/// The numeric value of a scalar of an integer kind.
pub(super) fn number(value: &Value, kind: ValueKind) -> i128 {
    match (value, kind) {
        (Value::Varint(raw), ValueKind::Sint32 | ValueKind::Sint64) => {
            ((raw >> 1) as i64 ^ -((raw & 1) as i64)).into()
        }
        (Value::Varint(raw), ValueKind::Uint32 | ValueKind::Uint64 | ValueKind::Bool) => {
            (*raw).into()
        }
        (Value::Varint(raw), _) => (*raw as i64).into(),
        (Value::Fixed64(raw), ValueKind::Sfixed64) => (*raw as i64).into(),
        (Value::Fixed64(raw), _) => (*raw).into(),
        (Value::Fixed32(raw), ValueKind::Sfixed32) => (*raw as i32).into(),
        (Value::Fixed32(raw), _) => (*raw).into(),
        _ => 0,
    }
}
