//! More spreadsheets, and files that are spreadsheets only by name.

use super::{corpus, location};
use crate::world::World;

/// The world after the import of a spreadsheet was planned.
#[track_caller]
fn planned(file: &str, options: &str) -> World {
    let world = location();
    world.try_bytes(file, bytes(file), options).exits(0);
    world
}

/// Asserts that a spreadsheet is refused as a whole, and nothing asked or sent.
#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, code: &str) {
    let world = location();
    world
        .try_bytes("in.xlsx", bytes, "")
        .exits(4)
        .says(&format!("({code})"))
        .says("nothing was sent");
    world.is_untouched();
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(corpus().join("books").join(file)).unwrap()
}

fn emails(world: &World) -> Vec<String> {
    (1..=world.count()).filter_map(|row| world.value(row, "email")).collect()
}

#[test]
fn of_two_sheets_of_people_one_must_be_named() {
    refused(bytes("two_sheets.xlsx"), "E_SHEET_AMBIGUOUS");
    let world = planned("two_sheets.xlsx", "--sheet Customers");
    assert_eq!(emails(&world), ["x2@example.com"]);
    let world = location();
    let done = world.try_bytes("in.xlsx", bytes("two_sheets.xlsx"), "--sheet Custmers").exits(4);
    done.says("`Customers`");
}

#[test]
fn the_one_sheet_of_people_is_found_among_others() {
    let world = planned("notes_and_people.xlsx", "");
    assert_eq!(emails(&world), ["x1@example.com"]);
    assert_eq!(world.warned_rows("W_SHEET_CHOSEN"), [0]);
}

#[test]
fn a_hidden_sheet_is_not_read() {
    assert_eq!(emails(&planned("hidden_sheet.xlsx", "")), ["x1@example.com"]);
}

#[test]
fn days_are_counted_from_1904_where_the_book_says_so() {
    let world = planned("dates_from_1904.xlsx", "");
    assert_eq!(world.value(1, "dateOfBirth").as_deref(), Some("1990-02-03"));
}

#[test]
fn blank_rows_between_people_are_passed_over() {
    let world = planned("rows_far_apart.xlsx", "");
    assert_eq!(emails(&world), ["x1@example.com", "x2@example.com"]);
    assert_eq!(world.planned(2)[0]["line"], "8");
}

#[test]
fn a_book_without_cells_is_empty() {
    refused(bytes("no_cells.xlsx"), "E_EMPTY_FILE");
}

#[test]
fn a_book_that_was_cut_off_is_damaged() {
    let whole = bytes("two_sheets.xlsx");
    for length in [30, whole.len() / 2, whole.len() - 10] {
        refused(&whole[..length], "E_XLSX_CORRUPT");
    }
}

#[test]
fn a_book_with_a_flipped_byte_is_damaged_or_reads_the_same() {
    let whole = bytes("rows_far_apart.xlsx");
    let names = |world: &World| {
        (1..=world.count()).map(|row| world.value(row, "firstName")).collect::<Vec<_>>()
    };
    let expected = names(&planned("rows_far_apart.xlsx", ""));
    for part in 1..8 {
        let mut bytes = whole.clone();
        bytes[whole.len() * part / 8] ^= 0x40;
        let world = location();
        let done = world.try_bytes("in.xlsx", &bytes, "");
        match done.code {
            0 => assert_eq!(names(&world), expected, "part {part}"),
            code => assert_eq!(code, 4, "part {part}: {}", done.stderr),
        }
    }
}

#[test]
fn a_book_behind_a_password_is_refused() {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(2_048, 0);
    bytes.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    bytes.resize(6_144, 0);
    refused(bytes, "E_ENCRYPTED_OR_LEGACY_XLS");
}

#[test]
fn a_book_by_another_name_is_read_as_what_it_is() {
    let world = location();
    world.try_bytes("in.csv", bytes("dates_from_1904.xlsx"), "").exits(0);
    assert_eq!(emails(&world), ["x1@example.com"]);
    assert_eq!(world.warned_rows("W_EXTENSION_MISMATCH"), [0]);
    let world = location();
    world.try_bytes("in.xls", "Name\tEmail\nA One\ta1@example.com\n", "").exits(0);
    assert_eq!(world.warned_rows("W_EXTENSION_MISMATCH"), [0]);
}
