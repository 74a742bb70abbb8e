//! Several phone numbers in one cell.
//!
//! Every part must be a valid number. If one is not, the whole cell is rejected, because the meaning of the rest is
//! uncertain.

use std::collections::HashSet;

use super::phone::is_single_number;
use super::split::{CellPieces, split_at_separators, split_at_strings};
use super::{ParsedValue, parse_phone};
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The default separators. A bare `/` is not one, because it also occurs inside numbers.
const SEPARATORS: [&str; 9] = [";", ",", "|", "\n", "\r", " ::: ", " / ", " or ", " & "];

/// Parses the phone numbers of a cell to E.164. The first is the primary one; duplicates are dropped
/// (`W_DUPLICATE_VALUE`).
///
/// `split` gives the separators; without it, the usual ones apply. An empty cell has no numbers. For `country` and
/// the other notices, see [`parse_phone()`].
///
/// # Errors
/// Those of [`parse_phone()`], for the first part that is not a number.
pub fn parse_phones(
    text: &str,
    country: Option<&str>,
    split: Option<&[String]>,
) -> Result<ParsedValue<Vec<String>>, Diagnostic> {
    let mut read = ParsedValue::without_notices(Vec::new());
    if split.is_none() && is_single_number(text) {
        match parse_phone(text, country) {
            Ok(only) => {
                return Ok(ParsedValue { value: vec![only.value], notices: only.notices });
            }
            Err(error) if !text.contains(['/', ' ']) => return Err(error),
            Err(_) => {}
        }
    }
    let mut seen = HashSet::new();
    for part in split_numbers(text, country, split) {
        let one = parse_phone(part, country)?;
        read.notices.extend(one.notices);
        if seen.insert(one.value.clone()) {
            read.value.push(one.value);
        } else {
            read.notices.push(Diagnostic::new(
                DiagnosticCode::W_DUPLICATE_VALUE,
                format!("`{}` is in the cell more than once", one.value),
            ));
        }
    }
    Ok(read)
}

fn split_numbers<'t>(
    text: &'t str,
    country: Option<&str>,
    split: Option<&[String]>,
) -> CellPieces<'t> {
    let Some(separators) = split else {
        return split_at_separators(text, &SEPARATORS)
            .into_iter()
            .flat_map(|part| split_before_plus(part, country))
            .collect();
    };
    split_at_strings(text, separators)
}

/// Splits the part before each `+` that follows a space, or at slashes if every piece is a number.
fn split_before_plus<'t>(part: &'t str, country: Option<&str>) -> CellPieces<'t> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (index, _) in part.match_indices(" +").filter(|(index, _)| *index > 0) {
        let piece = &part[start..index];
        if piece.contains(|c: char| c.is_numeric()) {
            pieces.push(piece.trim());
            start = index + 1;
        }
    }
    pieces.push(part[start..].trim());
    if pieces.len() == 1 && part.contains('/') && parse_phone(part, country).is_err() {
        let halves: Vec<_> = part.split('/').map(str::trim).collect();
        if halves.iter().all(|half| parse_phone(half, country).is_ok()) {
            return halves;
        }
    }
    pieces
}
