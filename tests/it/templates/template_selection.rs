//! Selection: names of systems and presets, what is pulled for them, and which files are written.

use serde_json::{Value, json};

use super::{own_preset, sheets, with_presets};
use crate::export_files::{ExportFiles, assert_nothing_half_written};
use crate::world::World;

fn asked(world: &World, part: &str) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap();
    entries.iter().filter(|entry| entry["path"].as_str().unwrap().contains(part)).count()
}

#[test]
fn a_system_pulls_what_its_files_are_made_of_and_nothing_more() {
    let world = World::new();
    world.run_command("export --template docsend-seed-tasks,docsend-visits --out out").exits(0);
    assert_eq!(sheets(&world, "out"), ["docsend-seed-tasks.csv", "docsend-visits.csv"]);
    assert_eq!(asked(&world, "/notes"), 0);
    assert!(asked(&world, "/tasks/search") > 0);
    world.run_command("export --template docsend --out docsend --quiet").exits(0);
    world.run_command("export --template Zapier --out zapier --quiet").exits(0);
    assert_eq!(sheets(&world, "zapier"), sheets(&world, "docsend"));

    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("export --template dialpad-seed-notes --out notes").exits(0);
    assert_eq!(sheets(&world, "notes"), ["dialpad-seed-notes.csv"]);
    assert_eq!((asked(&world, "/tasks/search"), asked(&world, "/notes")), (0, 60));
}

#[test]
fn every_system_writes_all_its_files() {
    let world = World::new();
    world
        .run_command("export --template dub,dialpad,dashclicks,dext,docsend,highlevel --out out")
        .exits(0);
    assert_eq!(
        sheets(&world, "out"),
        [
            "dashclicks-seed-contacts.csv",
            "dashclicks-seed-notes.csv",
            "dashclicks-seed-tasks.csv",
            "dext-customers.csv",
            "dext-seed-activity.csv",
            "dext-seed-businesses.csv",
            "dext-seed-contacts.csv",
            "dext-seed-tags.csv",
            "dext-suppliers.csv",
            "dialpad-seed-contacts.csv",
            "dialpad-seed-notes.csv",
            "dialpad-seed-tasks.csv",
            "dialpad-shared-contacts.csv",
            "docsend-seed-contacts.csv",
            "docsend-seed-notes.csv",
            "docsend-seed-tasks.csv",
            "docsend-visits.csv",
            "dub-customers-create.csv",
            "dub-partners-create.csv",
            "dub-seed-contacts.csv",
            "dub-seed-notes.csv",
            "dub-seed-tags.csv",
            "dub-seed-tasks.csv",
            "highlevel-export.csv",
            "highlevel-import.csv",
        ]
    );
    assert_nothing_half_written(&world, "out");
    let names = world.list_files("out");
    assert_eq!(names.len(), 26, "{names:?}");
    let manifest = world.read_json("out/manifest.json");
    let file = &manifest["tables"]["dialpad-seed-tasks"]["files"][0];
    assert_eq!((&file["file"], &file["format"]), (&json!("dialpad-seed-tasks.csv"), &json!("csv")));
    assert_eq!(file["rows"], manifest["tables"]["dialpad-seed-tasks"]["rows"]);
}

#[test]
fn tables_in_formats_are_written_in_addition_to_template_files() {
    let world = World::new();
    world.run_command("export --template dext-seed-tags --format csv --out out").exits(0);
    let names = [
        "contacts.csv",
        "custom_fields.csv",
        "dext-seed-tags.csv",
        "notes.csv",
        "tags.csv",
        "tasks.csv",
        "users.csv",
    ];
    assert_eq!(sheets(&world, "out"), names);
    // Columns that are not exported are in their own file, and the requests are the same.
    let plain = World::new();
    plain.run_command("export --format csv --out out").exits(0);
    let but = ["dext-seed-tags.csv"];
    ExportFiles::read_from(&world, "out")
        .without_files(&but)
        .assert_same(&ExportFiles::read_from(&plain, "out").without_files(&but));
}

#[test]
fn with_writes_only_the_files_that_can_be_made() {
    let world = World::new();
    world
        .run_command("export --template dialpad --with tasks --out out")
        .exits(0)
        .says("dialpad-seed-notes.csv");
    assert_eq!(
        sheets(&world, "out"),
        ["dialpad-seed-contacts.csv", "dialpad-seed-tasks.csv", "dialpad-shared-contacts.csv"]
    );
    assert_eq!(asked(&world, "/notes"), 0);
    world
        .run_command("export --template dub-seed-notes --with none --out other")
        .exits(2)
        .says("needs notes")
        .says("--with notes");
    assert!(!world.path("other").exists());
}

#[test]
fn an_unknown_name_is_reported_with_the_nearest_and_all_valid_names() {
    let world = World::new();
    world
        .run_command("export --template dailpad --out out")
        .exits(2)
        .says("there is no template `dailpad`; did you mean `dialpad`?")
        .says("`dub`")
        .says("`dext`");
    world.run_command("export --template mailchimp --out out").exits(2).says("has no template");
    assert_eq!(asked(&world, ""), 0);
    assert!(!world.path("out").exists());
}

#[test]
fn presets_are_listed_with_their_templates() {
    let world = World::new();
    let listed = world.run_command("map --list-presets").exits(0).stdout;
    let line = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("dialpad-seed-tasks ").contains("(template of dialpad)"), "{listed}");
    assert!(!line("mailchimp ").contains("template"), "{listed}");
    let shown = world.run_command("map --show-preset dialpad-seed-tasks").exits(0).stdout;
    assert!(shown.contains("[template]\nsystem = \"dialpad\""), "{shown}");
    let all: Value =
        serde_json::from_str(&world.run_command("map --list-presets --json").exits(0).stdout)
            .unwrap();
    let one = all.as_array().unwrap().iter().find(|it| it["name"] == "docsend-visits").unwrap();
    assert_eq!(
        one["template"],
        json!({ "systems": ["docsend", "zapier"], "file": "docsend-visits.csv" })
    );
}

#[test]
fn a_finished_run_is_published_with_a_template_without_a_request() {
    let world = World::new();
    world.run_command("export --out out --with tasks --quiet").exits(0);
    world.run_command("export --out direct --layout dialpad --with tasks --quiet").exits(0);
    let run = world.read_json("out/manifest.json")["run"].as_str().unwrap().to_owned();
    world.control_request("DELETE", "log", &Value::Null);
    world
        .run_command(&format!("runs publish {run} --layout dialpad --out later"))
        .exits(0)
        .says("dialpad-seed-notes.csv");
    assert_eq!(asked(&world, ""), 0);
    assert_eq!(sheets(&world, "later"), sheets(&world, "direct"));
    ExportFiles::read_from(&world, "later")
        .without_files(&[])
        .assert_same(&ExportFiles::read_from(&world, "direct").without_files(&[]));
    world
        .run_command(&format!("runs publish {run} --layout dub-seed-notes --out other"))
        .exits(2)
        .says("needs notes");
}

#[test]
fn an_interrupted_export_resumes_with_its_template() {
    let world = with_presets(World::with_settings(|settings| {
        settings.limit = "100/10s/50".parse().unwrap();
    }));
    let text =
        "format = 1\n[[column]]\nfrom = \"who\"\nto = \"email\"\n[template]\nfile = \"mine.csv\"\n";
    own_preset(&world, "mine", text);
    world.run_command("export --template dialpad,mine --out out --quiet").exits(9);
    assert!(!world.path("out/manifest.json").exists());
    // What he changes meanwhile is for the next export.
    own_preset(&world, "mine", &text.replace("who", "other"));
    world.control_request("POST", "settings", &json!({ "limit": "none" }));
    world.run_command("resume --quiet").exits(0);
    assert_eq!(sheets(&world, "out").len(), 5);
    let sheet = super::Sheet::read(&world, "out/mine.csv");
    assert_eq!((sheet.header.as_slice(), sheet.rows.len()), (&["who".to_owned()][..], 60));
}

#[test]
fn two_files_of_one_name_are_refused_before_any_request() {
    let world = with_presets(World::new());
    let text = "format = 1\n[[column]]\nfrom = \"id\"\nto = \"contactId\"\n[template]\nfile = \"Contacts.csv\"\n";
    own_preset(&world, "mine", text);
    own_preset(&world, "yours", text);
    let said = "two files of this export would have the name `Contacts.csv`";
    world.run_command("export --template mine,yours --out out").exits(2).says(said);
    world.run_command("export --template mine --format csv --out out").exits(2).says(said);
    assert_eq!(asked(&world, ""), 0);
    world
        .run_command("export --template mine --out out")
        .exits(0)
        .says("out/Contacts.csv --preset mine --dry-run");
}
