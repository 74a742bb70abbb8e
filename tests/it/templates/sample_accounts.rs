//! The samples: what they import into an account is exported again unchanged.

use serde_json::json;

use super::Sheet;
use crate::world::World;

const CONTACT: &str = "TESTcontact000000001";
const TASK: &str = "TESTtask000000000001";

/// A location with what the samples name.
fn world() -> World {
    let world = crate::import_world::empty_world();
    world.control_request(
        "PUT",
        "businesses",
        &json!([{ "id": "000000000000000000000b01", "name": "ABC" }]),
    );
    let field = |(number, key): (usize, &str)| {
        json!({
            "id": format!("field{number:015}"), "name": key, "fieldKey": format!("contact.{key}"),
            "dataType": "TEXT", "model": "contact", "position": number,
        })
    };
    let keys = [
        "job_title",
        "extension",
        "dialpad_uid",
        "dext_currency",
        "dext_category",
        "dext_supplier_code",
    ];
    let fields: Vec<_> = keys.into_iter().enumerate().map(field).collect();
    world.control_request("PUT", "customFields", &json!(fields));
    let task = json!({ "id": TASK, "title": "old", "dueDate": "2026-01-01T00:00:00.000Z", "completed": false });
    world.add_contacts(&[
        json!({ "id": CONTACT, "__tasks": [task] }),
        json!({ "id": "TESTcontact000000002" }),
    ]);
    world
}

/// Imports a sample, exports its layout, and shows that the rows are those of the sample: all columns but
/// those that the account gives, and those that are named.
#[track_caller]
fn check(preset: &str, options: &str, but: &[&str], changed: &[(&str, &str, &str)]) {
    let world = world();
    let sample = format!("{}/tests/formats/{preset}.csv", env!("CARGO_MANIFEST_DIR"));
    let done = world.run_command(&format!(
        "import {sample} --preset {preset} --yes --out res --timezone UTC --default-country US {options}"
    ));
    // One of the visits has no contact.
    let code = if preset == "docsend-visits" { 3 } else { 0 };
    assert_eq!(done.code, code, "{preset}: {}", done.stderr);
    world.run_command(&format!("export --template {preset} --out out --quiet")).exits(0);
    let mut want = Sheet::read(&world, &sample);
    want.rows.truncate(if code == 0 { usize::MAX } else { 1 });
    for (column, from, to) in changed {
        let column = want.column(column);
        let cells = want.rows.iter_mut().filter(|row| row[column] == *from);
        cells.for_each(|row| (*to).clone_into(&mut row[column]));
    }
    let got = Sheet::read(&world, &format!("out/{preset}.csv"));
    let own = want.header.clone();
    let plain = |sheet: &Sheet| {
        let kept = |name: &&String| {
            got.header.contains(name) && own.contains(name) && !but.contains(&name.as_str())
        };
        let kept: Vec<usize> =
            sheet.header.iter().filter(kept).map(|name| sheet.column(name)).collect();
        let cells = |row: &Vec<String>| kept.iter().map(|at| row[*at].clone()).collect();
        let mut rows: Vec<Vec<String>> = sheet.rows.iter().map(cells).collect();
        rows.sort();
        rows
    };
    let has = |row: &Vec<String>| plain(&got).contains(row);
    let missing: Vec<_> = plain(&want).into_iter().filter(|row| !has(row)).collect();
    assert_eq!(missing, Vec::<Vec<String>>::new(), "{preset}: {:#?}", plain(&got));
    if preset == "docsend-visits" {
        return;
    }
    let shared = |one: &Sheet, other: &Sheet| -> Vec<String> {
        one.header.iter().filter(|name| other.header.contains(name)).cloned().collect()
    };
    assert_eq!(shared(&want, &got), shared(&got, &want), "{preset}");
}

#[test]
fn the_samples_of_the_five_systems_come_out_as_they_went_in() {
    check("dub-seed-contacts", "", &["contactId"], &[]);
    check("dub-seed-tasks", "", &["taskId"], &[("dueDate", "2026-03-02", "2026-03-02T00:00:00Z")]);
    check("dub-seed-notes", "", &["noteId", "createdAt"], &[]);
    check("docsend-seed-contacts", "", &[], &[]);
    check(
        "docsend-seed-tasks",
        "",
        &["taskId"],
        &[("dueDate", "2026-03-01", "2026-03-01T00:00:00Z")],
    );
    check("docsend-visits", "", &[], &[]);
    check("dialpad-seed-contacts", "", &[], &[]);
    let due = ("dueDate", "2026-03-02T15:00:00-05:00", "2026-03-02T20:00:00Z");
    check("dialpad-seed-tasks", "", &["taskId"], &[due]);
    check("dialpad-seed-notes", "", &["noteId"], &[]);
    check("dashclicks-seed-contacts", "", &[], &[]);
    let words =
        [("status", "past_due", "pending"), ("dueDate", "2026-01-02", "2026-01-02T00:00:00Z")];
    check("dashclicks-seed-tasks", "", &["taskId"], &words);
    check("dashclicks-seed-notes", "", &["id", "dateCreated"], &[]);
    check("dext-seed-contacts", "", &[], &[]);
    check("dext-seed-activity", "", &["noteId"], &[]);
    let tags = ("tags", "supplier, vat-registered", "supplier; vat-registered");
    check("dext-seed-tags", "", &[], &[tags]);
    let names = "--allow-name-only --no-identity at-most-once";
    check("dext-suppliers", names, &[], &[]);
    check("dext-customers", names, &[], &[]);
    check(
        "dialpad-shared-contacts",
        "",
        &["Uid"],
        &[
            // The API takes no further numbers and one address; the guard of a spreadsheet is not the system's.
            ("Phones", "+12025550143|+12025550144", "+12025550143"),
            ("Phones", "'+493023125042", "+493023125042"),
            ("Phones", "2025550145", "+12025550145"),
            (
                "URLs",
                "https://avery.example.com|https://abc.example.com",
                "https://avery.example.com",
            ),
        ],
    );
}

#[test]
fn partners_of_dub_come_out_as_its_api_takes_them() {
    let world = world();
    let sample = format!("{}/tests/formats/dub-partners.csv", env!("CARGO_MANIFEST_DIR"));
    world.run_command(&format!("import {sample} --yes --out res")).exits(0);
    world.run_command("export --template dub --with none --out out --quiet").exits(0);
    let sheet = Sheet::read(&world, "out/dub-partners-create.csv");
    let zoe = sheet.find("email", "zoe@example.org");
    let id =
        world.contact_by_email("zoe@example.org")["contact"]["id"].as_str().unwrap().to_owned();
    assert_eq!((zoe["name"], zoe["country"], zoe["tenantId"]), ("Zoë Muster", "DE", id.as_str()));
}
