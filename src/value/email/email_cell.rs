//! The parts of a cell of addresses: separators, quoted names, `Name <address>`, `mailto:`.

use super::address::{self, EmailAddressKind};
use crate::value::split::{CellPieces, longest_prefix_len};

/// The default separators.
const SEPARATORS: [&str; 7] = [";", ",", "|", "\n", "\r", " ::: ", " / "];

/// Splits the cell into parts. Separators inside quotes and angle brackets are ignored.
pub(super) fn split_parts<'t>(text: &'t str, split: Option<&[String]>) -> CellPieces<'t> {
    match split {
        Some(separators) => split_outside_quotes(text, separators, false),
        None => split_outside_quotes(text, &SEPARATORS, true),
    }
}

fn split_outside_quotes<'t>(
    text: &'t str,
    separators: &[impl AsRef<str>],
    names: bool,
) -> CellPieces<'t> {
    let mut pieces = Vec::new();
    let (mut start, mut here) = (0, 0);
    let (mut quoted, mut bracketed) = (false, false);
    // A quotation mark that is never closed is an ordinary character.
    let mut marks = text.matches('"').count();
    while here < text.len() {
        let rest = &text[here..];
        let c = rest.chars().next().expect("it is not at the end");
        match c {
            '"' if quoted || marks > 1 => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => {}
        }
        marks -= usize::from(c == '"');
        let separator =
            if quoted || bracketed { None } else { longest_prefix_len(rest, separators) };
        if let Some(length) = separator {
            // `Sample, Ann <ann@example.com>`: the comma belongs to the name.
            if !(names && c == ',' && is_inside_display_name(&text[start..here], &rest[length..])) {
                pieces.push(&text[start..here]);
                start = here + length;
            }
            here += length;
        } else {
            here += c.len_utf8();
            if c == '>' && !quoted {
                pieces.push(&text[start..here]);
                start = here;
            }
        }
    }
    pieces.push(&text[start..]);
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

/// The maximum length of a name before an address in angle brackets, in characters.
const LONGEST_NAME: usize = 100;

fn is_inside_display_name(before: &str, after: &str) -> bool {
    let Some(bracket) = after.bytes().take(LONGEST_NAME).position(|b| b == b'<') else {
        return false;
    };
    !before.contains('@')
        && !after.as_bytes()[..bracket]
            .iter()
            .any(|b| matches!(b, b'@' | b',' | b';' | b'\n' | b'|'))
}

/// The addresses of a part: usually one, or several if spaces or slashes separate only addresses.
pub(super) fn parse_addresses(part: &str) -> Result<Vec<(&str, EmailAddressKind)>, &'static str> {
    let bare = bare_address(part);
    let why = match address::check_address(bare) {
        Ok(kind) => return Ok(vec![(bare, kind)]),
        Err(why) => why,
    };
    for separator in [char::is_whitespace as fn(char) -> bool, |c| c == '/'] {
        if !bare.contains(separator) {
            continue;
        }
        let pieces =
            bare.split(separator).filter(|piece| !piece.is_empty()).map(self::bare_address);
        let all = pieces.map(|one| address::check_address(one).map(|kind| (one, kind)));
        if let Ok(several) = all.collect::<Result<Vec<_>, _>>()
            && !several.is_empty()
        {
            return Ok(several);
        }
    }
    Err(why)
}

/// The address without its name, angle brackets, and `mailto:`.
fn bare_address(part: &str) -> &str {
    let part = part.trim();
    let inner = part
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
        .map_or(part, |(_, inner)| inner.trim());
    for prefix in ["mailto:", "smtp:"] {
        if inner.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            let address = &inner[prefix.len()..];
            return address.split_once('?').map_or(address, |(address, _)| address).trim();
        }
    }
    inner
}
