//! What is known of the types of payloads.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use snapshot_core::Error;

use crate::Knowledge;
use crate::cli::Options;
use crate::input::{name_of, read_bytes};

/// Descriptors, and the fields that controllers are called by.
#[derive(Debug)]
pub(crate) struct Schemas {
    pool: DescriptorPool,
    ids: HashMap<String, String>,
}

impl Schemas {
    /// What is known from the start, and what the command line adds.
    pub(crate) fn load(knowledge: &Knowledge<'_>, options: &Options) -> Result<Self, Error> {
        let mut pool = DescriptorPool::new();
        pool.decode_file_descriptor_set(knowledge.descriptors).map_err(|error| {
            Error::internal(format!("the descriptors of this build are wrong: {error}"))
        })?;
        for path in &options.descriptors {
            let bytes = read_bytes(path, options)?;
            pool.decode_file_descriptor_set(&*bytes).map_err(|error| {
                let name = name_of(path);
                Error::invalid(format!("{name}: not a descriptor set that fits: {error}"))
            })?;
        }
        let known = knowledge
            .ids
            .iter()
            .map(|(message, field)| ((*message).to_owned(), (*field).to_owned()));
        Ok(Self { ids: known.chain(options.ids.iter().cloned()).collect(), pool })
    }

    /// All descriptors.
    pub(crate) fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The message that a type URL means.
    pub(crate) fn message(&self, type_url: &str) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name(message_name(type_url))
    }

    /// What the controller of this payload calls itself.
    pub(crate) fn own_name(&self, payload: &DynamicMessage) -> Option<String> {
        use prost_reflect::ReflectMessage;
        let field = self.ids.get(payload.descriptor().full_name())?;
        match payload.get_field_by_name(field)?.as_ref() {
            Value::String(name) => Some(name.clone()),
            Value::U32(number) => Some(number.to_string()),
            Value::U64(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// The full name of the message that a type URL means.
pub(crate) fn message_name(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}
