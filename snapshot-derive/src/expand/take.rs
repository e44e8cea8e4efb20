//! `take_fields` of a struct: the code that reads its message.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::mapped::Mapped;
use super::run::{Form, Run, only};
use super::{at, constant_of, local, payload, stage_rules, version};
use crate::model::{Carriage, Field, Role, Struct};

pub(super) fn take_fields(model: &Struct, runs: &[Run<'_>]) -> TokenStream {
    let (r, take, tag) = (local("r"), local("take"), local("tag"));
    let ident = &model.common.ident;
    let descriptor = constant_of(&model.message, "__DESCRIPTOR");
    let discarded = match model.discarded.is_empty() {
        true => quote!(&[]),
        false => quote!(__DISCARDED),
    };
    let version_variable = local("version");
    let older = model.payload.as_ref().map(|payload| version::take_older(model, payload));
    let open_version = model.payload.as_ref().map(|_| {
        let open = payload::version_planned("open", quote!(&mut #version_variable, &mut #take, #r));
        quote! {
            let mut #version_variable = __s::default();
            #open;
        }
    });
    let version_offer = model.payload.as_ref().map(|_| {
        payload::version_planned("offer", quote!(&mut #version_variable, &mut #take, #tag, #r))
    });
    let opened = runs.iter().map(|run| {
        let variable = &run.variable;
        let Some(mapped) = run.single() else {
            let plan = &run.answers;
            return quote! {
                let mut #variable = __s::default();
                __s::Plan::open(#plan(), &mut #variable, &mut #take, #r);
            };
        };
        let since = mapped.mapping.since.as_ref().map(|since| since.version);
        if mapped.mapping.with.is_some() {
            let answer = mapped.answer();
            let open = match since {
                None => quote_spanned!(mapped.place=> open_adapter(&mut #take, #r)),
                Some(since) => {
                    quote_spanned!(mapped.place=> open_adapter_since(#since, &mut #take, #r))
                }
            };
            return quote_spanned!(mapped.place=> let mut #variable = #answer.#open;);
        }
        let open = mapped.planned("open", quote!(&mut #variable, &mut #take, #r));
        let open = match since {
            None => quote!(#open;),
            Some(since) => quote!(if #r.version() >= #since { #open; }),
        };
        quote! {
            let mut #variable = __s::default();
            #open
        }
    });
    let offers = runs.iter().map(|run| {
        let variable = &run.variable;
        let Some(mapped) = run.single() else {
            let plan = &run.answers;
            return quote!(__s::Plan::offer(#plan(), &mut #variable, &mut #take, #tag, #r));
        };
        let constant = mapped.constant();
        let since = mapped.mapping.since.as_ref().map(|since| since.version);
        match (&mapped.mapping.with, since) {
            (Some(_), None) => quote!(#variable.offer(#constant, &mut #take, #tag, #r)),
            (Some(_), Some(since)) => {
                quote!(#variable.offer_since(#constant, #since, &mut #take, #tag, #r))
            }
            (None, None) => mapped.planned("offer", quote!(&mut #variable, &mut #take, #tag, #r)),
            (None, Some(since)) => {
                let arguments = quote!(#since, &mut #variable, &mut #take, #tag, #r);
                mapped.planned("offer_since", arguments)
            }
        }
    });
    let offers = version_offer.into_iter().chain(offers);
    let finish = runs.iter().map(|run| {
        let variable = &run.variable;
        let Some(mapped) = run.single() else {
            let plan = &run.answers;
            return quote!(let #variable = __s::Plan::finish(#plan(), #variable, &mut #take););
        };
        let finish = match &mapped.mapping.with {
            None => mapped.planned("finish", quote!(#variable, &mut #take)),
            Some(_) => {
                let constant = mapped.constant();
                quote_spanned!(mapped.place=> #variable.finish(#constant, &mut #take, #r))
            }
        };
        let finish = match &mapped.mapping.since {
            None => finish,
            Some(since) => {
                let (default, since) = (version::default_of(mapped, since), since.version);
                quote!(if #r.version() < #since { __s::Some(#default) } else { #finish })
            }
        };
        let ty = &mapped.field.ty;
        quote_spanned!(mapped.place=> let #variable: __s::Option<#ty> = #finish;)
    });
    let values: Vec<_> = runs.iter().flat_map(Run::values).collect();
    // The value of a field, if it was read without an error.
    let known = |mapped: &Mapped<'_>, value: &TokenStream, place: Span| {
        let constant = mapped.constant();
        quote_spanned!(place=> #take.known(#constant, &#value))
    };
    let of_field = |ident: &Ident| values.iter().find(|(mapped, _)| mapped.field.ident == *ident);
    let check = |mapped: &Mapped<'_>, result: TokenStream| {
        let constant = mapped.constant();
        quote!(#take.check(#constant, #result, #r);)
    };
    let bounds = values.iter().flat_map(|(mapped, value)| {
        let bounds = mapped.bounds(|place| known(mapped, value, place));
        let limits = mapped.limits(|field, place| match of_field(field) {
            Some((mapped, value)) => known(mapped, value, place),
            None => quote!(__s::None),
        });
        let all: Vec<_> = bounds.into_iter().chain(limits).collect();
        all.into_iter().map(|bound| check(mapped, bound))
    });
    let stage = model
        .stage
        .iter()
        .filter(|stage| stage_rules::are_checked_by_codec(model, stage))
        .filter_map(|stage| {
            let (mapped, value) = of_field(&stage.field)?;
            let value = known(mapped, value, at(stage.ty.span()));
            Some(check(mapped, stage_rules::check_after_read(stage, &value)?))
        });
    let id = model.payload.as_ref().and_then(|payload| payload.id.as_ref());
    let name = id.and_then(of_field).map(|(mapped, value)| {
        let place = at(mapped.field.ident.span());
        let (constant, mut take) = (mapped.constant(), take.clone());
        take.set_span(take.span().located_at(place));
        quote_spanned!(place=> #take.name(#constant, &#value, __s::name_of);)
    });
    let variables: Vec<_> = runs.iter().map(|run| &run.variable).collect();
    let options = runs.iter().map(|run| {
        let variable = &run.variable;
        match run.form {
            Form::Planned => quote!(__s::Options::all(#variable)),
            _ => quote!(#variable),
        }
    });
    let read = values.iter().map(|(mapped, value)| {
        let ident = mapped.member();
        quote_spanned!(mapped.place=> #ident: #value,)
    });
    let skipped = model.fields.iter().filter_map(|field| skipped(model, field));
    let members: TokenStream = read.chain(skipped).collect();
    let (state, slot) = (local("state"), local("slot"));
    let validate = model.validate.as_ref().map(|validate| {
        let name = match id {
            Some(id) => {
                quote_spanned!(at(id.span())=> || __s::Some(__s::name_of(&#state.#id)))
            }
            None => quote!(__s::unnamed),
        };
        quote_spanned!(at(validate.span())=> __s::validate(#validate(&#state), #name)?;)
    });
    let make = quote! {
        let #state = #ident { #members };
        #validate
        *#slot = __s::Some(#state);
        __s::Ok(())
    };
    let body = match only(model, runs) {
        Some(run) => {
            let (variable, plan) = (&run.variable, &run.answers);
            quote! {
                let #variable = match __s::take_planned(#plan(), #descriptor, #discarded, #r) {
                    __s::Ok(__values) => __values,
                    __s::Err(__error) => return __s::Err(__error),
                };
                #make
            }
        }
        None => quote! {
            #older
            let mut #take = __s::Taking::begun(#r);
            // In canonical encoding the fields come in their order.
            #open_version
            #(#opened)*
            while let __s::Some(#tag) = #take.next(#r) {
                // The first field that the tag belongs to reads the value.
                if !(false #(|| #offers)*) {
                    #take.unmapped(#descriptor, #discarded, #tag, #r);
                }
            }
            #(#finish)*
            #(#bounds)*
            #(#stage)*
            #name
            if let __s::Err(__error) = #take.end() {
                return __s::Err(__error);
            }
            match (#(#options,)*) {
                (#(__s::Some(#variables),)*) => { #make }
                _ => __s::Err(__s::lost_error()),
            }
        },
    };
    quote! {
        // A nested message is then read by one function, which moves it once. The same goes for `put_fields`.
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn take_fields_into(
            #slot: &mut __s::Option<Self>,
            #r: &mut __s::Reader<'_>,
        ) -> __s::Result<(), __s::Error> {
            #body
        }
    }
}

/// The initialiser of a field that is not saved.
fn skipped(model: &Struct, field: &Field) -> Option<TokenStream> {
    let (ident, ty) = (&field.ident, &field.ty);
    if let Role::ReadVersion = field.role {
        let r = local("r");
        return Some(quote_spanned!(at(ty.span())=> #ident: __s::version_read::<Self>(#r),));
    }
    let Role::Skipped(value) = &field.role else { return None };
    let stage = model.stage.as_ref().filter(|stage| stage.field == *ident);
    Some(match (stage.map(|stage| &stage.carriage), value) {
        (Some(Carriage::NotCarried(live)), _) => quote!(#ident: <#ty>::#live,),
        (_, Some(value)) => quote!(#ident: #value,),
        (_, None) => quote_spanned!(at(ty.span())=> #ident: __s::default::<#ty>(),),
    })
}
