//! The notes on the fields of a struct, for the manifest.

use proc_macro2::TokenStream;
use quote::quote;

use super::run::Run;
use super::{fits, meaning};
use crate::attr::Namespaces;
use crate::model::{Mapping, Struct};

/// Generates the table of notes: those that the attributes give, and those on the types of the fields.
pub(super) fn notes(model: &Struct, runs: &[Run<'_>]) -> TokenStream {
    let fields = runs.iter().flat_map(|run| &run.fields);
    let fields = fields.filter(|mapped| {
        let Mapping { since, defines, refers, .. } = mapped.mapping;
        since.is_some() || is_given(defines) || is_given(refers)
    });
    let fields = fields.map(|mapped| {
        let constant = mapped.constant();
        let mapping = mapped.mapping;
        let since = mapping.since.as_ref().map(|since| since.version);
        let since = since.map(|version| quote!(.since(#version)));
        let names = [
            (&mapping.defines.own, quote!(defines)),
            (&mapping.defines.values, quote!(values_define)),
            (&mapping.refers.own, quote!(refers)),
            (&mapping.refers.values, quote!(values_refer)),
        ];
        let names = names
            .into_iter()
            .filter_map(|(namespace, act)| namespace.as_ref().map(|name| quote!(.#act(#name))));
        let noted: TokenStream = since.into_iter().chain(names).collect();
        quote!(__s::FieldNotes::of(#constant) #noted,)
    });
    let types: TokenStream = runs.iter().map(fits::types).collect();
    let fields: TokenStream = fields.collect();
    let meanings = meaning::meanings(model, runs);
    quote! {
        const NOTES: &'static __s::StateNotes = &__s::StateNotes {
            message: __DESCRIPTOR,
            fields: &[#fields],
            types: &[#types],
            meanings: #meanings,
        };
    }
}

pub(super) fn is_given(namespaces: &Namespaces) -> bool {
    namespaces.own.is_some() || namespaces.values.is_some()
}
