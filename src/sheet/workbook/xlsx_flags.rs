//! Information about an XLSX sheet that its values do not contain: hidden rows, formulas without a result, errors.

use std::io::BufRead;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::archive::attribute_value;
use super::hidden::HiddenRows;
use super::merged::{MergedRegion, MergedRegions};
use crate::sheet::row::SheetCell;

/// The information found.
#[derive(Debug, Default)]
pub(super) struct XlsxFlags {
    pub(super) hidden: HiddenRows,
    /// Cells with information in addition to their value, by row and column, counted from 0.
    pub(super) cells: Vec<(u32, u32, SheetCell)>,
    pub(super) merged: MergedRegions,
    /// Whether some cells have no reference that gives their position.
    pub(super) unplaced: bool,
}

/// The type of a cell, as far as it matters here.
#[derive(Default, PartialEq, Eq)]
enum XlsxCellType {
    #[default]
    Value,
    Error,
    /// The text of a formula.
    Text,
    /// A text in the cell itself, which belongs into `<is>`; some programs write it into `<v>`.
    Inline,
}

/// The cell being read.
#[derive(Default)]
struct OpenXlsxCell {
    place: (u32, u32),
    kind: XlsxCellType,
    formula: bool,
    valued: bool,
    /// Whether the cell has an `<is>`.
    inline: bool,
    text: String,
}

impl XlsxFlags {
    /// Reads the part of a sheet.
    pub(super) fn read_sheet_part(part: impl BufRead) -> Result<Self, quick_xml::Error> {
        let mut xml = quick_xml::Reader::from_reader(part);
        xml.config_mut().expand_empty_elements = true;
        xml.config_mut().check_end_names = false;
        let mut buffer = Vec::new();
        let mut marks = Self::default();
        let mut place = (0, 0);
        let mut open = OpenXlsxCell::default();
        let mut within_value = false;
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer)? {
                Event::Start(e) => match e.local_name().as_ref() {
                    "row" => marks.begin_row(&e, &mut place),
                    "c" => open = marks.begin_cell(&e, &mut place),
                    "f" => open.formula = true,
                    "is" => (open.valued, open.inline) = (true, true),
                    "mergeCell" => marks.add_merged_cell(&e),
                    "v" => within_value = true,
                    "autoFilter" => marks.hidden.filtered = true,
                    _ => {}
                },
                Event::Text(text) if within_value => {
                    open.valued |= !text.is_empty();
                    if open.keeps_text() {
                        open.text.push_str(&text);
                    }
                }
                Event::GeneralRef(name) if within_value && open.keeps_text() => {
                    open.valued = true;
                    open.push_entity(&name)?;
                }
                Event::End(e) => match e.local_name().as_ref() {
                    "row" => place = (place.0.saturating_add(1), 0),
                    "c" => {
                        place.1 += 1;
                        marks.end_cell(&open);
                    }
                    "v" => within_value = false,
                    _ => {}
                },
                Event::Eof => {
                    marks.hidden.sort_ranges();
                    return Ok(marks);
                }
                _ => {}
            }
        }
    }

    fn begin_row(&mut self, e: &BytesStart<'_>, place: &mut (u32, u32)) {
        if let Some(row) = attribute_value(e, "r").and_then(|row| row.parse::<u32>().ok()) {
            place.0 = row.saturating_sub(1);
        }
        if matches!(attribute_value(e, "hidden").as_deref(), Some("1" | "true")) {
            self.hidden.add_range(place.0, 1);
        }
    }

    fn begin_cell(&mut self, e: &BytesStart<'_>, place: &mut (u32, u32)) -> OpenXlsxCell {
        let mut open = OpenXlsxCell::default();
        let mut stated = None;
        // A sheet consists mostly of cells, so their attributes are read once and not copied.
        for attribute in e.attributes().with_checks(false).flatten() {
            match (attribute.key.as_ref(), &*attribute.value) {
                ("r", value) => stated = parse_cell_reference(value),
                ("t", "e") => open.kind = XlsxCellType::Error,
                ("t", "str") => open.kind = XlsxCellType::Text,
                ("t", "inlineStr") => open.kind = XlsxCellType::Inline,
                _ => {}
            }
        }
        match stated {
            Some((_, column)) => place.1 = column,
            None => self.unplaced = true,
        }
        open.place = stated.unwrap_or(*place);
        open
    }

    fn add_merged_cell(&mut self, e: &BytesStart<'_>) {
        let reference = attribute_value(e, "ref").unwrap_or_default();
        let Some((first, last)) = reference.split_once(':') else { return };
        if let (Some((top, left)), Some((bottom, right))) =
            (parse_cell_reference(first), parse_cell_reference(last))
        {
            self.merged.add(MergedRegion { top, left, bottom, right });
        }
    }

    fn end_cell(&mut self, open: &OpenXlsxCell) {
        let (row, column) = open.place;
        if open.kind == XlsxCellType::Error && open.valued {
            self.cells.push((row, column, SheetCell::Error(open.text.trim().to_owned())));
        } else if open.kind == XlsxCellType::Inline && !open.inline && !open.text.trim().is_empty()
        {
            self.cells.push((row, column, SheetCell::Text(open.text.clone())));
        } else if open.formula && !open.valued && open.kind != XlsxCellType::Text {
            // An empty text is also a result; Excel writes it as one.
            self.cells.push((row, column, SheetCell::NoValue));
        }
    }
}

impl OpenXlsxCell {
    /// Whether the format's reader does not return the text.
    fn keeps_text(&self) -> bool {
        matches!(self.kind, XlsxCellType::Error | XlsxCellType::Inline)
    }

    fn push_entity(&mut self, name: &BytesRef<'_>) -> Result<(), quick_xml::Error> {
        match (resolve_xml_entity(name.as_ref()), name.resolve_char_ref()?) {
            (Some(text), _) => self.text.push_str(text),
            (None, Some(c)) => self.text.push(c),
            (None, None) => {}
        }
        Ok(())
    }
}

/// The row and column, counted from 0, of a reference such as `C5`.
fn parse_cell_reference(text: &str) -> Option<(u32, u32)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = text.split_at(letters);
    let column = column.bytes().try_fold(0_u32, |sum, letter| {
        let letter = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        sum.checked_mul(26)?.checked_add(letter)
    })?;
    Some((row.parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_rows_missing_results_and_errors_are_found() {
        let part = r#"<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>
            <row r="3" hidden="1"><c r="A3"><f>1+1</f><v/></c><c r="B3" t="str"><f>""</f><v></v></c>
            <c r="C3" t="e"><f>X</f><v>#SPILL!</v></c><c r="D3"><f>2</f><v>2</v></c></row></sheetData>
            <autoFilter ref="A1:B7"/></worksheet>"#;
        let marks = XlsxFlags::read_sheet_part(part.as_bytes()).unwrap();
        assert!(marks.hidden.contains(2) && !marks.hidden.contains(0) && marks.hidden.filtered);
        assert_eq!(
            marks.cells,
            [(2, 0, SheetCell::NoValue), (2, 2, SheetCell::Error("#SPILL!".to_owned()))]
        );
    }

    #[test]
    fn references_are_places() {
        let cases = [("A1", Some((0, 0))), ("c5", Some((4, 2))), ("AA10", Some((9, 26)))];
        for (text, place) in cases {
            assert_eq!(parse_cell_reference(text), place);
        }
        for text in ["", "A", "1", "A0", "ZZZZZZZZZZ1", "A99999999999"] {
            assert_eq!(parse_cell_reference(text), None, "{text}");
        }
    }
}
