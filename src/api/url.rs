//! Untrusted text as part of a URL.

use crate::text::percent_encode;

/// The text as one plain path segment. Empty texts and dot segments, which URL parsers remove even
/// when escaped, become an id that no record has; otherwise a note called `..` would address its
/// contact.
pub(super) fn path_segment(text: &str) -> String {
    if matches!(text, "" | "." | "..") { "_".to_owned() } else { percent_encode(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_plain_part_of_a_url() {
        assert_eq!([path_segment(""), path_segment("."), path_segment("..")], ["_", "_", "_"]);
        assert_eq!(path_segment("+44 20/ü?&"), "%2B44%2020%2F%C3%BC%3F%26");
    }
}
