//! Choices as clap reads and lists them: their words with `-`, each with its help.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::choice::Choice;

/// Reads one of the words of a choice.
pub(crate) fn choice_parser<T: Choice + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let possible =
        |value: &T| PossibleValue::new(value.word().replace('_', "-")).help(value.help());
    PossibleValuesParser::from(T::ALL.iter().map(possible).collect::<Vec<_>>())
        .map(|word| T::from_word(&word).expect("clap accepts only the words of the choice"))
}
