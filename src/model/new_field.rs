//! Custom fields that an import creates: their types, and what an import knows of them beforehand.
//!
//! The API creates a field from a name and a type. It takes no options (api.md §6.6), so a field
//! of a type with options would stay empty for good; such types are not offered.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::directory::CustomField;
use crate::choice::{Choice as _, choice_enum};

/// Data types that need options, boxes or files, which the API does not create.
const UNCREATABLE: &[&str] = &[
    "SINGLE_OPTIONS",
    "MULTIPLE_OPTIONS",
    "CHECKBOX",
    "RADIO",
    "TEXTBOX_LIST",
    "FILE_UPLOAD",
    "SIGNATURE",
];

choice_enum! {
    /// The type of a custom field that an import can create.
    pub enum NewFieldType {
        /// Text on one line
        Text = "TEXT",
        /// Text of several lines
        LargeText = "LARGE_TEXT",
        /// Numbers
        Numerical = "NUMERICAL",
        /// Amounts of money (the API's spelling)
        Monetory = "MONETORY",
        /// Phone numbers
        Phone = "PHONE",
        /// Dates without a time
        Date = "DATE",
    }
}

impl NewFieldType {
    /// Whether a word is a type of fields that the API cannot create completely.
    #[must_use]
    pub fn is_uncreatable(word: &str) -> bool {
        UNCREATABLE.iter().any(|known| known.eq_ignore_ascii_case(word.trim()))
    }
}

/// A custom field that an import creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewField {
    /// The header of its column.
    pub column: String,
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub data_type: NewFieldType,
}

impl NewField {
    /// The key that HighLevel is expected to derive from the name, without `contact.`.
    #[must_use]
    pub fn expected_key(&self) -> String {
        let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '_');
        let kept: String = self.name.to_lowercase().chars().filter(is_kept).collect();
        kept.split_whitespace().collect::<Vec<_>>().join("_")
    }

    /// The body of the request that creates it.
    #[must_use]
    pub fn request_body(&self) -> Map<String, Value> {
        let body =
            json!({ "name": self.name, "dataType": self.data_type.word(), "model": "contact" });
        match body {
            Value::Object(body) => body,
            _ => Map::new(),
        }
    }

    /// The definition with this id, before HighLevel has one.
    #[must_use]
    pub fn definition(&self, id: String) -> CustomField {
        let key = self.expected_key();
        CustomField {
            id,
            column: format!("custom_{key}"),
            key,
            name: self.name.clone(),
            data_type: self.data_type.word().to_owned(),
            options: Vec::new(),
            custom_option: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_derived_from_the_name() {
        let field = |name: &str| NewField {
            column: String::new(),
            name: name.to_owned(),
            data_type: NewFieldType::Text,
        };
        assert_eq!(field("Shoe size (EU)").expected_key(), "shoe_size_eu");
        assert_eq!(field("  Größe & Maß ").expected_key(), "größe_maß");
        assert_eq!(field("%").expected_key(), "");
    }

    #[test]
    fn no_type_is_both_offered_and_uncreatable() {
        assert!(NewFieldType::words().all(|word| !NewFieldType::is_uncreatable(word)));
        assert!(NewFieldType::is_uncreatable("single_options"));
    }
}
