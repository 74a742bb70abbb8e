//! The echo of this program's own imports is left out, and nothing else.

use serde_json::json;

use super::watch_world::{sorted_types, types_and_ids};
use crate::world::World;

/// A world with two contacts, which a watch has seen and an import has changed since, with a third that it has created.
fn imported_world() -> (World, String) {
    let world = World::with_settings(|settings| settings.contacts = 0);
    let ann =
        world.add_contact(&json!({"firstName": "Ann", "email": "ann@example.net", "city": "Mons"}));
    world.add_contact(&json!({"firstName": "Bob", "email": "bob@example.net", "city": "Mons"}));
    world.watch_once("");
    world.write_sheet(
        "in.csv",
        "First Name,Email,City,Tags,Notes\nAnn,ann@example.net,Ghent,vip,\nBob,bob@example.net,Ghent,vip,\n\
         Carl,carl@example.net,Ghent,vip,Called\n",
    );
    world.run_import("").exits(0);
    (world, ann)
}

#[test]
fn what_an_import_has_written_is_no_event_unless_it_is_asked_for() {
    let (world, _) = imported_world();
    let events = world.watch_once("");
    assert_eq!(types_and_ids(&events), [], "{events:#?}");
    let (world, _) = imported_world();
    let events = world.watch_once("--include-own");
    let expected = ["contact.created", "contact.updated", "contact.updated"];
    let contacts: Vec<_> =
        sorted_types(&events).into_iter().filter(|name| name.starts_with("contact.")).collect();
    assert_eq!(contacts, expected);
}

#[test]
fn what_another_user_has_changed_as_well_is_an_event() {
    let (world, ann) = imported_world();
    world.edit_by_id(&ann, &json!({"lastName": "Lee"}));
    let events = world.watch_once("");
    assert_eq!(types_and_ids(&events), [("contact.updated".to_owned(), ann)]);
}

#[test]
fn what_a_user_changes_later_is_an_event() {
    let (world, ann) = imported_world();
    world.watch_once("");
    world.edit_by_id(&ann, &json!({"city": "Namur"}));
    let events = world.watch_once("");
    assert_eq!(types_and_ids(&events), [("contact.updated".to_owned(), ann)]);
}
