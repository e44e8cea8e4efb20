//! A newtype that is saved as the type it wraps, wherever that type can be saved.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::GenericParam;
use syn::spanned::Spanned;

use super::{at, kept, local};
use crate::model::Newtype;

pub(super) fn expand(model: &Newtype) -> TokenStream {
    let Newtype { common, member, ty, validate } = model;
    let ident = &common.ident;
    let (_, ty_generics, where_clause) = common.generics.split_for_impl();
    let predicates = where_clause.map(|clause| {
        let predicates = &clause.predicates;
        quote!(#predicates,)
    });
    // The impls have one parameter more than the type. A const parameter may precede it.
    let parameters: Vec<TokenStream> = common.generics.params.iter().map(without_default).collect();
    let (value, inner) = (local("value"), local("inner"));
    let built = |taken: TokenStream| {
        let checked = match validate {
            Some(validate) => quote_spanned! {at(validate.span())=>
                __s::validate(#validate(&#value), __s::unnamed)?;
            },
            None => TokenStream::new(),
        };
        quote! {
            let #inner: #ty = #taken?;
            let #value = #ident { #member: #inner };
            #checked
            __s::Ok(#value)
        }
    };
    let taken = built(quote!(<#ty as __s::Wire<__K>>::take(__r)));
    let of_default = built(quote!(<#ty as __s::Wire<__K>>::of_default()));
    let finished = match validate {
        None => quote!(__s::Some(#ident { #member: #inner })),
        Some(validate) => quote_spanned! {at(validate.span())=>
            let #value = #ident { #member: #inner };
            match __s::validate(#validate(&#value), __s::unnamed) {
                __s::Ok(()) => __s::Some(#value),
                __s::Err(__why) => {
                    *__error = __s::Some(__why);
                    __s::None
                }
            }
        },
    };
    let keep = kept::of_newtype(model);
    // Whether the inner type has a property is unknown here. A bound without any parameter must hold, or the
    // code does not compile; a bound with a lifetime parameter need not hold. A bound of `Wire<__K>` has a
    // parameter, but its supertrait has none.
    quote! {
        #keep

        #[automatically_derived]
        impl<#(#parameters,)*> __s::Sealed for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl<#(#parameters,)* __K: __s::kind::Kind> __s::Wire<__K> for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::Wire<__K>,
        {
            const LEAF: __s::bool = <#ty as __s::Wire<__K>>::LEAF;
            const FORM: __s::ValueForm = <#ty as __s::Wire<__K>>::FORM;
            const INSIDE: __s::StatesInside = <#ty as __s::Wire<__K>>::INSIDE;

            fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
                <#ty as __s::Wire<__K>>::put(&self.#member, __w)
            }
            fn put_tagged(
                &self,
                __number: __s::u32,
                __w: &mut __s::Writer,
            ) -> __s::Result<(), __s::Error> {
                <#ty as __s::Wire<__K>>::put_tagged(&self.#member, __number, __w)
            }
            fn size(&self) -> __s::usize {
                <#ty as __s::Wire<__K>>::size(&self.#member)
            }
            fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
                #taken
            }
            fn is_default(&self) -> __s::bool {
                <#ty as __s::Wire<__K>>::is_default(&self.#member)
            }
            fn of_default() -> __s::Result<Self, __s::Error> {
                #of_default
            }
            fn visit(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
                <#ty as __s::Wire<__K>>::visit(&self.#member, __visit)
            }
        }

        #[automatically_derived]
        impl<#(#parameters,)* __F> __s::WireField<__F> for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::WireField<__F>,
        {
            const LEAF: __s::bool = <#ty as __s::WireField<__F>>::LEAF;
            const FORM: __s::FieldForm = <#ty as __s::WireField<__F>>::FORM;
            const INSIDE: __s::StatesInside = <#ty as __s::WireField<__F>>::INSIDE;
            type Slot = <#ty as __s::WireField<__F>>::Slot;

            fn put_field(
                &self,
                __number: __s::u32,
                __w: &mut __s::Writer,
            ) -> __s::Result<__s::u32, __s::Error> {
                <#ty as __s::WireField<__F>>::put_field(&self.#member, __number, __w)
            }
            fn field_size(&self, __number: __s::u32) -> __s::usize {
                <#ty as __s::WireField<__F>>::field_size(&self.#member, __number)
            }
            fn take_field(
                __slot: &mut Self::Slot,
                __tag: __s::Tag,
                __r: &mut __s::Reader<'_>,
            ) -> __s::Result<(), __s::Error> {
                <#ty as __s::WireField<__F>>::take_field(__slot, __tag, __r)
            }
            fn finish_field(
                __slot: Self::Slot,
                __error: &mut __s::Option<__s::Error>,
            ) -> __s::Option<Self> {
                let #inner = <#ty as __s::WireField<__F>>::finish_field(__slot, __error)?;
                #finished
            }
            fn visit_field(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
                <#ty as __s::WireField<__F>>::visit_field(&self.#member, __visit)
            }
        }

        #[automatically_derived]
        impl<#(#parameters,)* __K: __s::kind::Kind> __s::WireKey<__K> for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::WireKey<__K>,
        {
            fn wire_cmp(&self, __other: &Self) -> __s::Ordering {
                <#ty as __s::WireKey<__K>>::wire_cmp(&self.#member, &__other.#member)
            }
            fn wire_prefix(&self) -> __s::u64 {
                <#ty as __s::WireKey<__K>>::wire_prefix(&self.#member)
            }
            fn key_text(&self) -> __s::String {
                <#ty as __s::WireKey<__K>>::key_text(&self.#member)
            }
        }

        #[automatically_derived]
        impl<#(#parameters,)*> __s::NeverDefault for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::NeverDefault,
        {
        }

        #[automatically_derived]
        impl<#(#parameters,)*> __s::Length for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::Length,
        {
            const UNIT: &'static __s::str = <#ty as __s::Length>::UNIT;
            fn length(&self) -> __s::usize {
                __s::Length::length(&self.#member)
            }
        }

        #[automatically_derived]
        impl<#(#parameters,)*> __s::Reference for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::Reference,
        {
            fn add_names(&self, __names: &mut __s::Names<'_>) {
                __s::Reference::add_names(&self.#member, __names);
            }
        }

        #[automatically_derived]
        impl<#(#parameters,)*> __s::ReferenceValues for #ident #ty_generics
        where
            #predicates
            for<'__a> #ty: __s::ReferenceValues,
        {
            fn add_value_names(&self, __names: &mut __s::Names<'_>) {
                __s::ReferenceValues::add_value_names(&self.#member, __names);
            }
        }
    }
}

pub(super) fn without_default(parameter: &GenericParam) -> TokenStream {
    match parameter {
        GenericParam::Type(parameter) => {
            let (ident, colon, bounds) =
                (&parameter.ident, &parameter.colon_token, &parameter.bounds);
            quote!(#ident #colon #bounds)
        }
        GenericParam::Const(parameter) => {
            let (ident, ty) = (&parameter.ident, &parameter.ty);
            quote!(const #ident: #ty)
        }
        GenericParam::Lifetime(parameter) => quote!(#parameter),
    }
}
