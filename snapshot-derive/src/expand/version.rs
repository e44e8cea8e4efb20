//! The code for older schema versions of a payload and for `since` on a field. Types without them get none.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::mapped::{Mapped, mapped};
use super::{at, local, quiet_path};
use crate::model::{Older, OlderMessage, Payload, Since, Struct};

/// The alias for the message of an older version.
fn message_of(version: u32, place: Span) -> Ident {
    Ident::new(&format!("__Version_{version}"), at(place))
}

/// The constant with its descriptor. If the message has none, the compiler reports every use of the
/// constant at the same place.
fn descriptor_of(version: u32, place: Span) -> Ident {
    Ident::new(&format!("__VERSION_{version}"), at(place))
}

/// A variable for the argument of a user's function, for errors that point at the function.
fn argument(name: &str, function: &Path) -> Ident {
    let mut argument = local(name);
    argument.set_span(argument.span().located_at(function.span()));
    argument
}

/// The older versions that were messages of their own.
fn messages(payload: &Payload) -> impl DoubleEndedIterator<Item = (u32, &OlderMessage)> {
    payload.older.iter().filter_map(|older| Some((older.version, older.message.as_ref()?)))
}

/// The first version from `from` on whose message is the current one.
fn first_current(payload: &Payload, from: u32) -> u32 {
    let mut later = payload.older.iter().filter(|older| older.version >= from);
    later.find(|older| older.message.is_none()).map_or(payload.version, |older| older.version)
}

/// Names for the older messages and their descriptors, and the checks of them.
pub(super) fn constants(payload: &Payload) -> TokenStream {
    let messages = messages(payload).map(|(version, OlderMessage { path, .. })| {
        let place = path.span();
        let (name, descriptor) = (message_of(version, place), descriptor_of(version, place));
        let mut definition = name.clone();
        definition.set_span(Span::call_site());
        quote_spanned! {at(place)=>
            type #definition = #path;
            const #descriptor: &__s::MessageDescriptor = <#name as __s::Schema>::DESCRIPTOR;
            const _: () = __s::assert_older_version_field(#descriptor, &__VERSION);
        }
    });
    quote!(#(#messages)*)
}

/// `Payload::OLDER`.
pub(super) fn older_constant(payload: &Payload) -> TokenStream {
    if payload.older.is_empty() {
        return TokenStream::new();
    }
    let older = payload.older.iter().map(|Older { version, message, type_url }| {
        let from = type_url.as_ref().map(|type_url| quote!(.from(#type_url)));
        match message {
            None => quote!(__s::OlderVersion::new(#version, __s::None, true) #from),
            Some(OlderMessage { path, downgrade, .. }) => {
                let (message, saves) = (descriptor_of(*version, path.span()), downgrade.is_some());
                quote_spanned! {at(path.span())=>
                    __s::OlderVersion::new(#version, __s::Some(#message), #saves) #from
                }
            }
        }
    });
    quote!(const OLDER: &'static [__s::OlderVersion] = &[#(#older),*];)
}

/// The impls for the types that the `upgrade` function of each version may return, each with the next step.
pub(super) fn upgraded_impls(model: &Struct, payload: &Payload) -> TokenStream {
    let Struct { common, message, .. } = model;
    let ident = &common.ident;
    let (impl_generics, ty_generics, where_clause) = common.generics.split_for_impl();
    let steps = messages(payload).map(|(version, older)| {
        let to = version + 1;
        let place = at(older.upgrade.span());
        let target = |made: TokenStream, finish: TokenStream| {
            quote_spanned! {place=>
                #[automatically_derived]
                impl #impl_generics __s::Upgraded<#ident #ty_generics, #to> for #made #where_clause {
                    fn finish(
                        self,
                        __r: &mut __s::Reader<'_>,
                    ) -> __s::Result<#ident #ty_generics, __s::Error> {
                        #finish
                    }
                }
            }
        };
        let next = messages(payload).find(|(version, _)| *version == to);
        let to_next = next.map(|(_, next)| {
            let (name, convert, to) = (message_of(to, place), quiet_path(&next.upgrade), to + 1);
            let finish = quote_spanned! {at(next.upgrade.span())=>
                __s::upgraded::<#ident #ty_generics, _, _, #to>(#convert(self), __r)
            };
            target(quote!(#name), finish)
        });
        // If only the meaning changed, the message is the same, and the next step applies.
        let is_same = next.is_some_and(|(_, next)| is_same_path(&next.path, message));
        let to_current = (!is_same).then(|| {
            let least = first_current(payload, to);
            target(quote!(#message), quote!(__s::read_upgraded(self, #least, __r)))
        });
        let to_state = target(quote!(#ident #ty_generics), quote!(__s::check_upgraded(self, __r)));
        quote!(#to_next #to_current #to_state)
    });
    quote!(#(#steps)*)
}

fn is_same_path(a: &Path, b: &Path) -> bool {
    quote!(#a).to_string() == quote!(#b).to_string()
}

/// The beginning of `take_fields` of a payload.
pub(super) fn take_older(model: &Struct, payload: &Payload) -> TokenStream {
    let (r, slot) = (local("r"), local("slot"));
    let ident = &model.common.ident;
    let (_, ty_generics, _) = model.common.generics.split_for_impl();
    let mut messages = messages(payload).peekable();
    if messages.peek().is_none() {
        return quote!(__s::check_version::<Self>(#r)?;);
    }
    let version = local("version");
    let upgrades = messages.map(|(number, OlderMessage { path, upgrade, .. })| {
        let (name, to) = (message_of(number, path.span()), number + 1);
        let descriptor = descriptor_of(number, path.span());
        let (convert, old) = (quiet_path(upgrade), argument("old", upgrade));
        quote_spanned! {at(upgrade.span())=>
            if #version == #number {
                *#slot = __s::Some(__s::upgrade::<#name, #ident #ty_generics, _, _, #to>(
                    #descriptor,
                    #r,
                    |#old: #name| #convert(#old),
                )?);
                return __s::Ok(());
            }
        }
    });
    quote! {
        let #version = __s::check_version::<Self>(#r)?;
        #(#upgrades)*
    }
}

/// The parts of `put_fields` for older versions: before the first field is written, and where the fields
/// are checked.
pub(super) struct PutOlder {
    /// Asks for the version, and saves through another message if that version has one.
    pub(super) before: TokenStream,
    /// Checks the fields that the version does not have.
    pub(super) checks: TokenStream,
}

pub(super) fn put_older(model: &Struct) -> PutOlder {
    let (w, version, putting) = (local("w"), local("version"), local("put"));
    let is_newer = |mapped: &Mapped<'_>| mapped.mapping.since.is_some();
    let has_older = model.payload.as_ref().is_some_and(|payload| !payload.older.is_empty());
    if !has_older && !mapped(model).any(|mapped| is_newer(&mapped)) {
        return PutOlder { before: TokenStream::new(), checks: TokenStream::new() };
    }
    let downgrades = model.payload.iter().flat_map(|payload| {
        messages(payload).filter(|(_, older)| older.downgrade.is_some()).map(|(number, older)| {
            let from = first_current(payload, number);
            let (name, descriptor) =
                (message_of(number, older.path.span()), descriptor_of(number, older.path.span()));
            let value = local("newer");
            let steps = messages(payload).rev();
            let steps = steps.filter(|(step, _)| (number..from).contains(step));
            let steps = steps.filter_map(|(step, older)| {
                let downgrade = older.downgrade.as_ref()?;
                let (convert, name) = (quiet_path(downgrade), message_of(step, older.path.span()));
                let newer = argument("newer", downgrade);
                Some(quote_spanned! {at(downgrade.span())=>
                    let #value = __s::downgraded::<#name, _>(#convert(#newer), #step)?;
                })
            });
            quote! {
                if #version == #number {
                    return __s::put_older::<Self, #name>(
                        self,
                        #descriptor,
                        (#number, #from),
                        #w,
                        |#value| {
                            #(#steps)*
                            __s::Ok(#value)
                        },
                    );
                }
            }
        })
    });
    let checks = mapped(model).filter_map(|mapped| {
        let since = mapped.mapping.since.as_ref()?;
        let (constant, number) = (mapped.constant(), since.version);
        let (older, put) = (local("older"), local("put_one"));
        let (default, value) = (default_of(&mapped, since), local("default"));
        let ident = mapped.member();
        let own = mapped.put(&quote_spanned!(mapped.place=> self.#ident), &quote!(#put));
        let absent = mapped.put(&quote!(#value), &quote!(#put));
        let (check, leave) = match mapped.stay_behind() {
            None => (quote!(check), None),
            Some(rule) => {
                (quote!(check_or_leave), Some(quote!(|| #putting.leaves_behind(#constant, #rule),)))
            }
        };
        Some(quote_spanned! {mapped.place=>
            #older.#check(
                #constant,
                #number,
                |#put| #own,
                |#put| {
                    let #value = #default;
                    #absent
                },
                #leave
            );
        })
    });
    let mut checks = checks.peekable();
    let older = local("older");
    let checks = checks.peek().is_some().then(|| {
        quote! {
            let mut #older = __s::Older::new(#version);
            #(#checks)*
            #putting.check(0, #older.end());
        }
    });
    PutOlder {
        before: quote! {
            let #version = #w.version();
            #(#downgrades)*
        },
        checks: quote!(#checks),
    }
}

/// The value of a field in a payload that is older than the field.
pub(super) fn default_of(mapped: &Mapped<'_>, since: &Since) -> TokenStream {
    let ty = &mapped.field.ty;
    match &since.default {
        Some(default) => {
            let value = local("value");
            quote_spanned! {at(default.span())=> {
                let #value: #ty = #default;
                #value
            }}
        }
        None => quote_spanned!(at(ty.span())=> __s::default::<#ty>()),
    }
}

/// The version that is written.
pub(super) fn version_written(payload: &Payload) -> TokenStream {
    let (number, version) = (payload.version, local("version"));
    match payload.older.is_empty() {
        true => quote!(&#number),
        false => quote!(&__s::earlier(#version, #number)),
    }
}
