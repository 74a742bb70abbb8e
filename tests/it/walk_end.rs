//! A walk ends only when it is proven to be at its end, whatever the server says about totals and page sizes.

use serde_json::Value;

use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";
const CONTACTS: usize = 1_200;

/// Exports a location whose server has these faults, and expects every contact and task once.
#[track_caller]
fn assert_complete(faults: &[&str]) {
    let world = World::with_settings(|settings| {
        settings.contacts = CONTACTS;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
    .with_env("GHL_BULK_SETTLE_S", "0");
    world.run_command(&format!("{EXPORT} --with tasks")).exits(0);
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap();
    let tasks: usize = contacts.iter().map(|one| one["tasks"].as_array().unwrap().len()).sum();
    for (file, expected) in [("contacts", contacts.len()), ("tasks", tasks)] {
        let rows = world.read_rows(&format!("out/{file}.jsonl"));
        let mut ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
        assert_eq!(ids.len(), expected, "{faults:?}: {file}");
        ids.sort_by_key(ToString::to_string);
        ids.dedup();
        assert_eq!(ids.len(), expected, "{faults:?}: {file} twice");
    }
    assert_eq!(world.read_json("out/manifest.json")["complete"], true, "{faults:?}");
}

#[test]
fn a_total_that_is_capped_zero_or_missing_ends_nothing() {
    assert_complete(&["POST /contacts/search total-cap=500"]);
    assert_complete(&["POST /contacts/search total-cap=1000"]);
    assert_complete(&["POST /contacts/search total=0"]);
    assert_complete(&["POST /contacts/search total=none"]);
}

#[test]
fn a_short_or_blank_page_ends_nothing_where_no_total_says_so() {
    assert_complete(&[
        "POST /contacts/search total=none",
        "POST /contacts/search rows=100 times=1",
    ]);
    assert_complete(&["POST /contacts/search total=none", "POST /contacts/search rows=100"]);
    assert_complete(&[
        "POST /contacts/search total=none",
        "POST /contacts/search rows=0 times=1 after=1",
    ]);
}

#[test]
fn blank_pages_in_the_middle_end_nothing() {
    let blank = "POST /contacts/search rows=0 times=2 after=1";
    assert_complete(&[blank]);
    assert_complete(&[blank, "POST /contacts/search total=none"]);
    assert_complete(&[blank, "POST /contacts/search total=0"]);
    assert_complete(&["POST /contacts/search rows=0 times=2", "POST /contacts/search total=none"]);
}

#[test]
fn a_newer_contact_that_no_page_shows_is_told() {
    let world = World::with_settings(|settings| {
        settings.contacts = 60;
        let faults = [
            "POST /contacts/search total=none",
            "POST /contacts/search rows=30 times=1",
            "POST /contacts/search rows=0 times=2 after=1",
            // The request for the newest contact is answered.
            "POST /contacts/search rows=0 after=4",
        ];
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
    .with_env("GHL_BULK_SETTLE_S", "0");
    let done = world.run_command(&format!("{EXPORT} --with none")).exits(3);
    done.says("the search shows 30 contacts and then no more, but a newer one");
}

#[test]
fn a_page_size_that_the_server_clamps_ends_nothing() {
    assert_complete(&["POST /locations/*/tasks/search page-size=100"]);
    assert_complete(&["POST /contacts/search page-size=100"]);
    assert_complete(&["POST /contacts/search page-size=100", "POST /contacts/search total=none"]);
}

#[test]
fn a_contact_on_two_pages_with_another_date_is_exported_once() {
    assert_complete(&["POST /contacts/search repeat=later"]);
}

#[test]
fn listed_contacts_are_all_found_where_the_server_clamps_its_pages() {
    let world = World::with_settings(|settings| {
        settings.contacts = 300;
        settings.faults = vec!["POST /contacts/search page-size=20".parse().unwrap()];
    });
    let state = world.get_control("state");
    let ids = state["contacts"].as_array().unwrap().iter().step_by(4);
    let ids: Vec<&str> = ids.map(|one| one["contact"]["id"].as_str().unwrap()).collect();
    std::fs::write(world.path("list.txt"), ids.join("\n")).unwrap();
    world.run_command(&format!("{EXPORT} --with none --contacts list.txt")).exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), ids.len());
    let singles = world.read_json("out/manifest.json")["requests"]["GET /contacts/{id}"].clone();
    assert_eq!(singles, Value::Null, "a page that was not read was made up for one by one");
}

#[test]
fn an_import_sees_every_contact_where_the_server_clamps_its_pages() {
    let world = World::with_settings(|settings| {
        settings.contacts = 700;
        settings.faults = vec!["POST /contacts/search page-size=100".parse().unwrap()];
    });
    let state = world.get_control("state");
    let ids = state["contacts"].as_array().unwrap().iter();
    let rows: Vec<String> =
        ids.map(|one| format!("{},Rome\n", one["contact"]["id"].as_str().unwrap())).collect();
    std::fs::write(world.path("in.csv"), format!("Contact Id,City\n{}", rows.concat())).unwrap();
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let contacts = state["contacts"].as_array().unwrap().iter();
    let changed = contacts.filter(|one| one["contact"]["city"] != "Rome").count();
    let plan = world.read_csv("res/plan.csv");
    assert_eq!(plan.iter().filter(|row| row["field"] == "city").count(), changed);
}

#[test]
fn a_blank_page_ends_no_scan_for_an_import() {
    for total in ["total=none", ""] {
        let world = World::with_settings(|settings| {
            settings.contacts = 1_200;
            settings.awkward = false;
            settings.allow_duplicates = true;
        });
        let blank = format!("POST /contacts/search rows=0 {total} times=1 after=1");
        let faults: Vec<String> = if total.is_empty() {
            vec![blank]
        } else {
            vec![blank, format!("POST /contacts/search {total}")]
        };
        world.control_request("POST", "faults", &serde_json::json!(faults));
        let state = world.get_control("state");
        let emails: Vec<&str> = state["contacts"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["contact"]["email"].as_str())
            .collect();
        let rows: Vec<String> = emails.iter().map(|email| format!("{email},Rome")).collect();
        world.write_sheet("in.csv", &format!("Email,City\n{}\n", rows.join("\n")));
        world.run_command("import in.csv --dry-run --out res --on-duplicate first");
        let actions = &world.read_json("res/summary.json")["actions"];
        assert_eq!(actions["create"], serde_json::Value::Null, "{total}: {actions}");
    }
}
