//! Nothing counts as deleted or changed that is not: hiding, lag, lost scopes, odd answers.

use serde_json::{Value, json};

use super::sync_world::changes;
use crate::world::World;

fn arm(world: &World, fault: &str) {
    world.control_request("POST", "faults", &json!([fault]));
}

fn disarm(world: &World) {
    world.control_request("DELETE", "faults", &Value::Null);
}

/// Asserts that a sync has changed nothing.
#[track_caller]
fn assert_nothing_changed(summary: &Value) {
    for table in ["contacts", "tasks", "notes"] {
        assert_eq!(changes(summary, table), [0, 0, 0], "{table}: {summary}");
    }
}

#[test]
fn rows_that_are_written_in_another_way_are_not_changed() {
    let world = World::new();
    world.sync("");
    for fault in ["POST /contacts/search shuffle", "POST /contacts/search pretty"] {
        arm(&world, fault);
        assert_nothing_changed(&world.sync("--full"));
        disarm(&world);
    }
}

#[test]
fn a_contact_that_the_search_hides_is_not_deleted() {
    let world = World::new();
    world.sync("");
    let hidden = world.contact_id(20);
    arm(&world, &format!("POST /contacts/search hide={hidden} hide-total"));
    for flags in ["", "--full"] {
        let summary = world.sync(flags);
        assert_nothing_changed(&summary);
        assert_eq!(summary["hidden"], 1, "{flags}");
        assert_eq!(summary["rows"]["contacts"], 60);
    }
}

#[test]
fn a_contact_is_not_deleted_by_an_endpoint_that_finds_none() {
    let world = World::new();
    world.sync("");
    let hidden = world.contact_id(20);
    arm(&world, &format!("POST /contacts/search hide={hidden} hide-total"));
    arm(&world, "GET /contacts/* status=404");
    let summary = world.sync("--full");
    assert_nothing_changed(&summary);
    assert_eq!(summary["rows"]["contacts"], 60);
    assert_eq!(summary["unconfirmed"], 1);
}

#[test]
fn an_account_that_seems_empty_is_not_believed() {
    let world = World::new();
    world.sync("");
    arm(&world, "POST /contacts/search rows=0 total=0");
    for flags in ["", "--full"] {
        world
            .run_command(&format!("sync {flags}"))
            .exits(5)
            .says("the search shows no contact, and the mirror has 60")
            .says("--accept-empty");
    }
    disarm(&world);
    assert_nothing_changed(&world.sync(""));
}

#[test]
fn an_account_that_lost_most_of_its_contacts_is_believed_only_if_a_person_says_so() {
    let world = World::with_settings(|settings| settings.contacts = 260);
    world.sync("");
    for row in &world.account_contacts()[..200] {
        world.delete_by_id(row["contact"]["id"].as_str().unwrap());
    }
    let refused = world.run_command("sync").exits(5);
    assert!(refused.stderr.contains("200 of the 260 contacts"), "{}", refused.stderr);
    refused.says("`ghl-bulk sync --accept-empty`");
    let summary = world.sync("--accept-empty");
    assert_eq!(changes(&summary, "contacts"), [0, 0, 200]);
    assert_eq!(summary["rows"]["contacts"], 60);
}

#[test]
fn many_deletions_at_once_are_announced() {
    let world = World::with_settings(|settings| settings.contacts = 300);
    world.sync("");
    for row in &world.account_contacts()[..120] {
        world.delete_by_id(row["contact"]["id"].as_str().unwrap());
    }
    let done = world.run_command("sync --json").exits(0);
    let warning = done.events().into_iter().find(|event| event["code"] == "mass_deletion").unwrap();
    let message = warning["message"].as_str().unwrap();
    assert!(message.starts_with("120 contacts of 300 are missing"), "{message}");
    assert_eq!(changes(&done.summary(), "contacts"), [0, 0, 120]);
}

#[test]
fn a_total_that_ends_at_a_cap_deletes_nothing_and_is_not_believed_again() {
    let world = World::new();
    world.sync("");
    arm(&world, "POST /contacts/search total-cap=50");
    let summary = world.sync("");
    assert_nothing_changed(&summary);
    assert_eq!(summary["deletions"], "unknown");
    let requests = world.requests_of(|| assert_eq!(world.sync("")["deletions"], "unknown"));
    assert_eq!(requests, 1);
    disarm(&world);
    let gone = world.contact_id(5);
    world.delete_by_id(&gone);
    assert_eq!(world.sync("--full")["changes"]["contacts"]["deleted"], 1);
    assert_eq!(world.sync("")["deletions"], "counted", "a walk agrees with the count again");
}

#[test]
fn a_round_total_that_is_missed_once_is_believed_again_when_it_is_not_round() {
    let world = World::with_settings(|settings| settings.contacts = 40);
    world.sync("");
    world.delete_by_id(&world.contact_id(5));
    arm(&world, "POST /contacts/search total=10000");
    assert_eq!(world.sync("")["deletions"], "unknown");
    disarm(&world);
    let summary = world.sync("");
    assert_eq!(summary["deletions"], "counted");
    assert_eq!(changes(&summary, "contacts"), [0, 0, 1]);
}

#[test]
fn a_search_without_a_total_finds_edits_and_leaves_deletions_to_the_walk() {
    let world = World::new();
    world.sync("");
    arm(&world, "POST /contacts/search total=none");
    world.delete_by_id(&world.contact_id(5));
    world.edit_by_id(&world.contact_id(9), &json!({"city": "Ghent"}));
    let summary = world.sync("");
    assert_eq!(changes(&summary, "contacts"), [0, 1, 0]);
    assert_eq!(summary["deletions"], "unknown");
    assert_eq!(summary["rows"]["contacts"], 60);
    assert_eq!(changes(&world.sync("--full"), "contacts"), [0, 0, 1]);
}

#[test]
fn a_server_that_ignores_the_order_is_read_as_a_whole() {
    let world = World::new();
    world.sync("");
    arm(&world, "POST /contacts/search reverse");
    world.edit_by_id(&world.contact_id(9), &json!({"city": "Ghent"}));
    assert_eq!(changes(&world.sync(""), "contacts"), [0, 1, 0]);
}

#[test]
fn a_token_that_lost_a_scope_deletes_nothing() {
    let world = World::new();
    let first = world.sync("");
    let without = |scope: &str, flags: &str| {
        let mut command = world.command(&format!("sync --json {flags}"));
        command.env("GHL_TOKEN", format!("pit-sandbox-without:{scope}"));
        command.output().unwrap()
    };
    for scope in ["contacts.readonly", "locations/tasks.readonly", "notes.readonly"] {
        for flags in ["", "--full"] {
            let output = without(scope, flags);
            let expected: &[i32] = if scope == "contacts.readonly" { &[8] } else { &[0, 3] };
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(expected.contains(&output.status.code().unwrap()), "{scope} {flags}: {said}");
        }
    }
    let last = world.sync("");
    assert_eq!(last["rows"], first["rows"]);
    assert_eq!(last["changes"]["changed_seq"], 1, "{last}");
}

#[test]
fn lists_that_come_empty_delete_neither_tasks_nor_notes_nor_fields() {
    let world = World::new();
    let first = world.sync("");
    arm(&world, "POST /locations/*/tasks/search rows=0");
    arm(&world, "POST /notes/search rows=0");
    arm(&world, "GET /locations/*/customFields rows=0");
    arm(&world, "GET /locations/*/tags rows=0");
    let summary = world.sync("--full");
    assert_nothing_changed(&summary);
    assert_eq!(summary["rows"], first["rows"]);
}

#[test]
fn a_deletion_that_the_index_does_not_show_yet_is_found_later() {
    let world = World::with_settings(|settings| {
        settings.contacts = 60;
        settings.lag = std::time::Duration::from_hours(1);
    });
    world.sync("");
    let gone = world.contact_id(5);
    // By the API, so that the index lags.
    super::sync_world::delete_by_api(&world, &gone);
    assert_nothing_changed(&world.sync(""));
    let rows = world.mirror_rows("contacts");
    assert!(rows.contains_key(&gone));
}
