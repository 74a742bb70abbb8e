//! `--key name`: contacts that are known by their names alone.

use serde_json::json;

use crate::import_world::empty_world;
use crate::world::World;

fn account() -> World {
    let world = empty_world();
    world.add_contacts(&[
        json!({ "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com" }),
        json!({ "name": "Blue Moon Ltd", "email": "moon@example.com" }),
        json!({ "firstName": "Bo", "lastName": "Smith", "email": "bo@example.com" }),
        json!({ "firstName": "bo", "lastName": "smith", "email": "other@example.com" }),
    ]);
    world
}

#[test]
fn a_list_of_names_changes_nothing_where_contacts_have_them() {
    let world = account();
    world
        .write_sheet("in.csv", "Customer Name\nADA  Lovelace\nBlue Moon Ltd\nBo Smith\nBo Smith\n");
    // Dext's list of customers is known by its header.
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [0, 4, 0, 0, 0]);
    assert_eq!(world.list_writes(), [""; 0]);
}

#[test]
fn a_name_that_no_contact_has_is_added_only_on_request_and_once() {
    let world = account();
    world.write_sheet("in.csv", "Customer Name\nGrace Hopper\nAda Lovelace\n");
    world.run_import("").exits(3).says("has only a name");
    assert_eq!(world.count_results(), [0, 1, 1, 0, 0]);
    assert_eq!(world.list_writes(), [""; 0]);
    let adding = "--allow-name-only --no-identity at-most-once";
    world.run_import(adding).exits(0);
    assert_eq!(world.count_results(), [1, 1, 0, 0, 0]);
    world.run_import(adding).exits(0);
    assert_eq!(world.count_results(), [0, 2, 0, 0, 0]);
    assert_eq!(world.read_contacts().len(), 5);
}

#[test]
fn a_row_with_more_than_a_name_needs_one_contact_with_that_name() {
    let world = account();
    world.write_sheet("in.csv", "Name,City\nada lovelace,London\nBo Smith,Paris\n");
    world.run_import("--key name").exits(3).says("bo@example.com");
    assert_eq!(world.count_results(), [1, 0, 1, 0, 0]);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_AMBIGUOUS_MATCH");
    assert_eq!(world.contact_by_email("ada@example.com")["contact"]["city"], "London");
}

#[test]
fn names_are_found_in_their_parts_too_and_by_an_option_of_a_mapping() {
    let world = account();
    world.write_sheet("in.csv", "First,Last,Town\nAda,Lovelace,London\n");
    let mapping = "format = 1\n\n[options]\nkey = \"name\"\n\n\
        [[column]]\nfrom = \"First\"\nto = \"firstName\"\n\n[[column]]\nfrom = \"Last\"\nto = \"lastName\"\n\n\
        [[column]]\nfrom = \"Town\"\nto = \"city\"\n";
    world.write_sheet("map.toml", mapping);
    world.run_import("--map map.toml").exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
    assert_eq!(world.list_writes().len(), 1);
}
