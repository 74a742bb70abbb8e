//! Text patterns: regular expressions in conditions.
//!
//! A pattern may match anywhere in a text, and ignores case like all texts of conditions; `(?-i)` at its start changes
//! that. Its size is limited, and matching takes time in proportion to the text, whatever the pattern.

use regex::{Regex, RegexBuilder};

/// The longest pattern, in characters.
const LONGEST_PATTERN: usize = 1_000;
/// The most memory that a compiled pattern takes, in bytes.
const COMPILED_SIZE: usize = 1 << 20;

/// A regular expression.
#[derive(Debug, Clone)]
pub struct TextPattern {
    text: String,
    regex: Regex,
}

impl TextPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST_PATTERN {
            return Err(format!("the pattern is longer than {LONGEST_PATTERN} characters"));
        }
        let regex = RegexBuilder::new(text)
            .case_insensitive(true)
            .size_limit(COMPILED_SIZE)
            .dfa_size_limit(COMPILED_SIZE)
            .build()
            .map_err(|error| describe_error(&error))?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches a part of a text.
    #[must_use]
    pub fn matches_text(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TextPattern {}

/// The reason on one line. The parser's message also draws the pattern, over several lines.
fn describe_error(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        error => {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            last.trim().trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_ignore_case_and_match_anywhere() {
        let pattern = TextPattern::parse(r"call(ed)? back\b").unwrap();
        assert!(pattern.matches_text("Please CALL BACK soon") && !pattern.matches_text("callback"));
        let exact = TextPattern::parse("(?-i)^VIP$").unwrap();
        assert!(exact.matches_text("VIP") && !exact.matches_text("vip"));
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_one_line() {
        for (text, says) in [
            ("a(b", "unclosed group"),
            ("(?=x)", "look-around"),
            (r"(\w{1000}){1000}", "too large"),
            (&"x".repeat(1_001), "longer than 1000"),
        ] {
            let message = TextPattern::parse(text).unwrap_err();
            assert!(message.contains(says) && !message.contains('\n'), "{message}");
        }
    }
}
