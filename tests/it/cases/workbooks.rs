//! Workbooks: texts in unusual places, merged cells, numbers that a spreadsheet cannot hold.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{contact, import_case, warned_columns};
use crate::import_world::empty_world;
use crate::world::{CommandOutput, World};

/// Imports a workbook whose only sheet is filled by `fill`.
fn import_book(
    fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet) -> Result<(), XlsxError>,
    options: &str,
) -> (World, CommandOutput) {
    let world = empty_world();
    let mut book = Workbook::new();
    fill(book.add_worksheet()).unwrap();
    book.save(world.path("in.xlsx")).unwrap();
    let done = world.run_command(&format!("import in.xlsx --yes --out res {options}"));
    (world, done)
}

/// How often `warnings.csv` warns of merged cells.
fn merged_warnings(world: &World) -> usize {
    warned_columns(world, "W_MERGED_CELLS").iter().map(|(_, count)| count).sum()
}

#[test]
fn an_inline_text_in_the_place_of_a_value_is_read() {
    let (world, done) = import_case("b03_inline.xlsx", "");
    done.exits(0);
    let avery = contact(&world, "avery.b3@example.net");
    assert_eq!(avery["firstName"], "Avery");
    assert_eq!(avery["lastName"], "Sample");
    assert!(avery["city"].is_null());
}

#[test]
fn a_value_merged_over_rows_belongs_to_each_of_them() {
    let (world, done) = import_case("b08_merged_household.xlsx", "--map B=address1");
    done.exits(0).says("get the value of the merged cell above, such as A3 of A2:A3");
    for email in ["avery.b8@example.net", "blake.b8@example.net"] {
        let person = contact(&world, email);
        assert_eq!(person["companyName"], "Sample Household");
        assert_eq!(person["address"], "1 Main St");
    }
    assert_eq!(merged_warnings(&world), 1);
}

#[test]
fn a_value_merged_over_columns_stays_in_the_first_and_is_reported() {
    let (world, done) = import_book(
        |sheet| {
            for (column, name) in (0..).zip(["Email", "City", "State", "Notes"]) {
                sheet.write(0, column, name)?;
            }
            sheet.write(1, 0, "a@example.net")?;
            sheet.merge_range(1, 1, 1, 2, "Boston", &Format::new())?;
            Ok(())
        },
        "",
    );
    done.exits(0).says("1 cell is merged over several columns");
    let person = contact(&world, "a@example.net");
    assert_eq!(person["city"], "Boston");
    assert!(person["state"].is_null());
}

#[test]
fn numbers_with_more_digits_than_a_spreadsheet_keeps_are_reported_by_column() {
    let (world, done) = import_book(
        |sheet| {
            for (column, name) in (0..).zip(["Email", "Member No", "City"]) {
                sheet.write(0, column, name)?;
            }
            sheet.write(1, 0, "a@example.net")?;
            sheet.write(1, 1, 4_111_111_111_111_111_f64)?;
            sheet.write(2, 0, "b@example.net")?;
            sheet.write(2, 1, 123_456_789_012_345_f64)?;
            sheet.write(3, 0, "c@example.net")?;
            sheet.write(3, 1, 12_345_678_901_234_567_890_f64)?;
            Ok(())
        },
        "--map 'Member No=companyName'",
    );
    done.exits(0).says("Member No: 2 numbers have more than 15 digits, such as");
    assert_eq!(warned_columns(&world, "W_LONG_NUMBER"), [("Member No".to_owned(), 1)]);
    assert_eq!(contact(&world, "b@example.net")["companyName"], "123456789012345");
}
