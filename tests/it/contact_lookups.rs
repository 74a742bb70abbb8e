//! `GET /contacts/lookup` finds contacts by additional values where the token may use it; elsewhere the duplicate
//! search does what it can.

use ghl_bulk::sandbox::ContactLookupAccess;
use serde_json::{Value, json};

use crate::world::World;

/// An empty location.
fn account(access: ContactLookupAccess) -> World {
    World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
        settings.contact_lookup = access;
    })
}

/// The same world with an app's token.
fn with_app_token(world: World) -> World {
    let scope = "contacts.readonly contacts.write notes.readonly locations.readonly \
         locations/tasks.readonly locations/tags.readonly locations/customFields.readonly \
         users.readonly businesses.readonly";
    let granted = world.control_request("POST", "oauth/grant", &json!({ "scope": scope }));
    let token = granted["access_token"].as_str().unwrap().to_owned();
    world.with_env("GHL_TOKEN", &token)
}

fn count_requests(world: &World, path: &str) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|it| it["path"].as_str().is_some_and(|it| it.starts_with(path))).count()
}

/// The codes of the rejected rows.
fn list_codes(world: &World) -> Vec<String> {
    let rejected = world.read_csv("res/rejected.csv").into_iter();
    rejected.map(|row| row["_reject_code"].clone()).collect()
}

const LOOKUP: &str = "/contacts/lookup";
const DUPLICATE: &str = "/contacts/search/duplicate";

#[test]
fn an_app_sees_all_contacts_that_share_an_address() {
    let world = with_app_token(account(ContactLookupAccess::Apps(401)));
    world.add_contacts(&[
        json!({ "email": "same@example.com", "firstName": "Ada" }),
        json!({ "email": "same@example.com", "firstName": "Grace" }),
    ]);
    world.write_sheet("in.csv", "Email,City\nsame@example.com,Rome\n");
    world.run_import("").exits(3);
    assert_eq!(list_codes(&world), ["R_AMBIGUOUS_MATCH"]);
    assert_eq!((count_requests(&world, LOOKUP), count_requests(&world, DUPLICATE)), (1, 0));
}

/// A contact that has an address only as an additional one, and a sheet with that address and a new one.
fn add_secondary_owner(world: &World) {
    world.add_contacts(&[json!({
        "email": "c@example.com", "additionalEmails": ["other@example.com"],
    })]);
    world.write_sheet("in.csv", "Email,City\nother@example.com,Rome\nnew@example.com,Rome\n");
}

#[test]
fn an_app_sees_who_has_an_address_as_an_additional_one() {
    let world = with_app_token(account(ContactLookupAccess::Apps(401)));
    add_secondary_owner(&world);
    world.run_import("--dry-run").exits(3);
    assert_eq!(list_codes(&world), ["R_SECONDARY_EMAIL"]);
    // Only what was not found is asked a second time.
    assert_eq!((count_requests(&world, LOOKUP), count_requests(&world, DUPLICATE)), (2, 1));
}

#[test]
fn a_refused_token_goes_on_without_and_is_not_refused_again() {
    for status in [401, 403, 404] {
        let world = account(ContactLookupAccess::Apps(status));
        add_secondary_owner(&world);
        world.run_import("--dry-run").exits(0);
        assert_eq!(count_requests(&world, LOOKUP), 1, "{status}");
        assert_eq!(count_requests(&world, DUPLICATE), 2, "{status}");
        world.run_command("import in.csv --dry-run --out again").exits(0);
        assert_eq!(count_requests(&world, LOOKUP), 1, "{status}: by a later process");
    }
}

#[test]
fn what_the_lookup_does_not_find_is_asked_of_the_duplicate_search() {
    let world = account(ContactLookupAccess::Everyone);
    let body = r#"{"contacts":[],"nextCursor":null}"#;
    world.control_request(
        "POST",
        "faults",
        &json!([format!("GET {LOOKUP} status=200 body={body}")]),
    );
    world.add_contacts(&[json!({ "email": "here@example.com", "city": "Boston" })]);
    world.write_sheet("in.csv", "Email,City\nhere@example.com,Rome\n");
    world.run_import("").exits(0);
    assert_eq!(world.read_csv("res/succeeded.csv")[0]["_action"], "update");
    assert_eq!(world.contact_by_email("here@example.com")["contact"]["city"], "Rome");
}

#[test]
fn a_lookup_that_fails_or_ignores_the_value_is_not_needed() {
    let strange = r#"{"contacts":[{"id":"x","email":"else@example.com"}]}"#;
    for fault in
        ["status=500".to_owned(), format!("status=200 body={strange}"), "not-json".to_owned()]
    {
        let world = account(ContactLookupAccess::Everyone);
        world.control_request("POST", "faults", &json!([format!("GET {LOOKUP} {fault}")]));
        world.add_contacts(&[json!({ "email": "here@example.com", "city": "Boston" })]);
        world.write_sheet("in.csv", "Email,City\nhere@example.com,Rome\n");
        world.run_import("").exits(0);
        assert_eq!(
            world.contact_by_email("here@example.com")["contact"]["city"],
            "Rome",
            "{fault}"
        );
    }
}

#[test]
fn a_list_names_contacts_by_additional_values_where_the_token_may_look_them_up() {
    for (access, code, found) in
        [(ContactLookupAccess::Everyone, 0, 2), (ContactLookupAccess::Apps(403), 3, 0)]
    {
        let world = account(access);
        world.add_contacts(&[
            json!({ "email": "a@example.com", "additionalPhones": ["+12025550143"] }),
            json!({ "email": "b@example.com", "additionalEmails": ["b2@example.com"] }),
        ]);
        world.write_sheet("list.csv", "+12025550143\nb2@example.com\n");
        let export = "export --contacts list.csv --with none --format jsonl --out out";
        world.run_command(export).exits(code);
        let rows: Vec<Value> = world.read_rows("out/contacts.jsonl");
        assert_eq!(rows.len(), found, "{rows:#?}");
    }
}

#[test]
fn a_create_without_an_answer_is_looked_up_although_the_duplicate_search_finds_nothing() {
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.contact_lookup = ContactLookupAccess::Apps(401);
    });
    let world = with_app_token(world).with_env("GHL_BULK_SETTLE_S", "0.3");
    let nothing = format!(r#"GET {DUPLICATE} status=200 body={{"contact":null}}"#);
    let faults = ["POST /contacts/ drop=after times=1", &nothing];
    world.control_request("POST", "faults", &json!(faults));
    world.write_sheet("in.csv", "First Name,Email\nAda,ada@example.com\n");
    world.run_import("").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    // One for the plan, and one that finds the contact.
    assert_eq!(count_requests(&world, LOOKUP), 2);
    assert_eq!(count_requests(&world, DUPLICATE), 1);
    assert_eq!(world.list_writes(), ["POST /contacts/"]);
}
