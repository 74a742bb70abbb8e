//! Values: the meaning of a cell's text.
//!
//! Each parser converts a text to the form that the API expects, or says why it cannot. None of them guesses: an
//! ambiguous text is an error or comes with a notice. Parsers know neither rows nor columns.

mod boolean;
mod bracketed_list;
mod consent;
mod country;
mod date;
mod date_order_evidence;
mod datetime;
mod digits;
mod email;
mod html_entities;
mod normalize;
mod number;
mod person_name;
mod phone;
mod phones;
mod php_array;
mod placeholder;
mod postal_code;
mod quote;
mod split;
mod spreadsheet;
mod task_status;
mod text;
mod timezone;
mod value_list;
mod website;

pub use boolean::parse_boolean;
pub use consent::{
    ConsentColumn, ConsentStatus, is_clear_opt_out, is_consent_status, parse_consent,
};
pub use country::parse_country;
pub use date::{DateOrder, is_date_word, is_month_name, parse_date, parse_date_of_birth};
pub use date_order_evidence::DateOrderEvidence;
pub use datetime::parse_datetime;
pub use email::parse_emails;
pub use html_entities::{DecodedEntities, decode_html_entities, has_markup};
pub use number::{is_ambiguous_number, parse_money, parse_number};
pub use person_name::split_last_first;
pub use phone::{has_country_code, parse_dial_code, parse_phone};
pub use phones::parse_phones;
pub use placeholder::{Placeholder, find_placeholder};
pub use postal_code::parse_postal_code;
pub use split::split_at_separators as pieces;
pub use spreadsheet::is_spreadsheet_error;
pub use task_status::parse_task_status;
pub use text::{clean_text, name_to_single_line, to_single_line};
pub use timezone::parse_timezone;
pub use value_list::parse_list;
pub use website::parse_url;

use crate::diagnostic::Diagnostic;

/// A value and the notices about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedValue<T> {
    /// The value.
    pub value: T,
    /// The notices about the value.
    pub notices: Vec<Diagnostic>,
}

impl<T> ParsedValue<T> {
    /// A value without notices.
    #[must_use]
    pub fn without_notices(value: T) -> Self {
        Self { value, notices: Vec::new() }
    }
}
