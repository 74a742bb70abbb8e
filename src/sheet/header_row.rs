//! The header: finds the row that names the columns among the first rows.
//!
//! Some files have titles, notes and blank lines above their header, and some have no header. A row is the header
//! because it contains words that contact files use and is as wide as the rows below it, or, failing that, because
//! it is the first full row and looks like names rather than values.

use super::SheetColumn;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::text;

/// The number of rows searched for a header, and of rows below it used to determine their width.
pub(super) const ROWS: usize = 20;

/// One of the first rows of a sheet.
#[derive(Debug, Clone)]
pub(super) struct HeaderCandidate {
    /// Its line or row, from 1.
    pub(super) line: u64,
    /// Its cells, cleaned.
    pub(super) cells: Vec<String>,
}

impl HeaderCandidate {
    pub(super) fn new(line: u64, cells: impl Iterator<Item = String>) -> Self {
        Self { line, cells: cells.map(|cell| clean_name(&cell)).collect() }
    }

    /// The number of cells up to the last one that is not empty.
    fn width(&self) -> usize {
        self.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1)
    }

    pub(super) fn known_name_count(&self, known: &dyn Fn(&str) -> bool) -> usize {
        self.cells.iter().filter(|cell| !cell.is_empty() && known(cell)).count()
    }
}

/// A header's text without invisible characters and surrounding spaces.
pub(super) fn clean_name(text: &str) -> String {
    let visible = |c: &char| !matches!(c, '\u{FEFF}' | '\u{200B}' | '\u{2060}');
    let text: String = text.chars().filter(visible).collect();
    let outer = |c: char| {
        c.is_whitespace() || matches!(c, '\u{200C}' | '\u{200D}' | '\u{200E}' | '\u{200F}')
    };
    text.trim_matches(outer).to_owned()
}

/// The index of the header among the first rows, none of which is blank.
pub(super) fn find_header_row(
    rows: &[HeaderCandidate],
    known: &dyn Fn(&str) -> bool,
) -> Result<usize, Diagnostic> {
    let single = rows.iter().all(|row| row.width() <= 1);
    let enough = if single { 1 } else { 2 };
    let wide = |index: usize| rows[index].cells.len() >= typical_width_below(rows, index);
    let nearly = |index: usize| rows[index].cells.len() * 2 > typical_width_below(rows, index);
    let mut counts = Vec::new();
    for (index, row) in rows.iter().take(ROWS).enumerate() {
        counts.push(row.known_name_count(known));
        if counts[index] >= enough && wide(index) {
            return Ok(index);
        }
    }
    let wordy = (0..counts.len()).find(|index| counts[*index] >= enough && nearly(*index));
    let first = || (0..counts.len()).find(|index| wide(*index));
    let narrow = || {
        (0..counts.len()).find(|it| counts[*it] >= 2 && looks_like_names(&rows[*it], counts[*it]))
    };
    wordy
        .or_else(|| first().filter(|index| looks_like_names(&rows[*index], counts[*index])))
        .or_else(narrow)
        .ok_or_else(|| missing_header_error(rows))
}

/// The width of most rows below.
fn typical_width_below(rows: &[HeaderCandidate], index: usize) -> usize {
    let mut widths: Vec<usize> =
        rows[index + 1..].iter().take(ROWS).map(HeaderCandidate::width).collect();
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).map_or(0, |run| run[0])
}

/// Whether a row looks like column names rather than values.
fn looks_like_names(row: &HeaderCandidate, known: usize) -> bool {
    let cells = &row.cells[..row.width()];
    if cells.iter().any(|cell| cell.contains('@')) {
        return false;
    }
    let distinct = cells.iter().collect::<std::collections::HashSet<_>>().len() == cells.len();
    known > 0 || (distinct && cells.iter().all(|cell| is_plausible_name(cell)))
}

/// The maximum length of a column name, in characters, unless it is a known one.
const NAME: usize = 500;

/// Whether a cell may be a column name: a short text that is not a number or date, or a sign for numbers.
fn is_plausible_name(cell: &str) -> bool {
    if cell.chars().nth(NAME).is_some() {
        return false;
    }
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    let digits = cell.chars().filter(|c| c.is_numeric()).count();
    let number = matches!(cell, "#" | "№" | "N°" | "Nº");
    number || (letters > 0 && digits <= letters)
}

/// Refuses a header whose names are all in one cell: each line was quoted as a whole, or pasted into a spreadsheet
/// without being split.
pub(super) fn reject_single_cell_header(
    columns: &[SheetColumn],
    known: &dyn Fn(&str) -> bool,
) -> Result<(), Diagnostic> {
    let [SheetColumn { name, .. }] = columns else { return Ok(()) };
    let words = |separator| name.split(separator).filter(|name| known(&clean_name(name))).count();
    if [',', ';', '\t', '|'].into_iter().all(|separator| words(separator) < 2) {
        return Ok(());
    }
    let message = format!("all column names are in one cell: `{}`", excerpt(name));
    Err(Diagnostic::new(DiagnosticCode::E_NO_HEADER, message).with_hint(
        "each line was put in quotes as a whole, or pasted without being split: split the lines into \
         columns and save the file again",
    ))
}

/// Checks the row that the user named as the header: data is refused, and a row without known names is reported.
pub(super) fn check_requested_header(
    columns: &[SheetColumn],
    line: u32,
    known: &dyn Fn(&str) -> bool,
) -> Result<Option<Diagnostic>, Diagnostic> {
    let is_address = |name: &&str| {
        let behind = name.split_once('@').filter(|(front, _)| !front.is_empty());
        behind.is_some_and(|(_, domain)| domain.contains('.'))
            && !name.contains(char::is_whitespace)
    };
    let mut names = columns.iter().map(|column| column.name.as_str()).filter(|it| !it.is_empty());
    if let Some(address) = names.clone().find(is_address) {
        let message = format!(
            "row {line} holds `{}`, so it is data and not the names of columns",
            excerpt(address)
        );
        return Err(Diagnostic::new(DiagnosticCode::E_NO_HEADER, message).with_hint(
            "write a row with names, such as `Email`, above the data, and import the file without `--header-row`",
        ));
    }
    if names.clone().any(known) {
        return Ok(None);
    }
    let Some(first) = names.next() else { return Ok(None) };
    let message = format!(
        "row {line} has no known column name (it begins with `{}`); if the names are in another row, `--header-row` \
         says in which",
        excerpt(first)
    );
    Ok(Some(Diagnostic::new(DiagnosticCode::W_HEADER_UNKNOWN, message)))
}

fn missing_header_error(rows: &[HeaderCandidate]) -> Diagnostic {
    let place = rows.first().map_or_else(String::new, |row| {
        let first = row.cells.iter().find(|cell| !cell.is_empty()).map_or("", String::as_str);
        format!(" (row {} begins with `{}`)", row.line, excerpt(first))
    });
    Diagnostic::new(
        DiagnosticCode::E_NO_HEADER,
        format!("no row with column names was found{place}"),
    )
    .with_hint("put the column names into the first row, or set `--header-row N`")
}

/// The beginning of a text, for a message.
pub(super) fn excerpt(text: &str) -> String {
    text::truncate_text(text, 40).replace(char::is_control, " ")
}

/// The columns that a header names.
pub(super) fn columns_from_names(cells: &[String]) -> Vec<SheetColumn> {
    let column = |(index, name): (usize, &String)| SheetColumn {
        name: name.clone(),
        letters: column_letters(index),
    };
    cells.iter().enumerate().map(column).collect()
}

/// The letters of a column, counted from 0.
pub(super) fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + u8::try_from(rest % 26).unwrap_or_default());
        rest /= 26;
    }
    letters.reverse();
    String::from_utf8(letters).unwrap_or_default()
}

/// The warning for a header without any rows.
pub(super) fn no_rows_warning() -> Diagnostic {
    Diagnostic::new(DiagnosticCode::W_NO_ROWS, "there are no rows after the header")
}

/// The warnings for columns that contain values but have no name.
pub(super) fn unnamed_column_warnings<'a>(
    columns: &'a [SheetColumn],
    used: &'a [bool],
) -> impl Iterator<Item = Diagnostic> + 'a {
    let nameless = |(column, used): &(&SheetColumn, &bool)| **used && column.name.is_empty();
    let places = columns.iter().zip(used).enumerate().filter(move |(_, it)| nameless(it));
    places.map(|(index, (column, _))| {
        Diagnostic::new(
            DiagnosticCode::W_UNNAMED_COLUMN,
            format!("column {} has values but no name", column.letters),
        )
        .at_column(index)
    })
}
