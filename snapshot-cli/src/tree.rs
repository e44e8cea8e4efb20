//! The payloads of a snapshot. Each `Any` is a payload, and the payloads inside it are its children.
//!
//! An id is stored as steps. Each step is stored once, regardless of the number of payloads below it, so a
//! long name above many containers takes memory only once.

use std::cell::Cell;

use bytes::Bytes;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};
use snapshot_core::codec::Reader;
use snapshot_core::{ControllerId, Error, Snapshot};

use crate::canonical;
use crate::fields::{key_text, present};
use crate::schemas::{Schemas, Stage, message_name};

/// The limit of payloads. 5,000 containers with one process each are 10,512 payloads.
const MOST: usize = 250_000;

/// The message that contains payloads.
pub(crate) const ANY: &str = "google.protobuf.Any";

/// The message of `ControllerSet`, whose entries name their controllers.
const SET_ENTRY: &str = "snapshot.v1.ControllerSetSnapshot.Entry";

/// The id of the root.
pub(crate) const ROOT: &str = ".";

/// One payload.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) type_url: String,
    pub(crate) bytes: Bytes,
    pub(crate) content: Content,
    pub(crate) stage: Option<Stage>,
    /// The places in the order of the fields, with maps sorted.
    pub(crate) places: Vec<Place>,
}

/// A place in a payload with other payloads at it or below it.
#[derive(Debug)]
pub(crate) struct Place {
    /// One step of an id, escaped: a field, a key, an index, or the name of a controller.
    pub(crate) step: String,
    /// Whether the step is the index of an element that has no name.
    pub(crate) is_index: bool,
    /// The payload at this place.
    pub(crate) payload: Option<Payload>,
    /// The places below this one, if there is no payload at it.
    pub(crate) places: Vec<Place>,
}

/// The content of a payload.
#[derive(Debug)]
pub(crate) enum Content {
    /// The message, read with its descriptor.
    Message(DynamicMessage),
    /// The type has no known descriptor.
    Unknown,
    /// The bytes are not valid for the type, with the reason.
    Malformed(String),
}

/// A payload, and the steps to it from its parent.
pub(crate) struct Child<'a> {
    pub(crate) steps: Vec<&'a str>,
    pub(crate) payload: &'a Payload,
}

impl Payload {
    /// Reads the payloads of a snapshot.
    ///
    /// # Errors
    ///
    /// If there are more payloads than a real snapshot has; a small file can contain so many.
    pub(crate) fn of(snapshot: &Snapshot, schemas: &Schemas) -> Result<Self, Error> {
        let root = Any {
            type_url: snapshot.type_url().to_owned(),
            value: Bytes::copy_from_slice(snapshot.payload()),
        };
        let reading = Reading { schemas, left: Cell::new(MOST) };
        // The root's own `Any` counts as one level.
        let root = reading.payload(root, Reader::DEPTH_LIMIT - 1);
        match reading.left.get() {
            0 => Err(Error::invalid(format!("has {MOST} controllers or more: not read further"))),
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

    /// The schema version, if the payload has one.
    pub(crate) fn version(&self) -> Option<u32> {
        self.message()?.get_field_by_name("schema_version")?.as_u32()
    }

    /// The number of bytes without the payloads below.
    pub(crate) fn own_bytes(&self) -> u64 {
        let below: usize = self.children().iter().map(|child| child.payload.bytes.len()).sum();
        self.bytes.len().saturating_sub(below) as u64
    }

    /// The payloads directly below this one, in the order of the fields.
    pub(crate) fn children(&self) -> Vec<Child<'_>> {
        let mut children = Vec::new();
        collect(&self.places, &mut Vec::new(), &mut children);
        children
    }

    /// Finds the payload with this id: this payload or one below.
    pub(crate) fn find(&self, id: &str) -> Option<&Payload> {
        match id {
            ROOT => Some(self),
            _ => find(&self.places, id),
        }
    }

    /// Visits this payload and all payloads below with their ids, parents first. `id` is the id of this
    /// payload, empty for the root.
    pub(crate) fn for_each<'a>(&'a self, show: &mut dyn FnMut(&str, &'a Payload)) {
        self.visit(&mut String::new(), show);
    }

    fn visit<'a>(&'a self, id: &mut String, show: &mut dyn FnMut(&str, &'a Payload)) {
        show(id_text(id), self);
        visit(&self.places, id, show);
    }

    /// The number of payloads, including this one.
    pub(crate) fn count(&self) -> usize {
        let mut count = 0;
        self.for_each(&mut |_, _| count += 1);
        count
    }

    /// Whether the bytes are the canonical encoding of this message.
    pub(crate) fn is_canonical(&self) -> bool {
        self.message().is_none_or(|message| canonical::is_encoding_of(&self.bytes, message))
    }
}

/// The id of these steps, or [`ROOT`] if there are none.
pub(crate) fn id_text(steps: &str) -> &str {
    match steps {
        "" => ROOT,
        id => id,
    }
}

/// Adds a step to an id, and returns the previous length of the id.
pub(crate) fn enter(id: &mut String, step: &str) -> usize {
    let length = id.len();
    if length > 0 {
        id.push('/');
    }
    id.push_str(step);
    length
}

fn collect<'a>(places: &'a [Place], steps: &mut Vec<&'a str>, children: &mut Vec<Child<'a>>) {
    for place in places {
        steps.push(&place.step);
        match &place.payload {
            Some(payload) => children.push(Child { steps: steps.clone(), payload }),
            None => collect(&place.places, steps, children),
        }
        steps.pop();
    }
}

fn find<'a>(places: &'a [Place], id: &str) -> Option<&'a Payload> {
    places.iter().find_map(|place| {
        let rest = id.strip_prefix(place.step.as_str())?;
        match (rest.strip_prefix('/'), &place.payload) {
            (None, payload) => payload.as_ref().filter(|_| rest.is_empty()),
            (Some(rest), Some(payload)) => find(&payload.places, rest),
            (Some(rest), None) => find(&place.places, rest),
        }
    })
}

fn visit<'a>(places: &'a [Place], id: &mut String, show: &mut dyn FnMut(&str, &'a Payload)) {
    for place in places {
        let length = enter(id, &place.step);
        match &place.payload {
            Some(payload) => payload.visit(id, show),
            None => visit(&place.places, id, show),
        }
        id.truncate(length);
    }
}

struct Any {
    type_url: String,
    value: Bytes,
}

struct Reading<'a> {
    schemas: &'a Schemas,
    /// The number of payloads that are still allowed.
    left: Cell<usize>,
}

impl Reading<'_> {
    fn payload(&self, any: Any, depth: u32) -> Payload {
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
        let mut payload = Payload { type_url, bytes, content, stage: None, places: Vec::new() };
        if let Content::Message(message) = &payload.content {
            payload.stage = self.schemas.stage(&payload.type_url, message);
            payload.places = self.message(message, depth - 1);
        }
        payload
    }

    /// The places in a message with payloads at them or below them.
    fn message(&self, message: &DynamicMessage, depth: u32) -> Vec<Place> {
        let mut found = Vec::new();
        for (field, value) in present(message) {
            let Kind::Message(kind) = field.kind() else { continue };
            let step = || field.name().to_owned();
            match value {
                Value::Message(inner) => found.extend(self.at(inner, step(), Many::No, depth)),
                Value::List(values) if kind.full_name() == SET_ENTRY => {
                    let entries = values.iter().filter_map(Value::as_message);
                    found.extend(entries.flat_map(|entry| self.member(entry, depth)));
                }
                Value::List(values) => {
                    let elements = values.iter().enumerate().filter_map(|(index, value)| {
                        self.at(value.as_message()?, index.to_string(), Many::List, depth)
                    });
                    found.extend(place(step(), elements.collect()));
                }
                Value::Map(entries) => {
                    let entries = canonical::sorted(entries);
                    let values = entries.into_iter().filter_map(|(key, value)| {
                        let step = ControllerId::escape(&key_text(key)).into_owned();
                        self.at(value.as_message()?, step, Many::Map, depth)
                    });
                    found.extend(place(step(), values.collect()));
                }
                _ => {}
            }
        }
        found
    }

    /// The places of an entry of a set. Only the entry's id is a step.
    fn member(&self, entry: &DynamicMessage, depth: u32) -> Vec<Place> {
        let id = entry.get_field_by_name("id");
        let id = id.as_ref().and_then(|id| id.as_str()).unwrap_or_default();
        let step = || ControllerId::escape(id).into_owned();
        let depth = depth.saturating_sub(1);
        let inner = present(entry).into_iter().filter_map(|(_, value)| value.as_message());
        inner.filter_map(|inner| self.at(inner, step(), Many::No, depth)).collect()
    }

    /// The place of a message that is a payload or contains payloads.
    fn at(&self, message: &DynamicMessage, step: String, many: Many, depth: u32) -> Option<Place> {
        let depth = depth.saturating_sub(1);
        if self.left.get() == 0 {
            return None;
        }
        if message.descriptor().full_name() != ANY {
            let mut place = place(step, self.message(message, depth))?;
            place.is_index = many == Many::List;
            return Some(place);
        }
        let payload = self.payload(any_of(message), depth);
        let name = payload.message().filter(|_| many != Many::No);
        let name = name.and_then(|message| self.schemas.own_name(&payload.type_url, message));
        Some(Place {
            is_index: many == Many::List && name.is_none(),
            step: name.map_or(step, |name| ControllerId::escape(&name).into_owned()),
            payload: Some(payload),
            places: Vec::new(),
        })
    }
}

/// Whether a message is one of many, so that its controller's own name replaces its index or key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Many {
    No,
    List,
    Map,
}

/// A place with other places below it, or `None` if there are none.
fn place(step: String, places: Vec<Place>) -> Option<Place> {
    (!places.is_empty()).then_some(Place { step, is_index: false, payload: None, places })
}

fn any_of(message: &DynamicMessage) -> Any {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bytes = |value: &Value| value.as_bytes().cloned().unwrap_or_default();
    Any {
        type_url: message.get_field_by_number(1).map(|v| text(&v)).unwrap_or_default(),
        value: message.get_field_by_number(2).map(|v| bytes(&v)).unwrap_or_default(),
    }
}
