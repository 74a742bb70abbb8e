//! Tables for people: aligned columns that fit the width of a terminal.
//!
//! Where a table is too wide, the texts that may be shortened are shortened, and then the least important columns
//! are left out. Without a width, as in a pipe, it is complete.

/// The space between columns.
const GAP: usize = 2;
/// What is left at least of a text that is shortened.
const MIN_WIDTH: usize = 12;
/// The place of an empty cell where there is no terminal, so that each line has the same fields.
const EMPTY: &str = "-";

/// How a column becomes narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnShrink {
    /// It does not.
    Never,
    /// The end of its texts is cut off.
    CutEnd,
    /// The middle of its texts is cut out: both ends of a path say more.
    CutMiddle,
}

/// A column. Its texts must be safe for a terminal.
#[derive(Debug, Clone)]
pub(crate) struct TextColumn {
    pub(crate) header: &'static str,
    pub(crate) shrink: ColumnShrink,
    /// Whether its texts are numbers, which end at the same place.
    pub(crate) right_aligned: bool,
    /// The least important column is left out first.
    pub(crate) importance: u8,
    pub(crate) cells: Vec<String>,
}

impl TextColumn {
    fn natural_width(&self) -> usize {
        self.cells
            .iter()
            .map(|cell| width_of(cell))
            .chain([width_of(self.header)])
            .max()
            .unwrap_or(0)
    }

    fn min_width(&self) -> usize {
        match self.shrink {
            ColumnShrink::Never => self.natural_width(),
            _ => self.natural_width().min(MIN_WIDTH.max(width_of(self.header))),
        }
    }

    fn shorten(&self, text: &str, width: usize) -> String {
        match self.shrink {
            _ if width_of(text) <= width => text.to_owned(),
            ColumnShrink::CutMiddle => cut_middle(text, width),
            _ => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        }
    }
}

/// The lines of a table, the header first; `width` is that of the terminal.
pub(crate) fn table_lines(mut columns: Vec<TextColumn>, width: Option<usize>) -> Vec<String> {
    let widths: Vec<usize> = if let Some(width) = width {
        columns.retain(|column| column.cells.iter().any(|cell| !cell.is_empty()));
        drop_columns(&mut columns, width);
        shrunken_widths(&columns, width)
    } else {
        let cells = columns.iter_mut().flat_map(|column| &mut column.cells);
        cells.filter(|cell| cell.is_empty()).for_each(|cell| EMPTY.clone_into(cell));
        columns.iter().map(TextColumn::natural_width).collect()
    };
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let header = columns.iter().map(|column| column.header).collect::<Vec<_>>();
    let cells = (0..rows).map(|row| columns.iter().map(|column| &*column.cells[row]).collect());
    std::iter::once(header).chain(cells).map(|row| render_line(&columns, &widths, &row)).collect()
}

/// Leaves out columns until the others fit.
fn drop_columns(columns: &mut Vec<TextColumn>, width: usize) {
    let is_too_wide = |columns: &[TextColumn]| {
        columns.iter().map(|column| column.min_width() + GAP).sum::<usize>() > width + GAP
    };
    while columns.len() > 1 && is_too_wide(columns) {
        let least = columns.iter().map(|column| column.importance).min();
        columns.retain(|column| Some(column.importance) != least);
    }
}

/// The widths of the columns, where the widest that can shrink gives way first.
fn shrunken_widths(columns: &[TextColumn], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(TextColumn::natural_width).collect();
    let spare = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>();
    while spare(&widths) > width + GAP {
        let shrinkable = (0..widths.len()).filter(|at| widths[*at] > columns[*at].min_width());
        let Some(widest) = shrinkable.max_by_key(|at| widths[*at]) else { break };
        widths[widest] -= 1;
    }
    widths
}

fn render_line(columns: &[TextColumn], widths: &[usize], cells: &[&str]) -> String {
    let mut line = String::new();
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        if !line.is_empty() {
            line.push_str(&" ".repeat(GAP));
        }
        let cell = column.shorten(cell, *width);
        let space = " ".repeat(width.saturating_sub(width_of(&cell)));
        let parts = if column.right_aligned { [space, cell] } else { [cell, space] };
        line.extend(parts);
    }
    line.truncate(line.trim_end().len());
    line
}

/// A text without its middle; of a path the last part stays if it fits.
fn cut_middle(text: &str, width: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let kept = width.saturating_sub(1);
    let last_part = chars.iter().rev().position(|c| matches!(c, '/' | '\\')).map_or(0, |at| at + 1);
    let tail = if last_part <= kept { last_part.max(kept - kept / 3) } else { kept - kept / 3 };
    let (head, tail) = (&chars[..kept - tail], &chars[chars.len() - tail..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

/// The width of the terminal that stdout is; `None` if stdout is something else.
pub(crate) fn stdout_width() -> Option<usize> {
    use std::io::IsTerminal as _;
    /// The width of a terminal that does not say it.
    const USUAL: usize = 80;
    let stdout = std::io::stdout();
    stdout.is_terminal().then(|| terminal_columns(&stdout).unwrap_or(USUAL))
}

#[cfg(unix)]
fn terminal_columns(terminal: &std::io::Stdout) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
fn terminal_columns(_: &std::io::Stdout) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(
        header: &'static str,
        shrink: ColumnShrink,
        importance: u8,
        cell: &str,
    ) -> TextColumn {
        let cells = vec![cell.to_owned(), String::new()];
        TextColumn { header, shrink, right_aligned: header == "ROWS", importance, cells }
    }

    fn columns() -> Vec<TextColumn> {
        vec![
            column("RUN", ColumnShrink::Never, 9, "k3f9"),
            column("ROWS", ColumnShrink::Never, 1, "1,000"),
            column("FILE", ColumnShrink::CutMiddle, 5, "/home/ada/crm/lists/people.csv"),
            column("WHY", ColumnShrink::CutEnd, 4, "the daily request quota was used up"),
            column("NOTHING", ColumnShrink::Never, 8, ""),
        ]
    }

    #[test]
    fn a_table_in_a_pipe_is_complete_and_has_no_empty_fields() {
        assert_eq!(
            table_lines(columns(), None),
            [
                "RUN    ROWS  FILE                            WHY                                  NOTHING",
                "k3f9  1,000  /home/ada/crm/lists/people.csv  the daily request quota was used up  -",
                "-         -  -                               -                                    -",
            ]
        );
    }

    #[test]
    fn a_table_in_a_terminal_shortens_texts_and_leaves_out_empty_columns() {
        assert_eq!(
            table_lines(columns(), Some(60)),
            [
                "RUN    ROWS  FILE                     WHY",
                "k3f9  1,000  /home/a…ists/people.csv  the daily request quo…",
                "",
            ]
        );
        assert!(table_lines(columns(), Some(60)).iter().all(|line| width_of(line) <= 60));
    }

    #[test]
    fn a_narrow_terminal_loses_the_least_important_columns_first() {
        let headers = |width| table_lines(columns(), Some(width)).swap_remove(0);
        let headers = |width| headers(width).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(headers(39), "RUN ROWS FILE WHY");
        assert_eq!(headers(38), "RUN FILE WHY");
        assert_eq!(headers(31), "RUN FILE");
        assert_eq!(headers(3), "RUN");
    }

    #[test]
    fn the_end_of_a_path_is_kept_as_long_as_it_fits() {
        assert_eq!(cut_middle("/home/ada/people.csv", 12), "…/people.csv");
        assert_eq!(cut_middle("/home/ada/a-very-long-name.csv", 10), "/ho…me.csv");
    }
}
