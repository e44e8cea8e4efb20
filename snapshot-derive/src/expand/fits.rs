//! Whether the types of the fields fit the proto fields: the one place where it is told.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Type};

use super::run::{Form, Run};
use super::struct_::Mapped;
use super::{constant_of, local, text_of_type};
use crate::model::Struct;

/// A function for each run whose type is what the types of the fields answer, and the checks of the
/// answers, each where the user wrote the type. `written` has the types as they were written.
pub(super) fn expand(runs: &[Run<'_>], written: &Struct) -> TokenStream {
    let (all, fields) = (local("all"), constant_of(&written.message, "__FIELDS"));
    let runs = runs.iter().enumerate().filter(|(_, run)| run.form != Form::Dependent);
    let functions = runs.map(|(index, run)| {
        let function = &run.answers;
        let fit = local(&format!("FIT_{index}"));
        let answers = run.fields.iter().map(|mapped| match run.form {
            Form::Planned => {
                let (ty, proto) = (&mapped.field.ty, &mapped.mapping.proto);
                quote_spanned!(mapped.place()=> __s::port::<_, #ty>(&(*#all).#proto).fits(),)
            }
            _ => {
                let port = mapped.port();
                quote_spanned!(mapped.place()=> #port.fits(),)
            }
        });
        let checks =
            run.fields.iter().enumerate().map(|(index, mapped)| {
                check(mapped, &written.fields[mapped.index].ty, &fit, index)
            });
        // Once, since each mention of a constant takes its time.
        let let_all = (run.form == Form::Planned).then(|| quote!(let #all = #fields;));
        let types = run.fields.iter().map(|mapped| &mapped.field.ty);
        let answer = match run.form {
            Form::Planned => quote!(__s::Plan<(#(#types,)*)>),
            _ => quote!(__s::Answer),
        };
        quote! {
            #[inline]
            fn #function() -> impl #answer {
                #let_all
                (#(#answers)*)
            }
            const #fit: __s::Fit = __s::fit(&#function);
            #(#checks)*
        }
    });
    functions.collect()
}

fn check(mapped: &Mapped<'_>, written: &Type, fit: &Ident, index: usize) -> TokenStream {
    let (place, span) = (mapped.place(), mapped.span);
    let (assert, text) = match &mapped.mapping.with {
        None if mapped.field.is_plain => ("assert_plain_fits", text_of_type(written)),
        None => ("assert_fits", text_of_type(written)),
        Some(with) => ("assert_adapter_fits", text_of_type(with)),
    };
    let assert = Ident::new(assert, place);
    quote_spanned!(place=> const _: () = __s::#assert(&__SPANS[#span], #fit, #index, #text);)
}

/// Notes what the attributes inside of the fields say.
pub(super) fn annotate(run: &Run<'_>) -> TokenStream {
    let (notes, function) = (local("notes"), &run.answers);
    match run.form {
        Form::Dependent => {
            let ports = run.fields.iter().map(Mapped::port);
            quote!(#(#ports.annotate(#notes);)*)
        }
        _ => quote!(__s::annotate(#function, #notes);),
    }
}
