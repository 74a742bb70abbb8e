//! `--all --to LOCATION`: everybody into another location.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::World;

/// The other location, which is empty and whose definitions have other ids.
const OTHER: &str = "otherLocation00000002";
/// The flags with which everything is moved that can be.
const ALL: &str = "--skip-missing-fields --skip-missing-users --skip-missing-businesses";

/// A world with an empty location, and the repository of another one.
fn empty_other_location(from: &World) -> World {
    let repo = from.path("repo").display().to_string();
    World::with_settings(|settings| {
        settings.contacts = 0;
        settings.seed = 9;
        settings.locations = vec![OTHER.to_owned()];
    })
    .with_env("GHL_BULK_REPOSITORY", &repo)
    .with_env("GHL_LOCATION_ID", "sandboxLocation00001")
}

fn move_everybody(world: &World, options: &str) -> crate::world::CommandOutput {
    world.run_restore(&format!("--all --to {OTHER} {options}"))
}

/// The rows of a table by id.
fn rows_by_id(world: &World, command: &str, table: &str) -> BTreeMap<String, Value> {
    world.run_command(&format!("{command} --format jsonl --out out --replace")).exits(0);
    let rows = world.read_rows(&format!("out/{table}.jsonl")).into_iter();
    rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect()
}

/// The native columns in which two rows differ, by the names that losses have.
fn differing_columns(row: &Value, new: &Value) -> Vec<&'static str> {
    let columns = [
        ("first_name", "firstName"),
        ("last_name", "lastName"),
        ("email", "email"),
        ("phone", "phone"),
        ("company_name", "companyName"),
        ("city", "city"),
        ("country", "country"),
        ("postal_code", "postalCode"),
        ("website", "website"),
        ("dnd", "dnd"),
        ("date_of_birth", "dateOfBirth"),
        ("source", "source"),
        ("additional_emails", "additionalEmails"),
    ];
    let value = |row: &Value, column: &str| {
        let is_empty = |it: &Value| *it == "" || it.as_array().is_some_and(Vec::is_empty);
        Some(row[column].clone()).filter(|it| !is_empty(it)).unwrap_or_default()
    };
    let differs = columns.into_iter().filter(|(it, _)| value(row, it) != value(new, it));
    differs.map(|(_, loss)| loss).collect()
}

#[test]
fn everybody_arrives_and_each_difference_is_a_named_loss() {
    let from = World::backed_up();
    let to = empty_other_location(&from);
    let ended = move_everybody(&to, ALL);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    let rejected: BTreeSet<String> =
        to.read_csv("res/rejected.csv").into_iter().map(|row| row["former_id"].clone()).collect();
    let losses: BTreeSet<(String, String)> = to
        .read_csv("res/losses.csv")
        .into_iter()
        .map(|row| (row["contact_id"].clone(), row["field"].clone()))
        .collect();
    let before = rows_by_id(&from, "export", "contacts");
    let export = format!("export --location {OTHER}");
    let after = rows_by_id(&to, &export, "contacts");
    assert_eq!(after.len() + rejected.len(), before.len());
    for (former, row) in before.iter().filter(|(id, _)| !rejected.contains(*id)) {
        let new = &after[&to.restored_id(former)];
        let tags = |row: &Value| {
            let tags = row["tags"].as_array().unwrap().iter();
            tags.map(|tag| tag.as_str().unwrap().trim().to_lowercase()).collect::<BTreeSet<_>>()
        };
        assert_eq!(tags(new), tags(row), "{former}");
        for column in differing_columns(row, new) {
            let is_lost = losses.contains(&(former.clone(), column.to_owned()));
            assert!(is_lost, "{former} {column}: {row} -> {new}");
        }
        let is_lost =
            losses.iter().any(|(id, field)| id == former && field.starts_with("customFields"));
        let columns = row.as_object().unwrap().keys().filter(|name| name.starts_with("custom_"));
        // Columns of fields with the same name are numbered in each location's own order.
        let is_numbered = |name: &&String| {
            row.get(format!("{name}_2")).is_some() || name.ends_with("_2") || name.ends_with("_3")
        };
        for column in columns.filter(|name| !is_lost && !is_numbered(name)) {
            let (one, other) = (&new[column], &row[column]);
            let is_empty = other.is_null() || other.as_array().is_some_and(Vec::is_empty);
            assert!(is_empty || one == other, "{former} {column}: {other} -> {one}");
        }
    }
    let notes = |world: &World, command: &str| rows_by_id(world, command, "notes").len();
    let lost = before.keys().filter(|id| rejected.contains(*id)).count();
    if lost == 0 {
        assert_eq!(notes(&to, &export), notes(&from, "export"));
    }
}

#[test]
fn names_that_the_location_lacks_are_listed_and_nothing_is_sent() {
    let from = World::backed_up();
    let to = empty_other_location(&from);
    let refused = move_everybody(&to, "").exits(4);
    let refused = refused.says("the location lacks names that the snapshot has");
    refused.says("custom field").says("--skip-missing-fields");
    assert_eq!(to.count_contacts(), 0);
    assert!(!to.path("res").exists());
    assert_eq!(to.try_only_run_id(), None);
}

#[test]
fn moving_twice_is_moving_once() {
    let from = World::backed_up();
    let to = empty_other_location(&from);
    move_everybody(&to, ALL);
    let moved = to.account_contacts();
    move_everybody(&to, ALL);
    assert_eq!(to.account_contacts(), moved);
}

#[test]
fn made_up_people_have_nothing_of_the_real_ones() {
    let from = World::backed_up();
    let to = empty_other_location(&from);
    let ended = move_everybody(&to, &format!("{ALL} --anonymise"));
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    let all = to.get_control("state").to_string();
    for contact in from.account_contacts() {
        for key in ["email", "phone", "address1", "lastName", "website"] {
            let value = contact["contact"][key].as_str().unwrap_or_default();
            assert!(value.len() < 6 || !all.contains(value), "{key} {value}");
        }
        for note in contact["notes"].as_array().unwrap() {
            let body = note["body"].as_str().unwrap_or_default();
            assert!(body.len() < 12 || !all.contains(body), "{body}");
        }
    }
    assert!(all.contains("@example.invalid"));
}

#[test]
fn users_stand_in_for_others() {
    let from = World::backed_up();
    let to = empty_other_location(&from);
    let users = rows_by_id(&to, &format!("export --location {OTHER}"), "users");
    let user = users.values().next().unwrap();
    let email = user["email"].as_str().unwrap();
    let options = format!("--skip-missing-fields --skip-missing-businesses --unassigned {email}");
    let ended = move_everybody(&to, &options);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    let assigned = to.account_contacts().iter().any(|it| it["contact"]["assignedTo"] == user["id"]);
    assert!(assigned);
    move_everybody(&to, "--unassigned stranger@example.com").exits(2).says("stranger@example.com");
}
