//! The names that a struct defines and refers to.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::mapped::Mapped;
use super::run::Run;
use super::{at, fits, local, quiet_path};
use crate::attr::Namespaces;
use crate::model::Mapping;

pub(super) fn refer_fields(runs: &[Run<'_>]) -> TokenStream {
    let references = local("references");
    let fields = runs.iter().flat_map(|run| &run.fields);
    let fields = fields.filter(|mapped| {
        let Mapping { with, defines, refers, .. } = mapped.mapping;
        with.is_some() || !mapped.field.is_plain || is_given(defines) || is_given(refers)
    });
    let fields = fields.map(|mapped| {
        let own: TokenStream = own_names(mapped).into_iter().collect();
        let (port, ident) = (mapped.port(), mapped.member());
        let nested = match &mapped.mapping.with {
            None if mapped.field.is_plain => TokenStream::new(),
            None => quote_spanned!(mapped.place=> #port.refer(&self.#ident, #references);),
            Some(with) => {
                let with = quiet_path(with);
                quote_spanned! {mapped.place=>
                    #port.refer(|| __s::Converted(#with::to_wire(&self.#ident)).value(), #references);
                }
            }
        };
        quote!(#own #nested)
    });
    let fields: TokenStream = fields.collect();
    if fields.is_empty() {
        return fields;
    }
    quote! {
        #[inline]
        fn refer_fields(&self, #references: &mut __s::References) {
            #fields
        }
    }
}

/// Generates the notes about the fields' attributes for the manifest.
pub(super) fn annotate_fields(runs: &[Run<'_>]) -> TokenStream {
    let notes = local("notes");
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
        quote!(#notes.field(#constant) #noted;)
    });
    // An adapter may convert even a plain type to a type with attributes inside.
    let has_inside = |mapped: &Mapped<'_>| mapped.mapping.with.is_some() || !mapped.field.is_plain;
    let inside = runs.iter().filter(|run| run.fields.iter().any(has_inside));
    let inside = inside.map(fits::annotate);
    let fields: TokenStream = fields.chain(inside).collect();
    if fields.is_empty() {
        return fields;
    }
    quote! {
        #[inline]
        fn annotate_fields(#notes: &mut __s::Notes) {
            #fields
        }
    }
}

fn is_given(namespaces: &Namespaces) -> bool {
    namespaces.own.is_some() || namespaces.values.is_some()
}

/// Generates the code that collects the names in a field.
fn own_names(mapped: &Mapped<'_>) -> Vec<TokenStream> {
    let mut names = Vec::new();
    let mut add = |namespace: &Option<LitStr>, act: TokenStream, check: TokenStream| {
        let Some(namespace) = namespace else { return };
        let (constant, ty, ident) = (mapped.constant(), &mapped.field.ty, &mapped.field.ident);
        let references = local("references");
        // With an adapter, the names are in the bytes.
        if mapped.mapping.with.is_none() {
            names.push(quote_spanned! {at(namespace.span())=>
                const _: () = __s::#check(#constant);
            });
        }
        names.push(quote_spanned! {at(ty.span())=>
            __s::#act::<_, #ty>(#constant, #namespace, &self.#ident, #references);
        });
    };
    let Namespaces { own, values } = &mapped.mapping.defines;
    add(own, quote!(defines), quote!(assert_nameable));
    add(values, quote!(values_define), quote!(assert_nameable_values));
    let Namespaces { own, values } = &mapped.mapping.refers;
    add(own, quote!(refers), quote!(assert_nameable));
    add(values, quote!(values_refer), quote!(assert_nameable_values));
    names
}
