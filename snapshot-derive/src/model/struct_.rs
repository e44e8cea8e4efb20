//! Checks a struct that is saved as a message.

use proc_macro2::Span;
use syn::{DataStruct, Fields, Ident};

use super::{
    Common, Field, Limit, Mapping, Payload, Role, Since, Struct, plain, refuse_duplicates,
    stage_rules, version,
};
use crate::attr::{Container, Expr, FieldAttrs, Given, List, MaybeExpr, key};
use crate::errors::Errors;

/// The proto field that `version` writes.
pub(crate) const VERSION_FIELD: &str = "schema_version";

pub(super) fn check(
    common: Common,
    data: &DataStruct,
    container: &Container,
    errors: &Errors,
) -> Option<Struct> {
    refuse_nameless_fields(data, container, errors);
    let mut fields = Vec::new();
    let mut stages = Vec::new();
    let mut ids = Vec::new();
    let mut since = Vec::new();
    for field in &data.fields {
        let attrs = FieldAttrs::parse(&field.attrs, errors);
        check_attributes(&attrs, errors);
        let Some(ident) = field.ident.clone() else { continue };
        if let Some(at) = attrs.stage.span() {
            stages.push((at, fields.len()));
        }
        if let Some(at) = attrs.id.span().filter(|_| !attrs.skip.is_given()) {
            ids.push((at, ident.clone()));
        }
        since.extend(attrs.since.get().map(|since| since.0).zip(attrs.since.span()));
        let is_plain = plain::is_plain(&field.ty);
        fields.push(Field { role: role(&ident, &attrs), ident, ty: field.ty.clone(), is_plain });
    }
    for (at, _) in stages.iter().skip(1) {
        errors.at(*at, "a struct has only one stage, but another field is already marked");
    }
    for (at, _) in ids.iter().skip(1) {
        errors.at(*at, "a controller has only one name, but another field is already marked");
    }
    let id = ids.into_iter().next();
    let payload = payload(&common, container, id, errors);
    version::check_since(&since, container, payload.as_ref(), errors);
    refuse_version_of_none(&fields, container, errors);
    let stage_field = stages.first().map(|(_, index)| &fields[*index]);
    let stage = stage_rules::check(stage_field, container, errors);
    let left_out = |list: Option<&List<Ident>>| list.map(|list| list.0.clone()).unwrap_or_default();
    let ignored = left_out(container.ignore.get());
    let discarded = left_out(container.discard.get());
    refuse_duplicates(&ignored, errors);
    refuse_duplicates(&discarded, errors);
    refuse_unknown_limits(&fields, errors);
    refuse_shared_fields(
        &fields,
        [("ignored", &ignored), ("discarded", &discarded)],
        container,
        errors,
    );
    let message = container.message.get()?.clone();
    let validate = container.validate.get().cloned();
    Some(Struct { common, message, fields, ignored, discarded, validate, payload, stage })
}

impl Mapping {
    /// Whether the value is checked besides its conversion.
    pub(crate) fn is_checked(&self) -> bool {
        self.max.is_some() || self.range.is_some() || !self.limits.is_empty()
    }
}

impl Field {
    pub(crate) fn mapping(&self) -> Option<&Mapping> {
        match &self.role {
            Role::Mapped(mapping) => Some(mapping),
            Role::Skipped(_) | Role::ReadVersion => None,
        }
    }
}

fn refuse_nameless_fields(data: &DataStruct, container: &Container, errors: &Errors) {
    // Without `message` there is another error already.
    let Some(at) = container.message.span() else { return };
    match &data.fields {
        Fields::Named(_) => {}
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => errors.at(
            at,
            "a tuple struct has no field names to map: use `transparent` to save a newtype as the \
             value that it wraps, or name the field",
        ),
        Fields::Unnamed(_) => {
            errors.at(at, "a tuple struct has no field names to map: name its fields");
        }
        Fields::Unit => {
            errors.at(at, "a unit struct has no fields to map: write it as `struct Name {}`");
        }
    }
}

fn role(ident: &Ident, attrs: &FieldAttrs) -> Role {
    if attrs.read_version.is_given() {
        return Role::ReadVersion;
    }
    if attrs.skip.is_given() {
        return Role::Skipped(attrs.skip.get().and_then(|MaybeExpr(value)| value.clone()));
    }
    Role::Mapped(Box::new(Mapping {
        proto: attrs.field.get().unwrap_or(ident).clone(),
        with: attrs.with.get().cloned(),
        max: attrs.max.get().map(|Expr(tokens)| tokens.clone()),
        range: attrs.range.get().map(|Expr(tokens)| tokens.clone()),
        defines: attrs.defines.get().cloned().unwrap_or_default(),
        refers: attrs.refers.get().cloned().unwrap_or_default(),
        since: attrs.since.get().map(|since| Since {
            version: since.0,
            default: attrs.default.get().map(|Expr(tokens)| tokens.clone()),
        }),
        form: attrs.form.get().cloned(),
        limits: limits(attrs),
        is_unshared: attrs.unshared.is_given(),
        is_secret: attrs.secret.is_given(),
        may_stay_behind: attrs.may_stay_behind.get().cloned(),
    }))
}

/// Reports fields that should hold the version of a struct that has none.
fn refuse_version_of_none(fields: &[Field], container: &Container, errors: &Errors) {
    if container.version.is_given() {
        return;
    }
    for field in fields.iter().filter(|field| matches!(field.role, Role::ReadVersion)) {
        errors.at(
            field.ident.span(),
            "`read_version` is for a payload, which has a schema version: add `version = 1`",
        );
    }
}

fn limits(attrs: &FieldAttrs) -> Vec<Limit> {
    let below = attrs.below.get().map(|field| (field, false));
    let at_most = attrs.at_most.get().map(|field| (field, true));
    let limits = below.into_iter().chain(at_most);
    limits.map(|(field, is_included)| Limit { field: field.clone(), is_included }).collect()
}

/// Reports limits that are no other saved field of the struct.
fn refuse_unknown_limits(fields: &[Field], errors: &Errors) {
    for field in fields {
        let limits = field.mapping().map(|mapping| &*mapping.limits).unwrap_or_default();
        for Limit { field: limit, is_included } in limits {
            let name = if *is_included { key::AT_MOST.name } else { key::BELOW.name };
            let found = fields.iter().find(|other| other.ident == *limit);
            let wrong = match found {
                None => {
                    format!(
                        "the struct has no field `{limit}`: `{name}` must name another of its \
                         fields"
                    )
                }
                Some(other) if other.ident == field.ident => {
                    format!("a field cannot limit itself: `{name}` must name another field")
                }
                Some(other) if other.mapping().is_none() => format!(
                    "`{limit}` is not saved, so a restored number could not be compared with it: \
                     check it in `validate`, or save the field"
                ),
                Some(_) => continue,
            };
            errors.at(limit.span(), wrong);
        }
    }
}

/// Reports attributes of one field that exclude each other.
fn check_attributes(attrs: &FieldAttrs, errors: &Errors) {
    if attrs.skip.is_given() {
        let useless: [(&dyn Given, &str); 15] = [
            (&attrs.field, "it has no proto field"),
            (&attrs.with, "there is nothing to convert"),
            (&attrs.max, "there is nothing to check"),
            (&attrs.range, "there is nothing to check"),
            (&attrs.defines, "nothing could refer to it after a restore"),
            (&attrs.refers, "there is nothing to resolve"),
            (&attrs.since, "no version has it"),
            (&attrs.default, "it is never in a payload: write `skip = expression`"),
            (&attrs.id, "a restored controller would have lost its name"),
            (&attrs.form, "it has no form on the wire"),
            (&attrs.below, "there is nothing to check"),
            (&attrs.at_most, "there is nothing to check"),
            (&attrs.unshared, "it is not restored"),
            (&attrs.secret, "nobody sees its value"),
            (&attrs.may_stay_behind, "it always stays behind"),
        ];
        for (attr, why) in useless {
            if let Some(at) = attr.given_at() {
                let name = attr.key().name;
                errors.at(
                    at,
                    format!(
                        "`{name}` cannot be combined with `skip`: the field is not saved, so {why}"
                    ),
                );
            }
        }
    }
    if attrs.read_version.is_given() {
        let others = attrs.all().filter(|attr| attr.key().name != key::READ_VERSION.name);
        for (attr, at) in others.filter_map(|attr| Some((attr, attr.given_at()?))) {
            let name = attr.key().name;
            errors.at(
                at,
                format!(
                    "`{name}` cannot be combined with `read_version`: the field is not saved, but \
                     restored as the version that was read"
                ),
            );
        }
    }
    // A malformed one has been reported.
    if let Some(at) = attrs.default.get().and(attrs.default.span())
        && !attrs.since.is_given()
        && !attrs.skip.is_given()
    {
        errors.at(
            at,
            "`default` is the value for payloads that are older than the field: add the version \
             that introduced the field, `since = 2`",
        );
    }
    if let (Some(at), Some(MaybeExpr(Some(_)))) =
        (attrs.stage.span().and(attrs.skip.span()), attrs.skip.get())
    {
        errors.at(
            at,
            "a stage that is not saved is restored as the one stage in `save_from`: write `skip` \
             without a value",
        );
    }
    if let Some(at) = attrs.with.span().filter(|_| attrs.stage.is_given()) {
        errors.at(
            at,
            "`with` cannot be combined with `stage`: a stage is saved as the proto enum that it \
             mirrors",
        );
    }
    for attr in [&attrs.max as &dyn Given, &attrs.range] {
        if let Some(at) = attr.given_at().filter(|_| attrs.stage.is_given()) {
            let name = attr.key().name;
            errors.at(
                at,
                format!(
                    "`{name}` cannot be combined with `stage`: `save_from` says which stages are \
                     saved"
                ),
            );
        }
    }
}

fn payload(
    common: &Common,
    container: &Container,
    id: Option<(Span, Ident)>,
    errors: &Errors,
) -> Option<Payload> {
    let Some(at) = container.version.span() else {
        if container.message.is_given() {
            refuse_without_version(container, id, errors);
        }
        return None;
    };
    if let Some(at) = container.controller.span()
        && common.generics.params.iter().any(|p| !matches!(p, syn::GenericParam::Lifetime(_)))
    {
        errors.at(
            at,
            "the state is generic, so it cannot name the one controller that owns it: remove \
             `controller` and write `snapshot_core::register!(Controller<...>);` for each",
        );
    }
    version::refuse_nameless_type_url(container.type_url.get(), errors);
    let version = container.version.get()?.0;
    Some(Payload {
        version,
        at,
        older: version::check_accepts(container, version, errors),
        type_url: container.type_url.get().cloned(),
        controller: container.controller.get().cloned(),
        after: container.after.get().map(|list| list.0.clone()).unwrap_or_default(),
        id: id.map(|(_, ident)| ident),
    })
}

/// Reports attributes that only the payload of a controller can have.
fn refuse_without_version(container: &Container, id: Option<(Span, Ident)>, errors: &Errors) {
    let payload_only: [&dyn Given; 7] = [
        &container.accept,
        &container.type_url,
        &container.controller,
        &container.after,
        &container.freeze_to,
        &container.import_as,
        &container.abort_to,
    ];
    let given =
        payload_only.into_iter().filter_map(|attr| Some((attr.key().name, attr.given_at()?)));
    for (name, at) in given.chain(id.map(|(at, _)| ("id", at))) {
        errors.at(
            at,
            format!("`{name}` is for the payload of a controller, which has a schema version: add `version = 1`"),
        );
    }
}

/// Reports proto fields that are used in more than one way: mapped twice, or both mapped and left out, or
/// left out in both ways.
fn refuse_shared_fields(
    fields: &[Field],
    left_out: [(&str, &Vec<Ident>); 2],
    container: &Container,
    errors: &Errors,
) {
    let mut taken: Vec<(&Ident, &Ident)> = Vec::new();
    for field in fields {
        let Some(Mapping { proto, .. }) = field.mapping() else { continue };
        let ident = &field.ident;
        if container.version.is_given() && proto == VERSION_FIELD {
            errors
                .at(proto.span(), "`version` writes and checks `schema_version`: remove the field");
        }
        match taken.iter().find(|(_, other)| *other == proto) {
            Some((first, _)) => errors.at(
                proto.span(),
                format!("fields `{first}` and `{ident}` are both saved as `{proto}`"),
            ),
            None => taken.push((ident, proto)),
        }
    }
    for (word, names) in left_out {
        for name in names {
            if container.version.is_given() && name == VERSION_FIELD {
                errors.at(
                    name.span(),
                    format!("`version` writes and checks `schema_version`, so it is not {word}"),
                );
            }
            if let Some((ident, _)) = taken.iter().find(|(_, proto)| *proto == name) {
                errors
                    .at(name.span(), format!("field `{ident}` maps `{name}`, so it is not {word}"));
            }
        }
    }
    let [(_, ignored), (_, discarded)] = left_out;
    for name in discarded.iter().filter(|name| ignored.contains(name)) {
        errors.at(
            name.span(),
            format!(
                "`{name}` is ignored and discarded: `ignore` refuses a value, `discard` drops it; \
                 choose one"
            ),
        );
    }
}
