//! `export --estimate`: it knows what the server's pages hold and what earlier exports learnt.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::notes_by_search::{EXPORT, note_requests, world};
use crate::world::World;

/// What an export of the location is expected to cost.
fn estimate(world: &World, options: &str) -> Value {
    let done = world.run_command(&format!("export --estimate --json {options}")).exits(0);
    done.summary()["locations"][LOCATION].clone()
}

#[test]
fn pages_that_the_server_cuts_are_counted_as_they_come() {
    let world = world("");
    assert_eq!(estimate(&world, "--with none")["requests"]["contacts"], 2);
    world.control_request("POST", "faults", &json!(["POST /contacts/search page-size=100"]));
    assert_eq!(estimate(&world, "--with none")["requests"]["contacts"], 7);
}

#[test]
fn pages_of_notes_that_the_server_cuts_or_refuses_are_counted_as_they_come() {
    let whole = estimate(&world(""), "")["notes_by"]["location"].as_u64().unwrap();
    for behavior in ["limit=50", "limit=50,over-limit=clamp"] {
        let cut = estimate(&world(behavior), "")["notes_by"]["location"].as_u64().unwrap();
        assert!(cut > 6 * whole, "{behavior}: {cut} pages instead of {whole} with 500 notes");
    }
}

#[test]
fn each_way_to_read_notes_is_shown_and_an_export_takes_what_was_estimated() {
    let world = world("total-cap=300,most-relations=20");
    let costs = |estimate: &Value| estimate["notes_by"].clone();
    let unlearnt = costs(&estimate(&world, ""));
    assert_eq!(unlearnt, json!({"location": null, "contacts": 10, "per_contact": 700}));
    world.run_command(EXPORT).exits(0);
    let learnt = estimate(&world, "");
    assert!(costs(&learnt)["contacts"].as_u64().unwrap() > 50, "few contacts fit in a request");
    world.run_command(EXPORT).exits(0);
    let (searches, reads) = note_requests(&world);
    let expected = learnt["requests"]["notes"].as_u64().unwrap();
    assert!(expected.abs_diff(searches + reads) < 10, "{expected}, not {searches} + {reads}");
}

#[test]
fn an_offset_that_was_refused_counts_as_the_end_of_what_pages_reach() {
    let world = world("window=150");
    assert!(estimate(&world, "")["notes_by"]["location"].is_u64());
    world.run_command(EXPORT).exits(0);
    assert_eq!(estimate(&world, "")["notes_by"]["location"], Value::Null);
}

#[test]
fn an_estimate_says_what_each_way_to_read_notes_takes() {
    let world = world("");
    let said = world.run_command("export --estimate").exits(0).stdout;
    insta::assert_snapshot!(said);
}

#[test]
fn a_search_that_the_last_export_did_not_trust_is_expected_to_fail_again() {
    let world = world("longest-body=200");
    world.run_command(EXPORT).exits(0);
    let expected = estimate(&world, "");
    assert!(expected["requests"]["notes"].as_u64().unwrap() > 700, "{expected}");
    let said = world.run_command("export --estimate").exits(0).stdout;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("could not trust the search: the search shows other texts for"),
        "{said}"
    );
    world.control_request("POST", "settings", &json!({"notes_search": "longest-body=none"}));
    world.run_command(EXPORT).exits(0);
    assert!(estimate(&world, "")["requests"]["notes"].as_u64().unwrap() < 100);
}
