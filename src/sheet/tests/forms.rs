//! Delimiters, line ends, quotes, and text above, between and below the rows.

use super::*;
use crate::diagnostic::Diagnostic;

fn read(text: &str) -> (Sheet, Vec<SheetRow>) {
    let file = made(text.as_bytes(), "csv");
    let sheet = open(file.path()).unwrap();
    let rows = rows(&sheet);
    (sheet, rows)
}

fn refused(text: &str) -> Diagnostic {
    open(made(text.as_bytes(), "csv").path()).unwrap_err()
}

#[test]
fn line_ends_of_all_kinds_separate_rows() {
    for text in [
        "Name,Email\nA,a@b.c\nB,b@b.c\n",
        "Name,Email\r\nA,a@b.c\r\nB,b@b.c",
        "Name,Email\rA,a@b.c\rB,b@b.c\r",
        "Name,Email\r\nA,a@b.c\nB,b@b.c\r",
    ] {
        let (_, rows) = read(text);
        let lines: Vec<u64> = rows.iter().map(|row| row.place.line).collect();
        assert_eq!(lines, [2, 3], "{text:?}");
        assert_eq!(texts(&rows[1]), ["B", "b@b.c"], "{text:?}");
    }
}

#[test]
fn delimiters_are_chosen_by_known_names_and_even_rows() {
    let cases = [
        ("Name;Email\n\"A, B\";a@b.c\n", "semicolon"),
        ("Name|Email\nA|a@b.c\n", "pipe"),
        ("Name\tEmail\nA, B\ta@b.c\n", "tab"),
        ("sep=|\nName|Email\nA|a@b.c\n", "pipe"),
        ("\"sep=;\"\nName;Email\nA;a@b.c\n", "semicolon"),
        ("Email\na@b.c; d@e.f\n", "comma"),
        ("Größe;Farbe;Art\n1,5;rot;x\n2,5;blau;y\n", "semicolon"),
        ("Alpha,Beta,Gamma\nx;y,2,3\nx;z,5,6\n", "comma"),
    ];
    for (text, expected) in cases {
        let (sheet, _) = read(text);
        assert!(sheet.what.ends_with(expected), "{text:?}: {}", sheet.what);
        assert!(!codes(&sheet).contains(&"W_PREAMBLE_SKIPPED"), "{text:?}");
    }
}

#[test]
fn a_delimiter_can_be_asked_for() {
    let file = made(b"Name^Email\nA^a@b.c\n", "csv");
    let ask = |delimiter| {
        let reading =
            SheetReadOptions { delimiter: Some(delimiter), ..SheetReadOptions::default() };
        Sheet::open(file.path(), &reading, &known)
    };
    assert_eq!(names(&ask('^').unwrap()), ["Name", "Email"]);
    for delimiter in ['"', '\n', 'é'] {
        assert_eq!(ask(delimiter).unwrap_err().code, "E_DELIMITER");
    }
}

#[test]
fn quotes_out_of_place_fault_their_row_alone() {
    let text = "Name,Email,City\nA \"x\" B,a@b.c,Rome\n\"C\" D,c@b.c,Rome\nE,e@b.c,\"R\"\"o\"\n \"F, G\" ,f@b.c,Oslo\n\
                G \"x, y\",g@b.c\nH 6\" I,h@b.c\nJ \"x\" K,j@b.c,\"L\" M\n";
    let (_, rows) = read(text);
    assert_eq!(faults(&rows), [2, 5, 6, 7].map(|row| (row, "R_BAD_QUOTING")));
    assert_eq!(texts(&rows[0])[0], "A \"x\" B", "it fits, so that it is text");
    assert_eq!(texts(&rows[2])[2], "R\"o");
    assert_eq!(texts(&rows[3])[0], "F, G");
}

#[test]
fn quotes_within_tab_separated_cells_are_text() {
    let (_, rows) = read("Name\tEmail\nA \"x\" B\ta@b.c\n");
    assert_eq!((faults(&rows), texts(&rows[0])[0].as_str()), (vec![], "A \"x\" B"));
}

#[test]
fn a_quote_that_runs_on_to_a_later_one_refuses_the_file() {
    let text = "Name,Email,Company\nA,a@b.c,\"XYZ\nB,b@b.c,Q\nC,c@b.c,R\nD,d@b.c,\"Acme, Inc.\"\nE,e@b.c,S\n";
    let refusal = refused(text);
    assert_eq!(refusal.code, "E_UNTERMINATED_QUOTE");
    assert!(refusal.message.starts_with("record 1 (line 2) opens a quote"), "{refusal}");
}

#[test]
fn a_quote_that_is_never_closed_is_named_even_above_the_header() {
    let refusal = refused("\"Notes\nName,Email\nA,a@b.c\n");
    assert_eq!(refusal.code, "E_UNTERMINATED_QUOTE");
    assert!(refusal.message.starts_with("line 1 opens a quote"), "{refusal}");
}

#[test]
fn headers_are_found_by_words_and_width() {
    let cases = [
        ("Customers\n\nName,Email\nA,a@b.c\n", 3, vec!["Name", "Email"]),
        (
            "Name and Email of all, 2024\nFoo,Name,Email\n1,A,a@b.c\n2,B,b@b.c\n",
            2,
            vec!["Foo", "Name", "Email"],
        ),
        ("Alpha,Beta\n1,2\n", 1, vec!["Alpha", "Beta"]),
        ("Email\na@b.c\nb@b.c\n", 1, vec!["Email"]),
        (",Name,Email\n0,A,a@b.c\n", 1, vec!["", "Name", "Email"]),
        ("Name,Email\nA,a@b.c,extra\nB,b@b.c\n", 1, vec!["Name", "Email"]),
        ("\u{FEFF}\u{200B} Name \u{A0},Ema\u{FEFF}il\nA,a@b.c\n", 1, vec!["Name", "Email"]),
    ];
    for (text, line, expected) in cases {
        let (sheet, rows) = read(text);
        assert_eq!(names(&sheet), expected, "{text:?}");
        assert_eq!(rows[0].place.line, line + 1, "{text:?}");
    }
}

#[test]
fn a_file_without_a_header_is_refused() {
    for text in
        ["A,a@b.c\nB,b@b.c\n", "1,2\n3,4\n", "a@b.c\nd@e.f\n", "A,A\nB,B\n", "2024-01-01,x\n"]
    {
        let refusal = refused(text);
        assert_eq!(refusal.code, "E_NO_HEADER", "{text:?}");
        assert!(refusal.hint.is_some());
    }
}

#[test]
fn the_line_of_the_header_can_be_asked_for() {
    let text = format!("{}Alpha,Beta\nx,y\n", "1,2\n".repeat(5000));
    let file = made(text.as_bytes(), "csv");
    let ask = |line| {
        let reading = SheetReadOptions { header_row: Some(line), ..SheetReadOptions::default() };
        Sheet::open(file.path(), &reading, &known)
    };
    let sheet = ask(5001).unwrap();
    assert_eq!((names(&sheet), rows(&sheet).len()), (vec!["Alpha", "Beta"], 1));
    assert_eq!(ask(9999).unwrap_err().code, "E_NO_HEADER");
}

#[test]
fn columns_without_a_name_are_reported_if_they_have_values() {
    let (sheet, _) = read("Name,,Email,\nA,x,a@b.c,\n");
    let reported: Vec<_> =
        sheet.warnings.iter().map(|it| (it.code.spelling(), it.place.column)).collect();
    assert_eq!(reported, [("W_UNNAMED_COLUMN", Some(1))]);
}

#[test]
fn rows_that_are_not_data_are_faults() {
    let text = "Name,Email,City\nA,a@b.c,Rome\n\nName,Email,City\nB,b@b.c,Rome\n , ,\nreport of May\n\
                Generated by Acme\nTotal,2,\n";
    let (_, rows) = read(text);
    let expected =
        [(2, "R_REPEATED_HEADER"), (4, "R_FOOTER_ROW"), (5, "R_FOOTER_ROW"), (6, "R_TOTALS_ROW")];
    assert_eq!(faults(&rows), expected);
    assert_eq!(rows.iter().map(|row| row.record).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn people_are_not_taken_for_totals_and_footers() {
    let text = "First Name,Last Name,Email,Phone\nTotal,Recall,t@b.c,\nSum,Wong,,+12025550143\n\
                Summe,Li,,202-555-0143\nAnna,,,\n";
    let (_, rows) = read(text);
    assert_eq!(faults(&rows), []);
}

#[test]
fn a_total_in_the_middle_needs_numbers() {
    let mut text = "Name,Amount,Email\nTotal,Petrol,\nSubtotal,12.50,\n".to_owned();
    text.push_str(&"A,1,a@b.c\n".repeat(20));
    assert_eq!(faults(&read(&text).1), [(2, "R_TOTALS_ROW")]);
}

#[test]
fn a_header_without_rows_is_reported() {
    let (sheet, rows) = read("Name,Email\n\n");
    assert_eq!((codes(&sheet), rows.len()), (vec!["W_NO_ROWS"], 0));
}

#[test]
fn a_changed_file_is_not_read_on() {
    let file = made(b"Name,Email\nA,a@b.c\n", "csv");
    let sheet = open(file.path()).unwrap();
    std::fs::write(file.path(), b"Name,Email\nA,a@b.c\nB,b@b.c\n").unwrap();
    assert_eq!(sheet.rows().err().unwrap().code, "E_CHANGED");
    let sheet = open(file.path()).unwrap();
    let mut reading = sheet.rows().unwrap();
    std::fs::write(file.path(), b"Name,Email\nX,a@b.c\nB,b@b.c\n").unwrap();
    let last = reading.by_ref().last().unwrap();
    assert_eq!(last.unwrap_err().code, "E_CHANGED");
    assert!(reading.next().is_none());
    std::fs::remove_file(file.path()).unwrap();
    assert_eq!(sheet.rows().err().unwrap().code, "E_IO");
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    let sheet = open(&sample("01_utf8_bom_crlf.csv")).unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(std::fs::read(&sheet.path).unwrap());
    let expected: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sheet.digest, expected.concat());
}

#[test]
fn very_wide_files_take_no_time_out_of_proportion() {
    // With the two others, as many as are read.
    let columns = 16_382;
    let header: Vec<String> = (0..columns).map(|i| format!("Column {i}")).collect();
    let row = vec!["x"; columns].join(",");
    let text = format!("Name,Email,{}\nA,a@b.c,{row}\n{}\n", header.join(","), ",".repeat(300_000));
    let (sheet, rows) = read(&text);
    assert_eq!((sheet.columns.len(), rows.len()), (columns + 2, 1));
}
