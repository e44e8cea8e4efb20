//! Reads a crate into a tree of modules: its files, and the names that each module defines or imports.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Item, Lit, Meta, UseTree};

use super::production::is_test_only;

/// The source text at a path relative to the workspace; `None` if the file does not exist.
pub(super) type Read<'r> = dyn Fn(&Path) -> Result<Option<String>> + 'r;

/// A parsed crate.
pub(super) struct Crate {
    /// The name of the crate in its own code, as in `extern crate self as name`.
    pub(super) name: String,
    pub(super) files: Vec<PathBuf>,
    /// The root comes first.
    pub(super) modules: Vec<Module>,
}

pub(super) type FileId = usize;
pub(super) type ModuleId = usize;

/// One module, in a file of its own or inside another one's.
pub(super) struct Module {
    /// The names from the root of the crate, without the crate.
    pub(super) path: Vec<String>,
    pub(super) parent: Option<ModuleId>,
    pub(super) file: FileId,
    /// The meanings of each name, which can be in several namespaces.
    pub(super) names: HashMap<String, Vec<Meaning>>,
    /// The paths of glob imports.
    pub(super) globs: Vec<Vec<String>>,
    /// The production items, each with the file that it is written in.
    pub(super) items: Vec<(FileId, Item)>,
}

/// The meaning of a name in a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An item that is defined here.
    Item(FileId),
    Module(ModuleId),
    /// Imported from this path.
    Import(Vec<String>),
}

impl Crate {
    /// Parses the crate with the root file `root`. Follows `mod` and `include!`, and skips code that is
    /// compiled only for tests.
    pub(super) fn load(name: &str, root: &Path, read: &Read<'_>) -> Result<Self> {
        let mut this =
            Self { name: name.replace('-', "_"), files: Vec::new(), modules: Vec::new() };
        let file = this.add_file(root);
        let module = this.add_module(Vec::new(), None, file);
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        let items = parse(root, read)?;
        this.add_items(module, file, &folder, items, read)?;
        Ok(this)
    }

    fn add_file(&mut self, path: &Path) -> FileId {
        self.files.push(path.to_owned());
        self.files.len() - 1
    }

    fn add_module(
        &mut self,
        path: Vec<String>,
        parent: Option<ModuleId>,
        file: FileId,
    ) -> ModuleId {
        let (names, globs, items) = (HashMap::new(), Vec::new(), Vec::new());
        self.modules.push(Module { path, parent, file, names, globs, items });
        self.modules.len() - 1
    }

    fn add_name(&mut self, module: ModuleId, name: String, meaning: Meaning) {
        self.modules[module].names.entry(name).or_default().push(meaning);
    }

    /// Adds the items of a module; the files of modules inside are looked for in `folder`.
    fn add_items(
        &mut self,
        module: ModuleId,
        file: FileId,
        folder: &Path,
        items: Vec<Item>,
        read: &Read<'_>,
    ) -> Result<()> {
        for item in items {
            if is_test_only(attributes(&item)) {
                continue;
            }
            match &item {
                Item::Mod(inner) => {
                    self.add_child(module, file, folder, inner, read)?;
                    continue;
                }
                Item::Macro(call) if call.ident.is_none() && call.mac.path.is_ident("include") => {
                    let path: syn::LitStr = call.mac.parse_body().with_context(|| {
                        format!("{}: `include!` of no literal", self.files[file].display())
                    })?;
                    let beside = self.files[file].parent().unwrap_or(Path::new(""));
                    let path = joined(beside, &path.value());
                    let included = self.add_file(&path);
                    let items = parse(&path, read)?;
                    self.add_items(module, included, folder, items, read)?;
                    continue;
                }
                Item::Use(import) => {
                    let mut prefix = Vec::new();
                    if import.leading_colon.is_some() {
                        prefix.push(String::new());
                    }
                    self.add_imports(module, prefix, &import.tree);
                }
                _ => {
                    for name in names(&item) {
                        // `#[macro_export]` puts a macro at the root, from any module.
                        let at = if is_exported_macro(&item) { 0 } else { module };
                        self.add_name(at, name, Meaning::Item(file));
                    }
                }
            }
            self.modules[module].items.push((file, item));
        }
        Ok(())
    }

    fn add_child(
        &mut self,
        parent: ModuleId,
        file: FileId,
        folder: &Path,
        item: &syn::ItemMod,
        read: &Read<'_>,
    ) -> Result<()> {
        let name = plain(&item.ident);
        let mut path = self.modules[parent].path.clone();
        path.push(name.clone());
        if let Some((_, items)) = &item.content {
            let child = self.add_module(path, Some(parent), file);
            self.add_name(parent, name.clone(), Meaning::Module(child));
            return self.add_items(child, file, &folder.join(&name), items.clone(), read);
        }
        let candidates = match explicit_path(&item.attrs) {
            Some(path) => {
                vec![joined(self.files[file].parent().unwrap_or(Path::new("")), &path)]
            }
            None => vec![folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")],
        };
        for candidate in &candidates {
            let Some(text) = read(candidate)? else { continue };
            let items = parse_text(candidate, &text)?;
            let child_file = self.add_file(candidate);
            let child = self.add_module(path, Some(parent), child_file);
            self.add_name(parent, name.clone(), Meaning::Module(child));
            let inside = match candidate.file_name().is_some_and(|name| name == "mod.rs") {
                true => candidate.parent().unwrap_or(Path::new("")).to_owned(),
                false => candidate.with_extension(""),
            };
            return self.add_items(child, child_file, &inside, items, read);
        }
        let line = item.span().start().line;
        anyhow::bail!("{}:{line}: no file for module `{name}`", self.files[file].display())
    }

    fn add_imports(&mut self, module: ModuleId, mut path: Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(tree) => {
                path.push(plain(&tree.ident));
                self.add_imports(module, path, &tree.tree);
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                let name = path.last().cloned().unwrap_or_default();
                self.add_name(module, name, Meaning::Import(path));
            }
            UseTree::Name(tree) => {
                let name = plain(&tree.ident);
                path.push(name.clone());
                self.add_name(module, name, Meaning::Import(path));
            }
            UseTree::Rename(tree) => {
                if tree.ident != "self" {
                    path.push(plain(&tree.ident));
                }
                self.add_name(module, plain(&tree.rename), Meaning::Import(path));
            }
            UseTree::Glob(_) => self.modules[module].globs.push(path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_imports(module, path.clone(), tree);
                }
            }
        }
    }
}

/// A path in `folder` without any `..`, so that each file has only one path.
fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut joined = folder.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => {
                joined.pop();
            }
            component => joined.push(component),
        }
    }
    joined
}

/// An identifier without `r#`.
pub(super) fn plain(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

fn parse(path: &Path, read: &Read<'_>) -> Result<Vec<Item>> {
    let text = read(path)?.with_context(|| format!("{}: no such file", path.display()))?;
    parse_text(path, &text)
}

fn parse_text(path: &Path, text: &str) -> Result<Vec<Item>> {
    let file = syn::parse_file(text).map_err(|error| {
        anyhow::anyhow!("{}:{}: {error}", path.display(), error.span().start().line)
    })?;
    Ok(file.items)
}

/// The value of `#[path = "..."]`.
fn explicit_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

fn is_exported_macro(item: &Item) -> bool {
    matches!(item, Item::Macro(_))
        && attributes(item).iter().any(|attribute| attribute.path().is_ident("macro_export"))
}

/// The names that an item defines in its module.
fn names(item: &Item) -> Vec<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => match &item.ident {
            Some(ident) => ident,
            None => return Vec::new(),
        },
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return Vec::new(),
    };
    vec![plain(ident)]
}

/// The attributes of an item.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
