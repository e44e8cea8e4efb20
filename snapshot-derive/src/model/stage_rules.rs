//! Checks the stage of a struct and the rules for it.

use syn::Ident;

use super::{Carriage, Field, Role, Stage, refuse_duplicates};
use crate::attr::{Container, Given};
use crate::errors::Errors;

/// Checks the rules of a struct whose stage is `field`, if it has one.
pub(super) fn check(
    field: Option<&Field>,
    container: &Container,
    errors: &Errors,
) -> Option<Stage> {
    let Some(field) = field else {
        refuse_without_stage(container, errors);
        return None;
    };
    let save_from: Vec<Ident> =
        container.save_from.get().map(|list| list.0.clone()).unwrap_or_default();
    refuse_duplicates(&save_from, errors);
    let carriage = match &field.role {
        Role::Mapped(mapping) => {
            if let Some(at) = container.live.span() {
                errors.at(
                    at,
                    "`live` is for a stage that is not saved (`stage, skip`): this one is restored \
                     as it was",
                );
            }
            Carriage::Carried(mapping.proto.clone())
        }
        Role::Skipped(_) | Role::ReadVersion => {
            Carriage::NotCarried(not_carried(field, &save_from, container, errors)?)
        }
    };
    Some(Stage {
        field: field.ident.clone(),
        ty: field.ty.clone(),
        save_from,
        freeze_to: container.freeze_to.get().cloned(),
        import_as: container.import_as.get().cloned(),
        abort_to: container.abort_to.get().cloned(),
        carriage,
    })
}

fn refuse_without_stage(container: &Container, errors: &Errors) {
    let anywhere: [&dyn Given; 2] = [&container.save_from, &container.live];
    let on_payloads: [&dyn Given; 3] =
        [&container.freeze_to, &container.import_as, &container.abort_to];
    let on_payloads = on_payloads.into_iter().filter(|_| container.version.is_given());
    let rules = anywhere.into_iter().chain(on_payloads);
    for (name, at) in rules.filter_map(|attr| Some((attr.key().name, attr.given_at()?))) {
        // Without a message there is another error already.
        if container.message.is_given() {
            errors.at(
                at,
                format!("`{name}` needs a stage: mark the field that holds it #[snapshot(stage)]"),
            );
        }
    }
}

/// Returns the stage in which a field that is not on the wire is restored.
fn not_carried(
    field: &Field,
    save_from: &[Ident],
    container: &Container,
    errors: &Errors,
) -> Option<Ident> {
    let [only] = save_from else {
        // A malformed list has been reported.
        if container.save_from.is_given() && save_from.is_empty() {
            return None;
        }
        let at = container.save_from.span().unwrap_or_else(|| field.ident.span());
        let ident = &field.ident;
        errors.at(
            at,
            format!(
                "stage `{ident}` is not saved, so a restored one can only be in the one stage that \
                 may be saved: name exactly one in `save_from(...)`, or save the stage (remove \
                 `skip`)"
            ),
        );
        return None;
    };
    if let Some(live) = container.live.get()
        && live != only
    {
        errors.at(
            live.span(),
            format!("only `{only}` may be saved, so the restored stage cannot be `{live}`"),
        );
    }
    Some(only.clone())
}
