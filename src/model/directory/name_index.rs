//! Name indexes: lookups from the most specific kind of name to the least specific.
//!
//! What users write for a user, a business or a custom field is compared with ids first, then with
//! other unique values, then with names. The first kind of name with a match decides: two entries
//! that share it are an ambiguity, never a choice. The cost of a lookup does not depend on the
//! number of entries.

use std::collections::HashMap;

use super::{CustomField, LocationBusiness, LocationUser};
use crate::text;

/// Most suggestions in an error.
const MAX_SUGGESTIONS: usize = 3;
/// The longest text that is compared with names.
const MAX_COMPARED_LENGTH: usize = 200;

/// A text that matches nothing, or several entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NameLookupError {
    /// The error, with suggestions. May contain untrusted text.
    pub message: String,
    /// The suggestions, the most similar first; if several entries match, all of them.
    pub candidates: Vec<String>,
    /// Whether several entries match.
    pub ambiguous: bool,
}

/// An index of names.
#[derive(Debug)]
pub(crate) struct NameIndex {
    what: &'static str,
    /// How a text is normalised for each kind of name, the most specific first.
    kinds: &'static [fn(&str) -> String],
    /// For each kind, the entries by name.
    names: Vec<HashMap<String, Vec<usize>>>,
    /// The display names of the entries.
    display_names: Vec<String>,
    /// What distinguishes entries with the same name.
    distinctions: Vec<String>,
}

impl NameIndex {
    /// Custom fields by key, the name of their column in exports, id and name.
    pub(crate) fn from_custom_fields(fields: &[CustomField]) -> Self {
        let names = |field: &CustomField| {
            let name = &field.name;
            let written = field.key.clone();
            let loose = normalize_key(&written);
            let column =
                if field.column.is_empty() { written.clone() } else { field.column.clone() };
            vec![
                written.clone(),
                column,
                written,
                field.id.clone(),
                normalize_name(name),
                loose,
                alphanumeric_only(name),
            ]
        };
        Self {
            what: "custom field",
            kinds: &[
                trim_name,
                trim_name,
                strip_key_prefix,
                trim_name,
                normalize_name,
                normalize_key,
                alphanumeric_only,
            ],
            names: build_index(fields.iter().map(names), 7),
            display_names: fields.iter().map(|field| field.key.clone()).collect(),
            distinctions: fields.iter().map(|field| field.column.clone()).collect(),
        }
    }

    /// Users by id, e-mail address and name.
    pub(crate) fn from_users(users: &[LocationUser]) -> Self {
        let names = |user: &LocationUser| {
            let name = normalize_person_name(&user.name);
            vec![user.id.clone(), normalize_name(&user.email), name.clone(), last_name_first(&name)]
        };
        Self {
            what: "user",
            kinds: &[trim_name, normalize_name, normalize_person_name, normalize_person_name],
            names: build_index(users.iter().map(names), 4),
            display_names: users.iter().map(|user| user.name.clone()).collect(),
            distinctions: users.iter().map(|user| user.email.clone()).collect(),
        }
    }

    /// Businesses by id and name.
    pub(crate) fn from_businesses(businesses: &[LocationBusiness]) -> Self {
        let names =
            |business: &LocationBusiness| vec![business.id.clone(), normalize_name(&business.name)];
        Self {
            what: "business",
            kinds: &[trim_name, normalize_name],
            names: build_index(businesses.iter().map(names), 2),
            display_names: businesses.iter().map(|business| business.name.clone()).collect(),
            distinctions: businesses.iter().map(|business| business.id.clone()).collect(),
        }
    }

    /// The index of the entry that a text names.
    ///
    /// # Errors
    /// When there is no match, or more than one.
    pub(crate) fn find_index(&self, text: &str) -> Result<usize, NameLookupError> {
        self.find_unique(text).map_err(|several| self.lookup_error(text, several))
    }

    /// The index of the entry that a text names.
    ///
    /// # Errors
    /// The indexes of all matches; empty if there is none.
    pub(crate) fn find_unique(&self, text: &str) -> Result<usize, &[usize]> {
        for (names, kind) in self.names.iter().zip(self.kinds) {
            // A text without letters or digits, such as `-`, is not a name.
            let name = Some(kind(text)).filter(|name| !name.is_empty());
            match name.and_then(|name| names.get(&name)).map(Vec::as_slice) {
                Some([index]) => return Ok(*index),
                Some(several @ [_, ..]) => return Err(several),
                _ => {}
            }
        }
        Err(&[])
    }

    /// The error for a text with no match or several. It compares the text with all names.
    pub(crate) fn lookup_error(&self, text: &str, several: &[usize]) -> NameLookupError {
        match several {
            [] => self.unknown_name_error(text),
            several => self.ambiguous_name_error(text, several),
        }
    }

    /// The same error without suggestions.
    pub(crate) fn lookup_error_without_hints(
        &self,
        text: &str,
        several: &[usize],
    ) -> NameLookupError {
        match several {
            [] => NameLookupError {
                message: format!("the location has no {} `{text}`", self.what),
                candidates: Vec::new(),
                ambiguous: false,
            },
            several => self.ambiguous_name_error(text, several),
        }
    }

    fn ambiguous_name_error(&self, text: &str, several: &[usize]) -> NameLookupError {
        let candidates: Vec<String> =
            several.iter().map(|index| self.distinctions[*index].clone()).collect();
        let message = format!(
            "`{text}` is the name of {}: {}; write which one",
            text::format_plural(several.len() as u64, self.what),
            quote_and_join(&candidates)
        );
        NameLookupError { message, candidates, ambiguous: true }
    }

    fn unknown_name_error(&self, text: &str) -> NameLookupError {
        let names = self.display_names.iter().zip(&self.distinctions);
        let mut suggestions: Vec<(f64, &str)> = names
            .flat_map(|(call, tell)| {
                let both = if call == tell { [call, call] } else { [call, tell] };
                let score = both.iter().map(|name| name_similarity(text, name)).fold(0.0, f64::max);
                [(score, call.as_str())]
            })
            .filter(|(score, _)| *score >= text::NEAR_ENOUGH)
            .collect();
        suggestions.sort_by(|one, other| other.0.total_cmp(&one.0));
        let candidates: Vec<String> = suggestions
            .into_iter()
            .take(MAX_SUGGESTIONS)
            .map(|(_, name)| name.to_owned())
            .collect();
        let message = match candidates.as_slice() {
            [] => format!("the location has no {} `{text}`", self.what),
            suggestions => format!(
                "the location has no {} `{text}`; did you mean {}?",
                self.what,
                quote_and_join(suggestions)
            ),
        };
        NameLookupError { message, candidates, ambiguous: false }
    }
}

/// The most similar of some names, if it is similar enough for a suggestion.
pub(crate) fn closest_name<'n>(
    text: &str,
    names: impl Iterator<Item = &'n String>,
) -> Option<&'n str> {
    let names = names.map(String::as_str).filter(|name| name.len() <= MAX_COMPARED_LENGTH);
    if text.len() > MAX_COMPARED_LENGTH {
        None
    } else {
        text::closest_match(text, names, normalize_name)
    }
}

fn name_similarity(text: &str, name: &str) -> f64 {
    if text.len() > MAX_COMPARED_LENGTH || name.len() > MAX_COMPARED_LENGTH {
        return 0.0;
    }
    text::similarity(&normalize_name(text), &normalize_name(name))
}

fn build_index(
    entries: impl Iterator<Item = Vec<String>>,
    kinds: usize,
) -> Vec<HashMap<String, Vec<usize>>> {
    let mut names: Vec<HashMap<String, Vec<usize>>> = vec![HashMap::new(); kinds];
    for (place, entry) in entries.enumerate() {
        for (kind, name) in names.iter_mut().zip(entry) {
            kind.entry(name).or_default().push(place);
        }
    }
    names
}

fn trim_name(text: &str) -> String {
    text.trim().to_owned()
}

fn normalize_name(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A custom field's key, without the prefixes of exports and requests.
fn strip_key_prefix(text: &str) -> String {
    let text = text.trim();
    let bare =
        ["customfields.", "contact.", "custom_"].iter().find_map(|front| text.strip_prefix(front));
    bare.unwrap_or(text).to_owned()
}

fn normalize_key(text: &str) -> String {
    strip_key_prefix(&text.to_lowercase())
}

/// Letters and digits only: `VIP since` is `vip_since`.
fn alphanumeric_only(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A person's name with the first name first: `Sample, Avery` is `avery sample`.
fn normalize_person_name(text: &str) -> String {
    match text.split_once(',') {
        Some((last, first)) if !first.contains(',') => normalize_name(&format!("{first} {last}")),
        _ => normalize_name(text),
    }
}

/// A name with its last word first, as in lists by family name.
fn last_name_first(name: &str) -> String {
    match name.rsplit_once(' ') {
        Some((first, last)) => format!("{last} {first}"),
        None => name.to_owned(),
    }
}

fn quote_and_join(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
