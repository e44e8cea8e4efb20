//! A struct that is saved as a message: `State`, and its place as a value in other messages.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Type, TypePath};

use super::mapped::{Mapped, mapped};
use super::run::{Form, Run, only, runs};
use super::take::take_fields;
use super::{
    at, checks, conversion, fits, is_dependent, kept, local, notes, payload, stage_rules, version,
    visit,
};
use crate::model::{Struct, plain};

pub(super) fn expand(written: &Struct) -> TokenStream {
    let (aliases, model) = &aliased(written);
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let constants = checks::constants(model);
    let runs = &runs(model);
    let fits = fits::expand(runs, written);
    let put_fields = put_fields(model, runs);
    let take_fields = take_fields(model, runs);
    let visit_fields = visit::visit_fields(runs);
    let notes = notes::notes(model, runs);
    let keep = kept::of_struct(model);
    let conversion = conversion::expand(model);
    let nested = model.payload.as_ref().map(|_| payload::nested());
    let payload = model.payload.as_ref().map(|payload| payload::expand(model, payload, runs));
    // The fields of a struct that contains only plain ones are always written inline.
    let inline_field = match model.fields.iter().all(|field| field.is_plain) {
        true => quote!(#[cfg_attr(not(debug_assertions), inline(always))]),
        false => quote!(#[inline]),
    };
    let wire = quote_spanned!(at(message.span())=> __s::Wire<__s::kind::Message<__M>>);
    quote! {
        #aliases
        #constants
        #fits

        #[automatically_derived]
        impl #impl_generics __s::State for #ident #ty_generics #where_clause {
            type Message = #message;
            #notes
            #nested
            #put_fields
            #take_fields
            #visit_fields
        }

        #keep

        #[automatically_derived]
        impl #impl_generics __s::Sealed for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics __s::Single for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics #wire for #ident #ty_generics #where_clause {
            const INSIDE: __s::StatesInside = __s::StatesInside::State(__s::notes_on::<Self>);
            const IN_PLACE: __s::bool = true;
            #[inline]
            fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::put_message(self, __w)
            }
            #inline_field
            fn put_tagged(
                &self,
                __number: __s::u32,
                __w: &mut __s::Writer,
            ) -> __s::Result<(), __s::Error> {
                __s::put_message_tagged(self, __number, __w)
            }
            #[inline]
            fn size(&self) -> __s::usize {
                __s::message_size(self)
            }
            #inline_field
            fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::take_message(__r)
            }
            #[inline]
            fn take_into(
                __slot: &mut __s::Option<Self>,
                __r: &mut __s::Reader<'_>,
            ) -> __s::Result<(), __s::Error> {
                __s::take_message_into(__slot, __r)
            }
            #[inline]
            fn is_default(&self) -> __s::bool {
                false
            }
            fn visit(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
                __s::visit_message(self, __visit)
            }
        }

        #conversion
        #payload
    }
}

/// Generates aliases for the types of the fields, and returns the struct with these aliases. An error in a
/// type is then reported where the type is written, and at most once where it is used. Types from the
/// prelude need no alias: they cannot be wrong, and each alias costs compile time.
fn aliased(written: &Struct) -> (TokenStream, Struct) {
    let mut model = written.clone();
    let mut aliases = TokenStream::new();
    for field in &mut model.fields {
        // A type parameter may have the name of a prelude type.
        if written.common.generics.params.is_empty() && plain::is_in_prelude(&field.ty) {
            continue;
        }
        if is_dependent(&field.ty, &written.common.generics) {
            field.is_plain = false;
            continue;
        }
        let name = format!("__Type_{}", field.ident.unraw());
        let name = Ident::new(&name, at(field.ty.span()));
        let alias = TypePath { qself: None, path: name.clone().into() };
        let ty = std::mem::replace(&mut field.ty, Type::Path(alias));
        // Without a place, or the compiler would suggest adding parameters to the alias.
        let mut definition = name.clone();
        definition.set_span(Span::call_site());
        aliases.extend(quote!(type #definition = #ty;));
        if let Some(stage) = model.stage.as_mut().filter(|stage| stage.field == field.ident) {
            stage.ty = field.ty.clone();
        }
    }
    (aliases, model)
}

fn put_fields(model: &Struct, runs: &[Run<'_>]) -> TokenStream {
    let (w, put) = (local("w"), local("put"));
    let version_number = payload::version_number(model);
    let answers = fits::answers(runs);
    let marks = quote!({ __s::marks(#version_number, __MAPPED, &[#answers]) });
    let size = fields_size(model, runs);
    if let Some(run) = only(model, runs) {
        let (plan, references) = (&run.answers, run.references());
        return quote! {
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn put_fields(&self, #w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::put_planned::<_, _, #marks>(#plan(), #references, #w)
            }
            #size
        };
    }
    let fits = runs.iter().filter(|run| run.form == Form::Dependent);
    let fits =
        fits.flat_map(|run| &run.fields).filter_map(Mapped::fits_inside).map(|fits| quote!(#fits;));
    let bounds = mapped(model).flat_map(|mapped| {
        let ident = &mapped.field.ident;
        let (fields, proto, put) = (&mapped.fields, &mapped.mapping.proto, &put);
        let bounds = mapped.bounds(|place| quote_spanned!(place=> __s::Some(&self.#ident)));
        let limits = mapped.limits(|field, place| quote_spanned!(place=> __s::Some(&self.#field)));
        let checks = bounds.into_iter().chain(limits);
        checks.map(|bound| quote!(#put.check(#fields.#proto.number(), #bound);)).collect::<Vec<_>>()
    });
    let stage =
        model.stage.as_ref().filter(|stage| stage_rules::are_checked_by_codec(model, stage));
    let stage = stage.map(stage_rules::check_before_save);
    let fields = runs.iter().rev().map(|run| {
        let Some(mapped) = run.single() else {
            let (plan, references) = (&run.answers, run.references());
            return quote!(__s::Plan::put(#plan(), #references, &mut #put););
        };
        let ident = mapped.member();
        let value = quote_spanned!(mapped.place=> self.#ident);
        let field = match mapped.mapping.is_unshared {
            false => {
                let field = mapped.put(&value, &quote!(&mut #put));
                quote_spanned!(mapped.place=> #field;)
            }
            true => {
                let field = mapped.put(&value, &quote!(#put));
                quote_spanned!(mapped.place=> #put.unshared(|#put| #field);)
            }
        };
        let field = match mapped.stay_behind().filter(|_| mapped.mapping.with.is_none()) {
            None => field,
            Some(rule) => {
                let constant = mapped.constant();
                quote!(if !#put.stays_behind(#constant, #rule) { #field })
            }
        };
        match &mapped.mapping.since {
            None => field,
            Some(since) => {
                let (version, since) = (local("version"), since.version);
                quote!(if #version >= #since { #field })
            }
        }
    });
    let version = model.payload.as_ref().map(|payload| {
        let version = version::version_written(payload);
        let put = payload::version_planned("put", quote!(#version, &mut #put));
        quote!(#put;)
    });
    let fields = fields.chain(version);
    let version::PutOlder { before, checks } = version::put_older(model);
    quote! {
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn put_fields(&self, #w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            #(#fits)*
            #before
            let mut #put = __s::Putting::<#marks>::new(#w);
            #stage
            #(#bounds)*
            #checks
            #(#fields)*
            #put.finish()
        }
        #size
    }
}

fn fields_size(model: &Struct, runs: &[Run<'_>]) -> TokenStream {
    let sizes = runs.iter().filter_map(|run| {
        let Some(mapped) = run.single() else {
            let (plan, references) = (&run.answers, run.references());
            return Some(quote!(__s::Plan::size(#plan(), #references)));
        };
        // An adapter is not called twice, so its output has no size here.
        mapped.mapping.with.is_none().then(|| {
            let ident = mapped.member();
            mapped.planned("size", quote_spanned!(mapped.place=> &self.#ident))
        })
    });
    let version_size = model.payload.as_ref().map(|payload| {
        let version = &payload.version;
        payload::version_planned("size", quote!(&#version))
    });
    let sizes: Vec<_> = version_size.into_iter().chain(sizes).collect();
    let size = match &*sizes {
        [size] => quote!(#size),
        _ => quote!(__s::sum(&[#(#sizes),*])),
    };
    quote! {
        #[inline]
        fn fields_size(&self) -> __s::usize {
            #size
        }
    }
}
