//! `restore --missing`: contacts that the account no longer has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::restore_world::{child_texts, without_day};
use crate::sync::sync_world::delete_by_api;
use crate::world::World;

#[test]
fn a_deleted_contact_comes_back_with_its_notes_and_tasks() {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    let before = world.contact_by_id(&id);
    world.delete_by_id(&id);
    world.run_restore("--missing --tag restored").exits(0);
    let after = world.contact_by_id(&world.restored_id(&id));
    for key in ["firstName", "lastName", "email", "phone", "city", "companyName"] {
        assert_eq!(after["contact"][key], before["contact"][key], "{key}");
    }
    assert_eq!(custom_values(&after), custom_values(&before));
    let tags = after["contact"]["tags"].as_array().unwrap();
    assert!(tags.contains(&json!("restored")), "{tags:?}");
    let bodies = |contact: &Value| child_texts(contact, "notes", "body");
    let mut restored: Vec<String> =
        bodies(&after).iter().map(|text| without_day(text).to_owned()).collect();
    restored.sort_unstable();
    assert_eq!(restored, bodies(&before));
    for key in ["title", "body", "dueDate"] {
        assert_eq!(child_texts(&after, "tasks", key), child_texts(&before, "tasks", key), "{key}");
    }
    let map = world.id_map();
    for list in ["notes", "tasks"] {
        for child in before[list].as_array().unwrap() {
            let former = child["id"].as_str().unwrap().to_owned();
            assert!(map.contains_key(&(list.to_owned(), former)), "{child}");
        }
    }
}

/// The custom values of a contact by the ids of their fields.
fn custom_values(contact: &Value) -> BTreeMap<String, Value> {
    let fields = contact["contact"]["customFields"].as_array().unwrap().iter();
    fields.map(|it| (it["id"].as_str().unwrap().to_owned(), it["value"].clone())).collect()
}

#[test]
fn what_cannot_come_back_is_named_before_anything_is_sent() {
    let world = World::backed_up();
    let id = world.contact_id(5);
    world.delete_by_id(&id);
    let planned = world.run_command("restore --missing --dry-run --out res").exits(0);
    let planned = planned.says("plan to restore 1 contact from snapshot").says("losses.csv");
    planned.says("nothing was sent");
    assert!(world.list_writes().iter().all(|write| !write.ends_with("/contacts/")));
    let losses = world.read_csv("res/losses.csv");
    let of = losses.iter().find(|row| row["contact_id"] == id && row["field"] == "dateAdded");
    assert_eq!(of.unwrap()["why"], "the API sets the date itself");
    // What was planned is applied, and nothing else.
    let run = world.only_run_of_kind("restore");
    world.run_command(&format!("apply {run} --yes")).exits(0);
    assert_eq!(
        world.contact_by_id(&world.restored_id(&id))["contact"]["id"],
        world.restored_id(&id)
    );
}

#[test]
fn a_second_restore_makes_nothing_twice() {
    let world = World::backed_up();
    let ids: Vec<String> = world.contacts_with_children().into_iter().take(3).collect();
    world.delete_contacts(&ids);
    world.run_restore("--missing").exits(0);
    let restored = world.account_contacts();
    world.run_restore("").exits(0).says("the account has everything that was asked for");
    // A newer snapshot has the new ones under their new ids, and the former ones no more.
    world.run_command("backup --to repo").exits(0);
    world.run_restore("").exits(0);
    assert_eq!(world.account_contacts(), restored);
}

#[test]
fn a_restored_contact_that_is_deleted_again_is_restored_again() {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    world.delete_by_id(&id);
    world.run_restore("").exits(0);
    let first = world.restored_id(&id);
    world.delete_by_id(&first);
    world.run_restore("").exits(0);
    let second = world.restored_id(&id);
    assert_ne!(first, second);
    assert_eq!(world.count_contacts(), 60);
    assert!(!world.contact_by_id(&second)["notes"].as_array().unwrap().is_empty());
}

#[test]
fn a_contact_that_the_search_hides_is_not_made_a_second_time() {
    let world = World::backed_up();
    let id = world.contact_id(4);
    let fault = format!("POST /contacts/search hide={id} hide-total");
    world.control_request("POST", "faults", &json!([fault]));
    world.run_restore("").exits(0).says("the account has everything that was asked for");
    assert_eq!(world.count_contacts(), 60);
}

#[test]
fn a_contact_that_the_search_still_shows_after_its_deletion_is_left_for_the_next_time() {
    let world = World::with_settings(|settings| settings.lag = std::time::Duration::from_mins(10));
    world.run_command("backup init --to repo").exits(0);
    world.run_command("backup --to repo").exits(0);
    let world = world.with_env("GHL_BULK_REPOSITORY", "repo");
    let id = world.contact_id(4);
    delete_by_api(&world, &id);
    world.run_restore("").exits(0);
    world.control_request("POST", "contacts/index", &Value::Null);
    world.run_restore("").exits(0);
    assert_eq!(world.count_contacts(), 60);
}

#[test]
fn a_contact_that_the_token_may_not_read_is_listed_and_not_made() {
    let world = World::backed_up();
    let id = world.contact_id(4);
    let faults = [
        format!("POST /contacts/search hide={id} hide-total"),
        format!("GET /contacts/{id} status=403"),
    ];
    world.control_request("POST", "faults", &json!(faults));
    world.run_restore("").exits(3).says("may not read the contact");
    assert_eq!(world.count_contacts(), 60);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["former_id"], id);
}

#[test]
fn an_undo_takes_a_restore_back_and_a_restore_works_again_after_it() {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    world.delete_by_id(&id);
    world.run_restore("").exits(0);
    let run = world.only_run_of_kind("restore");
    world.run_command(&format!("undo {run} --created delete --confirm-delete 1 --yes")).exits(0);
    assert_eq!(world.count_contacts(), 59);
    world.run_restore("").exits(0);
    assert_eq!(world.count_contacts(), 60);
    assert!(!world.contact_by_id(&world.restored_id(&id))["notes"].as_array().unwrap().is_empty());
}

#[test]
fn the_newest_contacts_come_first_if_that_is_wanted() {
    let world = World::backed_up();
    let ids = [world.contact_id(10), world.contact_id(40)];
    world.delete_contacts(&ids);
    let order = |options: &str| {
        world.run_command(&format!("restore --dry-run --out res {options}")).exits(0);
        let plan = world.read_csv("res/plan.csv");
        let emails = plan.iter().filter(|row| row["field"] == "email");
        emails.map(|row| row["new"].clone()).collect::<Vec<_>>()
    };
    let mut oldest = order("");
    assert_eq!(oldest.len(), 2);
    oldest.reverse();
    assert_eq!(order("--order newest"), oldest);
}

#[test]
fn a_sample_restores_a_few_and_resume_the_rest() {
    let world = World::backed_up();
    (0..6).for_each(|_| world.delete_by_id(&world.contact_id(3)));
    world.run_restore("--sample 2").exits(0).says("pending.csv");
    assert_eq!(world.count_contacts(), 56);
    let run = world.only_run_of_kind("restore");
    world.run_command(&format!("resume {run}")).exits(0);
    assert_eq!(world.count_contacts(), 60);
}
