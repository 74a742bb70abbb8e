//! Headers: the meaning of column names in common contact files.
//!
//! Names are compared only by their letters and digits, so that `FIRST_NAME`, `firstName` and `First  name:` are
//! equal. The dictionary contains the common names in a dozen languages, and the names that must never be mapped by
//! guessing. It looks only at names, never at values.

mod abbreviations;
mod annotations;
mod dictionary;
mod languages;
mod normalize_header;
mod qualifiers;
mod sensitive_names;
mod weak_names;

#[cfg(test)]
mod tests;

pub(crate) use abbreviations::{
    expand_abbreviations, is_abbreviation_of, strip_number_above_one, strip_number_one,
};
pub use annotations::strip_annotations;
pub use dictionary::{HeaderMeaning, HeaderNames, is_dictionary_name};
pub use normalize_header::{fold_name, normalise_name};
pub use qualifiers::strip_qualifiers;
pub use sensitive_names::{SensitiveSubject, sensitive_subject};
pub use weak_names::{consent_channel, consent_target, likely_target};
