//! A struct that is saved as a message: `State`, and its place as a value in other messages.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Type, TypePath};

use super::run::{Form, Run, only, runs};
use super::take::take_fields;
use super::{
    at, checks, constant_of, conversion, fits, is_dependent, local, payload, quiet_path,
    references, stage_rules, text_of, version,
};
use crate::model::{Carriage, Field, Mapping, Stage, Struct, plain};

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
    let walk_fields = walk_fields(runs);
    let refer_fields = references::refer_fields(runs);
    let annotate_fields = references::annotate_fields(runs);
    let conversion = conversion::expand(model);
    let nested = model.payload.as_ref().map(|_| payload::nested());
    let payload = model.payload.as_ref().map(|payload| payload::expand(model, payload, runs));
    // The fields of a struct without others inside are put where it is, whatever else is there.
    let inline_field = match model.fields.iter().all(|field| field.is_plain) {
        true => quote!(#[cfg_attr(debug_assertions, inline)]
            #[cfg_attr(not(debug_assertions), inline(always))]),
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
            #nested
            #put_fields
            #take_fields
            #walk_fields
            #refer_fields
            #annotate_fields
        }

        #[automatically_derived]
        impl #impl_generics __s::Single for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics #wire for #ident #ty_generics #where_clause {
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
            #[inline]
            fn walk(&mut self, __walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
                __s::State::walk_fields(self, __walk)
            }
            #[inline]
            fn refer(&self, __references: &mut __s::References) {
                __s::refer_message(self, __references);
            }
            #[inline]
            fn annotate(__notes: &mut __s::Notes) {
                __notes.state::<Self>();
            }
        }

        #conversion
        #payload
    }
}

/// Names for the types of the fields, and the struct with these names. What is wrong with a type is
/// so told where it is written and at most once where it is used. With those that are in scope
/// everywhere nothing can be wrong, and a name is one more item for the compiler.
fn aliased(written: &Struct) -> (TokenStream, Struct) {
    let mut model = written.clone();
    let mut aliases = TokenStream::new();
    for field in &mut model.fields {
        // A parameter may have such a name.
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
        // Defined nowhere in particular, or the compiler would suggest to give it parameters.
        let mut definition = name.clone();
        definition.set_span(Span::call_site());
        aliases.extend(quote!(type #definition = #ty;));
        if let Some(stage) = model.stage.as_mut().filter(|stage| stage.field == field.ident) {
            stage.ty = field.ty.clone();
        }
    }
    (aliases, model)
}

/// A mapped field.
pub(super) struct Mapped<'m> {
    /// The constant of all fields of the message.
    fields: Ident,
    /// Its place among all fields of the struct.
    pub(super) index: usize,
    /// Its place in `__MAPPED`.
    pub(super) place_among_mapped: usize,
    pub(super) field: &'m Field,
    pub(super) mapping: &'m Mapping,
    place: Span,
}

pub(super) fn mapped(model: &Struct) -> impl DoubleEndedIterator<Item = Mapped<'_>> + Clone {
    let fields = constant_of(&model.message, "__FIELDS");
    let all: Vec<_> = model
        .fields
        .iter()
        .enumerate()
        .filter_map(|(index, field)| Some((index, field, field.mapping()?)))
        .collect();
    all.into_iter().enumerate().map(move |(place_among_mapped, (index, field, mapping))| Mapped {
        fields: fields.clone(),
        index,
        place_among_mapped,
        field,
        mapping,
        // Where the user chose how the field is saved: by its type, or by `with`.
        place: at(match &mapping.with {
            None => field.ty.span(),
            Some(with) => with.span(),
        }),
    })
}

impl Mapped<'_> {
    /// The typed constant of the proto field.
    pub(super) fn constant(&self) -> TokenStream {
        let (fields, proto) = (&self.fields, &self.mapping.proto);
        quote!(&(*#fields).#proto)
    }

    /// Where the user chose how the field is saved: by its type, or by `with`.
    pub(super) fn place(&self) -> Span {
        self.place
    }

    /// The field of the struct, for errors that point at its type.
    pub(super) fn member(&self) -> Ident {
        let mut ident = self.field.ident.clone();
        ident.set_span(self.place());
        ident
    }

    /// The port of the field, or its adapter.
    pub(super) fn port(&self) -> TokenStream {
        let (constant, ty) = (self.constant(), &self.field.ty);
        match &self.mapping.with {
            None => quote_spanned!(self.place()=> __s::port::<_, #ty>(#constant)),
            // What the adapter makes of the field is inferred from its `from_wire`.
            Some(with) => {
                let with = quiet_path(with);
                quote_spanned! {self.place()=>
                    __s::adapter::<_, _, #ty, _, _>(#constant, #with::from_wire)
                }
            }
        }
    }

    /// What is put of a value of the field's type.
    pub(super) fn value_of(&self, value: &TokenStream) -> TokenStream {
        match &self.mapping.with {
            None => quote_spanned!(self.place()=> &#value),
            Some(with) => {
                let with = quiet_path(with);
                quote_spanned!(self.place()=> #with::to_wire(&#value))
            }
        }
    }

    /// Tells it if the type does not fit, of one that can be named only inside of the impls. Of all
    /// others [`fits`] does.
    fn fits_inside(&self) -> Option<TokenStream> {
        let (constant, ty) = (self.constant(), &self.field.ty);
        self.mapping
            .with
            .is_none()
            .then(|| quote_spanned!(self.place()=> __s::of(#constant).fits::<#ty>();))
    }

    /// The checks of `max` and `range`; `value` makes an `Option` of a reference.
    pub(super) fn bounds(&self, value: impl Fn(Span) -> TokenStream) -> Vec<TokenStream> {
        let constant = self.constant();
        let Mapping { max, range, .. } = self.mapping;
        let max = max.as_ref().map(|max| {
            let (ty, value) = (&self.field.ty, value(at(self.field.ty.span())));
            quote_spanned!(at(ty.span())=> __s::max::<_, #ty>(#constant, #value, #max))
        });
        let range = range.as_ref().map(|range| {
            let (text, place) = (text_of(range), at(range.span()));
            let value = value(place);
            quote_spanned!(place=> __s::range(#constant, #value, #range, #text))
        });
        max.into_iter().chain(range).collect()
    }
}

/// Whether the codec itself keeps to `save_from`. For a payload that carries its stage the
/// orchestrator does, before the freeze and on import, so that a payload in any stage can be looked
/// at.
pub(super) fn checks_stage(model: &Struct, stage: &Stage) -> bool {
    model.payload.is_none() || matches!(stage.carriage, Carriage::NotCarried(_))
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
                __s::put::<_, _, #marks>(#plan(), #references, #w)
            }
            #size
        };
    }
    let fits = runs.iter().filter(|run| run.form == Form::Dependent);
    let fits = fits.flat_map(|run| &run.fields).filter_map(Mapped::fits_inside);
    let bounds = mapped(model).flat_map(|mapped| {
        let ident = &mapped.field.ident;
        let (fields, proto, put) = (&mapped.fields, &mapped.mapping.proto, &put);
        let bounds = mapped.bounds(|place| quote_spanned!(place=> __s::Some(&self.#ident)));
        let checks = bounds.into_iter();
        checks.map(|bound| quote!(#put.check(#fields.#proto.number(), #bound);)).collect::<Vec<_>>()
    });
    let stage = model.stage.as_ref().filter(|stage| checks_stage(model, stage));
    let stage = stage.map(stage_rules::check_before_save);
    let fields = runs.iter().rev().map(|run| {
        let Some(mapped) = run.single() else {
            let (plan, references) = (&run.answers, run.references());
            return quote!(__s::Plan::put(#plan(), #references, &mut #put););
        };
        let (port, ident) = (mapped.port(), mapped.member());
        let value = mapped.value_of(&quote_spanned!(mapped.place()=> self.#ident));
        let field = quote_spanned!(mapped.place()=> #port.put(&mut #put, #value););
        match &mapped.mapping.since {
            None => field,
            Some(since) => {
                let (version, since) = (local("version"), since.version);
                quote!(if #version >= #since { #field })
            }
        }
    });
    let version = model.payload.as_ref().map(|payload| {
        let (port, version) = (payload::version_port(), version::version_written(payload));
        quote!(#port.put(&mut #put, #version);)
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
        // What an adapter converts to is not made twice.
        mapped.mapping.with.is_none().then(|| {
            let (port, ident) = (mapped.port(), mapped.member());
            quote_spanned!(mapped.place()=> #port.size(&self.#ident))
        })
    });
    let version_size = model.payload.as_ref().map(|payload| {
        let (port, version) = (payload::version_port(), &payload.version);
        quote!(#port.size(&#version))
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

fn walk_fields(runs: &[Run<'_>]) -> TokenStream {
    let walk = local("walk");
    // What an adapter converts holds no controllers.
    let fields = runs.iter().flat_map(|run| &run.fields);
    let fields = fields.filter(|mapped| mapped.mapping.with.is_none());
    let fields = fields.filter(|mapped| !mapped.field.is_plain).map(|mapped| {
        let (port, ident) = (mapped.port(), mapped.member());
        quote_spanned!(mapped.place()=> #port.walk(&mut self.#ident, #walk))
    });
    let mut fields: Vec<_> = fields.collect();
    let last = fields.pop().unwrap_or_else(|| quote!(__s::Ok(())));
    quote! {
        #[inline]
        fn walk_fields(&mut self, #walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
            #(
                if let __s::Err(__error) = #fields {
                    return __s::Err(__error);
                }
            )*
            #last
        }
    }
}
