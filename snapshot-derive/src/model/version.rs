//! Checks the older versions that a payload accepts, and the versions in `since`.

use proc_macro2::Span;
use syn::LitStr;

use super::{Older, OlderMessage, Payload};
use crate::attr::{Accept, Accepts, Container};
use crate::errors::Errors;

/// The accepted versions of a payload whose version is `current`, ascending.
pub(super) fn check_accepts(container: &Container, current: u32, errors: &Errors) -> Vec<Older> {
    let Some(Accepts(accepts)) = container.accept.get() else { return Vec::new() };
    let mut older: Vec<(Older, Span)> = Vec::new();
    for accept in accepts {
        let Some((version, at)) = accept.version else { continue };
        let version = version.0;
        if version == current {
            errors.at(
                at,
                format!("version {current} is the current version, which is always accepted"),
            );
        } else if version > current {
            errors.at(
                at,
                format!(
                    "version {version} is newer than this schema, which is version {current}: \
                     a build reads only versions up to its own"
                ),
            );
        } else if older.iter().any(|(other, _)| other.version == version) {
            errors.at(at, format!("version {version} is accepted twice"));
        } else {
            refuse_nameless_type_url(accept.type_url.as_ref(), errors);
            let type_url = accept.type_url.clone();
            older.push((Older { version, message: message(accept, errors), type_url }, at));
        }
    }
    older.sort_by_key(|(older, _)| older.version);
    // A version that is missing because it is invalid has been reported.
    if older.len() == accepts.len() {
        refuse_gaps(&older, current, errors);
        refuse_broken_downgrades(&older, errors);
    }
    older.into_iter().map(|(older, _)| older).collect()
}

fn message(accept: &Accept, errors: &Errors) -> Option<OlderMessage> {
    let Accept { message, upgrade, downgrade, .. } = accept;
    let version = accept.version.map_or(0, |(version, _)| version.0);
    match (message, upgrade) {
        (Some(path), Some(upgrade)) => Some(OlderMessage {
            path: path.clone(),
            upgrade: upgrade.clone(),
            downgrade: downgrade.clone(),
        }),
        (Some(_), None) => {
            errors.at(
                accept.at,
                format!(
                    "version {version} has a message of its own: add the conversion to a newer \
                     version, `upgrade = path::to::function`"
                ),
            );
            None
        }
        (None, _) => {
            let functions = [("upgrade", upgrade), ("downgrade", downgrade)];
            for (name, function) in functions {
                if let Some(first) = function.as_ref().and_then(|path| path.segments.first()) {
                    errors.at(
                        first.ident.span(),
                        format!(
                            "`{name}` converts the message of version {version}: name that \
                             message, `message = path::to::OldMessage`"
                        ),
                    );
                }
            }
            None
        }
    }
}

/// Reports the versions between the oldest accepted one and the current one that are not accepted.
fn refuse_gaps(older: &[(Older, Span)], current: u32, errors: &Errors) {
    let next = older.iter().skip(1).map(|(next, _)| next.version).chain([current]);
    for ((older, at), next) in older.iter().zip(next) {
        let missing = match next - older.version {
            0 | 1 => continue,
            2 => format!("version {}", older.version + 1),
            _ => format!("versions {} to {}", older.version + 1, next - 1),
        };
        errors.at(
            *at,
            format!(
                "{missing} cannot be read, so version {} cannot reach version {current} step by \
                 step: add `accept(version = {}, ...)`",
                older.version,
                older.version + 1,
            ),
        );
    }
}

/// Reports a `downgrade` whose input message cannot be produced.
fn refuse_broken_downgrades(older: &[(Older, Span)], errors: &Errors) {
    for pair in older.windows(2) {
        let [(older, _), (next, _)] = pair else { continue };
        let makes_none = next.message.as_ref().is_some_and(|next| next.downgrade.is_none());
        let downgrade = older.message.as_ref().and_then(|message| message.downgrade.as_ref());
        let Some(first) = downgrade.and_then(|path| path.segments.first()) else { continue };
        if makes_none {
            errors.at(
                first.ident.span(),
                format!(
                    "version {} is made from version {}, which is not saved: add a `downgrade` to \
                     that version too",
                    older.version, next.version
                ),
            );
        }
    }
}

/// Checks the versions of `since`. In a payload it also checks that each one has an effect.
pub(super) fn check_since(
    since: &[(u32, Span)],
    container: &Container,
    payload: Option<&Payload>,
    errors: &Errors,
) {
    // Mistakes in `accept` have been reported.
    let knows_older = |older: &[Older]| !older.is_empty() || !container.accept.is_given();
    for &(version, at) in since {
        if version == 1 {
            errors.at(
                at,
                "a field that exists from version 1 on is in every version: remove `since`",
            );
            continue;
        }
        let Some(Payload { version: current, older, .. }) = payload else { continue };
        if version > *current {
            errors.at(
                at,
                format!(
                    "this schema is version {current}: a field that is new in version {version} \
                     needs `version = {version}`"
                ),
            );
        } else if knows_older(older) && older.first().is_none_or(|oldest| oldest.version >= version)
        {
            errors.at(
                at,
                format!(
                    "no version before {version} is accepted, so every payload has the field: add \
                     `accept(version = {})`, or remove `since`",
                    version - 1
                ),
            );
        }
    }
}

/// Reports a type URL without a message's name.
/// Source: <https://protobuf.dev/reference/protobuf/google.protobuf/#any>.
pub(super) fn refuse_nameless_type_url(type_url: Option<&LitStr>, errors: &Errors) {
    let Some(type_url) = type_url else { return };
    let text = type_url.value();
    if text.rsplit_once('/').is_none_or(|(_, name)| name.is_empty()) {
        errors.at(
            type_url.span(),
            "a type URL ends with `/` and the full name of the message: write \
             `type_url = \"domain/package.Message\"`",
        );
    }
}
