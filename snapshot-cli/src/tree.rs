//! The payloads of a snapshot: each `Any` is one, with those that are carried in it below.

use std::cell::Cell;

use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use snapshot_core::codec::Reader;
use snapshot_core::{Error, Snapshot};

use crate::canonical;
use crate::schemas::{Schemas, message_name};
use crate::show::{self, key_text};

/// How many payloads are too many. 5,000 containers with a process each are 10,512.
const MOST: usize = 250_000;

/// The message that carries payloads.
pub(crate) const ANY: &str = "google.protobuf.Any";

/// The message of `ControllerSet`, whose entries name their controllers.
const SET_ENTRY: &str = "snapshot.v1.ControllerSetSnapshot.Entry";

/// One payload.
#[derive(Debug)]
pub(crate) struct Payload {
    /// The controller's id, `vm/scsi`; `.` for the root.
    pub(crate) id: String,
    pub(crate) type_url: String,
    pub(crate) bytes: Bytes,
    pub(crate) content: Content,
    /// In the order of the fields, maps sorted.
    pub(crate) children: Vec<Payload>,
}

/// What the bytes of a payload say.
#[derive(Debug)]
pub(crate) enum Content {
    /// Read by its descriptor.
    Message(DynamicMessage),
    /// No descriptor is known for its type.
    Unknown,
    /// They are not its type's, and why.
    Malformed(String),
}

impl Payload {
    /// The payloads of a snapshot.
    ///
    /// # Errors
    ///
    /// More of them than anybody saves, which a small file may have.
    pub(crate) fn of(snapshot: &Snapshot, schemas: &Schemas) -> Result<Self, Error> {
        let root = Any {
            type_url: snapshot.type_url().to_owned(),
            value: Bytes::copy_from_slice(snapshot.payload()),
        };
        let reading = Reading { schemas, left: Cell::new(MOST) };
        // The root's own `Any` is one level.
        let root = reading.payload(root, ".".to_owned(), Reader::DEPTH_LIMIT - 1);
        match reading.left.get() {
            0 => Err(Error::invalid(format!("has {MOST} controllers or more: not looked into"))),
            _ => Ok(root),
        }
    }

    /// The message, if it could be read.
    pub(crate) fn message(&self) -> Option<&DynamicMessage> {
        match &self.content {
            Content::Message(message) => Some(message),
            Content::Unknown | Content::Malformed(_) => None,
        }
    }

    /// The name of its message.
    pub(crate) fn message_name(&self) -> &str {
        message_name(&self.type_url)
    }

    /// Its schema version, if it says one.
    pub(crate) fn version(&self) -> Option<u32> {
        self.message()?.get_field_by_name("schema_version")?.as_u32()
    }

    /// The stage of its controller, if it has one: the enum field `stage` or `state`.
    pub(crate) fn stage(&self) -> Option<String> {
        let message = self.message()?;
        let descriptor = message.descriptor();
        ["stage", "state"].iter().find_map(|name| {
            let field = descriptor.get_field_by_name(name)?;
            match (field.kind(), message.get_field(&field).as_ref()) {
                (Kind::Enum(kind), Value::EnumNumber(number)) => {
                    Some(show::enum_value(&kind, *number))
                }
                _ => None,
            }
        })
    }

    /// Its bytes without those of the payloads below.
    pub(crate) fn own_bytes(&self) -> u64 {
        let below: usize = self.children.iter().map(|child| child.bytes.len()).sum();
        self.bytes.len().saturating_sub(below) as u64
    }

    /// The payload with this id, this one or one below.
    pub(crate) fn find(&self, id: &str) -> Option<&Payload> {
        self.all().into_iter().find(|payload| payload.id == id)
    }

    /// This one and all below, parents first.
    pub(crate) fn all(&self) -> Vec<&Payload> {
        let mut all = Vec::new();
        let mut waiting = vec![self];
        while let Some(payload) = waiting.pop() {
            all.push(payload);
            waiting.extend(payload.children.iter().rev());
        }
        all
    }

    /// Whether the bytes are those that the library would write for this message.
    pub(crate) fn is_canonical(&self) -> bool {
        self.message().is_none_or(|message| canonical::encode(message) == self.bytes)
    }
}

struct Any {
    type_url: String,
    value: Bytes,
}

struct Reading<'a> {
    schemas: &'a Schemas,
    /// How many payloads may still come.
    left: Cell<usize>,
}

impl Reading<'_> {
    fn payload(&self, any: Any, id: String, depth: u32) -> Payload {
        let Any { type_url, value: bytes } = any;
        self.left.set(self.left.get().saturating_sub(1));
        let content = match self.schemas.message(&type_url) {
            None => Content::Unknown,
            Some(_) if depth == 0 => Content::Malformed("is nested too deep".to_owned()),
            Some(descriptor) => match DynamicMessage::decode(descriptor, bytes.clone()) {
                Ok(message) => Content::Message(message),
                Err(error) => Content::Malformed(error.to_string()),
            },
        };
        let mut payload = Payload { id, type_url, bytes, content, children: Vec::new() };
        if let Content::Message(message) = &payload.content {
            let mut children = Vec::new();
            let place = Place { path: Vec::new(), many: false };
            self.message(message, &place, depth - 1, &payload.id, &mut children);
            payload.children = children;
        }
        payload
    }

    fn message(
        &self,
        message: &DynamicMessage,
        place: &Place,
        depth: u32,
        parent: &str,
        found: &mut Vec<Payload>,
    ) {
        let is_entry = message.descriptor().full_name() == SET_ENTRY;
        for (field, value) in message.fields() {
            match value {
                Value::Message(inner) if is_entry => {
                    let name = message.get_field_by_name("id");
                    let name = name.as_ref().and_then(|id| id.as_str()).unwrap_or_default();
                    let place = Place { path: vec![escape(name)], many: false };
                    self.value(inner, &place, depth, parent, found);
                }
                Value::Message(inner) => {
                    self.value(inner, &place.field(&field), depth, parent, found);
                }
                Value::List(values) => {
                    for (index, value) in values.iter().enumerate() {
                        if let Value::Message(inner) = value {
                            let place = place.field(&field).one_of_many(index.to_string());
                            self.value(inner, &place, depth, parent, found);
                        }
                    }
                }
                Value::Map(entries) => {
                    for (key, value) in canonical::sorted(entries) {
                        if let Value::Message(inner) = value {
                            let place = place.field(&field).one_of_many(escape(&key_text(key)));
                            self.value(inner, &place, depth, parent, found);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn value(
        &self,
        message: &DynamicMessage,
        place: &Place,
        depth: u32,
        parent: &str,
        found: &mut Vec<Payload>,
    ) {
        let depth = depth.saturating_sub(1);
        if self.left.get() == 0 {
            return;
        }
        if message.descriptor().full_name() != ANY {
            return self.message(message, place, depth, parent, found);
        }
        let any = any_of(message);
        let mut payload = self.payload(any, String::new(), depth);
        let mut path = place.path.clone();
        if place.many
            && let Some(name) = payload.message().and_then(|m| self.schemas.own_name(m))
        {
            path.pop();
            path.push(escape(&name));
        }
        let id = match parent {
            "." => path.join("/"),
            parent => format!("{parent}/{}", path.join("/")),
        };
        payload.settle(id);
        found.push(payload);
    }
}

impl Payload {
    /// Gives it its id, which those below begin with: they were found under an empty one.
    fn settle(&mut self, id: String) {
        let mut waiting: Vec<&mut Payload> = self.children.iter_mut().collect();
        while let Some(below) = waiting.pop() {
            below.id.insert_str(0, &id);
            waiting.extend(&mut below.children);
        }
        self.id = id;
    }
}

fn any_of(message: &DynamicMessage) -> Any {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bytes = |value: &Value| value.as_bytes().cloned().unwrap_or_default();
    Any {
        type_url: message.get_field_by_number(1).map(|v| text(&v)).unwrap_or_default(),
        value: message.get_field_by_number(2).map(|v| bytes(&v)).unwrap_or_default(),
    }
}

/// Where in its parent a message is.
struct Place {
    path: Vec<String>,
    /// Whether the last step is an index or a key, which a name takes the place of.
    many: bool,
}

impl Place {
    fn field(&self, field: &FieldDescriptor) -> Self {
        let mut path = self.path.clone();
        path.push(field.name().to_owned());
        Self { path, many: false }
    }

    fn one_of_many(mut self, step: String) -> Self {
        self.path.push(step);
        self.many = true;
        self
    }
}

/// A key or name as one step of an id, as `ControllerId` documents it.
fn escape(name: &str) -> String {
    match name {
        "" => "\"\"".to_owned(),
        _ => name.replace('%', "%25").replace('/', "%2F").replace('"', "%22"),
    }
}
