//! Whether the types of the fields fit the proto fields: the one place where it is told.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::struct_::{Mapped, mapped};
use super::{is_dependent, local, text_of_type};
use crate::model::Struct;

/// How many answers one tuple has.
const GROUP: usize = 8;

/// The function `__fits`, whose type is what all types of the fields answer, and the checks of the
/// answers, each where the user wrote the type. `written` has the types as they were written.
pub(super) fn expand(model: &Struct, written: &Struct) -> TokenStream {
    let generics = &written.common.generics;
    let fields = mapped(model).zip(mapped(written));
    let fields: Vec<_> =
        fields.filter(|(_, written)| !is_dependent(&written.field.ty, generics)).collect();
    let answers = fields.iter().map(|(mapped, _)| {
        let port = mapped.port();
        quote_spanned!(mapped.place()=> #port.fits())
    });
    let (answers, levels) = grouped(answers.collect());
    let checks = fields
        .iter()
        .enumerate()
        .map(|(index, (mapped, written))| check(mapped, written, index, levels));
    quote! {
        #[inline]
        fn __fits() -> impl __s::Answer {
            #answers
        }
        const __FIT: __s::Fit = __s::fit(&__fits);
        #(#checks)*
    }
}

/// The answers as tuples of tuples, and how many levels of them there are.
fn grouped(mut answers: Vec<TokenStream>) -> (TokenStream, u32) {
    let mut levels = 1;
    while answers.len() > GROUP {
        answers = answers.chunks(GROUP).map(|group| quote!((#(#group,)*))).collect();
        levels += 1;
    }
    match &answers[..] {
        // A literal `()` at the end of a function is what clippy warns of.
        [] => (quote!(__s::NO_ANSWERS), levels),
        _ => (quote!((#(#answers,)*)), levels),
    }
}

fn check(mapped: &Mapped<'_>, written: &Mapped<'_>, index: usize, levels: u32) -> TokenStream {
    let (place, constant) = (mapped.place(), mapped.constant());
    let of = (0..levels).rev().map(|level| {
        let index = index / GROUP.pow(level) % GROUP;
        quote_spanned!(place=> .of(#index))
    });
    match &mapped.mapping.with {
        None => {
            let text = text_of_type(&written.field.ty);
            let assert = match mapped.field.is_plain {
                true => quote_spanned!(place=> assert_plain_fits),
                false => quote_spanned!(place=> assert_fits),
            };
            quote_spanned!(place=> const _: () = __s::#assert(__FIT #(#of)*, #constant, #text);)
        }
        Some(with) => {
            let text = text_of_type(with);
            quote_spanned! {place=>
                const _: () = __s::assert_adapter_fits(__FIT #(#of)*, #constant, #text);
            }
        }
    }
}

/// Notes what the attributes inside of these fields say.
pub(super) fn annotate() -> TokenStream {
    let notes = local("notes");
    quote!(__s::annotate(__fits, #notes);)
}
