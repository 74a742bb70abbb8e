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
    plan_in_little_memory(&world, "in.xls", &repaired_xls()).exits(0);
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
