//! Checks a newtype that is saved as the value that it wraps.

use syn::{DataStruct, Member};

use super::{Common, Newtype};
use crate::attr::{Container, FieldAttrs};
use crate::errors::Errors;

pub(super) fn check(
    common: Common,
    data: &DataStruct,
    container: &Container,
    errors: &Errors,
) -> Option<Newtype> {
    let at = container.transparent.span().unwrap_or_else(|| common.ident.span());
    for field in &data.fields {
        let attrs = FieldAttrs::parse(&field.attrs, errors);
        for (attr, span) in attrs.all().filter_map(|attr| Some((attr, attr.given_at()?))) {
            let name = attr.key().name;
            errors.at(
                span,
                format!(
                    "`{name}` cannot be combined with `transparent`: a newtype is saved as the \
                     value that it wraps"
                ),
            );
        }
    }
    let mut fields = data.fields.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        let count = data.fields.len();
        errors.at(
            at,
            format!("`transparent` needs exactly one field, `{}` has {count}", common.ident),
        );
        return None;
    };
    let member = match &field.ident {
        Some(ident) => Member::Named(ident.clone()),
        None => Member::from(0),
    };
    Some(Newtype {
        common,
        member,
        ty: field.ty.clone(),
        validate: container.validate.get().cloned(),
    })
}
