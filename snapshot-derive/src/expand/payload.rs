//! The code that `version` adds to a struct: `Payload`, `Wire` for `Any`, the registration.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::run::Run;
use super::{at, constant_of, fits, stage_rules, version as versions};
use crate::model::{Carriage, Payload, Role, Struct};

/// The constant `__VERSION`, the typed field of the version.
pub(super) fn version_field(model: &Struct, payload: &Payload) -> TokenStream {
    let descriptor = constant_of(&model.message, "__DESCRIPTOR");
    quote_spanned! {at(payload.at)=>
        const __VERSION: __s::Field<__s::kind::Singular<__s::kind::Uint32>> =
            __s::version_field(#descriptor);
    }
}

/// Its number, or 0.
pub(super) fn version_number(model: &Struct) -> TokenStream {
    match &model.payload {
        Some(_) => quote!(__VERSION.number()),
        None => quote!(0),
    }
}

/// Generates the call of a function of that field's plan.
pub(super) fn version_planned(function: &str, arguments: TokenStream) -> TokenStream {
    let function = Ident::new(function, Span::call_site());
    quote! {
        __s::Planned::<__s::u32>::#function(__s::port::<_, __s::u32>(&__VERSION), #arguments)
    }
}

/// The methods of a payload inside another message, where it has a version of its own.
pub(super) fn nested() -> TokenStream {
    quote! {
        const IS_PAYLOAD: __s::bool = true;
        fn put_nested(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            __s::put_payload(self, __w)
        }
    }
}

pub(super) fn expand(model: &Struct, payload: &Payload, runs: &[Run<'_>]) -> TokenStream {
    let answers = fits::answers(runs);
    let Struct { common, .. } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let names = names(model, payload);
    let version = payload.version;
    let older_messages = versions::constants(payload);
    let older = versions::older_constant(payload);
    let upgraded = versions::upgraded_impls(model, payload);
    let after = &payload.after;
    let after = after.iter().map(|ty| quote_spanned!(at(ty.span())=> __s::TypeRef::of::<#ty>()));
    let rules = stage_rules::constant(model);
    let stage_methods = stage_rules::methods(model.stage.as_ref());
    let own_name = match &payload.id {
        Some(id) => quote_spanned!(at(id.span())=> __s::Some(__s::name_of(&self.#id))),
        None => quote!(__s::None),
    };
    let id_field = number_of(payload.id.as_ref().and_then(|id| proto_of(model, id)));
    let stage_field = number_of(model.stage.as_ref().and_then(|stage| match &stage.carriage {
        Carriage::Carried(proto) => Some(proto),
        Carriage::NotCarried(_) => None,
    }));
    let registration = payload.controller.as_ref().map(|controller| {
        quote_spanned! {at(controller.span())=>
            __s::inventory::submit! { __s::registration::<#controller, #ident>() }
        }
    });
    quote! {
        #names
        #older_messages
        #upgraded

        #[automatically_derived]
        impl #impl_generics __s::Payload for #ident #ty_generics #where_clause {
            const TYPE_URL: &'static __s::str = __TYPE_URL;
            const MESSAGE_NAME: &'static __s::str = __MESSAGE_NAME;
            const VERSION: __s::u32 = #version;
            #older
            const VERSION_FIELD: __s::u32 = __VERSION.number();
            const ID_FIELD: __s::Option<__s::u32> = #id_field;
            const STAGE_FIELD: __s::Option<__s::u32> = #stage_field;
            const STAGE_RULES: __s::Option<&'static __s::StageRules> = #rules;
            const AFTER: &'static [__s::TypeRef] = &[#(#after),*];
            const IS_LEAF: __s::bool = __s::are_leaves(&[#answers]);
            #stage_methods
            fn own_name(&self) -> __s::Option<__s::String> {
                #own_name
            }
        }

        #[automatically_derived]
        impl #impl_generics __s::Wire<__s::kind::Any> for #ident #ty_generics #where_clause {
            fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::put_any(self, __w)
            }
            fn size(&self) -> __s::usize {
                __s::any_size(self)
            }
            fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::take_any(__r)
            }
            fn is_default(&self) -> __s::bool {
                false
            }
            fn visit(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
                __s::visit_payload(self, __visit)
            }
        }

        #registration
    }
}

/// The proto field that a field of the struct is saved as.
fn proto_of<'m>(model: &'m Struct, ident: &Ident) -> Option<&'m Ident> {
    let field = model.fields.iter().find(|field| field.ident == *ident)?;
    match &field.role {
        Role::Mapped(mapping) => Some(&mapping.proto),
        Role::Skipped(_) | Role::ReadVersion => None,
    }
}

/// The number of a proto field, as a constant expression of type `Option<u32>`.
fn number_of(proto: Option<&Ident>) -> TokenStream {
    match proto {
        Some(proto) => quote!(__s::Some(__FIELDS.#proto.number())),
        None => quote!(__s::None),
    }
}

/// The constants `__MESSAGE_NAME` and `__TYPE_URL`.
fn names(model: &Struct, payload: &Payload) -> TokenStream {
    match &payload.type_url {
        Some(type_url) => quote! {
            const __TYPE_URL: &__s::str = #type_url;
            const __MESSAGE_NAME: &__s::str = __s::after_slash(__TYPE_URL);
        },
        // prost's `full_name` is not a constant, so it is joined from `PACKAGE` and `NAME`, which are.
        None => quote_spanned! {at(model.message.span())=>
            const __PARTS: [&__s::str; 4] = __s::type_url_parts(
                <__M as __s::Named>::PACKAGE,
                <__M as __s::Named>::NAME,
            );
            const __LENGTH: __s::usize = __s::length(&__PARTS);
            const __BYTES: [__s::u8; __LENGTH] = __s::join(&__PARTS);
            const __TYPE_URL: &__s::str = __s::text(&__BYTES);
            const __MESSAGE_NAME: &__s::str = __s::after_slash(__TYPE_URL);
        },
    }
}
