//! Spreadsheets.

use super::*;
use crate::sheet::{HiddenRowPolicy, SheetCell};

fn hidden(rule: HiddenRowPolicy) -> SheetReadOptions {
    SheetReadOptions { hidden: rule, ..SheetReadOptions::default() }
}

#[test]
fn titles_above_the_header_are_skipped_and_reported() {
    let sheet = open(&sample("50_title_row.xlsx")).unwrap();
    assert_eq!(sheet.what, "XLSX, sheet \"Contacts\"");
    assert_eq!(codes(&sheet), ["W_PREAMBLE_SKIPPED"]);
    assert_eq!(sheet.warnings[0].message, "rows 1-3 (header found in row 4)");
    let rows = rows(&sheet);
    assert_eq!(rows[0].place.cell_reference(&sheet.columns[2].letters), "Contacts!C5");
    assert_eq!(texts(&rows[1]), ["Blake", "Testcase", "ba2@example.com", "(202) 555-0145"]);
}

#[test]
fn values_come_with_their_types() {
    let sheet = open(&sample("52_typed_cells.xlsx")).unwrap();
    let rows = rows(&sheet);
    assert_eq!(rows[0].cells[2], SheetCell::Number(12_025_550_143.0, "12025550143".to_owned()));
    assert!(
        matches!(rows[0].cells[3], SheetCell::Date(_))
            && matches!(rows[1].cells[3], SheetCell::Date(_))
    );
    assert_eq!(rows[0].cells[3].to_text(), "1990-02-03");
    assert_eq!(rows[1].cells[3].to_text(), "1985-12-25");
    assert_eq!(rows[0].cells[4].to_text(), "02139");
    assert_eq!(
        (&rows[0].cells[5], &rows[1].cells[5]),
        (&SheetCell::Bool(true), &SheetCell::Bool(false))
    );
    assert_eq!(rows[2].cells[6], SheetCell::Error("#N/A".to_owned()));
    assert_eq!(rows[1].cells[8], SheetCell::Text("=1+1".to_owned()));
}

#[test]
fn hidden_rows_are_refused_until_the_user_decides() {
    let path = sample("53_hidden_rows.xlsx");
    let refusal = open(&path).unwrap_err();
    assert_eq!(refusal.code, "E_HIDDEN_ROWS");
    assert_eq!(refusal.message, "3 of 6 rows are hidden (a filter is on)");
    for (rule, expected) in [
        (HiddenRowPolicy::Skip, vec!["be1", "be4", "be6"]),
        (HiddenRowPolicy::Include, vec!["be1", "be2", "be3", "be4", "be5", "be6"]),
    ] {
        let sheet = Sheet::open(&path, &hidden(rule), &known).unwrap();
        let rows = rows(&sheet);
        let names: Vec<String> = rows.iter().map(|row| texts(row)[1][..3].to_owned()).collect();
        assert_eq!(names, expected);
        assert_eq!(rows[1].record, 2);
    }
}

#[test]
fn formulas_give_their_stored_result_or_none() {
    let sheet = open(&sample("56_formula_cells.xlsx")).unwrap();
    let rows = rows(&sheet);
    assert_eq!(rows[0].cells[2], SheetCell::Text("Avery Sample".to_owned()));
    assert_eq!(rows[1].cells[2], SheetCell::NoValue);
    assert_eq!(rows[1].place.cell_reference("C"), "Contacts!C3");
    assert_eq!(rows.len(), 2);
}
