//! Full names that are edited in an export.

use serde_json::json;

use super::contact;
use crate::import_world::empty_world;

const EMAIL: &str = "avery@example.net";

#[test]
fn an_edited_full_name_of_a_file_for_another_system_is_one_change() {
    let world = empty_world();
    world.add_contacts(&[
        json!({ "firstName": "Avery", "lastName": "van Sample", "email": EMAIL }),
        json!({ "firstName": "Ame\u{301}lie", "lastName": "Sample", "email": "amelie@example.net" }),
    ]);
    world.run_command("export --template dub --out out").exits(0);
    let file = world
        .list_files("out")
        .into_iter()
        .find(|name| name.starts_with("dub-customers") || name.starts_with("dub-seed-contacts"));
    let text = std::fs::read_to_string(world.path("out").join(file.unwrap())).unwrap();
    world.write_sheet("same.csv", &text);
    world.run_command("import same.csv --yes --out res").exits(0);
    assert_eq!(world.count_results(), [0, 2, 0, 0, 0]);
    world.write_sheet("edited.csv", &text.replace("Avery van Sample", "Avery Muster"));
    world.run_command("import edited.csv --yes --out res").exits(0);
    assert_eq!(world.count_results(), [1, 1, 0, 0, 0]);
    let avery = contact(&world, EMAIL);
    assert_eq!((&avery["firstName"], &avery["lastName"]), (&"Avery".into(), &"Muster".into()));
    world.run_command("import edited.csv --yes --out res").exits(0);
    assert_eq!(world.count_results(), [0, 2, 0, 0, 0]);
}

#[test]
fn a_full_name_of_a_list_is_written_to_whom_it_is_about() {
    let world = empty_world();
    world.add_contacts(&[json!({ "firstName": "Avery", "lastName": "Sample", "email": EMAIL })]);
    world.write_sheet("in.csv", &format!("Name,Email\nAvery Jo Sample,{EMAIL}\n"));
    world.run_import("").exits(0);
    assert_eq!(contact(&world, EMAIL)["firstName"], "Avery Jo");
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [0, 1, 0, 0, 0]);
}
