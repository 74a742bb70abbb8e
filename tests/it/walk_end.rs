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
fn a_page_size_that_the_server_clamps_ends_nothing() {
    assert_complete(&["POST /locations/*/tasks/search page-size=100"]);
    assert_complete(&["POST /contacts/search page-size=100"]);
    assert_complete(&["POST /contacts/search page-size=100", "POST /contacts/search total=none"]);
}

#[test]
fn a_contact_on_two_pages_with_another_date_is_exported_once() {
    assert_complete(&["POST /contacts/search repeat=later"]);
}
