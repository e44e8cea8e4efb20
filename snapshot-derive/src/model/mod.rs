//! The checked model of a type, free of mistakes: the input of `expand`.

mod enum_;
mod newtype;
pub(crate) mod plain;
mod shape;
mod stage_rules;
mod struct_;
mod version;

use proc_macro2::{Span, TokenStream};
use syn::{Data, DeriveInput, Generics, Ident, LitStr, Path, Type};

use crate::attr::{Container, Namespaces};
use crate::errors::Errors;
use shape::Shape;

/// A type, by its shape.
pub(crate) enum Model {
    Struct(Box<Struct>),
    Enumeration(Enumeration),
    Oneof(OneofEnum),
    Newtype(Newtype),
}

/// The parts that every shape has.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The path of snapshot-core.
    pub(crate) krate: Path,
}

/// A struct that is saved as a message.
#[derive(Clone)]
pub(crate) struct Struct {
    pub(crate) common: Common,
    pub(crate) message: Path,
    /// In declared order.
    pub(crate) fields: Vec<Field>,
    /// Proto fields that must be absent.
    pub(crate) ignored: Vec<Ident>,
    /// Proto fields whose values are dropped on purpose.
    pub(crate) discarded: Vec<Ident>,
    pub(crate) validate: Option<Path>,
    pub(crate) payload: Option<Payload>,
    pub(crate) stage: Option<Stage>,
}

/// One field of a [`Struct`].
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) role: Role,
    /// Whether the type, by its name, contains no controllers and no names.
    pub(crate) is_plain: bool,
}

/// Whether a field is saved.
#[derive(Clone)]
pub(crate) enum Role {
    /// It is saved.
    Mapped(Box<Mapping>),
    /// It is not saved. After a restore its value is the expression, or else the type's default.
    Skipped(Option<TokenStream>),
    /// It is not saved. After a restore it is the schema version that was read.
    ReadVersion,
}

/// How a field is saved.
#[derive(Clone)]
pub(crate) struct Mapping {
    /// The name of the proto field, as the identifier that prost makes of it.
    pub(crate) proto: Ident,
    pub(crate) with: Option<Path>,
    pub(crate) max: Option<TokenStream>,
    pub(crate) range: Option<TokenStream>,
    /// The namespaces in which it defines names.
    pub(crate) defines: Namespaces,
    /// The namespaces that its names must be in.
    pub(crate) refers: Namespaces,
    pub(crate) since: Option<Since>,
    /// The name of the value's form, beyond its type.
    pub(crate) form: Option<LitStr>,
    /// The fields below which its numbers must lie.
    pub(crate) limits: Vec<Limit>,
    /// Whether its `Arc` may be in other places of the tree too.
    pub(crate) is_unshared: bool,
    pub(crate) is_secret: bool,
    /// The rule by which the value may stay behind, where the destination does not have it.
    pub(crate) may_stay_behind: Option<Path>,
}

/// A relation between the numbers in one field and another field.
#[derive(Clone)]
pub(crate) struct Limit {
    /// The field of the struct that limits the numbers: a number, or a collection by its length.
    pub(crate) field: Ident,
    /// Whether the numbers may be equal to it.
    pub(crate) is_included: bool,
}

/// The version that introduced a field.
#[derive(Clone)]
pub(crate) struct Since {
    pub(crate) version: u32,
    /// The value in older payloads; without it, the type's default.
    pub(crate) default: Option<TokenStream>,
}

/// The part of a struct that makes it the payload of a controller.
#[derive(Clone)]
pub(crate) struct Payload {
    pub(crate) version: u32,
    /// Where `version` stands.
    pub(crate) at: Span,
    /// The older versions that are read, ascending and without a gap up to `version`.
    pub(crate) older: Vec<Older>,
    pub(crate) type_url: Option<LitStr>,
    pub(crate) controller: Option<Type>,
    pub(crate) after: Vec<Type>,
    /// The field that is the controller's own name.
    pub(crate) id: Option<Ident>,
}

/// An older version of a payload.
#[derive(Clone)]
pub(crate) struct Older {
    pub(crate) version: u32,
    /// The message of that version, unless it is the current message without the later fields.
    pub(crate) message: Option<OlderMessage>,
    /// The type URL of that version, if it is another one.
    pub(crate) type_url: Option<LitStr>,
}

/// The message that an older version was.
#[derive(Clone)]
pub(crate) struct OlderMessage {
    pub(crate) path: Path,
    pub(crate) upgrade: Path,
    pub(crate) downgrade: Option<Path>,
}

/// The stage of a struct and the rules for it.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) field: Ident,
    pub(crate) ty: Type,
    pub(crate) save_from: Vec<Ident>,
    pub(crate) freeze_to: Option<Ident>,
    pub(crate) import_as: Option<Ident>,
    pub(crate) abort_to: Option<Ident>,
    pub(crate) carriage: Carriage,
}

/// Whether the stage is on the wire.
#[derive(Clone)]
pub(crate) enum Carriage {
    /// As this proto field.
    Carried(Ident),
    /// Not on the wire; it is restored as the one stage that may be saved.
    NotCarried(Ident),
}

/// An enum without data that is saved as a proto enum.
pub(crate) struct Enumeration {
    pub(crate) common: Common,
    /// Whether it is a lifecycle stage.
    pub(crate) is_stage: bool,
    /// The prost enum.
    pub(crate) proto: Path,
    /// In declared order.
    pub(crate) variants: Vec<EnumerationVariant>,
    /// The variant with `#[default]`.
    pub(crate) default: Option<Ident>,
}

/// One variant of an [`Enumeration`].
pub(crate) struct EnumerationVariant {
    pub(crate) ident: Ident,
    /// The name of prost's variant; `None` of a transient one.
    pub(crate) proto: Option<Ident>,
    /// The version that introduced it.
    pub(crate) since: Option<u32>,
}

/// A data enum that is saved as a oneof.
pub(crate) struct OneofEnum {
    pub(crate) common: Common,
    /// The prost enum.
    pub(crate) proto: Path,
    pub(crate) variants: Vec<OneofVariant>,
    /// Members that must be absent.
    pub(crate) ignored: Vec<Ident>,
}

/// One variant of a [`OneofEnum`].
pub(crate) struct OneofVariant {
    pub(crate) ident: Ident,
    /// The name of prost's variant.
    pub(crate) proto: Ident,
    /// The type of its value; `None` if the member is a `google.protobuf.Empty`.
    pub(crate) ty: Option<Type>,
    /// The version that introduced it.
    pub(crate) since: Option<u32>,
}

/// A newtype that is saved as the value that it wraps.
pub(crate) struct Newtype {
    pub(crate) common: Common,
    /// The name of the one field: an identifier or `0`.
    pub(crate) member: syn::Member,
    pub(crate) ty: Type,
    pub(crate) validate: Option<Path>,
}

/// Checks a type. Mistakes go to `errors`; the model is usable only if there were none.
pub(crate) fn check(input: &DeriveInput, container: &Container, errors: &Errors) -> Option<Model> {
    if let Some(lifetime) = input.generics.lifetimes().next() {
        errors.at(
            lifetime.lifetime.span(),
            "a restored state owns its data, so it cannot have lifetimes: use owned types",
        );
    }
    let common = Common {
        ident: input.ident.clone(),
        generics: input.generics.clone(),
        krate: container.krate.get().cloned().unwrap_or_else(default_crate),
    };
    let shape = shape::of(input, container, errors);
    // Even without a shape the attributes inside are looked at, so that all mistakes come at once.
    match &input.data {
        Data::Struct(data) => match shape {
            Some(Shape::Transparent) => {
                newtype::check(common, data, container, errors).map(Model::Newtype)
            }
            _ => struct_::check(common, data, container, errors).map(Box::new).map(Model::Struct),
        },
        Data::Enum(data) => match shape {
            Some(Shape::Oneof) => {
                enum_::check_oneof(common, data, container, errors).map(Model::Oneof)
            }
            _ => enum_::check_enumeration(common, data, container, errors, shape)
                .map(Model::Enumeration),
        },
        Data::Union(_) => None,
    }
}

fn default_crate() -> Path {
    syn::parse_quote!(::snapshot_core)
}

/// Reports every name that stands in a list for the second time.
fn refuse_duplicates<'n>(names: impl IntoIterator<Item = &'n Ident>, errors: &Errors) {
    let mut seen: Vec<&Ident> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            errors.at(name.span(), format!("`{name}` is in this list twice"));
        } else {
            seen.push(name);
        }
    }
}
