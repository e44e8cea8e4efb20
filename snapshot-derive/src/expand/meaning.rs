//! The meanings that a struct gives to the fields of its message, for the manifest: only constants.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::mapped::Mapped;
use super::run::Run;
use super::{at, constant_of, local, text_of, version};
use crate::model::{Limit, Mapping, Struct};

/// Generates the meanings of the fields.
pub(super) fn meanings(model: &Struct, runs: &[Run<'_>]) -> TokenStream {
    let fields = constant_of(&model.message, "__FIELDS");
    let notes = runs.iter().flat_map(|run| &run.fields);
    let notes: TokenStream = notes.filter_map(|mapped| of_field(model, mapped)).collect();
    let (ignored, discarded) = (&model.ignored, &model.discarded);
    quote! {
        __s::StateMeanings {
            mapped: __MAPPED,
            notes: &[#notes],
            ignored: &[#((*#fields).#ignored.number()),*],
            discarded: &[#((*#fields).#discarded.number()),*],
        }
    }
}

/// Generates the notes from the attributes of a field, if there are any.
fn of_field(model: &Struct, mapped: &Mapped<'_>) -> Option<TokenStream> {
    let Mapping { max, range, since, form, limits, is_secret, may_stay_behind, .. } =
        mapped.mapping;
    let ty = &mapped.field.ty;
    let form = form.as_ref().map(|form| quote!(.form(#form)));
    let max = max.as_ref().map(|max| quote_spanned!(at(max.span())=> .max(|| #max)));
    let range = range.as_ref().map(|range| {
        let (text, place) = (text_of(range), at(range.span()));
        match &mapped.mapping.with {
            None => quote_spanned! {place=>
                .range(|| __s::range(__s::NoteRange::<#ty>(__s::PhantomData), #range, #text))
            },
            Some(_) => {
                let (end, put, used) = (local("end"), local("put_one"), local("used"));
                // Of a reference that the closure receives.
                let value = quote_spanned!(mapped.place=> *#end);
                let put_end = mapped.put(&value, &quote!(#put));
                quote_spanned! {place=>
                    .range(|| {
                        let #used = __s::note_adapted_range::<#ty, _>(|#end, #put| #put_end);
                        __s::range(#used, #range, #text)
                    })
                }
            }
        }
    });
    let default = since.as_ref().map(|since| {
        let (default, value) = (version::default_of(mapped, since), local("default"));
        let put = local("put_one");
        let absent = mapped.put(&quote!(#value), &quote!(#put));
        quote_spanned! {mapped.place=>
            .default(|| __s::default_note(|#put| {
                let #value = #default;
                #absent
            }))
        }
    });
    let limits: Vec<TokenStream> = limits
        .iter()
        .filter_map(|Limit { field, is_included }| {
            let other = model.fields.iter().find(|other| other.ident == *field)?.mapping()?;
            // Adapters convert the numbers that are compared, so the wire does not show the relation.
            if mapped.mapping.with.is_some() || other.with.is_some() {
                return None;
            }
            let (fields, proto) = (&mapped.fields, &other.proto);
            Some(quote!(((*#fields).#proto.number(), #is_included)))
        })
        .collect();
    let limits = (!limits.is_empty()).then(|| quote!(.limits(const { &[#(#limits),*] })));
    let secret = is_secret.then(|| quote!(.secret()));
    let may_stay_behind = may_stay_behind.is_some().then(|| quote!(.may_stay_behind()));
    let parts = [form, max, range, default, limits, secret, may_stay_behind];
    let parts: TokenStream = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return None;
    }
    let constant = mapped.constant();
    Some(quote!(__s::FieldMeaning::of(#constant) #parts,))
}
