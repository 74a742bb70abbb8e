//! Headers: what a column's name means in the contact files that people have.
//!
//! Names are compared by their letters and digits alone, so that `FIRST_NAME`, `firstName` and
//! `First  name:` are one name. The dictionary knows the usual names in a dozen languages, and which names
//! must never be mapped by guessing. It sees names only, never values.

mod dictionary;
mod languages;
mod likely;
mod short;
mod subject;
mod text;

#[cfg(test)]
mod tests;

pub use dictionary::{Headers, Meaning, known};
pub use likely::{consent, likely};
pub(in crate::plan) use short::{expanded, shortens, without_first, without_further};
pub use subject::without_subject;
pub use text::{fold, normalise};
