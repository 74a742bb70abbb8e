//! Distinguishes quotes that are not closed where they should be from cells that contain line breaks.
//!
//! A forgotten closing quote makes the cell continue to the next quote anywhere below. The text up to there is one
//! cell, but its lines look like rows, which is how the mistake is detected.

use super::tokenizer::DelimitedRecord;

/// Whether a cell contains lines that look like rows. `closed` means that its closing quote is in order, so that
/// the row in which it ends must fit too.
pub(crate) fn cell_spans_rows(
    record: &DelimitedRecord,
    index: usize,
    delimiter: u8,
    columns: usize,
    closed: bool,
) -> bool {
    let cell = record.cell(index);
    let fields = |line: &[u8]| memchr::memchr_iter(delimiter, line).count() + 1;
    let separator = if memchr::memchr(b'\n', cell).is_some() { b'\n' } else { b'\r' };
    let mut lines = cell.split(|byte| *byte == separator);
    let Some(mut line) = lines.next() else { return false };
    // The row in which the quote opens ends at the first line break.
    if index + fields(line) != columns {
        return false;
    }
    let (mut rows, mut last) = (0, 0);
    for next in lines {
        line = next;
        let telling = columns >= 3 || line.contains(&b'@');
        last = usize::from(telling && fields(line) == columns);
        rows += last;
    }
    // The last line is the row in which the quote closes; it does not count.
    let within = rows - last;
    let behind = record.cell_count() - 1 - index;
    within > 0 && (!closed || (columns >= 3 && fields(line) + behind == columns))
}

/// Whether quoted text may have been split at a delimiter: the two quotes of a pair are in different cells.
pub(crate) fn has_split_quotes(record: &DelimitedRecord) -> bool {
    let odd = |cell: &&[u8]| memchr::memchr_iter(b'"', cell).count() % 2 == 1;
    record.cells().filter(odd).take(2).count() == 2
}

/// Finds the cell that continues over several rows although its quotes are in order.
pub(crate) fn find_runaway_cell(
    record: &DelimitedRecord,
    delimiter: u8,
    columns: usize,
) -> Option<usize> {
    if record.breaks < 2 {
        return None;
    }
    (0..record.cell_count()).find(|index| cell_spans_rows(record, *index, delimiter, columns, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::delimited::tokenizer::RecordTokenizer;

    fn first(text: &str) -> DelimitedRecord {
        let mut record = DelimitedRecord::default();
        RecordTokenizer::new(text.as_bytes(), b',').read_record(&mut record).unwrap();
        record
    }

    #[test]
    fn a_pair_of_quotes_in_two_cells_is_parted() {
        let cases = [
            ("Tim \"Tool\" Man,t@x.y,6\" pipe\n", false),
            ("Acme \"Best, Inc\",a@x.y,Oslo\n", true),
            ("A,a@x.y,plain\n", false),
        ];
        for (text, expected) in cases {
            assert_eq!(has_split_quotes(&first(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cell_of_rows_is_distinguished_from_a_cell_of_lines() {
        let cases = [
            ("B,b@x.y,\"XYZ\nC,c@x.y,QRS\nD,d@x.y,5\"\n", Some(2)),
            ("B,b@x.y,\"XYZ\r\nC,c@x.y,QRS\r\nD,d@x.y,5\"\r\n", Some(2)),
            ("B,b@x.y,\"XYZ\rC,c@x.y,QRS\rD,d@x.y,5\"\r", Some(2)),
            ("\"B,b@x.y,XYZ\nC,c@x.y,QRS\nD\",d@x.y,5\n", Some(0)),
            ("B,b@x.y,\"Hello\nBoston, MA, USA\nthanks\"\n", None),
            ("B,b@x.y,\"one\ntwo\nthree\"\n", None),
            ("B,b@x.y,plain\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(find_runaway_cell(&first(text), b',', 3), expected, "{text:?}");
        }
    }
}
