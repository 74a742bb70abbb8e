//! The length of notes: a text that is too long is rejected, cut or split, depending on the policy.

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::ImportPolicy;
use crate::model::policy::LONGEST_NOTE;

/// A note's text, as one or more notes within the length limit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FittedNote {
    pub(super) texts: Vec<String>,
    /// The warning if the text was changed.
    pub(super) warning: Option<Diagnostic>,
}

/// Fits a note's text to the limit. The text of an existing note cannot be split into several.
///
/// # Errors
/// When the text is too long and the policy does not allow changing it.
pub(super) fn fit_to_limit(
    text: String,
    exists: bool,
    policy: &ImportPolicy,
) -> Result<FittedNote, Diagnostic> {
    let most = policy.truncate_notes.unwrap_or(LONGEST_NOTE);
    let Some(end) = limit_offset(&text, most) else {
        return Ok(FittedNote { texts: vec![text], warning: None });
    };
    let length = text.chars().count();
    if policy.truncate_notes.is_some() {
        let message = format!("the note has {length} characters; it is shortened to {most}");
        let texts = vec![text[..end].trim_end().to_owned()];
        return Ok(FittedNote {
            texts,
            warning: Some(Diagnostic::new(DiagnosticCode::W_NOTE_TRUNCATED, message)),
        });
    }
    if policy.split_notes && !exists {
        let texts = split_at_breaks(&text, most);
        let message =
            format!("the note has {length} characters; it is split into {} notes", texts.len());
        return Ok(FittedNote {
            texts,
            warning: Some(Diagnostic::new(DiagnosticCode::W_NOTE_SPLIT, message)),
        });
    }
    Err(Diagnostic::new(
        DiagnosticCode::R_CELL_TOO_LONG,
        format!(
            "the note has {length} characters; HighLevel documents {LONGEST_NOTE} per imported note; \
             `--split-notes` or `--truncate-notes {LONGEST_NOTE}` make it fit"
        ),
    ))
}

/// The offset after the first `most` characters, if the text has more.
fn limit_offset(text: &str, most: usize) -> Option<usize> {
    if text.len() <= most {
        return None;
    }
    text.char_indices().nth(most).map(|(end, _)| end)
}

/// Splits a text at a line end, or else between words, or else anywhere.
fn split_at_breaks(text: &str, most: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some(end) = limit_offset(rest, most) {
        let front = &rest[..end];
        // A break early in the text would leave a tiny piece.
        let late = |place: &usize| *place >= end / 2;
        let line = front.rfind('\n').filter(late);
        let cut = line.or_else(|| front.rfind(char::is_whitespace).filter(late)).unwrap_or(end);
        let (piece, more) = rest.split_at(cut);
        pieces.push(piece.trim_end().to_owned());
        rest = more.trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_split_between_lines_or_else_words_or_else_anywhere() {
        assert_eq!(split_at_breaks("aaaa bbbb\ncccc dddd", 12), ["aaaa bbbb", "cccc dddd"]);
        assert_eq!(split_at_breaks("aaaa bbbb cccc", 12), ["aaaa bbbb", "cccc"]);
        assert_eq!(split_at_breaks("aaaaaaaaaaaaaaa", 6), ["aaaaaa", "aaaaaa", "aaa"]);
        assert_eq!(split_at_breaks("äöüäöüäöü", 6), ["äöüäöü", "äöü"]);
    }

    #[test]
    fn nothing_but_blanks_at_the_cuts_is_lost() {
        let text = "word and another word\nline ".repeat(2_000);
        let whole: String = text.split_whitespace().collect();
        let pieces = split_at_breaks(&text, 100);
        assert!(pieces.iter().all(|piece| piece.chars().count() <= 100 && !piece.is_empty()));
        assert_eq!(pieces.concat().split_whitespace().collect::<String>(), whole);
    }

    #[test]
    fn a_note_that_is_too_long_is_rejected_unless_the_policy_says_otherwise() {
        let text = "ä".repeat(LONGEST_NOTE + 1);
        let fit = |policy: &ImportPolicy, exists| fit_to_limit(text.clone(), exists, policy);
        assert_eq!(fit(&ImportPolicy::default(), false).unwrap_err().code, "R_CELL_TOO_LONG");
        let cut = ImportPolicy { truncate_notes: Some(10), ..ImportPolicy::default() };
        let cut = fit(&cut, true).unwrap();
        assert_eq!(
            (cut.texts[0].chars().count(), cut.warning.unwrap().code),
            (10, DiagnosticCode::W_NOTE_TRUNCATED)
        );
        let split = ImportPolicy { split_notes: true, ..ImportPolicy::default() };
        assert_eq!(fit(&split, false).unwrap().texts.len(), 2);
        assert_eq!(fit(&split, true).unwrap_err().code, "R_CELL_TOO_LONG");
        assert_eq!(
            fit_to_limit("ä".repeat(LONGEST_NOTE), false, &ImportPolicy::default())
                .unwrap()
                .texts
                .len(),
            1
        );
    }
}
