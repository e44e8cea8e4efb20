//! Collects the paths in a crate's production code, and their targets.
//!
//! The collection covers `use`, paths in types and expressions, and the tokens of macros, both their
//! definitions and their calls. It ignores comments, strings, attributes, visibilities and code that is
//! compiled only for tests.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Stmt, TraitItem, UseTree, Visibility};

use super::modules::{Crate, FileId, ModuleId, plain};
use super::production::is_test_only;
use super::resolve::{is_from_glob, resolve};

/// One mention of something in another file of the same crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: FileId,
    pub(super) line: usize,
    pub(super) to: FileId,
    pub(super) from_module: ModuleId,
    pub(super) to_module: ModuleId,
}

/// Every mention, by file and line, each line's target once.
pub(super) fn edges(krate: &Crate) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (module, content) in krate.modules.iter().enumerate() {
        for (file, item) in &content.items {
            let mut paths = Paths::default();
            paths.visit_item(item);
            for Mention { path, line } in paths.found {
                // A single name that the module defines or imports is not an import.
                if let [name] = &*path
                    && !is_from_glob(krate, module, name)
                {
                    continue;
                }
                for target in resolve(krate, module, &path) {
                    edges.push(Edge {
                        from: *file,
                        line,
                        to: target.file,
                        from_module: module,
                        to_module: target.module,
                    });
                }
            }
        }
    }
    edges.retain(|edge| edge.from != edge.to);
    edges.sort();
    edges.dedup();
    edges
}

struct Mention {
    path: Vec<String>,
    line: usize,
}

#[derive(Default)]
struct Paths {
    found: Vec<Mention>,
}

impl Paths {
    fn add_imports(&mut self, prefix: &[String], tree: &UseTree) {
        let mut path = prefix.to_vec();
        let line = |ident: &syn::Ident| ident.span().start().line;
        match tree {
            UseTree::Path(tree) => {
                path.push(plain(&tree.ident));
                self.add_imports(&path, &tree.tree);
            }
            UseTree::Name(tree) => {
                if tree.ident != "self" {
                    path.push(plain(&tree.ident));
                }
                self.add_import(path, line(&tree.ident));
            }
            UseTree::Rename(tree) => {
                if tree.ident != "self" {
                    path.push(plain(&tree.ident));
                }
                self.add_import(path, line(&tree.ident));
            }
            UseTree::Glob(tree) => {
                self.add_import(path, tree.star_token.spans[0].start().line);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_imports(&path, tree);
                }
            }
        }
    }

    fn add_import(&mut self, mut path: Vec<String>, line: usize) {
        // `use name;` may name a child or a crate; `self::` makes it more than a single name.
        if path.len() == 1 && path[0] != "self" {
            path.insert(0, "self".to_owned());
        }
        self.found.push(Mention { path, line });
    }

    /// The paths in the tokens of a macro. In a quotation, only paths from the root of the crate count:
    /// the others belong to the generated code.
    fn add_tokens(&mut self, tokens: TokenStream, is_quotation: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |index: usize, wanted: char| matches!(tokens.get(index), Some(TokenTree::Punct(p)) if p.as_char() == wanted);
        let mut index = 0;
        while index < tokens.len() {
            match &tokens[index] {
                TokenTree::Group(group) => {
                    self.add_tokens(group.stream(), is_quotation);
                    index += 1;
                }
                TokenTree::Ident(first) => {
                    let line = first.span().start().line;
                    let is_field = index > 0 && is(index - 1, '.');
                    let mut path = vec![plain(first)];
                    index += 1;
                    while is(index, ':') && is(index + 1, ':') {
                        let Some(TokenTree::Ident(next)) = tokens.get(index + 2) else { break };
                        path.push(plain(next));
                        index += 3;
                    }
                    let counts = if is_quotation { path[0] == "crate" } else { !is_field };
                    if counts {
                        self.found.push(Mention { path, line });
                    }
                }
                _ => index += 1,
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_only(super::modules::attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    // A module inside is one of the crate's own.
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let prefix: Vec<String> = item.leading_colon.iter().map(|_| String::new()).collect();
        self.add_imports(&prefix, &item.tree);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !is_test_only(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes: &[Attribute] = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !is_test_only(attributes) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_test_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !is_test_only(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if !is_test_only(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !is_test_only(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let attributes: &[Attribute] = match statement {
            Stmt::Local(local) => &local.attrs,
            Stmt::Macro(call) => &call.attrs,
            Stmt::Expr(syn::Expr::Block(block), _) => &block.attrs,
            Stmt::Expr(syn::Expr::If(branch), _) => &branch.attrs,
            Stmt::Expr(syn::Expr::Call(call), _) => &call.attrs,
            Stmt::Expr(syn::Expr::MethodCall(call), _) => &call.attrs,
            _ => &[],
        };
        if !is_test_only(attributes) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let root = path.leading_colon.iter().map(|_| String::new());
            let names = path.segments.iter().map(|segment| plain(&segment.ident));
            let line = first.ident.span().start().line;
            self.found.push(Mention { path: root.chain(names).collect(), line });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        let name = call.path.segments.last().map(|segment| plain(&segment.ident));
        let quotations = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];
        let is_quotation = name.is_some_and(|name| quotations.contains(&name.as_str()));
        self.add_tokens(call.tokens.clone(), is_quotation);
    }

    // `pub(in crate::room)` grants; it imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}
