//! Whole rows: the results of all their cells together.

use super::*;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

#[test]
fn a_row_that_is_spoiled_in_form_is_rejected_for_that() {
    let mut sheet = case(&["Email=email"], "Email,X\na@example.com,\n");
    sheet.rows[0].fault =
        Some(Diagnostic::new(DiagnosticCode::R_ROW_TOO_LONG, "3 fields").at_column(1));
    sheet.rows[0].warnings.push(Diagnostic::new(DiagnosticCode::W_SHORT_ROW, "odd").at_column(0));
    let outcome = sheet.check(&[json!("R_ROW_TOO_LONG")]);
    assert_eq!(outcome.rejection(1).field, "X");
    assert_eq!(outcome.judged[0].warnings[0].field, "Email");
}

#[test]
fn errors_and_formulas_without_value_are_left_out_but_never_where_they_say_who_it_is() {
    let sheet = |column: usize, cell: SheetCell| {
        case(&["Email=email", "City=city"], "Email,City\na@example.com,Rome\n")
            .cell(1, column, cell)
    };
    let error = || SheetCell::Error("#N/A".to_owned());
    let accepted = [json!({ "email": "a@example.com" })];
    let outcome = sheet(1, error()).check(&accepted);
    assert_eq!(outcome.codes()[0], ["W_SPREADSHEET_ERROR"]);
    let outcome = sheet(1, SheetCell::NoValue).check(&accepted);
    assert_eq!(outcome.codes()[0], ["W_FORMULA_NO_VALUE"]);
    let outcome = sheet(1, SheetCell::Text("#REF!".to_owned())).check(&accepted);
    assert_eq!(outcome.codes()[0], ["W_SPREADSHEET_ERROR"]);
    sheet(0, error()).check(&[json!("R_SPREADSHEET_ERROR")]);
    sheet(0, SheetCell::NoValue).check(&[json!("R_FORMULA_NO_VALUE")]);
}

#[test]
fn errors_in_columns_that_are_not_imported_are_reported_once() {
    let mut sheet = case(&["Email=email"], "Email,Note\na@example.com,#N/A\nb@example.com,#REF!\n");
    sheet.mapping = sheet.mapping.replace("format = 1\n", "format = 1\nmissing = \"skip\"\n");
    let outcome = sheet.run();
    let reported: Vec<_> = outcome
        .summary
        .iter()
        .map(|warned| (warned.code.spelling(), warned.place.column))
        .collect();
    assert_eq!(reported, [("W_SPREADSHEET_ERROR", Some(1))]);
    assert!(outcome.summary[0].message.contains("`#N/A` (line 2, column B) and 1 more"));
}

#[test]
fn control_characters_reject_their_row() {
    case(&["Email=email", "City=city"], "Email,City\na@example.com,Ro\u{1}me\n")
        .check(&[json!("R_CONTROL_CHARACTER")]);
}

/// Every kind of target.
const TARGETS: &str = "contactId sourceId email phone name address1 country timezone website postalCode \
    dateOfBirth additionalEmails additionalPhones tags dnd dndSettings.SMS optIn assignedTo business note \
    note.pinned note.dateAdded task.title task.dueDate task.completed customFields.umsatz customFields.since \
    customFields.size customFields.colors customFields.mobile";

#[test]
fn no_cell_makes_the_check_panic() {
    let long = "9".repeat(400);
    let texts = [
        "#",
        "<",
        "<test lead:",
        "'",
        "=",
        "\u{feff}",
        "ä",
        &long,
        "::: ",
        ";;",
        "@",
        "+",
        "\u{1f600}",
    ];
    let numbers = [f64::NAN, f64::INFINITY, -1.0, 1e300, 0.0];
    let dates = [jiff::civil::DateTime::MAX, jiff::civil::DateTime::MIN];
    for to in TARGETS.split_whitespace() {
        let mut sheet = case(&[&format!("X={to}")], "X\n");
        let mut cells: Vec<SheetCell> = texts.map(|text| SheetCell::Text(text.to_owned())).into();
        cells.extend(numbers.map(|it| SheetCell::Number(it, it.to_string())));
        cells.extend([
            SheetCell::Bool(true),
            SheetCell::NoValue,
            SheetCell::Error("#N/A".to_owned()),
        ]);
        cells.extend(dates.map(SheetCell::Date));
        sheet.rows = cells.into_iter().map(|cell| row(1, vec![cell])).collect();
        sheet.rows.push(row(1, Vec::new()));
        assert_eq!(sheet.run().judged.len(), sheet.rows.len(), "{to}");
    }
}
