//! The checks that the types of the fields fit the proto fields. Only these checks report a misfit.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::mapped::Mapped;
use super::run::{Form, Run};
use super::{at, constant_of, local, quiet_path, text_of_type};
use crate::model::{Mapping, Struct};

/// Generates a function for each run, whose return type holds the answers of the field types, and the checks
/// of these answers, each with the span of the type. `written` has the types as the user wrote them.
pub(super) fn expand(runs: &[Run<'_>], written: &Struct) -> TokenStream {
    let fields = constant_of(&written.message, "__FIELDS");
    let runs = runs.iter().filter(|run| run.form != Form::Dependent);
    runs.map(|run| of_run(run, &fields, written)).collect()
}

fn of_run(run: &Run<'_>, fields: &Ident, written: &Struct) -> TokenStream {
    let (all, function) = (local("all"), &run.answers);
    let of_field = |mapped: &Mapped<'_>| match run.form {
        Form::Planned => {
            let (ty, proto) = (&mapped.field.ty, &mapped.mapping.proto);
            quote_spanned!(mapped.place=> __s::port::<_, #ty>(&(*#all).#proto).fits(),)
        }
        _ => {
            let answer = mapped.answer();
            quote_spanned!(mapped.place=> #answer,)
        }
    };
    let answers: TokenStream = run.fields.iter().map(of_field).collect();
    let check_of = |mapped: &Mapped<'_>| check(mapped, &written.fields[mapped.index].ty);
    let checks: TokenStream = run.fields.iter().map(check_of).collect();
    // Once, because each mention of a constant costs compile time.
    let let_all = (run.form == Form::Planned).then(|| quote!(let #all = #fields;));
    let types = run.fields.iter().map(|mapped| &mapped.field.ty);
    let answer = match run.form {
        Form::Planned => quote!(__s::Plan<(#(#types,)*)>),
        _ => quote!(__s::Answer),
    };
    let (check, first) = (local("check"), run.first());
    let stays = run.single().and_then(|mapped| {
        let Mapping { may_stay_behind, since: None, .. } = mapped.mapping else { return None };
        let place = at(may_stay_behind.as_ref()?.span());
        Some(quote_spanned!(place=> const _: () = __s::assert_can_stay_behind(__s::fit(&#function));))
    });
    quote! {
        #[inline]
        fn #function() -> impl #answer {
            #let_all
            (#answers)
        }
        const _: () = {
            let #check = __s::check(__MAPPED, #first, &#function);
            #checks
        };
        #stays
    }
}

/// Generates the check of the next field of a run, a statement of its own so that an error can point at it.
fn check(mapped: &Mapped<'_>, written: &Type) -> TokenStream {
    let place = mapped.place;
    let (assert, text) = match &mapped.mapping.with {
        None if mapped.field.is_plain => ("plain", text_of_type(written)),
        None => ("fits", text_of_type(written)),
        Some(with) => ("adapter", text_of_type(with)),
    };
    let assert = Ident::new(assert, place);
    let check = Ident::new("__check", Span::mixed_site().located_at(place));
    quote_spanned!(place=> let #check = #check.#assert(#text);)
}

/// The answers of all runs, as the elements of an array.
pub(super) fn answers(runs: &[Run<'_>]) -> TokenStream {
    let answers = runs.iter().map(|run| match run.form {
        Form::Dependent => {
            let constants = run.fields.iter().map(Mapped::constant);
            quote!(#(__s::dependent(#constants),)*)
        }
        _ => {
            let function = &run.answers;
            quote!(__s::fit(&#function),)
        }
    });
    answers.collect()
}

/// Generates the notes on the types of the fields, as elements of an array.
pub(super) fn types(run: &Run<'_>) -> TokenStream {
    let function = &run.answers;
    match run.form {
        Form::Dependent => run.fields.iter().map(dependent_type).collect(),
        _ => quote!(__s::types(&#function),),
    }
}

/// Does the same for a field whose type can be named only inside the impls.
fn dependent_type(mapped: &Mapped<'_>) -> TokenStream {
    let (constant, place) = (mapped.constant(), mapped.place);
    let inside = match (&mapped.mapping.with, mapped.fits_inside()) {
        (Some(with), _) => {
            let with = quiet_path(with);
            quote_spanned!(place=> __s::inside_adapter(#constant, &#with::from_wire))
        }
        (None, fits) => quote!(#fits),
    };
    quote!(&__s::TypeNotes::Dependent(#inside),)
}
