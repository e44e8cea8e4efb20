//! The visit of a struct: its controllers, and the names that its fields define and refer to.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::mapped::Mapped;
use super::notes::is_given;
use super::run::Run;
use super::{at, local, quiet_path};
use crate::attr::Namespaces;
use crate::model::Mapping;

pub(super) fn visit_fields(runs: &[Run<'_>]) -> TokenStream {
    let visit = local("visit");
    let fields = runs.iter().flat_map(|run| &run.fields);
    let fields = fields.filter(|mapped| {
        let Mapping { with, defines, refers, .. } = mapped.mapping;
        with.is_some() || !mapped.field.is_plain || is_given(defines) || is_given(refers)
    });
    let fields = fields.map(|mapped| {
        let own: TokenStream = own_names(mapped).into_iter().collect();
        let (answer, ident) = (mapped.answer(), mapped.member());
        let inside = match &mapped.mapping.with {
            None if mapped.field.is_plain => return own,
            None => mapped.planned("visit", quote_spanned!(mapped.place=> &self.#ident, #visit)),
            Some(with) => {
                let with = quiet_path(with);
                quote_spanned! {mapped.place=>
                    #answer.visit_converted(
                        || __s::Converted(#with::to_wire(&self.#ident)).value(),
                        &self.#ident,
                        |__a, __b| {
                            use __s::NotCompared as _;
                            __s::Twins(__a, __b).are_equal()
                        },
                        #visit,
                    )
                }
            }
        };
        quote! {
            #own
            if let __s::Err(__error) = #inside {
                return __s::Err(__error);
            }
        }
    });
    let fields: TokenStream = fields.collect();
    if fields.is_empty() {
        return fields;
    }
    quote! {
        fn visit_fields(&self, #visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
            #fields
            __s::Ok(())
        }
    }
}

/// Generates the code that shows the names in a field.
fn own_names(mapped: &Mapped<'_>) -> Vec<TokenStream> {
    let mut names = Vec::new();
    let mut add = |namespace: &Option<LitStr>, act: TokenStream, check: TokenStream| {
        let Some(namespace) = namespace else { return };
        let (constant, ty, ident) = (mapped.constant(), &mapped.field.ty, &mapped.field.ident);
        let visit = local("visit");
        // With an adapter, the names are in the bytes.
        if mapped.mapping.with.is_none() {
            names.push(quote_spanned! {at(namespace.span())=>
                const _: () = __s::#check(#constant);
            });
        }
        names.push(quote_spanned! {at(ty.span())=>
            __s::#act::<_, #ty>(#constant, #namespace, &self.#ident, #visit);
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
