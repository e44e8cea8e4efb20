//! A mapped field, and the code that refers to it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{at, constant_of, local, quiet_path, text_of};
use crate::model::{Field, Limit, Mapping, Struct};

/// A field that is saved as a proto field.
pub(super) struct Mapped<'m> {
    /// The constant of all fields of the message.
    pub(super) fields: Ident,
    /// Its index among all fields of the struct.
    pub(super) index: usize,
    /// Its index in `__MAPPED`.
    pub(super) place_among_mapped: usize,
    pub(super) field: &'m Field,
    pub(super) mapping: &'m Mapping,
    /// The place that decides how the field is saved: its type, or `with`.
    pub(super) place: Span,
}

/// The mapped fields of a struct, in declared order.
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

    /// The field of the struct, for errors that point at its type.
    pub(super) fn member(&self) -> Ident {
        let mut ident = self.field.ident.clone();
        ident.set_span(self.place);
        ident
    }

    /// The port of the field, or its adapter.
    pub(super) fn port(&self) -> TokenStream {
        let (constant, ty) = (self.constant(), &self.field.ty);
        match &self.mapping.with {
            None => quote_spanned!(self.place=> __s::port::<_, #ty>(#constant)),
            // The type on the wire is inferred from the adapter's `from_wire`.
            Some(with) => {
                let with = quiet_path(with);
                quote_spanned! {self.place=>
                    __s::adapter::<_, _, #ty, _, _>(#constant, #with::from_wire)
                }
            }
        }
    }

    /// What the type of the field answers: everything about the field is called on that.
    pub(super) fn answer(&self) -> TokenStream {
        let port = self.port();
        match (&self.mapping.since, &self.mapping.with) {
            (Some(_), None) => quote_spanned!(self.place=> #port.fits_since()),
            _ => quote_spanned!(self.place=> #port.fits()),
        }
    }

    /// Generates the code that puts a value of the field's type. `put` is what it is put by.
    pub(super) fn put(&self, value: &TokenStream, put: &TokenStream) -> TokenStream {
        let answer = self.answer();
        match &self.mapping.with {
            None => quote_spanned!(self.place=> __s::Planned::put(#answer, &#value, #put)),
            Some(with) => {
                let with = quiet_path(with);
                quote_spanned! {self.place=>
                    #answer.put_converted(#put, #with::to_wire(&#value))
                }
            }
        }
    }

    /// Generates the call of a function of the field's plan. Not for a field with an adapter.
    pub(super) fn planned(&self, function: &str, arguments: TokenStream) -> TokenStream {
        let (answer, ty) = (self.answer(), &self.field.ty);
        let function = Ident::new(function, self.place);
        quote_spanned! {self.place=>
            __s::Planned::<#ty>::#function(#answer, #arguments)
        }
    }

    /// The check that the type fits, for a type that can be named only inside the impls. The checks of
    /// all other types are in `fits`.
    pub(super) fn fits_inside(&self) -> Option<TokenStream> {
        let (constant, ty) = (self.constant(), &self.field.ty);
        self.mapping
            .with
            .is_none()
            .then(|| quote_spanned!(self.place=> __s::of(#constant).fits::<#ty>()))
    }

    /// The checks of `below` and `at_most`; `value_of` makes an `Option` of a reference to a field.
    pub(super) fn limits<'l>(
        &'l self,
        value_of: impl Fn(&Ident, Span) -> TokenStream + 'l,
    ) -> impl Iterator<Item = TokenStream> + 'l {
        self.mapping.limits.iter().map(move |Limit { field, is_included }| {
            let (constant, name) = (self.constant(), field.unraw().to_string());
            let place = at(field.span());
            let (value, limit) = (value_of(&self.field.ident, place), value_of(field, place));
            quote_spanned! {place=>
                __s::limit(#constant, #value, #limit, #name, #is_included)
            }
        })
    }

    /// The rule by which the value may stay behind, and the walk over the field, as two closures.
    pub(super) fn stay_behind(&self) -> Option<TokenStream> {
        let rule = self.mapping.may_stay_behind.as_ref()?;
        let (ident, visit) = (&self.field.ident, local("visit"));
        let place = at(rule.span());
        let rule = quiet_path(rule);
        let may = quote_spanned!(place=> || -> __s::bool { #rule(&self.#ident) });
        // No controller is inside of what an adapter makes of a field.
        let walk = match self.mapping.with {
            Some(_) => quote!(|_| __s::Ok(())),
            None => {
                let ident = self.member();
                let visited = quote_spanned!(self.place=> &self.#ident, #visit);
                let walk = self.planned("visit", visited);
                quote_spanned!(self.place=> |#visit| #walk)
            }
        };
        Some(quote!(#may, #walk))
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
            quote_spanned!(place=> __s::range(__s::CheckRange(#constant, #value), #range, #text))
        });
        max.into_iter().chain(range).collect()
    }
}
