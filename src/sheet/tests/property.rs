//! For any file content: no panic, and what was written is read back.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_are_rows_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let file = made(&bytes, "csv");
        if let Ok(sheet) = open(file.path()) {
            prop_assert!(sheet.rows().unwrap().all(|row| row.is_ok()));
        }
    }

    #[test]
    fn arbitrary_text_is_rows_or_a_refusal(text in "(Name,Email[\r\n]{1,2})?[\"\r\n,;\t aé@=\u{FEFF}]{0,200}") {
        let file = made(text.as_bytes(), "csv");
        if let Ok(sheet) = open(file.path()) {
            for row in sheet.rows().unwrap() {
                let row = row.unwrap();
                let columns = sheet.columns.len();
                // A row that is too long keeps its extra cells, and is not used otherwise.
                let fits = if row.fault.is_some() { row.cells.len() >= columns } else { row.cells.len() == columns };
                prop_assert!(fits, "{row:?}");
            }
        }
    }

    #[test]
    fn damaged_workbooks_are_rows_or_a_refusal(at in 0_usize..5_000, byte: u8, keep in 0_usize..6_000) {
        let mut bytes = std::fs::read(sample("52_typed_cells.xlsx")).unwrap();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(keep.max(100));
        let file = made(&bytes, "xlsx");
        if let Ok(sheet) = open(file.path()) {
            prop_assert!(sheet.rows().unwrap().all(|row| row.is_ok()));
        }
    }

    #[test]
    fn what_a_writer_writes_comes_back(
        cells in proptest::collection::vec(proptest::collection::vec("([!-~é山]([ -~é山\n]{0,8}[!-~é山])?)?", 4), 1..12),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["Name", "Email", "City", "Notes"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let file = made(&writer.into_inner().unwrap(), "csv");
        let reading = SheetReadOptions { delimiter: Some(','), header_row: Some(1), ..SheetReadOptions::default() };
        let sheet = Sheet::open(file.path(), &reading, &known).unwrap();
        let written: Vec<&Vec<String>> = cells.iter().filter(|row| row.iter().any(|it| !it.is_empty())).collect();
        let read = rows(&sheet);
        let texts: Vec<Vec<String>> = read.iter().map(texts).collect();
        prop_assert_eq!(texts.iter().collect::<Vec<_>>(), written);
    }
}
