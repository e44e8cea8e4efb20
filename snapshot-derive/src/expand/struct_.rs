//! A struct that is saved as a message: `State`, and its place as a value in other messages.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path};

use super::{at, checks, conversion, local, numbered, payload, stage_rules};
use crate::model::{Carriage, Field, Mapping, Role, Struct};

pub(super) fn expand(model: &Struct) -> TokenStream {
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let constants = checks::constants(model);
    let put_fields = put_fields(model);
    let take_fields = take_fields(model);
    let walk_fields = walk_fields(model);
    let conversion = conversion::expand(model);
    let payload = model.payload.as_ref().map(|payload| payload::expand(model, payload));
    quote! {
        #constants

        #[automatically_derived]
        impl #impl_generics __s::State for #ident #ty_generics #where_clause {
            type Message = #message;
            #put_fields
            #take_fields
            #walk_fields
        }

        #[automatically_derived]
        impl #impl_generics __s::Single for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics __s::Wire<__s::kind::Message<#message>>
            for #ident #ty_generics #where_clause
        {
            fn put(&self, w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::put_message(self, w)
            }
            fn take(r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::take_message(r)
            }
            fn is_default(&self) -> bool {
                false
            }
            fn walk(&mut self, walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
                __s::State::walk_fields(self, walk)
            }
        }

        #conversion
        #payload
    }
}

/// A mapped field, with what the generated code calls its value while it is read.
struct Mapped<'m> {
    field: &'m Field,
    mapping: &'m Mapping,
    variable: Ident,
}

fn mapped(model: &Struct) -> impl DoubleEndedIterator<Item = Mapped<'_>> + Clone {
    model.fields.iter().enumerate().filter_map(|(index, field)| {
        Some(Mapped { field, mapping: field.mapping()?, variable: numbered(index) })
    })
}

impl Mapped<'_> {
    /// The typed constant of the proto field.
    fn constant(&self) -> TokenStream {
        let proto = &self.mapping.proto;
        quote!(&__FIELDS.#proto)
    }

    /// The adapter of `with = module`: its type is inferred from the module's `from_wire`.
    fn adapter(&self, with: &Path) -> TokenStream {
        let (constant, ty) = (self.constant(), &self.field.ty);
        quote!(__s::adapter::<_, _, #ty, _, _>(#constant, #with::from_wire))
    }
}

fn put_fields(model: &Struct) -> TokenStream {
    let (w, put) = (local("w"), local("put"));
    let bounds = mapped(model).map(|mapped| bounds_of(&mapped, &put));
    let stage = model.stage.as_ref().map(|stage| stage_rules::check_before_save(stage));
    let fields = mapped(model).rev().map(|mapped| {
        let (ident, ty) = (&mapped.field.ident, &mapped.field.ty);
        match &mapped.mapping.with {
            None => {
                let constant = mapped.constant();
                quote_spanned!(at(ty.span())=> #put.field::<_, #ty>(#constant, &self.#ident)?;)
            }
            Some(with) => {
                let adapter = mapped.adapter(with);
                quote!(#put.adapted(&#adapter, #with::to_wire(&self.#ident))?;)
            }
        }
    });
    let version = model.payload.as_ref().map(|payload| {
        let field = payload::version_field(payload);
        let version = payload.version;
        quote!(#put.field::<_, __s::u32>(&__FIELDS.#field, &#version)?;)
    });
    quote! {
        fn put_fields(&self, #w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            #stage
            let mut #put = __s::Putting::<{ __s::marks(__SPANS) }>::new(#w);
            #(#bounds)*
            #(#fields)*
            #version
            #put.finish()
        }
    }
}

/// The checks of `max` and `range` before a save.
fn bounds_of(mapped: &Mapped<'_>, put: &Ident) -> TokenStream {
    let ident = &mapped.field.ident;
    let constant = mapped.constant();
    let Mapping { max, range, .. } = mapped.mapping;
    let max = max.as_ref().map(|max| quote!(#put.max(#constant, &self.#ident, #max)?;));
    let range = range.as_ref().map(|range| {
        let text = text_of(range);
        quote!(#put.range(#constant, &self.#ident, #range, #text)?;)
    });
    quote!(#max #range)
}

/// An expression as the user wrote it, near enough for an error.
fn text_of(tokens: &TokenStream) -> String {
    tokens.to_string().replace(" ..= ", "..=").replace(" .. ", "..").replace(" :: ", "::")
}

fn take_fields(model: &Struct) -> TokenStream {
    let (r, take, tag) = (local("r"), local("take"), local("tag"));
    let message = &model.message;
    let version = model.payload.as_ref().map(payload::version_field);
    let version_slot = local("version");
    let check_version = version.as_ref().map(|_| quote!(__s::check_version::<Self>(#r)?;));
    let new_version = version
        .as_ref()
        .map(|field| quote!(let mut #version_slot = __s::slot::<_, __s::u32>(&__FIELDS.#field);));
    let take_version = version.as_ref().map(|field| {
        quote! {
            if __s::is_of(&__FIELDS.#field, #tag) {
                #take.field::<_, __s::u32>(&__FIELDS.#field, &mut #version_slot, #tag, #r)
            } else
        }
    });
    let slots = mapped(model).map(|mapped| {
        let (variable, ty) = (&mapped.variable, &mapped.field.ty);
        match &mapped.mapping.with {
            None => {
                let constant = mapped.constant();
                quote_spanned!(at(ty.span())=> let mut #variable = __s::slot::<_, #ty>(#constant);)
            }
            Some(with) => {
                let adapter = mapped.adapter(with);
                quote!(let mut #variable = #adapter.slot();)
            }
        }
    });
    let arms = mapped(model).map(|mapped| {
        let (variable, ty, constant) = (&mapped.variable, &mapped.field.ty, mapped.constant());
        let take_field = match &mapped.mapping.with {
            None => quote_spanned!(at(ty.span())=>
                #take.field::<_, #ty>(#constant, &mut #variable, #tag, #r)),
            Some(with) => {
                let adapter = mapped.adapter(with);
                quote!(#take.adapted(&#adapter, &mut #variable, #tag, #r))
            }
        };
        quote!(if __s::is_of(#constant, #tag) { #take_field } else)
    });
    let finish = mapped(model).map(|mapped| {
        let (variable, ty, constant) = (&mapped.variable, &mapped.field.ty, mapped.constant());
        match &mapped.mapping.with {
            None => quote_spanned!(at(ty.span())=>
                let #variable = #take.finish::<_, #ty>(#constant, #variable);),
            Some(with) => {
                let adapter = mapped.adapter(with);
                quote!(let #variable = #take.finish_adapted(#adapter, #variable);)
            }
        }
    });
    let bounds = mapped(model).map(|mapped| {
        let (variable, constant) = (&mapped.variable, mapped.constant());
        let Mapping { max, range, .. } = mapped.mapping;
        let max = max.as_ref().map(|max| quote!(#take.max(#constant, &#variable, #max);));
        let range = range.as_ref().map(|range| {
            let text = text_of(range);
            quote!(#take.range(#constant, &#variable, #range, #text);)
        });
        quote!(#max #range)
    });
    let stage = model.stage.as_ref().and_then(|stage| {
        let Carriage::Carried(proto) = &stage.carriage else { return None };
        let variable = mapped(model).find(|m| m.mapping.proto == *proto)?.variable;
        Some(stage_rules::check_after_read(stage, proto, &take, &variable))
    });
    let id = model.payload.as_ref().and_then(|payload| payload.id.as_ref());
    let name = id.and_then(|id| mapped(model).find(|m| m.field.ident == *id)).map(|mapped| {
        let variable = &mapped.variable;
        quote!(#take.name(&#variable);)
    });
    let variables: Vec<_> = mapped(model).map(|mapped| mapped.variable).collect();
    let values = model.fields.iter().enumerate().map(|(index, field)| value(model, index, field));
    let state = local("state");
    let validate = model.validate.as_ref().map(|validate| {
        let name = match id {
            Some(id) => quote!(__s::Some(&#state.#id)),
            None => quote!(__s::unnamed()),
        };
        quote!(__s::validate(#validate(&#state), #name)?;)
    });
    let ident = &model.common.ident;
    quote! {
        fn take_fields(#r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            #check_version
            let mut #take = __s::Taking::new();
            #new_version
            #(#slots)*
            while let __s::Some(#tag) = #take.next(#r) {
                #take_version #(#arms)* { #take.unmapped::<#message>(__IGNORED, #tag, #r) }
            }
            #(#finish)*
            #(#bounds)*
            #stage
            #name
            #take.end()?;
            match (#(#variables,)*) {
                (#(__s::Some(#variables),)*) => {
                    let #state = #ident { #(#values,)* };
                    #validate
                    __s::Ok(#state)
                }
                _ => __s::Err(__s::lost_error()),
            }
        }
    }
}

/// The value of a field in the struct that was read.
fn value(model: &Struct, index: usize, field: &Field) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    let Role::Skipped(value) = &field.role else {
        let variable = numbered(index);
        return quote!(#ident: #variable);
    };
    let stage = model.stage.as_ref().filter(|stage| stage.field == *ident);
    match (stage.map(|stage| &stage.carriage), value) {
        (Some(Carriage::NotCarried(live)), _) => quote!(#ident: <#ty>::#live),
        (_, Some(value)) => quote!(#ident: #value),
        (_, None) => quote_spanned!(at(ty.span())=> #ident: __s::default::<#ty>()),
    }
}

fn walk_fields(model: &Struct) -> TokenStream {
    let walk = local("walk");
    let fields = mapped(model).filter(|mapped| mapped.mapping.with.is_none()).map(|mapped| {
        let (constant, ident, ty) = (mapped.constant(), &mapped.field.ident, &mapped.field.ty);
        quote_spanned!(at(ty.span())=> __s::walk::<_, #ty>(#constant, &mut self.#ident, #walk)?;)
    });
    quote! {
        fn walk_fields(&mut self, #walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
            #(#fields)*
            __s::Ok(())
        }
    }
}
