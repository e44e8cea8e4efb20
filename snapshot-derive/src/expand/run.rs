//! The mapped fields of a struct, in runs. Fields without special attributes share one plan, which the
//! compiler checks much faster than separate calls for each field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Index};

use super::mapped::{Mapped, mapped};
use super::{is_dependent, local, numbered};
use crate::model::Struct;

/// How many fields one plan has at most.
const LONGEST: usize = 12;

/// Consecutive fields that share one plan, or one field alone.
pub(super) struct Run<'m> {
    /// The variable for their values while they are read.
    pub(super) variable: Ident,
    /// The function whose return type holds the answers of their types.
    pub(super) answers: Ident,
    pub(super) fields: Vec<Mapped<'m>>,
    pub(super) form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The function is the plan.
    Planned,
    /// One field, with a `with`, a `since`, an `unshared` or a `may_stay_behind`.
    Single,
    /// One field whose type can be named only inside the impls, so there is no function.
    Dependent,
}

/// The only run of a message that needs nothing else: one plan, then the struct is built.
pub(super) fn only<'r, 'm>(model: &Struct, runs: &'r [Run<'m>]) -> Option<&'r Run<'m>> {
    let [run] = runs else { return None };
    let is_checked = run.fields.iter().any(|mapped| mapped.mapping.is_checked());
    let is_more = model.payload.is_some() || model.stage.is_some() || is_checked;
    (run.form == Form::Planned && !is_more).then_some(run)
}

/// The runs of a struct, in the order of its fields.
pub(super) fn runs(model: &Struct) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for mapped in mapped(model) {
        let form = form(&mapped, model);
        match runs.last_mut() {
            Some(run)
                if (form, run.form) == (Form::Planned, Form::Planned)
                    && run.fields.len() < LONGEST =>
            {
                run.fields.push(mapped);
            }
            _ => {
                let index = runs.len();
                runs.push(Run {
                    variable: match form {
                        Form::Planned => local(&format!("fields_{index}")),
                        _ => numbered(index, mapped.place),
                    },
                    answers: local(&format!("answers_{index}")),
                    fields: vec![mapped],
                    form,
                });
            }
        }
    }
    runs
}

fn form(mapped: &Mapped<'_>, model: &Struct) -> Form {
    if !mapped.field.is_plain && is_dependent(&mapped.field.ty, &model.common.generics) {
        Form::Dependent
    } else if mapped.mapping.with.is_some()
        || mapped.mapping.since.is_some()
        || mapped.mapping.is_unshared
        || mapped.mapping.may_stay_behind.is_some()
    {
        Form::Single
    } else {
        Form::Planned
    }
}

impl<'m> Run<'m> {
    /// The only field of a run without a plan.
    pub(super) fn single(&self) -> Option<&Mapped<'m>> {
        self.fields.first().filter(|_| self.form != Form::Planned)
    }

    /// The index of the first field in `__MAPPED`.
    pub(super) fn first(&self) -> usize {
        self.fields.first().map_or(0, |mapped| mapped.place_among_mapped)
    }

    /// Each field with the expression for its value in the variable.
    pub(super) fn values(&self) -> impl Iterator<Item = (&Mapped<'m>, TokenStream)> {
        self.fields.iter().zip(0..).map(|(mapped, index)| {
            let mut variable = self.variable.clone();
            variable.set_span(variable.span().located_at(mapped.place));
            let index = Index { index, span: mapped.place };
            let value = match self.form {
                Form::Planned => quote_spanned!(mapped.place=> #variable.#index),
                _ => quote!(#variable),
            };
            (mapped, value)
        })
    }

    /// References to the fields of `self`.
    pub(super) fn references(&self) -> TokenStream {
        // Collected first: interpolating each into the outer code costs a call of the compiler.
        let references: TokenStream = self
            .fields
            .iter()
            .map(|mapped| {
                let ident = mapped.member();
                quote_spanned!(mapped.place=> &self.#ident,)
            })
            .collect();
        quote!((#references))
    }
}
