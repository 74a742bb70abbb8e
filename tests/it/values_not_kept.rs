//! Values that the server accepts and the account does not keep, and answers that only look like success.

use serde_json::{Value, json};

use crate::import_world::{self, tag_names};
use crate::world::World;

/// A row for an existing contact with everything that one row can write.
const SHEET: &str = "Email,City,Phone,Notes\nAVERY@example.com, Rome ,(202) 555-0143,hello\n";

/// An empty location with these faults, in which look-ups do not last.
fn empty_world_with_faults(faults: &[&str]) -> World {
    import_world::empty_world_with_faults(faults).with_env("GHL_BULK_SETTLE_S", "0.3")
}

fn read_summary(world: &World) -> Value {
    serde_json::from_slice(&std::fs::read(world.path("res/summary.json")).unwrap()).unwrap()
}

/// Target, count and example of what was not kept.
fn list_not_kept(world: &World) -> Vec<(String, u64, String)> {
    let summary = read_summary(world);
    let all = summary["not_kept"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.map(|one| (text(one, "field"), one["count"].as_u64().unwrap(), text(one, "value")))
        .collect()
}

fn count_requests(world: &World, method: &str, is_counted: impl Fn(&str) -> bool) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|it| it["method"] == method && is_counted(it["path"].as_str().unwrap())).count()
}

fn is_contact(path: &str) -> bool {
    path.strip_prefix("/contacts/")
        .is_some_and(|id| !id.is_empty() && !id.starts_with("lookup") && !id.contains('/'))
}

#[test]
fn values_that_the_account_drops_are_counted_with_an_example_and_decide_the_exit_code() {
    let world = empty_world_with_faults(&["* /contacts/** ignore=phone"]);
    world.add_contacts(&[json!({ "email": "a0@example.com" })]);
    let rows = (0..3).map(|n| format!("a{n}@example.com,+1202555014{n},Rome\n"));
    world.write_sheet("in.csv", &format!("Email,Phone,City\n{}", rows.collect::<String>()));
    let output = world.run_import("").exits(3);
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
    assert_eq!(list_not_kept(&world), [("phone".to_owned(), 3, "+12025550140".to_owned())]);
    for line in [
        "accepted, but not kept by the account:",
        "phone: 3 values are missing or different, such as `+12025550140`",
        "3 values were accepted, but not kept; ",
    ] {
        assert!(output.stderr.contains(line), "{}", output.stderr);
    }
    // What is finished ends the same way when it is looked at again.
    let run = read_summary(&world)["run"].as_str().unwrap().to_owned();
    let again = world.run_command(&format!("resume {run}")).exits(3);
    assert!(again.stderr.contains("3 values were accepted, but not kept"), "{}", again.stderr);
    let shown = world.run_command(&format!("runs show {run} --json")).exits(0);
    assert!(shown.stdout.contains(r#""values_not_kept":3"#), "{}", shown.stdout);
    world.run_command(&format!("runs results {run}")).exits(3);
}

#[test]
fn a_custom_field_that_is_dropped_has_its_key() {
    let world = empty_world_with_faults(&["POST /contacts/ ignore=customFields"]);
    world.write_sheet("in.csv", "Email,Nickname\na@example.com,Ace\n");
    world.run_import("--map Nickname=customFields.nickname").exits(3);
    assert_eq!(list_not_kept(&world), [("customFields.nickname".to_owned(), 1, "Ace".to_owned())]);
}

#[test]
fn values_that_are_only_spelled_differently_are_kept() {
    let world = empty_world_with_faults(&[]);
    world.add_contacts(&[json!({ "email": "avery@example.com" })]);
    let new = "Blake.New@Example.com,Oslo  ,+1 202 555 0199,\"two\r\nlines\"\n";
    world.write_sheet("in.csv", &format!("{SHEET}{new}"));
    let output = world.run_import("--default-country US").exits(0);
    assert_eq!(list_not_kept(&world), []);
    assert!(!output.stderr.contains("not kept"), "{}", output.stderr);
}

#[test]
fn a_value_that_only_the_answer_omits_is_kept() {
    let world =
        empty_world_with_faults(&["PUT /contacts/* unset=city", "POST /contacts/ unset=city"]);
    world.add_contacts(&[json!({ "email": "a@example.com" })]);
    world.write_sheet("in.csv", "Email,City\na@example.com,Rome\nb@example.com,Oslo\n");
    world.run_import("").exits(0);
    assert_eq!(list_not_kept(&world), []);
    assert_eq!(count_requests(&world, "GET", is_contact), 2);
}

#[test]
fn a_column_that_is_dropped_in_every_row_does_not_cost_a_read_for_each() {
    let world = empty_world_with_faults(&["POST /contacts/ ignore=city"]);
    let rows = (0..60).map(|n| format!("a{n}@example.com,Rome\n"));
    world.write_sheet("in.csv", &format!("Email,City\n{}", rows.collect::<String>()));
    world.run_import("--concurrency 1").exits(3);
    assert_eq!(list_not_kept(&world), [("city".to_owned(), 60, "Rome".to_owned())]);
    let reads = count_requests(&world, "GET", is_contact);
    assert!((20..=23).contains(&reads), "{reads}");
}

#[test]
fn an_update_that_changes_nothing_is_not_believed_whatever_it_answers() {
    for (fault, kept) in [
        ("ignore=*", vec![("city", "Rome"), ("phone", "+12025550143")]),
        (r#"status=200 body={"message":"ok"}"#, vec![("city", "Rome"), ("phone", "+12025550143")]),
        (r#"applied=200 body={"message":"ok"}"#, vec![]),
    ] {
        let world = empty_world_with_faults(&[&format!("PUT /contacts/* {fault}")]);
        world.add_contacts(&[json!({ "email": "avery@example.com" })]);
        world.write_sheet("in.csv", SHEET);
        let code = if kept.is_empty() { 0 } else { 3 };
        world.run_import("--default-country US").exits(code);
        let kept: Vec<_> = kept
            .iter()
            .map(|(field, value)| ((*field).to_owned(), 1, (*value).to_owned()))
            .collect();
        assert_eq!(list_not_kept(&world), kept, "{fault}");
        assert_eq!(count_requests(&world, "PUT", is_contact), 1, "{fault}");
    }
}

#[test]
fn a_note_that_comes_back_shortened_is_counted() {
    let world = empty_world_with_faults(&["POST /contacts/*/notes shorten=body:100"]);
    world.add_contacts(&[json!({ "email": "a@example.com" })]);
    let long = "x".repeat(150);
    world.write_sheet("in.csv", &format!("Email,Notes\na@example.com,{long}\n"));
    world.run_import("").exits(3);
    let not_kept = list_not_kept(&world);
    assert_eq!((not_kept[0].0.as_str(), not_kept[0].1), ("note.body", 1));
    assert_eq!(world.contact_by_email("a@example.com")["notes"].as_array().unwrap().len(), 1);
    let warning = &world.read_csv("res/warnings.csv")[0];
    assert_eq!(
        (warning["code"].as_str(), warning["field"].as_str()),
        ("W_ANSWER_DIFFERS", "note.body")
    );
}

/// A success status with a body that denies it, in both spellings.
const DENIALS: [&str; 2] = [r#"{"succeded":false}"#, r#"{"succeeded":false,"message":"busy"}"#];

/// A write of each kind: its route, a sheet that asks for it, and the options.
const DENIED_WRITES: [(&str, &str, &str); 6] = [
    ("POST /contacts/", "Email,City\nnew@example.com,Rome\n", ""),
    ("PUT /contacts/*", "Email,City\navery@example.com,Rome\n", ""),
    ("POST /contacts/*/notes", "Email,Notes\navery@example.com,hello\n", ""),
    (
        "POST /contacts/*/tasks",
        "Email,Task,Due\navery@example.com,Call,2027-01-02\n",
        "--map Task=task.title --map Due=task.dueDate",
    ),
    ("POST /contacts/bulk/tags/update/add", "Email,Tags\navery@example.com,lead\n", "--mode tag"),
    ("DELETE /contacts/*", "Email\navery@example.com\n", "--mode delete --confirm-delete 1"),
];

#[test]
fn a_success_that_its_body_denies_is_rejected_if_nothing_was_written() {
    for body in DENIALS {
        for (route, sheet, options) in DENIED_WRITES {
            let world = empty_world_with_faults(&[&format!("{route} status=200 body={body}")]);
            world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
            world.write_sheet("in.csv", sheet);
            world.run_import(options).exits(3);
            assert_eq!(world.count_results(), [0, 0, 1, 0, 0], "{route} {body}");
            let avery = world.contact_by_email("avery@example.com");
            assert_eq!(avery["contact"]["city"], "Boston", "{route}");
            assert_eq!(tag_names(&avery), [""; 0], "{route}");
            let reason = world.read_csv("res/rejected.csv")[0]["_reject_reason"].clone();
            let said = "did not succeed";
            let is_bulk = route.contains("bulk");
            assert!(is_bulk || reason.contains(said), "{route}: {reason}");
            assert!(is_bulk || reason.contains("busy") == body.contains("busy"), "{reason}");
        }
    }
}

#[test]
fn a_success_that_its_body_denies_counts_as_one_if_it_was_written() {
    for body in DENIALS {
        for (route, sheet, options) in DENIED_WRITES {
            let world = empty_world_with_faults(&[&format!("{route} applied=200 body={body}")]);
            world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
            world.write_sheet("in.csv", sheet);
            world.run_import(options).exits(0);
            assert_eq!(world.count_results(), [1, 0, 0, 0, 0], "{route} {body}");
            let method = route.split_once(' ').unwrap().0;
            let writes = world.list_writes();
            assert_eq!(writes.iter().filter(|it| it.starts_with(method)).count(), 1, "{writes:?}");
        }
    }
}
