//! A manifest in JSON. Each message is taken apart by name: a field that is added to the manifest does not compile
//! until it is in the JSON, too.

use serde_json::{Value, json};
use snapshot_core::registry::Manifest;
use snapshot_core::wire::v1::manifest::{
    self as wire, Enum, Field, Limits, Meaning, Message, Older, Payload, StageRules, Values,
};

use crate::show::put_hex;

pub(super) fn manifest(name: &str, manifest: &Manifest) -> Value {
    let Manifest { payloads, messages, enums, limits } = manifest;
    json!({
        "name": name,
        "payloads": all(payloads, payload),
        "messages": all(messages, message),
        "enums": all(enums, enumeration),
        "limits": limits.as_ref().map(build_limits),
    })
}

fn all<T>(things: &[T], json: fn(&T) -> Value) -> Vec<Value> {
    things.iter().map(json).collect()
}

fn build_limits(limits: &Limits) -> Value {
    let Limits { snapshot_bytes, name_bytes, memory_bytes } = limits;
    json!({
        "snapshot_bytes": snapshot_bytes,
        "name_bytes": name_bytes,
        "memory_bytes": memory_bytes,
    })
}

fn payload(payload: &Payload) -> Value {
    let Payload {
        type_url,
        version,
        accepts,
        message,
        stage_rules,
        after,
        older,
        saves,
        id_field,
        stage_field,
    } = payload;
    json!({
        "type_url": type_url,
        "version": version,
        "accepts": accepts,
        "saves": saves,
        "older": all(older, older_version),
        "message": message,
        "after": after,
        "id_field": id_field,
        "stage_field": stage_field,
        "stage_rules": stage_rules.as_ref().map(rules),
    })
}

fn older_version(older: &Older) -> Value {
    let Older { version, message, type_url } = older;
    json!({ "version": version, "message": message, "type_url": type_url })
}

fn rules(rules: &StageRules) -> Value {
    let StageRules { save_from, freeze_to, import_as, abort_to, live, carried } = rules;
    json!({
        "carried": carried,
        "save_from": save_from,
        "freeze_to": freeze_to,
        "import_as": import_as,
        "abort_to": abort_to,
        "live": live,
    })
}

fn message(message: &Message) -> Value {
    let Message { name, fields } = message;
    json!({ "name": name, "fields": all(fields, field) })
}

fn field(field: &Field) -> Value {
    let Field { number, name, kind, oneof, since, defines, refers, meanings } = field;
    json!({
        "number": number,
        "name": name,
        "kind": kind,
        "oneof": oneof,
        "since": since,
        "defines": defines,
        "refers": refers,
        "meanings": all(meanings, meaning),
    })
}

/// The text is for a reader, and does not have everything.
fn meaning(meaning: &Meaning) -> Value {
    let Meaning {
        ignored,
        discarded,
        form,
        values: of_values,
        keys,
        set,
        length,
        max,
        required,
        default_bytes,
        secret,
        limits,
        range,
        default_none,
        may_stay_behind,
    } = meaning;
    let hex = |bytes: &Vec<u8>| {
        let mut hex = String::with_capacity(2 * bytes.len());
        put_hex(bytes, &mut hex);
        hex
    };
    json!({
        "text": meaning.to_string(),
        "ignored": ignored,
        "discarded": discarded,
        "form": form,
        "values": of_values.as_ref().map(values),
        "keys": keys.as_ref().map(values),
        "set": set,
        "length": length,
        "max": max,
        "required": required,
        "default_hex": default_bytes.as_ref().map(hex),
        "secret": secret,
        "limits": all(limits, relation),
        "range": range,
        "default_none": default_none,
        "may_stay_behind": may_stay_behind,
    })
}

fn values(values: &Values) -> Value {
    let Values { form, least, most, most_excluded, not_zero, bytes } = values;
    json!({
        "form": form,
        "least": least,
        "most": most,
        "most_excluded": most_excluded,
        "not_zero": not_zero,
        "bytes": bytes,
    })
}

fn relation(limit: &wire::Limit) -> Value {
    let wire::Limit { field, included } = limit;
    json!({ "field": field, "included": included })
}

fn enumeration(one: &Enum) -> Value {
    let Enum { name, values } = one;
    json!({ "name": name, "values": all(values, value) })
}

fn value(value: &wire::Value) -> Value {
    let wire::Value { name, number, since } = value;
    json!({ "number": number, "name": name, "since": since })
}
