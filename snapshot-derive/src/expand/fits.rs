//! Whether the types of the fields fit the proto fields: the one place where it is told.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::run::{Form, Run};
use super::struct_::Mapped;
use super::{local, text_of_type};
use crate::model::Struct;

/// A function for each run whose type is what the types of the fields answer, and the checks of the
/// answers, each where the user wrote the type. `written` has the types as they were written.
pub(super) fn expand(runs: &[Run<'_>], written: &Struct) -> TokenStream {
    let runs = runs.iter().enumerate().filter(|(_, run)| run.form != Form::Dependent);
    let functions = runs.map(|(index, run)| {
        let function = &run.answers;
        let fit = local(&format!("FIT_{index}"));
        let answers = run.fields.iter().map(|mapped| {
            let port = mapped.port();
            quote_spanned!(mapped.place()=> #port.fits(),)
        });
        let checks = run.fields.iter().enumerate().map(|(index, mapped)| {
            check(mapped, &written.fields[mapped.index].ty, &quote!(#fit.of(#index)))
        });
        let types = run.fields.iter().map(|mapped| &mapped.field.ty);
        let answer = match run.form {
            Form::Planned => quote!(__s::Plan<(#(#types,)*)>),
            _ => quote!(__s::Answer),
        };
        quote! {
            #[inline]
            fn #function() -> impl #answer {
                (#(#answers)*)
            }
            const #fit: __s::Fit = __s::fit(&#function);
            #(#checks)*
        }
    });
    functions.collect()
}

fn check(mapped: &Mapped<'_>, written: &Type, fit: &TokenStream) -> TokenStream {
    let (place, constant) = (mapped.place(), mapped.constant());
    match &mapped.mapping.with {
        None => {
            let text = text_of_type(written);
            let assert = match mapped.field.is_plain {
                true => quote_spanned!(place=> assert_plain_fits),
                false => quote_spanned!(place=> assert_fits),
            };
            quote_spanned!(place=> const _: () = __s::#assert(#fit, #constant, #text);)
        }
        Some(with) => {
            let text = text_of_type(with);
            quote_spanned! {place=>
                const _: () = __s::assert_adapter_fits(#fit, #constant, #text);
            }
        }
    }
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
