//! Realistic sample files.

use super::*;

#[test]
fn a_mark_line_ends_and_delimiters_are_found_out() {
    let cases = [
        ("01_utf8_bom_crlf.csv", "CSV, utf-8, comma", vec!["First Name", "Last Name", "Email"]),
        (
            "05_windows1252.csv",
            "CSV, windows-1252, comma",
            vec!["Prénom", "Nom", "E-mail", "Société"],
        ),
        (
            "06_semicolon_decimal_comma.csv",
            "CSV, utf-8, semicolon",
            vec!["Vorname", "Nachname", "E-Mail", "Umsatz", "Geburtstag"],
        ),
        ("17_header_only.csv", "CSV, utf-8, comma", vec!["First Name", "Last Name", "Email"]),
    ];
    for (name, what, columns) in cases {
        let sheet = open(&sample(name)).unwrap();
        assert_eq!((sheet.what.as_str(), names(&sheet)), (what, columns), "{name}");
    }
}

#[test]
fn a_wide_encoding_is_reported_once() {
    let sheet = open(&sample("02_utf16le_bom_tab.csv")).unwrap();
    assert_eq!(codes(&sheet), ["W_ENCODING"]);
    assert!(sheet.warnings[0].message.contains("utf-16le"), "{:?}", sheet.warnings);
    assert_eq!(sheet.columns[6].name, "phone_number");
    assert_eq!(texts(&rows(&sheet)[1])[4], "山田 テスト");
}

#[test]
fn a_guessed_encoding_is_reported() {
    let sheet = open(&sample("05_windows1252.csv")).unwrap();
    assert_eq!(codes(&sheet), ["W_ENCODING_GUESSED"]);
    assert!(sheet.warnings[0].message.contains("windows-1252"), "{:?}", sheet.warnings);
    assert_eq!(texts(&rows(&sheet)[0])[3], "Café “Exemple” – 5 €");
}

#[test]
fn line_breaks_in_quotes_move_the_lines_of_the_rows_behind() {
    let sheet = open(&sample("09_embedded_newlines_quotes.csv")).unwrap();
    let rows = rows(&sheet);
    assert_eq!(texts(&rows[0])[2], "line 1\nline 2\r\nline 3");
    assert_eq!((rows[1].record, rows[1].place.line), (2, 6));
    assert_eq!(texts(&rows[1])[2], "He said \"hi\", twice");
}

#[test]
fn an_open_quote_refuses_the_file_by_record_and_line() {
    let refusal = open(&sample("10_unterminated_quote.csv")).unwrap_err();
    assert_eq!(refusal.code, "E_UNTERMINATED_QUOTE");
    assert!(refusal.message.starts_with("record 2 (line 3) opens a quote"), "{refusal}");
}

#[test]
fn ragged_rows_are_padded_cut_or_faulted() {
    let sheet = open(&sample("12_ragged_rows.csv")).unwrap();
    let rows = rows(&sheet);
    assert_eq!(faults(&rows), [(4, "R_ROW_TOO_LONG")]);
    assert_eq!(rows[1].warnings[0].code, "W_SHORT_ROW");
    assert_eq!(rows[1].warnings[0].message, "2 of 4 fields");
    assert!(rows.iter().all(|row| row.cells.len() >= 4));
    assert_eq!(rows[2].warnings, []);
}

#[test]
fn empty_files_are_refused() {
    assert_eq!(open(&sample("16_zero_bytes.csv")).unwrap_err().code, "E_EMPTY_FILE");
}

#[test]
fn notes_above_the_header_are_skipped_and_reported() {
    let sheet = open(&sample("37a_preamble_linkedin.csv")).unwrap();
    assert_eq!(codes(&sheet), ["W_PREAMBLE_SKIPPED"]);
    assert_eq!(sheet.warnings[0].message, "3 lines (header found in line 4)");
    assert_eq!(rows(&sheet)[0].place.line, 5);
}

#[test]
fn footers_and_totals_are_no_people() {
    let sheet = open(&sample("37b_footer_salesforce.csv")).unwrap();
    let footer = "R_FOOTER_ROW";
    let expected = [(2, footer), (3, footer), (4, footer), (5, footer), (6, "R_TOTALS_ROW")];
    assert_eq!(faults(&rows(&sheet)), expected);
}

#[test]
fn one_damaged_row_does_not_change_the_encoding() {
    let sheet = open(&sample("39_invalid_utf8_one_row.csv")).unwrap();
    let rows = rows(&sheet);
    assert_eq!(codes(&sheet), [""; 0]);
    assert_eq!(faults(&rows), [(2, "R_ENCODING")]);
    let message = &rows[1].fault.as_ref().unwrap().message;
    assert!(message.starts_with("byte 0xF6 at offset 40 is not valid UTF-8"), "{message}");
    assert_eq!(texts(&rows[2])[0], "Łukasz Test");
}

#[test]
fn large_cells_and_wide_rows_come_whole() {
    let sheet = open(&sample("20_cell_1mb.csv")).unwrap();
    assert_eq!(rows(&sheet)[0].cells[2].to_text().len(), 1_048_576);
    let sheet = open(&sample("35_wide_500_columns.csv")).unwrap();
    assert_eq!(sheet.columns[499].letters, "SF");
    assert_eq!(texts(&rows(&sheet)[0])[499], "v497");
}
