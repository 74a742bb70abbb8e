//! Statistics of the names in the source: long enough, and unique enough, to find things by.
#![expect(
    clippy::print_stdout,
    reason = "the counts are for a reader who runs it with `--nocapture`"
)]

use std::collections::HashMap;
use std::hash::Hash;

use syn::visit::{self, Visit};

use crate::source_tree::SourceTree;

/// The most of each that the code may have, in percent.
const ONE_WORD_FUNCTIONS: usize = 35;
const ONE_WORD_TYPES: usize = 40;
const REPEATED_TYPES: usize = 20;
const SHARED_FILE_NAMES: usize = 25;

/// Words that plain English does not need. At most this many in the whole crate.
const ODD_WORDS: &[&str] = &["nobody", "whoever", "anew", "somebody", "told"];
const MOST_ODD_WORDS: usize = 20;

#[test]
fn names_say_what_they_hold() {
    let tree = SourceTree::read();
    let mut names = DefinedNames::default();
    tree.files.iter().flat_map(|file| &file.items).for_each(|item| names.visit_item(item));
    let files: Vec<&str> = (tree.files.iter())
        .map(|file| file.name.rsplit('/').next().unwrap())
        .filter(|name| !matches!(*name, "mod.rs" | "lib.rs"))
        .collect();
    let functions = percent(&names.functions, |name| !name.contains('_'));
    let types = percent(&names.types, |name| count_words(name) == 1);
    let (repeated, shared) = (percent_repeated(&names.types), percent_repeated(&files));
    println!(
        "{} files, {} functions, {} types; of one word: {functions} % of functions, {types} % of types; \
         defined more than once: {repeated} % of types; with another's name: {shared} % of files",
        tree.files.len(),
        names.functions.len(),
        names.types.len(),
    );
    assert!(functions <= ONE_WORD_FUNCTIONS, "{functions} % of function names are one word");
    assert!(types <= ONE_WORD_TYPES, "{types} % of type names are one word");
    assert!(repeated <= REPEATED_TYPES, "{repeated} % of types share their name");
    assert!(shared <= SHARED_FILE_NAMES, "{shared} % of files share their name");
}

#[test]
fn sentences_are_plain_english() {
    let tree = SourceTree::read();
    let mut found: HashMap<&str, usize> = HashMap::new();
    for file in &tree.files {
        let text = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        for word in text.split(|c| !is_word(c)) {
            if let Some(odd) = ODD_WORDS.iter().find(|odd| **odd == word) {
                *found.entry(odd).or_default() += 1;
            }
        }
        *found.entry("is none").or_default() +=
            text.split("is none").skip(1).filter(|rest| !rest.starts_with(is_word)).count();
    }
    let count: usize = found.values().sum();
    println!("{count} odd words: {found:?}");
    assert!(count <= MOST_ODD_WORDS, "{count} odd words: {found:?}");
}

/// The functions and types that the code defines, by name.
#[derive(Default)]
struct DefinedNames {
    functions: Vec<String>,
    types: Vec<String>,
}

impl<'ast> Visit<'ast> for DefinedNames {
    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.functions.push(signature.ident.to_string());
        visit::visit_signature(self, signature);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.types.push(item.ident.to_string());
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.types.push(item.ident.to_string());
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.types.push(item.ident.to_string());
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.types.push(item.ident.to_string());
    }
}

fn percent(names: &[String], wanted: impl Fn(&str) -> bool) -> usize {
    100 * names.iter().filter(|name| wanted(name)).count() / names.len()
}

/// How many of the names are another's, too.
fn percent_repeated<T: Hash + Eq>(names: &[T]) -> usize {
    let mut counts: HashMap<&T, usize> = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    100 * counts.values().filter(|count| **count > 1).sum::<usize>() / names.len()
}

/// The words of a type's name; `OAuth` and `TOML` begin one each.
fn count_words(name: &str) -> usize {
    let letters: Vec<char> = name.chars().collect();
    let begins = |at: usize| {
        let (before, next) = (at.checked_sub(1).map(|at| letters[at]), letters.get(at + 1));
        letters[at].is_uppercase()
            && (before.is_none_or(|before| !before.is_uppercase())
                || next.is_some_and(|next| next.is_lowercase()))
    };
    (0..letters.len()).filter(|at| begins(*at)).count()
}
