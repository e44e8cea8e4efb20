//! A struct that is saved as a message: `State`, and its place as a value in other messages.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{at, checks, conversion, local, numbered, payload, stage_rules};
use crate::model::{Carriage, Field, Mapping, Role, Stage, Struct};

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
    let wire = quote_spanned!(at(message.span())=> __s::Wire<__s::kind::Message<__M>>);
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
        impl #impl_generics #wire for #ident #ty_generics #where_clause {
            fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::put_message(self, __w)
            }
            fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::take_message(__r)
            }
            fn is_default(&self) -> __s::bool {
                false
            }
            fn walk(&mut self, __walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
                __s::State::walk_fields(self, __walk)
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

    /// The port of the field, or its adapter.
    fn port(&self) -> TokenStream {
        let (constant, ty) = (self.constant(), &self.field.ty);
        match &self.mapping.with {
            None => quote_spanned!(at(ty.span())=> __s::port::<_, #ty>(#constant)),
            // What the adapter makes of the field is inferred from its `from_wire`.
            Some(with) => quote_spanned! {at(with.span())=>
                __s::adapter::<_, _, #ty, _, _>(#constant, #with::from_wire)
            },
        }
    }

    /// The one place where a type that does not fit is told.
    fn fits(&self) -> TokenStream {
        let (constant, ty, port) = (self.constant(), &self.field.ty, self.port());
        match &self.mapping.with {
            None => quote_spanned!(at(ty.span())=> __s::of(#constant).fits::<#ty>();),
            Some(with) => quote_spanned!(at(with.span())=> __s::adapter_fits(&#port);),
        }
    }

    /// The checks of `max` and `range`; `value` is an `Option` of a reference.
    fn bounds(&self, value: &TokenStream) -> impl Iterator<Item = TokenStream> + use<> {
        let constant = self.constant();
        let Mapping { max, range, .. } = self.mapping;
        let max = max.as_ref().map(|max| {
            let ty = &self.field.ty;
            quote_spanned!(at(ty.span())=> __s::max::<_, #ty>(#constant, #value, #max))
        });
        let range = range.as_ref().map(|range| {
            let text = text_of(range);
            quote_spanned!(at(range.span())=> __s::range(#constant, #value, #range, #text))
        });
        max.into_iter().chain(range)
    }
}

/// Whether the codec itself keeps to `save_from`. For a payload that carries its stage the
/// orchestrator does, before the freeze and on import, so that a payload in any stage can be looked
/// at.
fn checks_stage(model: &Struct, stage: &Stage) -> bool {
    model.payload.is_none() || matches!(stage.carriage, Carriage::NotCarried(_))
}

fn put_fields(model: &Struct) -> TokenStream {
    let (w, put) = (local("w"), local("put"));
    let fits = mapped(model).map(|mapped| mapped.fits());
    let bounds = mapped(model).flat_map(|mapped| {
        let ident = &mapped.field.ident;
        mapped.bounds(&quote!(__s::Some(&self.#ident)))
    });
    let stage = model.stage.as_ref().filter(|stage| checks_stage(model, stage));
    let stage = stage.map(stage_rules::check_before_save);
    let fields = mapped(model).rev().map(|mapped| {
        let (port, ident) = (mapped.port(), &mapped.field.ident);
        match &mapped.mapping.with {
            None => quote!(#port.put(&mut #put, &self.#ident)?;),
            Some(with) => quote_spanned! {at(with.span())=>
                #port.put(&mut #put, #with::to_wire(&self.#ident))?;
            },
        }
    });
    let version = model.payload.as_ref().map(|payload| {
        let (port, version) = (payload::version_port(payload), payload.version);
        quote!(#port.put(&mut #put, &#version)?;)
    });
    quote! {
        fn put_fields(&self, #w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            #(#fits)*
            #stage
            #(#bounds?;)*
            let mut #put = __s::Putting::<{ __s::marks(__SPANS) }>::new(#w);
            #(#fields)*
            #version
            #put.finish()
        }
    }
}

/// An expression as the user wrote it, near enough for an error.
fn text_of(tokens: &TokenStream) -> String {
    let text = tokens.to_string().replace(" :: ", "::");
    text.replace(" ..", "..").replace("..= ", "..=").replace(".. ", "..")
}

fn take_fields(model: &Struct) -> TokenStream {
    let (r, take, tag) = (local("r"), local("take"), local("tag"));
    let ident = &model.common.ident;
    let version = model.payload.as_ref().map(payload::version_port);
    let version_slot = local("version");
    let check_version = version.as_ref().map(|port| {
        quote! {
            __s::check_version::<Self>(#r)?;
            let mut #version_slot = #port.slot();
        }
    });
    let take_version = version.as_ref().map(|port| {
        quote! {
            if #port.owns(#tag) {
                #port.take(&mut #take, &mut #version_slot, #tag, #r);
            } else
        }
    });
    let slots = mapped(model).map(|mapped| {
        let (variable, port) = (&mapped.variable, mapped.port());
        quote!(let mut #variable = #port.slot();)
    });
    let arms = mapped(model).map(|mapped| {
        let (variable, port) = (&mapped.variable, mapped.port());
        quote! {
            if #port.owns(#tag) {
                #port.take(&mut #take, &mut #variable, #tag, #r);
            } else
        }
    });
    let finish = mapped(model).map(|mapped| {
        let (variable, port) = (&mapped.variable, mapped.port());
        quote!(let #variable = #port.finish(&mut #take, #variable);)
    });
    let bounds = mapped(model).flat_map(|mapped| {
        let variable = &mapped.variable;
        mapped.bounds(&quote!(#variable.as_ref()))
    });
    let stage = model.stage.iter().filter(|stage| checks_stage(model, stage)).filter_map(|stage| {
        let variable = mapped(model).find(|m| m.field.ident == stage.field)?.variable;
        stage_rules::check_after_read(stage, &variable)
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
        quote_spanned!(at(validate.span())=> __s::validate(#validate(&#state), #name)?;)
    });
    quote! {
        fn take_fields(#r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            #check_version
            let mut #take = __s::Taking::new();
            #(#slots)*
            while let __s::Some(#tag) = #take.next(#r) {
                #take_version #(#arms)* { #take.unmapped(__DESCRIPTOR, __IGNORED, #tag, #r) }
            }
            #(#finish)*
            #(#take.check(#bounds);)*
            #(#take.check(#stage);)*
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
    // What an adapter converts holds no controllers.
    let fields = mapped(model).filter(|mapped| mapped.mapping.with.is_none()).map(|mapped| {
        let (port, ident) = (mapped.port(), &mapped.field.ident);
        quote!(#port.walk(&mut self.#ident, #walk)?;)
    });
    quote! {
        fn walk_fields(&mut self, #walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
            #(#fields)*
            __s::Ok(())
        }
    }
}
