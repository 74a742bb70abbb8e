//! Notes by search: the same notes as contact by contact, in a few requests, however the search behaves.

use std::collections::BTreeMap;

use ghl_bulk::sandbox::{LOCATION, ServiceQuirk};
use serde_json::{Value, json};

use crate::raw_http::RawClient;
use crate::running_command::RunningCommand;
use crate::world::World;

pub(crate) const EXPORT: &str = "export --format jsonl --out out";
pub(crate) const CONTACTS: usize = 700;

/// A world whose search of notes behaves like this.
pub(crate) fn world(behavior: &str) -> World {
    world_of(CONTACTS, behavior)
}

fn world_of(contacts: usize, behavior: &str) -> World {
    World::with_settings(|settings| {
        settings.contacts = contacts;
        settings.notes_search = behavior.parse().unwrap();
    })
    .with_env("GHL_BULK_SETTLE_S", "0")
}

/// What identifies an exported note: its first contact, its text and its author.
type Note = (Value, Value, Value);

/// The notes of the account, by id.
fn account_notes(world: &World) -> BTreeMap<String, Note> {
    let notes = world.get_control("notes");
    let notes = notes["notes"].as_array().unwrap().iter();
    notes.map(|note| key_fields(note, "contactId", "userId")).collect()
}

/// The notes of the export, by id; each must be there once.
fn exported_notes(world: &World) -> BTreeMap<String, Note> {
    let rows = world.read_rows("out/notes.jsonl");
    let notes: BTreeMap<_, _> =
        rows.iter().map(|note| key_fields(note, "contact_id", "user_id")).collect();
    assert_eq!(notes.len(), rows.len(), "a note is exported twice");
    notes
}

fn key_fields(note: &Value, contact: &str, user: &str) -> (String, Note) {
    let fields = (note[contact].clone(), note["body"].clone(), note[user].clone());
    (note["id"].as_str().unwrap().to_owned(), fields)
}

#[track_caller]
pub(crate) fn assert_notes_are_those_of_the_account(world: &World, behavior: &str) {
    let (account, exported) = (account_notes(world), exported_notes(world));
    for (id, note) in &account {
        assert_eq!(exported.get(id), Some(note), "{behavior}: note {id}");
    }
    assert_eq!(exported.len(), account.len(), "{behavior}: notes that the account does not have");
    assert_eq!(world.read_json("out/manifest.json")["complete"], true, "{behavior}");
}

/// The requests of the export by the path of the notes search, and of notes contact by contact.
pub(crate) fn note_requests(world: &World) -> (u64, u64) {
    let requests = &world.read_json("out/manifest.json")["requests"];
    let count = |route: &str| requests[route].as_u64().unwrap_or(0);
    (count("POST /notes/search"), count("GET /contacts/{id}/notes"))
}

/// Exports where the search behaves like this, and expects the notes of the account by search alone, apart from the
/// sample.
#[track_caller]
fn assert_searched(behavior: &str, most_searches: u64) {
    let world = world(behavior);
    world.run_command(EXPORT).exits(0).does_not_say("contact by contact");
    assert_notes_are_those_of_the_account(&world, behavior);
    let (searches, reads) = note_requests(&world);
    assert!(searches <= most_searches, "{behavior}: {searches} searches");
    assert!(reads < 60, "{behavior}: {reads} contacts were read one by one");
}

/// Exports where the search cannot be trusted, and expects the notes of the account, contact by contact.
#[track_caller]
fn assert_distrusted(behavior: &str, reason: &str) {
    let world = world(behavior);
    let output = world.run_command(EXPORT).exits(0);
    let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("notes are read contact by contact, one request each: "), "{said}");
    assert!(said.contains(reason), "{behavior}: {said}");
    assert_notes_are_those_of_the_account(&world, behavior);
    assert!(note_requests(&world).1 >= CONTACTS as u64, "{behavior}");
}

#[test]
fn pages_of_the_whole_location_cost_a_request_for_five_hundred_notes() {
    assert_searched("", 4);
}

#[test]
fn page_sizes_versions_and_totals_are_negotiated() {
    assert_searched("limit=100", 10);
    assert_searched("limit=100,over-limit=clamp", 10);
    assert_searched("limit=30", 30);
    assert_searched("versions=2021-07-28", 5);
    assert_searched("total=meta.total", 4);
    assert_searched("total=count,total-when=asked,status=200", 4);
}

#[test]
fn contacts_are_searched_in_batches_where_pages_cannot_reach_all_notes() {
    assert_searched("total-cap=300", 20);
    assert_searched("window=300", 30);
    assert_searched("total=none", 30);
    assert_searched("total-cap=300,limit=20,over-limit=clamp", 120);
    assert_searched("total-cap=300,order=unsorted", 20);
}

#[test]
fn the_form_and_number_of_relations_are_negotiated() {
    assert_searched("total-cap=300,relations=ids", 30);
    assert_searched("total-cap=300,relations=ids,wrong-relations=ignore", 30);
    assert_searched("total-cap=300,relations=both", 20);
    assert_searched("total-cap=300,most-relations=20", 120);
    assert_searched("total-cap=300,most-relations=60", 30);
}

#[test]
fn pages_that_overlap_lose_rows_or_have_no_order_lose_nothing() {
    assert_searched("order=newest", 8);
    assert_searched("order=unsorted", 8);
    assert_searched("borders=repeat", 8);
    assert_searched("borders=lose", 30);
    assert_searched("borders=lose,limit=100", 40);
}

#[test]
fn a_search_that_lacks_old_notes_is_not_trusted() {
    assert_distrusted("missing-before=2024-06-01", "the search lacks notes of");
    assert_distrusted("total-cap=300,missing-before=2024-06-01", "the search lacks notes of");
}

#[test]
fn a_search_that_cuts_texts_is_not_trusted() {
    assert_distrusted("longest-body=200", "the search shows other texts for");
    assert_distrusted("total-cap=300,longest-body=200", "the search shows other texts for");
}

#[test]
fn a_search_that_ignores_or_misunderstands_relations_is_not_trusted() {
    assert_distrusted("total-cap=300,relations=ignored", "notes of other contacts than those");
    assert_distrusted("total-cap=300,join=and", "the search lacks notes of");
    assert_distrusted("total-cap=300,join=first", "the search lacks notes of");
}

#[test]
fn a_search_that_counts_other_notes_than_it_shows_is_not_trusted() {
    assert_distrusted("total-add=5", "counts other notes than it shows");
    assert_distrusted("window=300,over-window=empty", "");
}

#[test]
fn a_server_without_the_search_or_with_another_answer_costs_a_request_or_three() {
    for behavior in ["versions=v9", "shape=documented"] {
        assert_distrusted(behavior, "the notes search cannot be used");
    }
    let world = world("shape=documented");
    world.run_command(EXPORT).exits(0);
    assert!(note_requests(&world).0 <= 3);
}

#[test]
fn a_token_without_the_scope_reads_contact_by_contact_and_is_told_what_that_costs() {
    let world = world("").with_env("GHL_TOKEN", "pit-sandbox-without:notes.readonly");
    let output = world.run_command(EXPORT).exits(0);
    let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "notes are read contact by contact, one request each: the token lacks the scope `notes.readonly`, \
             with which about 34 instead of 700 requests would be enough"
        ),
        "{said}"
    );
    assert_notes_are_those_of_the_account(&world, "no scope");
    assert_eq!(note_requests(&world), (1, 700));
}

#[test]
fn few_contacts_are_not_worth_a_search() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    assert_notes_are_those_of_the_account(&world, "60 contacts");
    assert_eq!(note_requests(&world), (0, 60));
}

#[test]
fn a_user_can_ask_for_notes_contact_by_contact() {
    let world = world("");
    world.run_command(&format!("{EXPORT} --notes-by contact")).exits(0);
    assert_notes_are_those_of_the_account(&world, "--notes-by contact");
    assert_eq!(note_requests(&world), (0, 700));
}

/// The contact at a place of the account.
fn contact(world: &World, at: usize) -> String {
    world.get_control("state")["contacts"][at]["contact"]["id"].as_str().unwrap().to_owned()
}

fn write_note(world: &World, contact: &str, body: &str) {
    let path = format!("/contacts/{contact}/notes");
    let answer = RawClient::new(world.url()).send_request("POST", &path, &json!({ "body": body }));
    assert_eq!(answer.status, 201);
}

#[test]
fn notes_written_moments_before_the_start_are_found_although_the_index_lags() {
    for behavior in ["lag=1000ms", "total-cap=300,lag=1000ms"] {
        let world = world(behavior).with_env("GHL_BULK_SETTLE_S", "2");
        for at in [3, 333, 690] {
            write_note(&world, &contact(&world, at), "just written");
        }
        world.run_command(EXPORT).exits(0).does_not_say("contact by contact");
        assert_notes_are_those_of_the_account(&world, behavior);
        let (searches, reads) = note_requests(&world);
        assert!(searches + reads < 70, "{behavior}: {searches} searches, {reads} reads");
    }
}

#[test]
fn contacts_that_just_changed_are_read_one_by_one_in_case_the_index_lags_for_long() {
    for behavior in ["", "total-cap=300"] {
        let world = World::with_settings(|settings| {
            settings.contacts = CONTACTS;
            settings.quirks = vec![ServiceQuirk::ChildrenBump];
            settings.notes_search = behavior.parse().unwrap();
        });
        let held = json!({ "notes_search": format!("{behavior},lag=held") });
        world.control_request("POST", "settings", &held);
        for at in [3, 333, 690] {
            write_note(&world, &contact(&world, at), "just written");
        }
        world.run_command(EXPORT).exits(0).does_not_say("contact by contact");
        assert_notes_are_those_of_the_account(&world, behavior);
    }
}

#[test]
fn a_note_of_two_contacts_is_exported_once_and_one_of_none_where_the_location_is_read() {
    for (behavior, has_apart) in [("", true), ("total-cap=300", false)] {
        let world = world(behavior);
        let (first, second) = (contact(&world, 5), contact(&world, 650));
        let relation = |key: &str, id: &str| json!({ "objectKey": key, "recordId": id });
        let (one, two) = (relation("contact", &first), relation("contact", &second));
        let opportunity = relation("opportunity", "opp1");
        let notes = json!([
            {"id": "both", "body": "two", "relations": [two, one]},
            {"id": "apart", "body": "none", "relations": [opportunity]},
        ]);
        world.control_request("POST", "notes", &notes);
        world.run_command(EXPORT).exits(0);
        let rows = world.read_rows("out/notes.jsonl");
        let find = |id: &str| rows.iter().filter(|note| note["id"] == id).collect::<Vec<_>>();
        let both = find("both");
        assert_eq!(both.len(), 1, "{behavior}");
        assert_eq!(both[0]["contact_id"], *second, "{behavior}");
        assert_eq!(both[0]["relations"], json!([two, one]), "{behavior}");
        let apart = find("apart");
        assert_eq!(apart.len(), usize::from(has_apart), "{behavior}");
        for note in apart {
            assert_eq!(note["contact_id"], Value::Null);
        }
    }
}

#[test]
fn notes_that_no_search_for_contacts_shows_are_counted_and_told() {
    for apart in [0, 2] {
        let world = world("window=300");
        let relations = json!([{ "objectKey": "opportunity", "recordId": "opp1" }]);
        let notes: Vec<Value> = (0..apart)
            .map(|at| json!({ "id": format!("apart{at}"), "body": "none", "relations": relations }))
            .collect();
        world.control_request("POST", "notes", &json!(notes));
        let output = world.run_command(EXPORT).exits(0);
        let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = "the account counts 2 notes more than its contacts have: they are of other records, such as \
                    opportunities, and not exported";
        assert_eq!(said.contains(told), apart > 0, "{said}");
        assert_eq!(said.contains("than its contacts have"), apart > 0, "{said}");
    }
}

#[test]
fn filtered_exports_search_only_for_their_contacts() {
    let world = world("");
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let ids: Vec<&str> =
        contacts.map(|one| one["contact"]["id"].as_str().unwrap()).step_by(3).collect();
    std::fs::write(world.path("list.txt"), ids.join("\n")).unwrap();
    world.run_command(&format!("{EXPORT} --contacts list.txt")).exits(0);
    let exported = exported_notes(&world);
    let expected: BTreeMap<_, _> = account_notes(&world)
        .into_iter()
        .filter(|(_, note)| ids.contains(&note.0.as_str().unwrap()))
        .collect();
    assert_eq!(exported, expected);
    let (searches, reads) = note_requests(&world);
    assert!(searches <= 7 && reads < 60, "{searches} searches, {reads} reads");
}

#[test]
fn what_was_learnt_about_a_location_is_not_asked_again() {
    let world = world("total-cap=300,limit=100,relations=ids,most-relations=60");
    world.run_command(EXPORT).exits(0);
    let first = note_requests(&world).0;
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command(EXPORT).exits(0);
    let second = note_requests(&world).0;
    assert!(second < first, "{first}, then {second}");
    let log = world.get_control("log");
    let refused = log["entries"].as_array().unwrap().iter();
    let refused = refused.filter(|entry| {
        entry["path"] == "/notes/search"
            && entry["status"].as_u64().is_some_and(|status| status >= 400)
    });
    assert_eq!(refused.count(), 0, "a form that is known to be refused was sent again");
}

/// Kills an export at its nth search for notes, and resumes it.
#[track_caller]
fn assert_resumes(behavior: &str, nth: usize) {
    let world = world(behavior);
    world.control_request(
        "POST",
        "faults",
        &json!([format!("POST /notes/search hold after={}", nth - 1)]),
    );
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    assert_notes_are_those_of_the_account(&world, behavior);
}

#[test]
fn an_export_killed_while_it_searches_is_resumed() {
    assert_resumes("limit=100", 1);
    assert_resumes("limit=100", 4);
    assert_resumes("total-cap=300", 2);
    assert_resumes("total-cap=300", 6);
}

#[test]
fn an_export_killed_while_the_search_is_replaced_is_resumed() {
    let world = world("longest-body=200");
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes hold after=200"]));
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    assert_notes_are_those_of_the_account(&world, "longest-body=200");
}

#[test]
fn a_search_that_shows_the_same_page_for_ever_ends_and_is_not_trusted() {
    for behavior in ["", "total-cap=300"] {
        let world = world(behavior);
        let stuck = json!(["POST /notes/search ignore=skip"]);
        world.control_request("POST", "faults", &stuck);
        world.run_command(EXPORT).exits(0);
        assert_notes_are_those_of_the_account(&world, behavior);
        let (searches, _) = note_requests(&world);
        assert!(searches < 100, "{behavior}: {searches} searches");
    }
}

#[test]
fn a_search_that_fails_for_a_while_is_tried_again_and_then_given_up() {
    let once = world("");
    once.control_request("POST", "faults", &json!(["POST /notes/search status=503 times=1"]));
    once.run_command(EXPORT).exits(0).does_not_say("contact by contact");
    assert_notes_are_those_of_the_account(&once, "a 503");
    let always = world("");
    always.control_request("POST", "faults", &json!(["POST /notes/search status=503"]));
    always.run_command(EXPORT).exits(0).says("the notes search cannot be used");
    assert_notes_are_those_of_the_account(&always, "503 for ever");
    assert_eq!(LOCATION, always.read_json("out/manifest.json")["location"]);
}
