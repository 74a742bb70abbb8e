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

pub(crate) use abbreviations::{expanded, shortens, without_first, without_further};
pub use dictionary::{Headers, Meaning, known};
pub use normalize_header::{fold, normalise};
pub use qualifiers::without_subject;
pub use weak_names::{consent, likely};
