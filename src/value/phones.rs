//! Several phone numbers in one cell.
//!
//! Each must be a number of its own: a cell with one that is none is refused as a whole, since nobody knows what
//! the rest was meant to be.

use std::collections::HashSet;

use super::phone::is_single;
use super::split::{Pieces, at, at_any};
use super::{Notice, Read, Unreadable, phone};

/// What parts numbers when nobody says otherwise. A bare `/` stands inside numbers, too.
const SEPARATORS: [&str; 9] = [";", ",", "|", "\n", "\r", " ::: ", " / ", " or ", " & "];

/// The phone numbers of a cell as E.164, the first of them primary, none twice (`W_DUPLICATE_VALUE`).
///
/// `split` names the separators; without it, the usual ones. An empty cell has none. Other notices, `country` and
/// the errors are those of [`phone()`].
///
/// # Errors
/// Those of [`phone()`], for the first part that is no number.
pub fn phones(
    text: &str,
    country: Option<&str>,
    split: Option<&[String]>,
) -> Result<Read<Vec<String>>, Unreadable> {
    let mut read = Read::plain(Vec::new());
    if split.is_none() && is_single(text) {
        match phone(text, country) {
            Ok(only) => {
                return Ok(Read { value: vec![only.value], notices: only.notices });
            }
            Err(error) if !text.contains(['/', ' ']) => return Err(error),
            Err(_) => {}
        }
    }
    let mut seen = HashSet::new();
    for part in parts(text, country, split) {
        let one = phone(part, country)?;
        read.notices.extend(one.notices);
        if seen.insert(one.value.clone()) {
            read.value.push(one.value);
        } else {
            read.notices.push(Notice::new(
                "W_DUPLICATE_VALUE",
                format!("`{}` stands in the cell more than once", one.value),
            ));
        }
    }
    Ok(read)
}

fn parts<'t>(text: &'t str, country: Option<&str>, split: Option<&[String]>) -> Pieces<'t> {
    let Some(separators) = split else {
        return at_any(text, &SEPARATORS)
            .into_iter()
            .flat_map(|part| before_each_plus(part, country))
            .collect();
    };
    at(text, separators)
}

/// The part, cut before each `+` that follows a blank, or at slashes if all pieces are numbers.
fn before_each_plus<'t>(part: &'t str, country: Option<&str>) -> Pieces<'t> {
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
    if pieces.len() == 1 && part.contains('/') && phone(part, country).is_err() {
        let halves: Vec<_> = part.split('/').map(str::trim).collect();
        if halves.iter().all(|half| phone(half, country).is_ok()) {
            return halves;
        }
    }
    pieces
}
