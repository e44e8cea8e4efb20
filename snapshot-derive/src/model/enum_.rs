//! Checks enums: lifecycle stages, other enums without data, and oneofs.

use syn::{DataEnum, Fields, GenericParam, Variant};

use super::shape::Shape;
use super::{Common, Enumeration, EnumerationVariant, OneofEnum, OneofVariant, refuse_duplicates};
use crate::attr::{Container, FieldAttrs, VariantAttrs};
use crate::errors::Errors;

/// Checks an enum without data. Without a `shape`, which is an error already, data is not another one.
pub(super) fn check_enumeration(
    common: Common,
    data: &DataEnum,
    container: &Container,
    errors: &Errors,
    shape: Option<Shape>,
) -> Option<Enumeration> {
    let reports_data = shape.is_some();
    let what = if shape == Some(Shape::Enumeration) { "an enumeration" } else { "a stage" };
    refuse_emptiness(&common, data, errors);
    if let Some(parameter) = common.generics.params.first()
        && reports_data
        && !matches!(parameter, GenericParam::Lifetime(_))
    {
        errors.add(syn::Error::new_spanned(
            parameter,
            format!("{what} is only a number, so it cannot have parameters: remove them"),
        ));
    }
    let mut variants = Vec::new();
    for variant in &data.variants {
        let attrs = VariantAttrs::parse(&variant.attrs, errors);
        if reports_data && !matches!(variant.fields, Fields::Unit) {
            errors.add(syn::Error::new_spanned(
                &variant.fields,
                format!(
                    "{what} is only a number and holds no data: move the data to the struct, or \
                     save the enum with `oneof = path::to::ProstOneof`"
                ),
            ));
        }
        if let (Some(at), Some(Shape::Enumeration)) = (attrs.transient.span(), shape) {
            errors.at(
                at,
                "`transient` is for lifecycle stages: every value of an enumeration can be saved; \
                 if this is a stage, write `stage` in place of `enumeration`",
            );
        }
        if let (Some(at), true) = (attrs.rename.span(), attrs.transient.is_given()) {
            errors.at(at, "a transient variant has no name in the proto enum: remove `rename`");
        }
        let proto = attrs.rename.get().unwrap_or(&variant.ident);
        let proto = (!attrs.transient.is_given()).then(|| proto.clone());
        let since = since(&attrs, errors);
        if let (Some(at), true) = (attrs.since.span(), attrs.transient.is_given()) {
            errors
                .at(at, "a transient variant is never saved, so no version has it: remove `since`");
        }
        variants.push(EnumerationVariant { ident: variant.ident.clone(), proto, since });
    }
    refuse_shared_names(
        variants.iter().filter_map(|v| Some((&v.ident, v.proto.as_ref()?))),
        errors,
    );
    if shape != Some(Shape::Enumeration)
        && !data.variants.is_empty()
        && variants.iter().all(|variant| variant.proto.is_none())
    {
        errors.at(
            common.ident.span(),
            "all variants are transient, so there is no stage that could be saved",
        );
    }
    let default = data.variants.iter().find(|v| is_default(v)).map(|v| v.ident.clone());
    if let Some(default) = &default
        && shape != Some(Shape::Enumeration)
        && variants.iter().any(|v| v.ident == *default && v.proto.is_none())
    {
        errors.at(
            default.span(),
            "the `#[default]` variant is the proto enum's zero value, so it cannot be transient",
        );
    }
    let is_stage = shape == Some(Shape::Stage);
    let proto = if is_stage { &container.stage } else { &container.enumeration }.get()?.clone();
    Some(Enumeration { common, is_stage, proto, variants, default })
}

/// The version that introduced a variant.
fn since(attrs: &VariantAttrs, errors: &Errors) -> Option<u32> {
    let since = attrs.since.get()?.0;
    if let (1, Some(at)) = (since, attrs.since.span()) {
        errors
            .at(at, "a variant that exists from version 1 on is in every version: remove `since`");
    }
    Some(since)
}

fn is_default(variant: &Variant) -> bool {
    variant.attrs.iter().any(|attribute| attribute.path().is_ident("default"))
}

pub(super) fn check_oneof(
    common: Common,
    data: &DataEnum,
    container: &Container,
    errors: &Errors,
) -> Option<OneofEnum> {
    refuse_emptiness(&common, data, errors);
    let mut variants = Vec::new();
    for variant in &data.variants {
        let attrs = VariantAttrs::parse(&variant.attrs, errors);
        if let Some(at) = attrs.transient.span() {
            errors.at(at, "`transient` is for stages: every variant of a oneof can be saved");
        }
        let ty = match &variant.fields {
            Fields::Unit => None,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let field = &fields.unnamed[0];
                refuse_field_attributes(&field.attrs, errors);
                Some(field.ty.clone())
            }
            fields => {
                errors.add(syn::Error::new_spanned(
                    fields,
                    "a oneof's member is one value: wrap it in a struct that derives `Snapshot` \
                     with `message = ...`, as in `Variant(Struct)`",
                ));
                continue;
            }
        };
        let proto = attrs.rename.get().unwrap_or(&variant.ident).clone();
        let since = since(&attrs, errors);
        variants.push(OneofVariant { ident: variant.ident.clone(), proto, ty, since });
    }
    refuse_shared_names(variants.iter().map(|v| (&v.ident, &v.proto)), errors);
    let ignored = container.ignore.get().map(|list| list.0.clone()).unwrap_or_default();
    refuse_duplicates(&ignored, errors);
    for name in &ignored {
        if let Some(variant) = variants.iter().find(|variant| variant.proto == *name) {
            let ident = &variant.ident;
            errors
                .at(name.span(), format!("variant `{ident}` maps `{name}`, so it is not ignored"));
        }
    }
    let proto = container.oneof.get()?.clone();
    Some(OneofEnum { common, proto, variants, ignored })
}

fn refuse_field_attributes(attributes: &[syn::Attribute], errors: &Errors) {
    let attrs = FieldAttrs::parse(attributes, errors);
    for (attr, span) in attrs.all().filter_map(|attr| Some((attr, attr.given_at()?))) {
        let name = attr.key().name;
        errors.at(
            span,
            format!(
                "`{name}` cannot be used on a member of a oneof: it is for the fields of structs"
            ),
        );
    }
}

fn refuse_emptiness(common: &Common, data: &DataEnum, errors: &Errors) {
    if data.variants.is_empty() {
        errors.at(common.ident.span(), "an enum without variants has no value that could be saved");
    }
}

/// Reports every variant whose proto name another one has taken before.
fn refuse_shared_names<'v>(
    variants: impl Iterator<Item = (&'v syn::Ident, &'v syn::Ident)>,
    errors: &Errors,
) {
    let mut taken: Vec<(&syn::Ident, &syn::Ident)> = Vec::new();
    for (ident, proto) in variants {
        match taken.iter().find(|(_, other)| *other == proto) {
            Some((first, _)) => errors.at(
                proto.span(),
                format!("variants `{first}` and `{ident}` are both saved as `{proto}`"),
            ),
            None => taken.push((ident, proto)),
        }
    }
}
