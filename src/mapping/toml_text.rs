//! Texts in the notation of TOML.

use std::fmt::Write as _;

use super::field_name::is_invisible_or_bidi;

/// Quotes a text on one line, without characters that a terminal would interpret.
pub(crate) fn toml_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || is_invisible_or_bidi(c) => {
                write!(quoted, "\\U{:08X}", u32::from(c)).expect("a text takes all");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Renders an array of strings.
pub(crate) fn toml_string_array(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| toml_string(text)).collect();
    format!("[{}]", quoted.join(", "))
}
