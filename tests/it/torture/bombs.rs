//! Spreadsheets that would fill the memory or never end: each is refused, in little memory and with a plain sentence.

use std::io::Write as _;

use zip::write::SimpleFileOptions;

use super::{corpus, location};
use crate::world::{CommandOutput, World};

/// Plans the import of a file with little memory.
fn plan_in_little_memory(world: &World, file: &str, bytes: &[u8]) -> CommandOutput {
    std::fs::write(world.path(file), bytes).unwrap();
    world.run_in_little_memory(&format!("import {file} --dry-run --out res --default-country US"))
}

/// Asserts that a file is refused in little memory, with a sentence that has `part` in it.
#[track_caller]
fn is_refused(file: &str, bytes: &[u8], part: &str) {
    let world = location();
    let done = plan_in_little_memory(&world, file, bytes).exits(4).says(part);
    done.does_not_say("panicked").does_not_say("backtrace");
    world.is_untouched();
}

fn book(file: &str) -> Vec<u8> {
    std::fs::read(corpus().join("books").join(file)).unwrap()
}

/// The example with one more part, or another content of a part.
fn book_with_part(name: &str, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(std::io::Cursor::new(book("two_sheets.xlsx"))).unwrap();
    let mut new = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..old.len() {
        let part = old.by_index_raw(index).unwrap();
        if part.name_raw() != name.as_bytes() {
            new.raw_copy_file(part).unwrap();
        }
    }
    new.start_file(name, SimpleFileOptions::default()).unwrap();
    for piece in pieces {
        new.write_all(&piece).unwrap();
    }
    new.finish().unwrap().into_inner()
}

#[test]
fn an_ordinary_spreadsheet_needs_little_memory() {
    let world = location();
    plan_in_little_memory(&world, "in.xlsx", &book("rows_far_apart.xlsx")).exits(0);
}

#[test]
fn a_directory_whose_sectors_run_in_a_circle_is_refused() {
    is_refused("in.xls", &book("directory_in_a_circle.xls"), "runs in a circle");
}

#[test]
fn a_small_spreadsheet_that_unpacks_to_hundreds_of_megabytes_is_refused() {
    let piece = b"<si><t>x</t></si>".repeat(1 << 16);
    let begin =
        b"<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">".to_vec();
    let pieces = std::iter::once(begin).chain(std::iter::repeat_n(piece, 100));
    let bytes = book_with_part("xl/sharedStrings.xml", pieces);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    is_refused("in.xlsx", &bytes, "compressed more than 100-fold");
}

#[test]
fn a_text_file_with_millions_of_columns_is_refused() {
    let bytes = format!("Email{}\na@example.com\n", ",Name".repeat(3_000_000));
    is_refused("in.csv", bytes.as_bytes(), "more than 16,384 columns");
}

#[test]
fn a_damaged_spreadsheet_shows_no_text_of_a_panic() {
    let whole = book("two_sheets.xlsx");
    for at in (0..whole.len()).step_by(whole.len() / 12) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        let world = location();
        let done = world.try_bytes("in.xlsx", &bytes, "--sheet Customers");
        assert!(matches!(done.code, 0 | 4), "{at}: {done:?}");
        done.does_not_say("panicked");
    }
    // A record of the workbook without its content, which the reader does not expect.
    let mut bytes = repaired_xls();
    let at = find_record(&bytes, [0x42, 0x00, 0x02, 0x00]);
    bytes[at + 2] = 0;
    is_refused("in.xls", &bytes, "cannot be read");
}

#[test]
fn cells_that_lie_far_apart_are_refused() {
    let world = location();
    // Undamaged, the book is read: its cities are numbers, so only what they mean is asked.
    plan_in_little_memory(&world, "in.xls", &repaired_xls()).exits(4).says("E_COLUMN_UNDECIDED");
    let mut bytes = repaired_xls();
    let at = find_record(&bytes, [0xFD, 0x00, 0x0A, 0x00]);
    bytes[at + 4..at + 8].copy_from_slice(&[0xFF; 4]);
    is_refused("in.xls", &bytes, "lie so far apart");
}

/// The file whose directory runs in a circle, with the end of the directory back in its place.
fn repaired_xls() -> Vec<u8> {
    let mut bytes = book("directory_in_a_circle.xls");
    let last = 9 * 512 + 9 * 4;
    bytes[last..last + 4].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    bytes
}

/// Where the first record begins that has these type and length.
fn find_record(bytes: &[u8], head: [u8; 4]) -> usize {
    bytes.windows(4).position(|it| it == head).unwrap()
}

#[test]
fn a_header_of_thirty_megabytes_is_refused() {
    let name = "x".repeat(30_000_000);
    let part = "the header on line 1 is longer than 1 MiB";
    is_refused("in.csv", format!("Email,{name}\na@example.com,Bo\n").as_bytes(), part);
    let quoted = format!("Email,\"{}\"\na@example.com,Bo\n", &name[..2_000_000]);
    is_refused("in.csv", quoted.as_bytes(), part);
}

#[test]
fn a_row_that_is_longer_than_a_row_can_be_is_refused() {
    let text = "x y\n".repeat(4_500_000);
    let part = "the row on line 2 is longer than 16 MiB";
    for file in [
        format!("Email,Notes\na@example.com,\"{text}\"\nb@example.com,Bo\n"),
        format!("Email,Notes\na@example.com,{}\nb@example.com,Bo\n", text.replace('\n', " ")),
    ] {
        is_refused("in.csv", file.as_bytes(), part);
    }
}

#[test]
fn rows_and_cells_of_an_ods_file_that_are_repeated_without_end_are_refused() {
    let cell = |attributes: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\" {attributes}><text:p>a@example.com\
             </text:p></table:table-cell>"
        )
    };
    let row = |attributes: &str, cells: &str| {
        format!("<table:table-row {attributes}>{cells}</table:table-row>")
    };
    let gap = "<table:table-cell table:number-columns-repeated=\"4294967295\"/>";
    let rows = "table:number-rows-repeated";
    for table in [
        row(&format!("{rows}=\"1048576\""), &cell("table:number-columns-repeated=\"90\"")),
        row(&format!("{rows}=\"4000000000\""), &cell("")),
        row("", &(cell("") + gap + &cell(""))),
    ] {
        let part = "the cells of its sheets lie so far apart";
        is_refused("in.ods", &ods_with_rows(&(row("", &cell("")) + &table)), part);
    }
}

#[test]
fn an_ods_file_that_is_cut_off_is_refused() {
    let row = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>Email";
    let whole = ods_content(row);
    let cut = &whole[..whole.find("Email").unwrap() + 3];
    is_refused("in.ods", &ods_with_content(cut), "ends in the middle of an element");
}

#[test]
fn a_text_of_a_spreadsheet_that_fills_the_memory_is_refused() {
    // It cannot be compressed much.
    let mut state = 1_u64;
    let mut letters = || {
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            b'a' + u8::try_from(state >> 60).unwrap()
        };
        (0..1 << 20).map(next).collect::<Vec<u8>>()
    };
    let begin = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
                 <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>";
    let end = "</t></is></c></row></sheetData></worksheet>";
    let pieces = std::iter::once(begin.into())
        .chain((0..18).map(|_| letters()))
        .chain(std::iter::once(end.into()))
        .collect::<Vec<Vec<u8>>>();
    let bytes = book_with_part("xl/worksheets/sheet1.xml", pieces.into_iter());
    is_refused("in.xlsx", &bytes, "a text in the spreadsheet has more than 16 MiB");
}

/// A spreadsheet with one sheet of these rows.
fn ods_with_rows(rows: &str) -> Vec<u8> {
    ods_with_content(&ods_content(rows))
}

fn ods_content(rows: &str) -> String {
    let names = ["office", "table", "text"]
        .map(|name| format!("xmlns:{name}=\"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0\""));
    format!(
        "<office:document-content {}><office:body><office:spreadsheet><table:table table:name=\"S\">\
         {rows}</table:table></office:spreadsheet></office:body></office:document-content>",
        names.join(" ")
    )
}

fn ods_with_content(content: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    for (name, text) in [("mimetype", kind), ("content.xml", content)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
