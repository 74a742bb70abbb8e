//! Undo: a created field is deleted when no contact has a value, and left otherwise.

use serde_json::json;

use super::{BOTH, SHEET};
use crate::import_world::empty_world;
use crate::world::World;

fn imported() -> (World, String) {
    let world = empty_world();
    world.add_contacts(&[
        json!({"email": "ada@example.com"}),
        json!({"email": "bob@example.com"}),
        json!({"email": "cyn@example.com"}),
    ]);
    world.write_sheet("in.csv", SHEET);
    world.run_import(BOTH).exits(0);
    let run = world.only_run_id();
    (world, run)
}

#[test]
fn an_undo_deletes_the_fields_that_no_contact_uses() {
    let (world, run) = imported();
    let done = world.run_command(&format!("undo {run} --yes --out res")).exits(0);
    let done =
        done.says("deletes 2 custom fields that the import created, unless a contact has a value");
    done.says("the custom field `Shoe size` was deleted");
    assert!(!world.has_field("Favourite colour") && !world.has_field("Shoe size"));
    assert_eq!(world.read_contacts().len(), 3);
    assert_eq!(world.read_json("res/summary.json")["custom_fields"][1]["outcome"], "deleted");
}

#[test]
fn an_undo_leaves_a_field_that_a_contact_has_got_a_value_of() {
    let (world, run) = imported();
    let size = world.field_named("Shoe size");
    let value = json!([{"id": size["id"], "value": 50}]);
    world.add_contacts(&[json!({"email": "dan@example.com", "customFields": value})]);
    world
        .run_command(&format!("undo {run} --yes --out res"))
        .exits(0)
        .says("the custom field `Favourite colour` was deleted")
        .says("the custom field `Shoe size` was left: contact");
    assert!(!world.has_field("Favourite colour"));
    assert_eq!(world.field_value("dan@example.com", &size), 50);
}

#[test]
fn an_undo_that_keeps_the_created_contacts_keeps_the_fields_of_their_values() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_import(BOTH).exits(0);
    let run = world.only_run_id();
    world
        .run_command(&format!("undo {run} --yes --out res"))
        .exits(0)
        .says("the custom field `Favourite colour` is left, because contact");
    let warnings = world.read_csv("res/warnings.csv");
    assert!(warnings.iter().all(|row| row["code"] == "W_FIELD_KEPT") && warnings.len() == 2);
    let size = world.field_named("Shoe size");
    assert_eq!(world.field_value("bob@example.com", &size), 44.5);

    world.run_command(&format!("undo {run} --created delete --confirm-delete 3")).exits(0);
    assert!(!world.has_field("Shoe size"));
    assert_eq!(world.read_contacts().len(), 0);
}

#[test]
fn an_undo_leaves_the_field_of_a_contact_that_was_edited_since() {
    let (world, run) = imported();
    let colour = world.field_named("Favourite colour");
    let value = json!({"customFields": [{"id": colour["id"], "value": "black"}]});
    world.edit_contact("ada@example.com", &value);
    world.run_command(&format!("undo {run} --yes --out res"));
    assert_eq!(world.field_value("ada@example.com", &colour), "black");
    assert!(world.has_field("Favourite colour"));
}

#[test]
fn a_killed_undo_goes_on_where_it_stopped() {
    for point in ["after_intent:1", "after_response:4", "after_response:5"] {
        let (world, run) = imported();
        let mut command = world.command(&format!("undo {run} --yes --out res"));
        let killed = command.env("GHL_BULK_FAILPOINT", point).output().unwrap();
        assert_eq!(killed.status.code(), None, "{point}: {killed:?}");
        world.run_command("resume").exits(0);
        assert!(!world.has_field("Favourite colour") && !world.has_field("Shoe size"), "{point}");
    }
}

#[test]
fn an_undo_without_the_scope_takes_back_the_contacts_and_says_what_is_left() {
    let (world, run) = imported();
    let token = "pit-sandbox-without:locations/customFields.write";
    let world = world.with_env("GHL_TOKEN", token);
    world
        .run_command(&format!("undo {run} --yes --out res"))
        .exits(8)
        .says("`locations/customFields.write`");
    let size = world.field_named("Shoe size");
    assert_eq!(world.field_value("bob@example.com", &size), json!(null));
}
