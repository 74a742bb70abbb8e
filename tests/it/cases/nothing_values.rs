//! Values that are nothing: what programs and people write into cells that have no value.

use super::{contact, import_case, import_text, warned_columns};
use crate::import_world::tag_names;

/// The count of each column, as owned names.
fn counts<const N: usize>(columns: [(&str, usize); N]) -> [(String, usize); N] {
    columns.map(|(name, count)| (name.to_owned(), count))
}

#[test]
fn the_null_of_a_database_is_no_value_and_no_note() {
    let (world, done) = import_case("c03b_mysql_null.csv", "");
    done.exits(0).says("last_name: 1 value stands for nothing").says("--empty-values");
    let avery = world.contact_by_email("avery.c3b@example.net");
    assert!(avery["contact"]["lastName"].is_null() && avery["contact"]["city"].is_null());
    assert_eq!(avery["notes"].as_array().unwrap().len(), 0);
    assert_eq!(world.contact_by_email("blake.c3b@example.net")["notes"][0]["body"], "ok");
    assert_eq!(
        warned_columns(&world, "W_PLACEHOLDER"),
        counts([("city", 1), ("last_name", 1), ("notes", 1)])
    );
}

#[test]
fn words_for_nothing_never_become_notes_and_are_reported_by_column() {
    let (world, _) = import_case("d05_null_words.csv", "");
    for (email, city) in [("avery", None), ("blake", None), ("casey", Some("Boston"))] {
        let person = world.contact_by_email(&format!("{email}.d5@example.net"));
        assert_eq!(person["contact"]["city"].as_str(), city, "{email}");
        assert_eq!(person["notes"].as_array().unwrap().len(), usize::from(email == "casey"));
    }
    // A name is kept, since people have it, and reported.
    assert_eq!(contact(&world, "avery.d5@example.net")["lastName"], "NULL");
    assert_eq!(contact(&world, "casey.d5@example.net")["lastName"], "Null");
    assert_eq!(contact(&world, "avery.d5@example.net")["phone"].as_str(), None);
    let kept = warned_columns(&world, "W_PLACEHOLDER_KEPT");
    assert!(kept.contains(&("Last Name".to_owned(), 3)), "{kept:?}");
}

#[test]
fn words_that_are_named_empty_cells_with_their_exact_case_and_are_counted() {
    let words = "--empty-values 'NULL,None,undefined,(blank),[object Object],nil,-,--,N/A,n/a'";
    let (world, done) = import_case("d05_null_words.csv", words);
    done.exits(0).says("Phone: 4 cells count as empty because of `--empty-values`, such as `NULL`");
    assert_eq!(world.count_results(), [5, 0, 0, 0, 0]);
    assert_eq!(contact(&world, "casey.d5@example.net")["lastName"], "Null");
    assert!(contact(&world, "avery.d5@example.net")["lastName"].is_null());
    let notes = |email: &str| world.contact_by_email(email)["notes"].as_array().unwrap().len();
    assert_eq!((notes("casey.d5@example.net"), notes("eden.d5@example.net")), (1, 0));
    assert!(warned_columns(&world, "W_PLACEHOLDER").is_empty());
}

#[test]
fn case_does_not_matter_when_that_is_asked_for() {
    let sheet = "Email,Last Name\na@example.net,Null\nb@example.net,NULL\n";
    for (options, name) in [("", Some("Null")), (" --empty-values-ignore-case", None)] {
        let (world, done) = import_text(sheet, &format!("--empty-values null,NULL{options}"));
        done.exits(0);
        assert_eq!(contact(&world, "a@example.net")["lastName"].as_str(), name);
        assert!(contact(&world, "b@example.net")["lastName"].is_null());
    }
}

#[test]
fn a_tag_that_stands_for_nothing_is_not_added() {
    let (world, done) = import_text(
        "Email,Tags,City\na@example.net,NULL,Loading…\nb@example.net,\"vip, null\",nan\nc@example.net,-,[object Object]\n",
        "",
    );
    done.exits(0);
    let tags = |email: &str| tag_names(&world.contact_by_email(email));
    assert_eq!(tags("a@example.net"), Vec::<String>::new());
    assert_eq!(tags("b@example.net"), ["vip"]);
    assert_eq!(tags("c@example.net"), Vec::<String>::new());
    for email in ["a@example.net", "b@example.net", "c@example.net"] {
        assert!(contact(&world, email)["city"].is_null());
    }
    assert_eq!(warned_columns(&world, "W_PLACEHOLDER"), counts([("City", 3), ("Tags", 3)]));
}

#[test]
fn errors_of_a_spreadsheet_become_no_notes_and_can_be_emptied() {
    let sheet =
        "Email,City,Notes,Tags\na@example.net,#N/A,#REF!,#VALUE!\nb@example.net,Rome,ok,vip\n";
    let (world, done) = import_text(sheet, "");
    done.exits(0).says("City: 1 cell is a spreadsheet error (`--empty-values`");
    let person = world.contact_by_email("a@example.net");
    assert!(person["contact"]["city"].is_null() && tag_names(&person).is_empty(), "{person}");
    assert_eq!(person["notes"].as_array().unwrap().len(), 0);
    let (world, done) = import_text(sheet, "--empty-values '#N/A,#REF!,#VALUE!'");
    done.exits(0).says("City: 1 cell counts as empty because of `--empty-values`");
    assert!(warned_columns(&world, "W_SPREADSHEET_ERROR").is_empty());
}
