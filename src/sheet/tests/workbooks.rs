//! Spreadsheets that are made here: their sheets, cells, oddities and damage.

use std::io::{Cursor, Write};

use super::*;
use crate::diagnostic::Diagnostic;
use crate::sheet::{HiddenRowPolicy, SheetCell};
use zip::write::SimpleFileOptions;

/// Parts as an archive.
fn zipped(parts: &[(&str, String)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook of sheets: name, attributes, and what stands in `sheetData` and behind it.
fn workbook(properties: &str, sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let (mut list, mut targets) = (Vec::new(), Vec::new());
    let mut parts = Vec::new();
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    for (index, (name, attributes, data)) in sheets.iter().enumerate() {
        let id = index + 1;
        list.push(format!("<sheet name=\"{name}\" sheetId=\"{id}\" {attributes} r:id=\"r{id}\"/>"));
        targets.push(relation(&format!("r{id}"), "worksheet", &format!("worksheets/s{id}.xml")));
        let part = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{data}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/s{id}.xml"), part));
    }
    let styles = format!(
        "<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"1\"><numFmt numFmtId=\"170\" formatCode=\"00000\"/></numFmts>\
         <cellXfs count=\"3\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"170\"/></cellXfs></styleSheet>"
    );
    targets.push(relation("st", "styles", "styles.xml"));
    let (list, targets) = (list.concat(), targets.concat());
    let document = relation("a", "officeDocument", "xl/workbook.xml");
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut all = vec![
        ("[Content_Types].xml", "<Types/>".to_owned()),
        ("_rels/.rels", format!("<Relationships xmlns=\"{package}\">{document}</Relationships>")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\">{properties}<sheets>{list}</sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!("<Relationships xmlns=\"{package}\">{targets}</Relationships>"),
        ),
        ("xl/styles.xml", styles),
    ];
    all.extend(parts.iter().map(|(name, part)| (name.as_str(), part.clone())));
    zipped(&all)
}

/// Rows of text cells without any places, as some writers make them.
fn cells(rows: &[&[&str]]) -> String {
    let cell = |text: &&str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row = |row: &&[&str]| format!("<row>{}</row>", row.iter().map(cell).collect::<String>());
    rows.iter().map(row).collect()
}

const PEOPLE: &[&[&str]] = &[&["Name", "Email", "Phone", "City"], &["A", "a@b.c", "1", "Rome"]];

fn read(bytes: &[u8], reading: &SheetReadOptions) -> Result<(Sheet, Vec<SheetRow>), Diagnostic> {
    let file = made(bytes, "xlsx");
    let sheet = Sheet::open(file.path(), reading, &known)?;
    let rows = rows(&sheet);
    Ok((sheet, rows))
}

fn read_all(bytes: &[u8]) -> (Sheet, Vec<SheetRow>) {
    read(bytes, &SheetReadOptions::default()).unwrap()
}

fn named(sheet: &str) -> SheetReadOptions {
    SheetReadOptions { sheet: Some(sheet.to_owned()), ..SheetReadOptions::default() }
}

#[test]
fn the_sheet_is_the_one_with_data_or_with_known_names() {
    let people = cells(PEOPLE);
    let prices = cells(&[&["Item", "Price"], &["Pen", "2"]]);
    let others = cells(&[&["Email", "Name"], &["b@b.c", "B"]]);
    let (sheet, _) = read_all(&workbook("", &[("Empty", "", ""), ("People", "", &people)]));
    assert_eq!((sheet.what.as_str(), codes(&sheet)), ("XLSX, sheet \"People\"", vec![]));
    let (sheet, _) = read_all(&workbook("", &[("Prices", "", &prices), ("People", "", &people)]));
    assert_eq!(codes(&sheet), ["W_SHEET_CHOSEN"]);
    assert_eq!(sheet.warnings[0].message, "`People`; `Prices`, `People` hold data");
    let unclear =
        workbook("", &[("One", "", &people), ("Two", "", &people), ("Three", "", &others)]);
    let refusal = read(&unclear, &SheetReadOptions::default()).unwrap_err();
    assert_eq!(refusal.code, "E_SHEET_AMBIGUOUS");
    assert!(refusal.message.ends_with("`One`, `Two`, `Three` hold data"), "{refusal}");
    assert_eq!(read(&unclear, &named("three")).unwrap().0.what, "XLSX, sheet \"Three\"");
    assert_eq!(read(&unclear, &named("Four")).unwrap_err().code, "E_SHEET_AMBIGUOUS");
}

#[test]
fn hidden_sheets_are_read_when_they_are_named() {
    let people = cells(PEOPLE);
    let book = workbook("", &[("Seen", "", ""), ("Unseen &amp; co", "state=\"hidden\"", &people)]);
    assert_eq!(read(&book, &SheetReadOptions::default()).unwrap_err().code, "E_EMPTY_FILE");
    let (sheet, rows) = read(&book, &named("Unseen & co")).unwrap();
    assert_eq!((rows.len(), rows[0].place.cell_reference("B").as_str()), (1, "Unseen & co!B2"));
    assert_eq!(names(&sheet), PEOPLE[0]);
}

#[test]
fn dates_follow_the_epoch_of_the_file() {
    let data = format!("{}<row><c s=\"1\"><v>31445</v></c></row>", cells(&[&["Birthday", "Name"]]));
    for (properties, expected) in
        [("", "1986-02-02"), ("<workbookPr date1904=\"1\"/>", "1990-02-03")]
    {
        let (_, rows) = read_all(&workbook(properties, &[("S", "", &data)]));
        assert_eq!(rows[0].cells[0].to_text(), expected);
    }
}

#[test]
fn padded_numbers_errors_and_missing_results_are_told_apart() {
    let data = format!(
        "{}<row r=\"2\"><c r=\"A2\" s=\"2\"><v>501</v></c><c r=\"B2\" t=\"e\"><f>X</f><v>#SPILL!</v></c>\
         <c r=\"C2\"><f>1+1</f></c><c r=\"D2\" t=\"str\"><f>\"\"</f><v></v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>Zip</v></c><c r=\"B1\" t=\"str\"><v>Name</v></c>\
         <c r=\"C1\" t=\"str\"><v>Email</v></c><c r=\"D1\" t=\"str\"><v>City</v></c></row>"
    );
    let (_, rows) = read_all(&workbook("", &[("S", "", &data)]));
    let expected = [
        SheetCell::Number(501.0, "00501".to_owned()),
        SheetCell::Error("#SPILL!".to_owned()),
        SheetCell::NoValue,
        SheetCell::Empty,
    ];
    assert_eq!(rows[0].cells, expected);
}

#[test]
fn rows_in_disorder_and_gaps_come_in_order() {
    let cell = |place: &str, text: &str| format!("<c r=\"{place}\" t=\"str\"><v>{text}</v></c>");
    let data = format!(
        "<row r=\"9\">{}{}</row><row r=\"2\">{}{}</row><row r=\"5\">{}</row><row r=\"5\">{}</row>",
        cell("B9", "late@b.c"),
        cell("A9", "Late"),
        cell("A2", "Name"),
        cell("B2", "Email"),
        cell("A5", "Early"),
        cell("B5", "early@b.c"),
    );
    let (_, rows) = read_all(&workbook("", &[("S", "", &data)]));
    let read: Vec<_> = rows.iter().map(|row| (row.place.line, texts(row))).collect();
    let line = |line, name: &str, email: &str| (line, vec![name.to_owned(), email.to_owned()]);
    assert_eq!(read, [line(5, "Early", "early@b.c"), line(9, "Late", "late@b.c")]);
}

#[test]
fn values_beside_the_named_columns_have_columns_without_a_name() {
    let data = cells(&[&["Name", "Email"], &["A", "a@b.c", "", "note"], &["B", "b@b.c"]]);
    let (sheet, rows) = read_all(&workbook("", &[("S", "", &data)]));
    assert_eq!(names(&sheet), ["Name", "Email", "", ""]);
    assert_eq!(
        (codes(&sheet), sheet.warnings[0].place.column),
        (vec!["W_UNNAMED_COLUMN"], Some(3))
    );
    assert!(rows.iter().all(|row| row.cells.len() == 4 && row.warnings.is_empty()));
    let far = format!("{}<row><c r=\"XFD2\"><v>1</v></c></row>", cells(&[&["Name", "Email"]]));
    let (sheet, rows) = read_all(&workbook("", &[("S", "", &far)]));
    assert_eq!((sheet.columns.len(), faults(&rows)), (2, vec![(1, "R_ROW_TOO_LONG")]));
}

#[test]
fn rows_hidden_above_the_header_or_empty_do_not_count() {
    let head = "<row r=\"1\" hidden=\"1\"><c r=\"A1\" t=\"str\"><v>Title</v></c></row>\
                <row r=\"2\"><c r=\"A2\" t=\"str\"><v>Name</v></c><c r=\"B2\" t=\"str\"><v>Email</v></c></row>";
    let data = format!(
        "{head}<row r=\"3\"><c r=\"B3\" t=\"str\"><v>a@b.c</v></c></row><row r=\"4\" hidden=\"true\"/>"
    );
    let (sheet, rows) = read_all(&workbook("", &[("S", "", &data)]));
    assert_eq!((codes(&sheet), rows.len()), (vec!["W_PREAMBLE_SKIPPED"], 1));
}

#[test]
fn hidden_rows_of_an_open_document_are_seen() {
    let row = |attributes: &str, cells: &[&str]| {
        let cell = |text: &&str| {
            format!(
                "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
            )
        };
        let cells: String = cells.iter().map(cell).collect();
        format!("<table:table-row {attributes}>{cells}</table:table-row>")
    };
    let table = [
        row("", &["Name", "Email"]),
        row("table:visibility=\"filter\"", &["A", "a@b.c"]),
        row("", &["B", "b@b.c"]),
    ];
    let content = format!(
        "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"S\">{}\
         </table:table></office:spreadsheet></office:body></office:document-content>",
        table.concat()
    );
    let document = zipped(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet".to_owned()),
        ("META-INF/manifest.xml", "<manifest:manifest/>".to_owned()),
        ("content.xml", content),
    ]);
    let refusal = read(&document, &SheetReadOptions::default()).unwrap_err();
    assert_eq!(refusal.message, "1 of 2 rows is hidden (a filter is on)");
    let skipping =
        SheetReadOptions { hidden: HiddenRowPolicy::Skip, ..SheetReadOptions::default() };
    let (sheet, rows) = read(&document, &skipping).unwrap();
    assert_eq!(
        (sheet.what.as_str(), codes(&sheet)),
        ("ODS, sheet \"S\"", vec!["W_EXTENSION_MISMATCH"])
    );
    assert_eq!((rows.len(), texts(&rows[0])[0].as_str()), (1, "B"));
}

#[test]
fn archives_that_are_no_spreadsheets_are_named() {
    for (part, what) in
        [("word/document.xml", "Word"), ("contacts.csv", "ZIP"), ("Index/a.iwa", "Numbers")]
    {
        let refusal =
            read(&zipped(&[(part, "x".to_owned())]), &SheetReadOptions::default()).unwrap_err();
        assert_eq!(refusal.code, "E_NOT_TEXT");
        assert!(refusal.message.contains(what), "{refusal}");
    }
}

#[test]
fn damage_and_greed_are_refused() {
    let sst = "<sst uniqueCount=\"99999999999\"></sst>".to_owned();
    let greedy = zipped(&[("[Content_Types].xml", String::new()), ("xl/sharedStrings.xml", sst)]);
    let people = cells(PEOPLE);
    let cut = format!("{people}<row><c t=\"s\"><v>7</v></c></row>");
    let outside = format!("{people}<row><c r=\"ZZZZ3\"><v>7</v></c></row>");
    let whole = workbook("", &[("S", "", &people)]);
    let cases = [
        greedy,
        workbook("", &[("S", "", &cut)]),
        workbook("", &[("S", "", &outside)]),
        workbook("", &[("S", "", "<row><c>")]),
        whole[..whole.len() / 2].to_vec(),
        zipped(&[("xl/workbook.xml", String::new())]),
    ];
    for (index, bytes) in cases.iter().enumerate() {
        let refusal = read(bytes, &SheetReadOptions::default()).unwrap_err();
        assert_eq!(refusal.code, "E_XLSX_CORRUPT", "case {index}: {refusal}");
        assert!(refusal.hint.is_some());
    }
}

#[test]
fn footers_and_totals_of_sheets_are_no_people() {
    let data = cells(&[
        &["Name", "Email", "City"],
        &["A", "a@b.c", "Rome"],
        &[],
        &["made by hand"],
        &["Total", "1"],
    ]);
    let (_, rows) = read_all(&workbook("", &[("S", "", &data)]));
    assert_eq!(faults(&rows), [(2, "R_FOOTER_ROW"), (3, "R_TOTALS_ROW")]);
}
