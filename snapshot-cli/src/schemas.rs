//! The known types of payloads: their descriptors, their ids and their stages.

use std::collections::HashMap;

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};
use prost_types::{DescriptorProto, FileDescriptorSet};
use snapshot_core::Error;
use snapshot_core::registry::{TypeInfo, registry};

use crate::Knowledge;
use crate::cli::Options;
use crate::files::{name_of, read_bytes};
use crate::show;

/// Descriptors, and the fields with the ids of controllers.
#[derive(Debug)]
pub(crate) struct Schemas {
    pool: DescriptorPool,
    /// The number of the id field, by the full name of the message.
    ids: HashMap<String, u32>,
    /// The same as `ids`, from the command line.
    asked: HashMap<String, u32>,
}

/// The stage of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// Its name.
    pub(crate) name: String,
    /// Whether the field was found only by its name, because the type is not linked.
    pub(crate) is_guess: bool,
}

/// Adds the files of a descriptor set without their extensions, which no state can map. An extension in a
/// payload is therefore an unknown field, which every command shows or refuses.
fn add_files(pool: &mut DescriptorPool, set: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let mut set = FileDescriptorSet::decode(set)?;
    for file in &mut set.file {
        file.extension.clear();
        let mut messages: Vec<&mut DescriptorProto> = file.message_type.iter_mut().collect();
        while let Some(message) = messages.pop() {
            message.extension.clear();
            messages.extend(&mut message.nested_type);
        }
    }
    Ok(pool.add_file_descriptor_set(set)?)
}

impl Schemas {
    /// Collects the built-in types and those of the command line.
    ///
    /// # Errors
    ///
    /// If a descriptor set cannot be read, or if `--id` names an unknown message or field, or a field that
    /// cannot be an id.
    pub(crate) fn load(knowledge: &Knowledge<'_>, options: &Options) -> Result<Self, Error> {
        let mut pool = DescriptorPool::new();
        add_files(&mut pool, knowledge.descriptors).map_err(|error| {
            Error::internal(format!("the descriptors of this build are wrong: {error}"))
        })?;
        for path in &options.descriptors {
            let bytes = read_bytes(path, options)?;
            add_files(&mut pool, &bytes).map_err(|error| {
                let name = name_of(path);
                Error::invalid(format!("{name}: not a valid descriptor set: {error}"))
            })?;
        }
        let mut schemas = Self { pool, ids: HashMap::new(), asked: HashMap::new() };
        for (message, field) in knowledge.ids {
            // --descriptors may add the descriptors of some of them.
            if let Ok(number) = schemas.id_field(message, field) {
                schemas.ids.insert((*message).to_owned(), number);
            }
        }
        for (message, field) in &options.ids {
            let number = schemas
                .id_field(message, field)
                .map_err(|reason| Error::invalid(format!("--id {message}={field}: {reason}")))?;
            if schemas.asked.insert(message.clone(), number).is_some_and(|other| other != number) {
                return Err(Error::invalid(format!(
                    "--id {message}={field}: another field was given for this message: give only one"
                )));
            }
        }
        Ok(schemas)
    }

    fn id_field(&self, message: &str, field: &str) -> Result<u32, String> {
        let descriptor = self.pool.get_message_by_name(message).ok_or_else(|| {
            format!("no message {message} is known: give its descriptors with --descriptors")
        })?;
        let found = descriptor
            .get_field_by_name(field)
            .ok_or_else(|| format!("{message} has no field {field}: use its name in the .proto"))?;
        let is_name = match found.kind() {
            Kind::Float | Kind::Double | Kind::Bytes | Kind::Message(_) => false,
            _ => !found.is_list() && !found.is_map(),
        };
        match is_name {
            true => Ok(found.number()),
            false => Err("an id is a string, an integer, a bool or an enum".to_owned()),
        }
    }

    /// All descriptors.
    pub(crate) fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The message of a type URL.
    pub(crate) fn message(&self, type_url: &str) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name(message_name(type_url))
    }

    /// The controller's own name in this payload. The command line determines the field; then the type, if
    /// it is linked; then the built-in knowledge.
    pub(crate) fn own_name(&self, type_url: &str, payload: &DynamicMessage) -> Option<String> {
        let descriptor = payload.descriptor();
        let name = descriptor.full_name();
        let number = match (self.asked.get(name), linked(type_url)) {
            (Some(number), _) => Some(*number),
            (None, Some(info)) => info.id_field,
            (None, None) => self.ids.get(name).copied(),
        };
        let field = descriptor.get_field(number?)?;
        Some(match (field.kind(), payload.get_field(&field).as_ref()) {
            (_, Value::String(name)) => name.clone(),
            (_, Value::Bool(it)) => it.to_string(),
            (_, Value::I32(number)) => number.to_string(),
            (_, Value::I64(number)) => number.to_string(),
            (_, Value::U32(number)) => number.to_string(),
            (_, Value::U64(number)) => number.to_string(),
            (Kind::Enum(kind), Value::EnumNumber(number)) => show::enum_value(&kind, *number),
            // The library writes a UUID in this form.
            (_, Value::Bytes(bytes)) if bytes.len() == 16 => uuid(bytes),
            _ => return None,
        })
    }

    /// The stage of the controller in a payload.
    pub(crate) fn stage(&self, type_url: &str, payload: &DynamicMessage) -> Option<Stage> {
        let descriptor = payload.descriptor();
        let number = |field: &FieldDescriptor| match payload.get_field(field).as_ref() {
            Value::EnumNumber(number) => Some(*number),
            _ => None,
        };
        if let Some(info) = linked(type_url) {
            let rules = info.stage_rules?;
            let number = number(&descriptor.get_field(info.stage_field?)?)?;
            let known = rules.variants.iter().any(|variant| variant.number == number);
            let name = if known { rules.name(number).to_owned() } else { number.to_string() };
            return Some(Stage { name, is_guess: false });
        }
        ["stage", "state"].iter().find_map(|name| {
            let field = descriptor.get_field_by_name(name)?;
            let Kind::Enum(kind) = field.kind() else { return None };
            let name = show::enum_value(&kind, number(&field)?);
            Some(Stage { name, is_guess: true })
        })
    }
}

/// The linked type of a type URL.
fn linked(type_url: &str) -> Option<&'static TypeInfo> {
    registry().ok()?.get(type_url).map(|registration| registration.info())
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        show::put_hex(&[*byte], &mut text);
    }
    text
}

/// The full name of the message of a type URL.
pub(crate) fn message_name(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}
