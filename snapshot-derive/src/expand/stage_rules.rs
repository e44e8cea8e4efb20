//! The stage rules of a struct, and where they are checked.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{at, local, text_of};
use crate::model::{Carriage, Stage, Struct};

/// A variant's discriminant, with the span of the attribute that names the variant.
fn number(stage: &Stage, variant: &Ident) -> TokenStream {
    let ty = &stage.ty;
    quote_spanned!(at(variant.span())=> <#ty>::#variant as __s::i32)
}

fn maybe_number(stage: &Stage, variant: Option<&Ident>) -> TokenStream {
    match variant.map(|variant| number(stage, variant)) {
        Some(number) => quote!(__s::Some(#number)),
        None => quote!(__s::None),
    }
}

/// The checks of the stages in `save_from`, each with the span of its name.
pub(super) fn checks(stage: &Stage) -> impl Iterator<Item = TokenStream> {
    stage.save_from.iter().map(|variant| {
        let (ty, text, number) = (&stage.ty, text_of(variant), number(stage, variant));
        quote_spanned! {at(variant.span())=>
            const _: () =
                __s::assert_not_transient(#text, <#ty as __s::Stage>::VARIANTS, #number);
        }
    })
}

/// The value of `Payload::STAGE_RULES`.
pub(super) fn constant(model: &Struct) -> TokenStream {
    match &model.stage {
        Some(stage) => {
            let rules = rules(stage);
            quote!(__s::Some(#rules))
        }
        None => quote!(__s::None),
    }
}

/// A `&'static StageRules`.
fn rules(stage: &Stage) -> TokenStream {
    let ty = &stage.ty;
    let save_from = stage.save_from.iter().map(|variant| number(stage, variant));
    let freeze_to = maybe_number(stage, stage.freeze_to.as_ref());
    let import_as = maybe_number(stage, stage.import_as.as_ref());
    let abort_to = maybe_number(stage, stage.abort_to.as_ref());
    let carried = matches!(stage.carriage, Carriage::Carried(_));
    quote_spanned! {at(ty.span())=>
        &__s::StageRules {
            variants: <#ty as __s::Stage>::VARIANTS,
            save_from: &[#(#save_from),*],
            freeze_to: #freeze_to,
            import_as: #import_as,
            abort_to: #abort_to,
            carried: #carried,
        }
    }
}

/// The methods of `Payload` for the stage.
pub(super) fn methods(stage: Option<&Stage>) -> TokenStream {
    let Some(Stage { field, ty, .. }) = stage else {
        return quote! {
            fn stage_number(&self) -> __s::Option<__s::i32> {
                __s::None
            }
            fn set_stage_number(&mut self, __number: __s::i32) -> __s::Result<(), __s::Error> {
                __s::Err(__s::has_no_stage(__number))
            }
        };
    };
    quote_spanned! {at(ty.span())=>
        fn stage_number(&self) -> __s::Option<__s::i32> {
            __s::Some(<#ty as __s::Stage>::number(&self.#field))
        }
        fn set_stage_number(&mut self, __number: __s::i32) -> __s::Result<(), __s::Error> {
            self.#field = __s::stage_of(<#ty as __s::Stage>::from_number(__number), __number)?;
            __s::Ok(())
        }
    }
}

/// Whether the codec itself enforces `save_from`. For a payload that carries its stage the orchestrator
/// does, before the freeze and on import, so that tools can read a payload in any stage.
pub(super) fn are_checked_by_codec(model: &Struct, stage: &Stage) -> bool {
    model.payload.is_none() || matches!(stage.carriage, Carriage::NotCarried(_))
}

/// Refuses to save in a stage that `save_from` does not name.
pub(super) fn check_before_save(stage: &Stage) -> TokenStream {
    let Stage { field, ty, .. } = stage;
    let put = local("put");
    let (number, name) = match &stage.carriage {
        Carriage::Carried(proto) => {
            (quote!(__FIELDS.#proto.number()), quote!(__FIELDS.#proto.name()))
        }
        Carriage::NotCarried(_) => {
            let name = field.to_string();
            (quote!(0), quote!(#name))
        }
    };
    let rules = rules(stage);
    quote_spanned! {at(ty.span())=>
        #put.check(
            #number,
            __s::may_save(<#ty as __s::Stage>::number(&self.#field), #rules, #name),
        );
    }
}

/// Refuses to restore a stage that no build with these rules could have saved.
pub(super) fn check_after_read(stage: &Stage, value: &TokenStream) -> Option<TokenStream> {
    let Carriage::Carried(proto) = &stage.carriage else { return None };
    let (rules, ty) = (rules(stage), &stage.ty);
    Some(quote_spanned! {at(ty.span())=>
        __s::may_restore(
            #value.map(<#ty as __s::Stage>::number),
            #rules,
            __FIELDS.#proto.name(),
        )
    })
}
