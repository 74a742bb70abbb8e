//! Finds text that looks like a token in a file that must not hold any.
//!
//! It looks at shapes, not at meaning, and errs on the side of caution: a configuration is often kept in a
//! repository, a backup or a chat. What it finds is reported by its line, never repeated.

/// The line, from 1, of the first thing that looks like a token: a Private Integration Token (`pit-…`) or a
/// JSON Web Token (`eyJ…`), also in a comment.
pub(super) fn find_token_line(text: &str) -> Option<usize> {
    text.lines().position(contains_token).map(|line| line + 1)
}

/// Whether a text contains something that looks like a token.
pub(in crate::cli) fn contains_token(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.split(|c: char| !part(c)).any(looks_like_token)
}

fn looks_like_token(word: &str) -> bool {
    let behind = |prefix: &str| word.strip_prefix(prefix).map_or(0, str::len);
    // Real ones are far longer; made-up ones are not. `pit-stop` is not a token.
    behind("pit-") >= 6 || behind("eyJ") >= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_token_is_found_in_any_line() {
        for text in [
            "token = \"pit-0123abcd-89ef\"",
            "# export GHL_TOKEN=pit-secret",
            "x = 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln'",
            "eyJhbGciOiJIUzI1NiJ9",
        ] {
            assert_eq!(find_token_line(&format!("[profiles.a]\r\n{text}\n")), Some(2), "{text}");
        }
    }

    #[test]
    fn ordinary_words_are_no_tokens() {
        for text in ["", "tag = \"pit-stop\"", "pit-", "eyJob", "spit-roasted", "[pit]"] {
            assert_eq!(find_token_line(text), None, "{text}");
        }
    }
}
