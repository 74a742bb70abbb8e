//! Headers: remarks of import templates, names of other programs, and columns that mark test leads.

use super::{contact, import_case, import_text};
use crate::import_world::{empty_world, tag_names};

#[test]
fn remarks_of_an_import_template_are_no_part_of_a_name() {
    let (world, done) = import_case("k04_template_headers.csv", "");
    done.exits(0);
    let avery = world.contact_by_email("avery.k4@example.net");
    assert_eq!(avery["contact"]["firstName"], "Avery");
    assert_eq!(avery["contact"]["phone"], "+12025550102");
    assert_eq!(tag_names(&avery), ["vip", "lead"]);
    // 13 February 1980.
    assert_eq!(avery["contact"]["dateOfBirth"], 319_248_000_000_i64);
}

#[test]
fn the_order_of_dates_may_stand_in_the_header() {
    for (header, born) in [("Birth date (MM/DD/YYYY)", 2), ("Birth date (DD/MM/YYYY)", 1)] {
        let (world, done) = import_text(format!("Email,{header}\na@example.net,02/01/1980\n"), "");
        done.exits(0);
        let day = contact(&world, "a@example.net")["dateOfBirth"].as_i64().unwrap() / 86_400_000;
        // Days since 1970: 1 January 1980 is 3652.
        assert_eq!(day, if born == 2 { 3652 + 31 } else { 3652 + 1 }, "{header}");
    }
}

#[test]
fn streets_are_not_dates() {
    let (world, done) = import_case("b08b_streets.csv", "");
    done.exits(0);
    for (email, street) in [("a", "1 Main St"), ("b", "2 May Lane"), ("c", "12 March Road")] {
        assert_eq!(contact(&world, &format!("{email}.b8@example.net"))["address"], street);
    }
}

#[test]
fn a_row_that_a_column_marks_as_a_test_lead_is_rejected() {
    let (world, done) = import_text(
        "Name,Email,Is Test Lead\nA B,a@example.net,false\nTest Lead,b@example.net,TRUE\n\
         C D,c@example.net,\nE F,e@example.net,1\nG H,g@example.net,yes\n",
        "",
    );
    done.exits(3).says("3 rows are test leads");
    assert_eq!(world.read_contacts().len(), 2);
    let rejected = world.read_csv("res/rejected.csv");
    assert!(rejected.iter().all(|row| row["_reject_code"] == "R_TEST_LEAD"), "{rejected:?}");
}

#[test]
fn a_test_lead_of_tiktok_is_rejected() {
    let (world, done) = import_case(
        "e03_tiktok.csv",
        "--ignore-column 'What is your budget?' --ignore-column 'Comments'",
    );
    done.exits(3);
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_TEST_LEAD");
    assert_eq!(contact(&world, "blake.e3@example.net")["phone"], "+12025550158");
}

#[test]
fn a_column_of_tests_that_is_ignored_marks_nothing() {
    let (world, done) =
        import_text("Email,test\na@example.net,yes\nb@example.net,no\n", "--ignore-column test");
    done.exits(0);
    assert_eq!(world.read_contacts().len(), 2);
}

#[test]
fn two_rules_for_one_column_are_an_error() {
    let (world, done) =
        import_text("Email,Extra\na@example.net,x\n", "--map Extra=city --map B=companyName");
    done.exits(4).says("column B has two rules, for `city` and for `companyName`");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn a_tag_in_place_of_a_target_is_answered_with_the_flag_for_it() {
    let (_, done) = import_text("Email\na@example.net\n", "--map tags=imported-2026");
    assert_ne!(done.code, 0);
    done.says("--tag imported-2026");
}

#[test]
fn a_name_of_several_words_is_not_that_of_a_program_that_writes_one() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "First Name,Last Name,Email,Mailing Street,Account Name\nA,B,a@example.net,1 Main St,Acme\n",
    );
    let done = world.run_command("map in.csv");
    assert!(!format!("{done:?}").contains("salesforce-dataloader"), "{done:?}");
}

#[test]
fn a_header_row_that_is_data_is_refused_and_one_without_known_names_is_reported() {
    let (world, done) = import_text("a@example.net\nb@example.net\n", "--header-row 1");
    done.exits(4).says("row 1 holds `a@example.net`");
    assert!(world.read_contacts().is_empty());
    let (_, done) =
        import_text("Title\nfoo,bar\nx,a@example.net\n", "--header-row 2 --map bar=email");
    done.exits(0).says("row 2 has no known column name");
}
