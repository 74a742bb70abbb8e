//! The crate's own source as the compiler sees it: files, modules, items and the names that each file uses.
//!
//! Comments and strings are not parsed as code. Unit tests (`#[cfg(test)]`) are left out.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A path of names: `crate::api::url` is `["api", "url"]`.
type ModulePath = Vec<String>;

/// What a name in a module stands for.
enum Binding {
    /// An item that the module itself defines.
    Defined,
    /// A `use` of another path, written as it is resolved from the module.
    Imported(ModulePath),
}

struct Module {
    /// Index into [`SourceTree::files`].
    file: usize,
    names: HashMap<String, Binding>,
    globs: Vec<ModulePath>,
}

/// One file with its code, tests left out.
pub(crate) struct SourceFile {
    /// Below `src`, with `/`.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) items: Vec<syn::Item>,
    module: ModulePath,
}

/// The files of `src` and the modules they make.
pub(crate) struct SourceTree {
    pub(crate) files: Vec<SourceFile>,
    modules: HashMap<ModulePath, Module>,
}

impl SourceTree {
    pub(crate) fn read() -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut paths = rust_files(&src);
        paths.sort();
        let files = paths.iter().filter_map(|path| SourceFile::read(&src, path)).collect();
        let mut tree = Self { files, modules: HashMap::new() };
        for index in 0..tree.files.len() {
            let module = tree.files[index].module.clone();
            let items = std::mem::take(&mut tree.files[index].items);
            tree.add_module(index, &module, &items);
            tree.files[index].items = items;
        }
        tree
    }

    fn add_module(&mut self, file: usize, path: &[String], items: &[syn::Item]) {
        let mut module = Module { file, names: HashMap::new(), globs: Vec::new() };
        for item in items {
            match item {
                syn::Item::Mod(inner) => {
                    if let Some((_, items)) = &inner.content {
                        self.add_module(file, &join(path, &inner.ident.to_string()), items);
                    }
                }
                syn::Item::Use(used) => {
                    for (name, target) in use_paths(&used.tree) {
                        let target = absolute(path, &target);
                        match name.as_deref() {
                            Some("*") => module.globs.push(target),
                            Some(name) => {
                                module.names.insert(name.to_owned(), Binding::Imported(target));
                            }
                            None => {}
                        }
                    }
                }
                item => {
                    if let Some(name) = item_name(item) {
                        module.names.insert(name, Binding::Defined);
                    }
                }
            }
        }
        self.modules.insert(path.to_vec(), module);
    }

    /// The file that defines what `path`, absolute in the crate, names; nothing for other crates.
    fn defining_file(&self, path: &[String], depth: usize) -> Option<usize> {
        let known = (0..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n]))?;
        let module = &self.modules[&path[..known]];
        let Some(name) = path.get(known) else { return Some(module.file) };
        if depth > 16 {
            return None;
        }
        match module.names.get(name) {
            Some(Binding::Defined) => Some(module.file),
            Some(Binding::Imported(target)) => {
                let whole = [target.as_slice(), &path[known + 1..]].concat();
                self.defining_file(&whole, depth + 1)
            }
            None => module.globs.iter().find_map(|glob| {
                let whole = [glob.as_slice(), &path[known..]].concat();
                self.defining_file(&whole, depth + 1)
            }),
        }
    }

    /// The file behind `path` as it is written in `module`; nothing for local names and other crates.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<usize> {
        let first = path.first()?;
        if matches!(first.as_str(), "crate" | "self" | "super") {
            return self.defining_file(&absolute(module, &path.to_vec()), 0);
        }
        let here = [module, path].concat();
        let child = self.modules.contains_key(&join(module, first));
        let named = self.modules.get(module)?.names.contains_key(first);
        let glob = !self.modules[module].globs.is_empty() && first.starts_with(char::is_uppercase);
        if child || named || glob { self.defining_file(&here, 0) } else { None }
    }

    /// Which files each file uses, by index: everything its code names, followed through re-exports to the
    /// file that defines it. A re-export that the file itself makes no use of is a signpost and does not count.
    pub(crate) fn uses(&self) -> Vec<BTreeSet<usize>> {
        let of_file = |(index, file): (usize, &SourceFile)| {
            let mut names = NamesUsed { module: file.module.clone(), found: BTreeSet::new() };
            file.items.iter().for_each(|item| names.visit_item(item));
            let found = names.found.iter().filter_map(|(module, path)| self.resolve(module, path));
            found.filter(|used| *used != index).collect()
        };
        self.files.iter().enumerate().map(of_file).collect()
    }
}

impl SourceFile {
    /// The file, or nothing where it holds tests.
    fn read(src: &Path, path: &Path) -> Option<Self> {
        let below = path.strip_prefix(src).unwrap();
        let mut module: ModulePath =
            below.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let name = module.join("/") + ".rs";
        if module.iter().any(|part| part == "tests" || part.ends_with("_tests"))
            || name == "main.rs"
        {
            return None;
        }
        if matches!(module.last().unwrap().as_str(), "mod" | "lib") {
            module.pop();
        }
        let text = std::fs::read_to_string(path).unwrap();
        let items = syn::parse_file(&text).unwrap().items;
        Some(Self { name, text, items: without_tests(items), module })
    }

    /// The folder or file directly below `src`.
    pub(crate) fn room(&self) -> &str {
        self.name.split('/').next().unwrap().trim_end_matches(".rs")
    }
}

/// The names that a file's code uses, each with the module it is written in.
struct NamesUsed {
    module: ModulePath,
    found: BTreeSet<(ModulePath, ModulePath)>,
}

impl NamesUsed {
    fn add(&mut self, path: ModulePath) {
        self.found.insert((self.module.clone(), path));
    }

    /// Paths in the arguments of a macro, which the parser leaves as tokens.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: ModulePath = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 && !path.is_empty() {
                        self.add(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    colons = 0;
                    if !path.is_empty() {
                        self.add(std::mem::take(&mut path));
                    }
                    if let TokenTree::Group(group) = other {
                        self.read_tokens(group.stream());
                    }
                }
            }
        }
        if !path.is_empty() {
            self.add(path);
        }
    }
}

impl<'ast> Visit<'ast> for NamesUsed {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, syn::Visibility::Inherited) {
            for (_, path) in use_paths(&item.tree) {
                self.add(path);
            }
        }
    }

    /// `pub(super)` and `pub(crate)` use nothing of what they name.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.read_tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }
}

/// Every name that a `use` brings, with its path: `use a::{b, c as d}` is `b` for `a::b`, `d` for `a::c`.
fn use_paths(tree: &syn::UseTree) -> Vec<(Option<String>, ModulePath)> {
    match tree {
        syn::UseTree::Path(path) => {
            let behind = |(name, rest): (Option<String>, ModulePath)| {
                let start = path.ident.to_string();
                let name =
                    if rest.is_empty() && name.is_none() { Some(start.clone()) } else { name };
                (name, [vec![start], rest].concat())
            };
            use_paths(&path.tree).into_iter().map(behind).collect()
        }
        syn::UseTree::Name(name) if name.ident == "self" => vec![(None, Vec::new())],
        syn::UseTree::Name(name) => {
            vec![(Some(name.ident.to_string()), vec![name.ident.to_string()])]
        }
        syn::UseTree::Rename(name) if name.ident == "self" => {
            vec![(Some(name.rename.to_string()), Vec::new())]
        }
        syn::UseTree::Rename(name) => {
            vec![(Some(name.rename.to_string()), vec![name.ident.to_string()])]
        }
        syn::UseTree::Glob(_) => vec![(Some("*".to_owned()), Vec::new())],
        syn::UseTree::Group(group) => group.items.iter().flat_map(use_paths).collect(),
    }
}

/// `path` as it reads from the root of the crate. One that names neither `crate`, `self` nor `super` is taken as
/// a child of the module; where it is another crate, no module is found for it.
fn absolute(module: &[String], path: &ModulePath) -> ModulePath {
    let mut start = module.to_vec();
    let mut rest = path.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        match first.as_str() {
            "crate" => start.clear(),
            "self" => {}
            "super" => drop(start.pop()),
            _ => break,
        }
        rest = behind;
    }
    [start.as_slice(), rest].concat()
}

fn join(path: &[String], name: &str) -> ModulePath {
    [path, &[name.to_owned()]].concat()
}

pub(crate) fn item_name(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn without_tests(items: Vec<syn::Item>) -> Vec<syn::Item> {
    let kept = items.into_iter().filter(|item| !is_test(item));
    let inner = kept.map(|item| match item {
        syn::Item::Mod(mut module) => {
            module.content = module.content.map(|(brace, items)| (brace, without_tests(items)));
            syn::Item::Mod(module)
        }
        item => item,
    });
    inner.collect()
}

fn is_test(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        _ => return false,
    };
    let test = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(test)
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

/// The groups of two or more that reach each other (strongly connected components), each sorted.
pub(crate) fn find_circles(uses: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let reached: Vec<BTreeSet<usize>> =
        (0..uses.len()).map(|start| reachable(uses, start)).collect();
    let mut groups: BTreeSet<Vec<usize>> = BTreeSet::new();
    for start in 0..uses.len() {
        if reached[start].contains(&start) {
            let group =
                reached[start].iter().copied().filter(|other| reached[*other].contains(&start));
            groups.insert(group.collect());
        }
    }
    groups.into_iter().filter(|group| group.len() > 1).collect()
}

fn reachable(uses: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<usize> = uses[start].iter().copied().collect();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(&uses[next]);
        }
    }
    seen
}
