//! A struct that is saved as a message: `State`, and its place as a value in other messages.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Path};

use super::{
    at, checks, constant_of, conversion, fits, is_dependent, local, numbered, payload, quiet_path,
    references, stage_rules, text_of, version,
};
use crate::model::{Carriage, Field, Mapping, Role, Stage, Struct};

pub(super) fn expand(written: &Struct) -> TokenStream {
    let (aliases, model) = &aliased(written);
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let constants = checks::constants(model);
    let fits = fits::expand(model, written);
    let put_fields = put_fields(model);
    let take_fields = take_fields(model);
    let walk_fields = walk_fields(model);
    let refer_fields = references::refer_fields(model);
    let annotate_fields = references::annotate_fields(model);
    let conversion = conversion::expand(model);
    let payload = model.payload.as_ref().map(|payload| payload::expand(model, payload));
    let wire = quote_spanned!(at(message.span())=> __s::Wire<__s::kind::Message<__M>>);
    quote! {
        #aliases
        #constants
        #fits

        #[automatically_derived]
        impl #impl_generics __s::State for #ident #ty_generics #where_clause {
            type Message = #message;
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
            #[inline]
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
            #[inline]
            fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::take_message(__r)
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
/// so told where it is written and at most once where it is used.
fn aliased(written: &Struct) -> (TokenStream, Struct) {
    let mut model = written.clone();
    let mut aliases = TokenStream::new();
    for field in &mut model.fields {
        if is_dependent(&field.ty, &written.common.generics) {
            field.is_plain = false;
            continue;
        }
        let name = format!("__Type_{}", field.ident.unraw());
        let name = Ident::new(&name, at(field.ty.span()));
        let ty = std::mem::replace(&mut field.ty, syn::parse_quote!(#name));
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

/// A mapped field, with what the generated code calls its value while it is read.
pub(super) struct Mapped<'m> {
    message: &'m Path,
    pub(super) field: &'m Field,
    pub(super) mapping: &'m Mapping,
    variable: Ident,
}

pub(super) fn mapped(model: &Struct) -> impl DoubleEndedIterator<Item = Mapped<'_>> + Clone {
    model.fields.iter().enumerate().filter_map(|(index, field)| {
        let mapping = field.mapping()?;
        let variable = numbered(index, place(field, mapping));
        Some(Mapped { message: &model.message, field, mapping, variable })
    })
}

/// Where the user chose how the field is saved: by its type, or by `with`.
fn place(field: &Field, mapping: &Mapping) -> Span {
    at(match &mapping.with {
        None => field.ty.span(),
        Some(with) => with.span(),
    })
}

impl Mapped<'_> {
    /// The typed constant of the proto field.
    pub(super) fn constant(&self) -> TokenStream {
        let (fields, proto) = (constant_of(self.message, "__FIELDS"), &self.mapping.proto);
        quote!(&(*#fields).#proto)
    }

    pub(super) fn place(&self) -> Span {
        place(self.field, self.mapping)
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
    fn bounds(&self, value: impl Fn(Span) -> TokenStream) -> Vec<TokenStream> {
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
fn checks_stage(model: &Struct, stage: &Stage) -> bool {
    model.payload.is_none() || matches!(stage.carriage, Carriage::NotCarried(_))
}

fn put_fields(model: &Struct) -> TokenStream {
    let (w, put) = (local("w"), local("put"));
    let fits = mapped(model)
        .filter(|mapped| is_dependent(&mapped.field.ty, &model.common.generics))
        .filter_map(|mapped| mapped.fits_inside());
    let bounds = mapped(model).flat_map(|mapped| {
        let ident = &mapped.field.ident;
        mapped.bounds(|place| quote_spanned!(place=> __s::Some(&self.#ident)))
    });
    let stage = model.stage.as_ref().filter(|stage| checks_stage(model, stage));
    let stage = stage.map(stage_rules::check_before_save);
    let fields = mapped(model).rev().map(|mapped| {
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
    let older = version::put_older(model);
    // What an adapter converts to is not made twice.
    let sizes = mapped(model).filter(|mapped| mapped.mapping.with.is_none()).map(|mapped| {
        let (port, ident) = (mapped.port(), mapped.member());
        quote_spanned!(mapped.place()=> #port.size(&self.#ident))
    });
    let version_size = model.payload.as_ref().map(|payload| {
        let (port, version) = (payload::version_port(), &payload.version);
        quote!(#port.size(&#version),)
    });
    quote! {
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn put_fields(&self, #w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            #(#fits)*
            #stage
            #(#bounds?;)*
            #older
            let mut #put = __s::Putting::<{ __s::marks(__SPANS) }>::new(#w);
            #(#fields)*
            #put.finish()
        }

        #[inline]
        fn fields_size(&self) -> __s::usize {
            __s::sum(&[#version_size #(#sizes),*])
        }
    }
}

/// Whether something looks at the value before it is known that all was read.
fn is_checked(model: &Struct, mapped: &Mapped<'_>) -> bool {
    let is = |field: Option<&Ident>| field == Some(&mapped.field.ident);
    mapped.mapping.max.is_some()
        || mapped.mapping.range.is_some()
        || is(model.stage.as_ref().map(|stage| &stage.field))
        || is(model.payload.as_ref().and_then(|payload| payload.id.as_ref()))
}

fn take_fields(model: &Struct) -> TokenStream {
    let (r, take, tag) = (local("r"), local("take"), local("tag"));
    let ident = &model.common.ident;
    let descriptor = constant_of(&model.message, "__DESCRIPTOR");
    let version = model.payload.as_ref().map(|payload| (payload, payload::version_port()));
    let version_variable = local("version");
    let older = version.as_ref().map(|(payload, _)| version::take_older(model, payload));
    let open_version = version.as_ref().map(|(_, port)| {
        quote! {
            let mut #version_variable = #port.open(&mut #take, #r);
        }
    });
    let version_offer =
        version.as_ref().map(|_| quote!(#version_variable.offer(&__VERSION, &mut #take, #tag, #r)));
    let opened = mapped(model).map(|mapped| {
        let (variable, port) = (&mapped.variable, mapped.port());
        let open = match &mapped.mapping.since {
            None => quote_spanned!(mapped.place()=> #port.open(&mut #take, #r)),
            Some(since) => {
                let since = since.version;
                quote_spanned!(mapped.place()=> #port.open_since(#since, &mut #take, #r))
            }
        };
        quote_spanned!(mapped.place()=> let mut #variable = #open;)
    });
    let offers = mapped(model).map(|mapped| {
        let (variable, constant) = (&mapped.variable, mapped.constant());
        match &mapped.mapping.since {
            None => quote!(#variable.offer(#constant, &mut #take, #tag, #r)),
            Some(since) => {
                let since = since.version;
                quote!(#variable.offer_since(#constant, #since, &mut #take, #tag, #r))
            }
        }
    });
    let offers = version_offer.into_iter().chain(offers);
    let finish = mapped(model).map(|mapped| {
        let (variable, constant) = (&mapped.variable, mapped.constant());
        let finish = if is_checked(model, &mapped) { "finish_to_check" } else { "finish" };
        let finish = Ident::new(finish, mapped.place());
        let finish = quote_spanned!(mapped.place()=> #variable.#finish(#constant, &mut #take));
        let finish = match &mapped.mapping.since {
            None => finish,
            Some(since) => {
                let (default, since) = (version::default_of(&mapped, since), since.version);
                quote!(if #r.version() < #since { __s::Some(#default) } else { #finish })
            }
        };
        quote_spanned!(mapped.place()=> let #variable = #finish;)
    });
    let bounds = mapped(model).flat_map(|mapped| {
        let variable = &mapped.variable;
        mapped.bounds(|place| quote_spanned!(place=> #variable.as_ref()))
    });
    let stage = model.stage.iter().filter(|stage| checks_stage(model, stage)).filter_map(|stage| {
        let variable = mapped(model).find(|m| m.field.ident == stage.field)?.variable;
        stage_rules::check_after_read(stage, &variable)
    });
    let id = model.payload.as_ref().and_then(|payload| payload.id.as_ref());
    let name = id.and_then(|id| mapped(model).find(|m| m.field.ident == *id)).map(|mapped| {
        let place = at(mapped.field.ident.span());
        let mut variable = mapped.variable.clone();
        variable.set_span(variable.span().located_at(place));
        quote_spanned!(place=> 
            #take.name(|| #variable.as_ref().map(__s::name_of));)
    });
    let variables: Vec<_> = mapped(model).map(|mapped| mapped.variable).collect();
    let values = model.fields.iter().enumerate().map(|(index, field)| value(model, index, field));
    let state = local("state");
    let validate = model.validate.as_ref().map(|validate| {
        let name = match id {
            Some(id) => quote_spanned!(at(id.span())=> 
                || __s::Some(__s::name_of(&#state.#id))),
            None => quote!(__s::unnamed),
        };
        quote_spanned!(at(validate.span())=> __s::validate(#validate(&#state), #name)?;)
    });
    quote! {
        // So that a nested message is read by one function, which moves it once; and so for `put_fields`.
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn take_fields(#r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            #older
            let mut #take = __s::Taking::new();
            // What canonical encoding has is there in the order of the fields.
            #open_version
            #(#opened)*
            while let __s::Some(#tag) = #take.next(#r) {
                // The first to which the tag belongs takes what it announces.
                if !(false #(|| #offers)*) {
                    #take.unmapped(#descriptor, __IGNORED, #tag, #r);
                }
            }
            #(#finish)*
            #(#take.check(#bounds);)*
            #(#take.check(#stage);)*
            #name
            if let __s::Err(__error) = #take.end() {
                return __s::Err(__error);
            }
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
        let place = at(ty.span());
        let (mut ident, variable) = (ident.clone(), numbered(index, place));
        ident.set_span(place);
        return quote_spanned!(place=> #ident: #variable);
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
    let fields = mapped(model).filter(|mapped| mapped.mapping.with.is_none());
    let fields = fields.filter(|mapped| !mapped.field.is_plain).map(|mapped| {
        let (port, ident) = (mapped.port(), mapped.member());
        quote_spanned!(mapped.place()=>
            if let __s::Err(__error) = #port.walk(&mut self.#ident, #walk) {
                return __s::Err(__error);
            }
        )
    });
    quote! {
        #[inline]
        fn walk_fields(&mut self, #walk: &mut __s::Walk<'_>) -> __s::Result<(), __s::Error> {
            #(#fields)*
            __s::Ok(())
        }
    }
}
