//! Headers: what a column's name means in the contact files that people have.
//!
//! Names are compared by their letters and digits alone, so that `FIRST_NAME`, `firstName` and
//! `First  name:` are one name. The dictionary knows the usual names in a dozen languages, and which names
//! must never be mapped by guessing. It sees names only, never values.

mod abbreviations;
mod dictionary;
mod languages;
mod normalize_header;
mod qualifiers;
mod weak_names;

#[cfg(test)]
mod tests;

pub(crate) use abbreviations::{
    expand_abbreviations, is_abbreviation_of, strip_number_above_one, strip_number_one,
};
pub use dictionary::{HeaderMeaning, HeaderNames, is_dictionary_name};
pub use normalize_header::{fold_name, normalise_name};
pub use qualifiers::strip_qualifiers;
pub use weak_names::{consent_target, likely_target};
