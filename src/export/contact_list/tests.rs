//! Tests of files that list contacts.

use super::*;

/// The keys of a file with this text, each with its kind.
fn keys(text: &str) -> Vec<String> {
    let list = list(text);
    assert_eq!(list.unresolved, [], "{text}");
    list.keys.iter().map(|key| format!("{key:?}")).collect()
}

fn list(text: &str) -> ContactKeyList {
    with_country(text, Some("US")).ok().unwrap().list
}

fn with_country(text: &str, country: Option<&str>) -> Result<LoadedContactList, ExportError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list.csv");
    std::fs::write(&path, text).unwrap();
    read_list_file(&path, country)
}

const ANN: &str = "Email(\"ann@example.com\")";
const BOB: &str = "Phone(\"+12025550143\")";
const ID: &str = "Id(ContactId(\"ocQHyuzHvysMo5N5VsXx\"))";

#[test]
fn a_plain_list_needs_no_header_and_may_mix_what_names_a_contact() {
    assert_eq!(keys("Ann@Example.com\n"), [ANN]);
    assert_eq!(keys("ocQHyuzHvysMo5N5VsXx\nann@example.com\n+1 202 555 0143\n"), [ID, ANN, BOB]);
    assert_eq!(keys("+12025550143\nann@example.com\nann@example.com\n\n"), [ANN, BOB]);
}

#[test]
fn a_header_that_is_no_value_is_passed_over() {
    assert_eq!(keys("Kontakte\nann@example.com\nocQHyuzHvysMo5N5VsXx\n"), [ID, ANN]);
    assert_eq!(keys("contactId\nocQHyuzHvysMo5N5VsXx\n"), [ID]);
    assert_eq!(keys("Telefon\n(202) 555-0143\n"), [BOB]);
}

#[test]
fn of_several_columns_the_id_counts_before_the_address_and_that_before_the_number() {
    let text = "id,Name,E-Mail,Mobile\n\
                ocQHyuzHvysMo5N5VsXx,Ann,ann@example.com,\n\
                ,Ann,ann@example.com,+12025550143\n\
                17,Bob,,'+12025550143\n\
                ,Nobody,,\n";
    assert_eq!(keys(text), [ID, ANN, BOB]);
    // A table of tasks: `contact_id` counts, not the task's own id.
    let tasks = "id,contact_id,title\nTASKyuzHvysMo5N5VsXx,ocQHyuzHvysMo5N5VsXx,Call\n";
    assert_eq!(keys(tasks), [ID]);
}

#[test]
fn what_names_no_contact_is_reported_with_its_line() {
    let list = list("email\nann@example.com\nann at example\n");
    assert_eq!(list.keys.len(), 1);
    assert_eq!(list.unresolved[0].0, "line 3");
    assert!(list.unresolved[0].1.contains("ann at example"), "{:?}", list.unresolved);
}

#[test]
fn a_number_without_a_country_asks_for_one() {
    assert!(with_country("phone\n(202) 555-0143\n", None).ok().unwrap().needs_country);
    assert!(!with_country("phone\n+12025550143\n", None).ok().unwrap().needs_country);
}

#[test]
fn a_file_without_any_contact_is_refused() {
    for text in ["Name,City\nAnn,Bonn\n", "Kontakte\nAnn\n", "email\n"] {
        assert!(matches!(with_country(text, Some("US")), Err(ExportError::List(_))), "{text}");
    }
}
