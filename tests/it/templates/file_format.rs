//! The form of the files: bytes, words, lists, rows that a system does not accept, and the warnings about them.

use serde_json::json;

use super::{Sheet, own_preset, with_presets};

use crate::import_world::empty_world;
use crate::world::World;

/// Two people, the second without most things.
fn world() -> World {
    let world = with_presets(empty_world());
    world.add_contacts(&[
        json!({
            "id": "AAAAAAAAAAAAAAAAAAA1", "firstName": "Ave;ry", "lastName": "=1+1", "email": "avery@example.com",
            "phone": "+493023125042", "additionalPhones": [{ "phone": "+12025550144" }], "country": "DE",
            "tags": ["vip", "vat, yes"], "city": "Köln", "dateOfBirth": 654_220_800_000_i64,
            "__tasks": [{
                "title": "Call", "dueDate": "2026-03-01T09:00:00.000Z", "completed": true,
                "body": "Priority: high",
            }],
        }),
        json!({
            "id": "AAAAAAAAAAAAAAAAAAA2", "phone": "+12025550143", "country": "US", "companyName": "abc corp",
        }),
        json!({ "id": "AAAAAAAAAAAAAAAAAAA3", "firstName": "Blake", "phone": "+12025550145", "country": "US",
            "companyName": "ABC Corp" }),
    ]);
    world
}

#[test]
fn files_have_the_bytes_that_the_system_expects() {
    let world = world();
    own_preset(
        &world,
        "old",
        r#"
format = 1
[[column]]
from = "Name"
to = "firstName"
[[column]]
from = "Born"
to = "dateOfBirth"
[template]
file = "old.txt"
delimiter = "semicolon"
line_end = "crlf"
encoding = "utf-16le"
bom = true
date = "%d.%m.%Y"
require = "Name"
"#,
    );
    world.run_command("export --template old --out out").exits(0);
    let bytes = std::fs::read(world.path("out/old.txt")).unwrap();
    let units: Vec<u16> =
        bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let text = String::from_utf16(&units).unwrap();
    assert_eq!(text, "\u{feff}Name;Born\r\n\"Ave;ry\";25.09.1990\r\nBlake;\r\n");
}

#[test]
fn dialpad_gets_numbers_without_an_apostrophe_and_a_country_with_foreign_ones() {
    for mode in ["formulas", "excel"] {
        let world = world();
        world
            .run_command(&format!(
                "export --template dialpad-shared-contacts --csv-safe {mode} --out out"
            ))
            .exits(0)
            .says("1 row skipped (no `First_Name` or `Last_Name`): AAAAAAAAAAAAAAAAAAA2");
        let sheet = Sheet::read(&world, "out/dialpad-shared-contacts.csv");
        assert_eq!(sheet.rows.len(), 2);
        let avery = sheet.find("Uid", "AAAAAAAAAAAAAAAAAAA1");
        assert_eq!((avery["Phones"], avery["Country"]), ("+493023125042|+12025550144", "DE"));
        assert_eq!(avery["Last_Name"], "'=1+1");
        assert_eq!(sheet.find("First_Name", "Blake")["Country"], "");
    }
}

#[test]
fn files_for_upload_show_texts_as_they_are_and_say_which_look_like_formulas() {
    let world = world();
    let done = world.run_command("export --template dialpad --out out").exits(0);
    let said = done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "dialpad-shared-contacts.csv: 1 text looks like a formula and stays as it is, since the system's \
                importer would show an apostrophe; before you open the file in a spreadsheet, write it with \
                `--csv-safe formulas`";
    assert!(said.contains(told), "{said}");
    let last_name = |file: &str, key: &str, column: &str| {
        let sheet = Sheet::read(&world, file);
        sheet.find(key, "AAAAAAAAAAAAAAAAAAA1")[column].to_owned()
    };
    assert_eq!(last_name("out/dialpad-shared-contacts.csv", "Uid", "Last_Name"), "=1+1");
    // The files that are not uploaded are for people, who open them in a spreadsheet.
    assert_eq!(last_name("out/dialpad-seed-contacts.csv", "contactId", "name"), "Ave;ry =1+1");
    world.run_command("import out/dialpad-shared-contacts.csv --yes --out res").exits(0);
    assert!(world.list_writes().is_empty(), "{:?}", world.list_writes());

    let guarded =
        world.run_command("export --template dialpad --csv-safe formulas --out out --replace");
    guarded.exits(0).does_not_say("looks like a formula");
    assert_eq!(last_name("out/dialpad-shared-contacts.csv", "Uid", "Last_Name"), "'=1+1");
}

#[test]
fn more_rows_than_a_file_takes_go_into_further_files() {
    let world = with_presets(World::new());
    let text =
        "format = 1\n[[column]]\nfrom = \"id\"\nto = \"contactId\"\n[template]\nmax_rows = 25\n";
    own_preset(&world, "few", text);
    world.run_command("export --template few --out out").exits(0).says("few-3.csv");
    let rows = ["few.csv", "few-2.csv", "few-3.csv"]
        .map(|it| Sheet::read(&world, &format!("out/{it}")).rows);
    assert_eq!(rows.each_ref().map(Vec::len), [25, 25, 10]);
    let mut ids: Vec<_> = rows.concat().concat();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 60);
    let manifest = world.read_json("out/manifest.json");
    assert_eq!(manifest["tables"]["few"]["rows"], 60);
    let files = manifest["tables"]["few"]["files"].as_array().unwrap();
    assert_eq!(files.iter().map(|file| &file["rows"]).collect::<Vec<_>>(), [25, 25, 10]);
    // A smaller export takes the further files away.
    own_preset(&world, "few", &text.replace("25", "60"));
    world.run_command("export --template few --out out").exits(0);
    assert_eq!(world.list_files("out"), ["few.csv", "manifest.json"]);
}

#[test]
fn names_that_a_system_merges_are_reported_first() {
    let world = world();
    world
        .run_command("export --template dext-suppliers --out out")
        .exits(0)
        .says("dext-suppliers.csv: 1 name occurs more than once in `Supplier Name`")
        .says("ABC Corp");
    let sheet = Sheet::read(&world, "out/dext-suppliers.csv");
    assert_eq!(sheet.rows.len(), 3);
    assert_eq!(sheet.find("Supplier Code", "AAAAAAAAAAAAAAAAAAA1")["Supplier Name"], "Ave;ry =1+1");
}

#[test]
fn columns_that_are_not_exported_are_named() {
    let world = world();
    let done = world.run_command("export --template dashclicks --out out").exits(0);
    let said = done.stderr.lines().find(|line| line.contains("not in the template files")).unwrap();
    for name in ["of contacts: ", "city", "date_of_birth", "additional_phones", "tags", "country"] {
        assert!(said.contains(name), "no {name}: {said}");
    }
    // A text that is nothing but its priority is complete, and so are values that no contact has.
    for name in ["body", "first_name", "email", "website", "dnd,", "company_name"] {
        assert!(!said.contains(name), "{name}: {said}");
    }
    let events =
        world.run_command("export --template dashclicks --out out --json").exits(0).events();
    assert!(events.iter().any(|event| event["code"] == "columns_not_exported"), "{events:?}");
}

#[test]
fn values_use_the_words_of_the_system() {
    let world = world();
    world.run_command("export --template dashclicks-seed-tasks --out out").exits(0);
    let sheet = Sheet::read(&world, "out/dashclicks-seed-tasks.csv");
    let task = sheet.find("title", "Call");
    assert_eq!((task["status"], task["priority"]), ("completed", "high"));
    assert_eq!(task["dueDate"], "2026-03-01T09:00:00Z");
    world.run_command("export --template highlevel-import,dext-seed-tags --out other").exits(0);
    let sheet = Sheet::read(&world, "other/highlevel-import.csv");
    let row = sheet.find("Email", "avery@example.com");
    assert_eq!(row["Created Date"].len(), "01/31/2026".len());
    assert_eq!(row["Tags"], r#"["vip","vat, yes"]"#);
}
