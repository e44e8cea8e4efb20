//! Stand-ins for a type with mistakes, so that each mistake is one error and not a cascade. Other code can
//! name the impls; they do nothing.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, Path};

use super::{in_const, is_dependent};
use crate::attr::{Accepts, Container, List};

pub(crate) fn fallback(input: &DeriveInput, container: &Container) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let krate: Path =
        container.krate.get().cloned().unwrap_or_else(|| syn::parse_quote!(::snapshot_core));
    let own: Vec<_> = input.generics.params.iter().map(super::newtype::without_default).collect();
    let value = quote! {
        #[automatically_derived]
        impl<#(#own,)*> __s::Sealed for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl<#(#own,)* __K: __s::kind::Kind> __s::Wire<__K> for #ident #ty_generics #where_clause {
            fn put(&self, _: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                __s::Err(__s::not_derived())
            }
            fn take(_: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                __s::Err(__s::not_derived())
            }
            fn is_default(&self) -> __s::bool {
                false
            }
        }

        #[automatically_derived]
        impl<#(#own,)* __F> __s::WireField<__F> for #ident #ty_generics #where_clause {
            type Slot = ();
            fn put_field(
                &self,
                _: __s::u32,
                _: &mut __s::Writer,
            ) -> __s::Result<__s::u32, __s::Error> {
                __s::Err(__s::not_derived())
            }
            fn take_field(
                _: &mut (),
                _: __s::Tag,
                _: &mut __s::Reader<'_>,
            ) -> __s::Result<(), __s::Error> {
                __s::Err(__s::not_derived())
            }
            fn finish_field(_: (), _: &mut __s::Option<__s::Error>) -> __s::Option<Self> {
                __s::None
            }
            fn visit_field(&self, _: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
                __s::Err(__s::not_derived())
            }
        }

        #[automatically_derived]
        impl #impl_generics __s::Reference for #ident #ty_generics #where_clause {
            fn add_names(&self, _: &mut __s::Names<'_>) {}
        }

        #[automatically_derived]
        impl #impl_generics __s::ReferenceValues for #ident #ty_generics #where_clause {
            fn add_value_names(&self, _: &mut __s::Names<'_>) {}
        }
    };
    let is_enum = matches!(input.data, syn::Data::Enum(_));
    let is_stage = is_enum && input.generics.params.is_empty();
    let stage = container.stage.get().filter(|_| is_stage).map(|proto| {
        quote! {
            #[automatically_derived]
            impl #impl_generics __s::Stage for #ident #ty_generics #where_clause {
                type Proto = #proto;
                const VARIANTS: &'static [__s::StageVariant] = &[];
                fn number(&self) -> __s::i32 {
                    0
                }
                fn from_number(_: __s::i32) -> __s::Option<Self> {
                    __s::None
                }
            }
        }
    });
    let lives = input.generics.lifetimes().next().is_none();
    let state = matches!(input.data, syn::Data::Struct(_)).then(|| {
        // Without a known message, any type will do.
        let message = container.message.get().map_or_else(|| quote!(()), |path| quote!(#path));
        let conversion = container.message.get().map(|message| {
            quote! {
                #[automatically_derived]
                impl #impl_generics __s::From<&#ident #ty_generics> for #message #where_clause {
                    fn from(_: &#ident #ty_generics) -> Self {
                        __s::default::<#message>()
                    }
                }

                #[automatically_derived]
                impl #impl_generics __s::TryFrom<#message> for #ident #ty_generics #where_clause {
                    type Error = __s::Error;
                    fn try_from(_: #message) -> __s::Result<Self, __s::Error> {
                        __s::Err(__s::not_derived())
                    }
                }
            }
        });
        let payload = lives.then(|| {
            quote! {
                #[automatically_derived]
                impl #impl_generics __s::Payload for #ident #ty_generics #where_clause {
                    const TYPE_URL: &'static __s::str = "";
                    const MESSAGE_NAME: &'static __s::str = "";
                    const VERSION: __s::u32 = 1;
                    const VERSION_FIELD: __s::u32 = 1;
                    const STAGE_RULES: __s::Option<&'static __s::StageRules> = __s::None;
                    const AFTER: &'static [__s::TypeRef] = &[];
                    fn stage_number(&self) -> __s::Option<__s::i32> {
                        __s::None
                    }
                    fn set_stage_number(&mut self, _: __s::i32) -> __s::Result<(), __s::Error> {
                        __s::Err(__s::not_derived())
                    }
                    fn own_name(&self) -> __s::Option<__s::String> {
                        __s::None
                    }
                }
            }
        });
        quote! {
            #[automatically_derived]
            impl #impl_generics __s::Keep for #ident #ty_generics #where_clause {}

            #[automatically_derived]
            impl #impl_generics __s::State for #ident #ty_generics #where_clause {
                type Message = #message;
                fn put_fields(&self, _: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                    __s::Err(__s::not_derived())
                }
                fn take_fields_into(
                    _: &mut __s::Option<Self>,
                    _: &mut __s::Reader<'_>,
                ) -> __s::Result<(), __s::Error> {
                    __s::Err(__s::not_derived())
                }
            }
            #conversion
            #payload
        }
    });
    // Imports that the user added for the attributes count as used, whatever the mistakes are.
    let paths = [&container.message, &container.stage, &container.enumeration, &container.oneof];
    let paths = paths.map(|attr| attr.get());
    let accepts = container.accept.get().into_iter().flat_map(|Accepts(accepts)| accepts);
    let older = accepts.filter_map(|accept| accept.message.as_ref());
    let paths = paths
        .into_iter()
        .flatten()
        .chain(older)
        .filter(|path| !is_dependent(path, &input.generics));
    let paths = paths.map(ToTokens::to_token_stream);
    let after = container.after.get().into_iter().flat_map(|List(types)| types);
    let types = container.controller.get().into_iter().chain(after);
    let types = types.filter(|ty| !is_dependent(ty, &input.generics));
    let named = paths.chain(types.map(ToTokens::to_token_stream));
    let named = named.map(|path| quote!(const _: __s::Option<#path> = __s::None;));
    in_const(&krate, quote!(#value #stage #state #(#named)*))
}
