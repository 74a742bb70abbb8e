//! Files that are not what they seem, and texts that a program has damaged.

use super::{contact, import_case, import_text};
use crate::import_world::empty_world;

#[test]
fn the_lock_file_of_a_workbook_is_named_for_what_it_is() {
    let (world, done) = import_case("~$a05_leads.xlsx", "");
    done.exits(4).says("Excel's lock file").says("a05_leads.xlsx");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn a_pointer_to_a_document_in_the_cloud_is_named_for_what_it_is() {
    let world = empty_world();
    world.write_sheet("a.gsheet", "{\"url\": \"https://docs.google.com/x\", \"doc_id\": \"x\"}");
    world.write_sheet("a.numbers", "PK");
    for (line, what) in [
        ("import a.gsheet --yes", "pointer to a Google document"),
        ("import a.numbers --yes", "a Numbers document"),
        ("import https://docs.google.com/spreadsheets/d/1/edit --yes", "is a web address"),
        ("map https://docs.google.com/spreadsheets/d/1/edit", "File > Download"),
    ] {
        world.run_command(line).exits(4).says(what);
    }
}

#[test]
fn the_ctrl_z_at_the_end_of_a_text_of_dos_is_ignored() {
    let (world, done) = import_case("c09_ctrl_z.csv", "");
    done.exits(0);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
    assert_eq!(contact(&world, "blake.c9@example.net")["lastName"], "Testcase");
}

#[test]
fn row_names_without_a_header_are_told_and_nothing_is_shifted() {
    let (world, done) = import_case("c06_r_row_names.csv", "");
    done.exits(4)
        .says("every row has one cell more than the header (5 instead of 4)")
        .says("row.names");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn rows_are_not_shifted_where_the_values_are_under_their_names() {
    let (world, done) =
        import_text("First Name,Email\nA,a@example.net,extra\nB,b@example.net,extra\n", "");
    done.exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert!(rejected.iter().all(|row| row["_reject_code"] == "R_ROW_TOO_LONG"), "{rejected:?}");
    assert!(rejected[0]["_reject_reason"].contains("a first column without a name"));
    // Row names need not be numbers.
    let (_, done) = import_text(
        "\"First Name\",\"Email\"\n\"x\",\"A\",\"a@example.net\"\n\"y\",\"B\",\"b@example.net\"\n",
        "",
    );
    done.exits(4).says("E_HEADER_TOO_SHORT");
}

#[test]
fn a_line_break_that_was_saved_without_quotes_is_told_as_what_it_is() {
    for (broken, name) in [("\r", "a carriage return (CR) alone"), ("\n", "a line feed (LF) alone")]
    {
        let sheet = format!(
            "First Name,Notes,Email\r\nA,first{broken}second,a@example.net\r\nB,one,b@example.net\r\n\
             C,x,c@example.net{broken}rest\r\nD,,d@example.net\r\n"
        );
        let (world, done) = import_text(sheet, "");
        done.exits(3);
        let rejected = world.read_csv("res/rejected.csv");
        let codes: Vec<_> = rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
        assert_eq!(codes, ["R_BROKEN_LINE"; 4]);
        assert!(rejected[0]["_reject_reason"].contains(name), "{rejected:?}");
        assert_eq!(world.read_contacts().len(), 2);
    }
}

#[test]
fn line_ends_may_differ_where_every_row_is_whole() {
    let (world, done) = import_text(
        "First Name,Email\r\nA,a@example.net\nB,b@example.net\rC,c@example.net\r\n",
        "",
    );
    done.exits(0);
    assert_eq!(world.read_contacts().len(), 3);
}
