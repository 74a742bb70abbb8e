//! `--contacts` and `--children`: chosen contacts, and notes and tasks that contacts have lost.

use serde_json::{Value, json};

use super::restore_world::{child_texts, without_day};
use crate::world::World;

/// Deletes a contact and restores it as HighLevel does: under its old id, without notes and tasks.
fn undelete_without_children(world: &World, id: &str) -> Value {
    let before = world.contact_by_id(id);
    world.delete_by_id(id);
    world.add_contact(&before["contact"]);
    assert_eq!(world.contact_by_id(id)["notes"], json!([]));
    before
}

#[test]
fn a_contact_restored_in_highlevel_gets_its_notes_and_tasks_back() {
    let world = World::backed_up();
    let ids = world.contacts_with_children();
    let before = undelete_without_children(&world, &ids[0]);
    let untouched = world.contact_by_id(&ids[1]);
    world.run_restore("--children").exits(0);
    let after = world.contact_by_id(&ids[0]);
    let mut restored: Vec<String> = child_texts(&after, "notes", "body")
        .iter()
        .map(|text| without_day(text).to_owned())
        .collect();
    restored.sort_unstable();
    assert_eq!(restored, child_texts(&before, "notes", "body"));
    assert_eq!(child_texts(&after, "tasks", "title"), child_texts(&before, "tasks", "title"));
    assert_eq!(world.contact_by_id(&ids[1]), untouched);
    world.run_restore("--children").exits(0).says("the account has everything");
    assert_eq!(world.contact_by_id(&ids[0])["notes"], after["notes"]);
}

#[test]
fn one_lost_note_is_restored_and_the_others_stay_as_they_are() {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    let notes = world.contact_by_id(&id)["notes"].clone();
    let note = notes[0]["id"].as_str().unwrap();
    let client = crate::raw_http::RawClient::new(world.url());
    let path = format!("/contacts/{id}/notes/{note}");
    assert_eq!(client.send_request("DELETE", &path, &Value::Null).status, 200);
    world.write_sheet("people.txt", &format!("{id}\n"));
    world.run_restore("--children --contacts people.txt").exits(0);
    let after = world.contact_by_id(&id);
    assert_eq!(after["notes"].as_array().unwrap().len(), notes.as_array().unwrap().len());
}

#[test]
fn chosen_contacts_are_found_by_id_address_and_number_and_the_rest_is_left() {
    let world = World::backed_up();
    let contact = |at: usize| world.account_contacts()[at]["contact"].clone();
    let chosen = [contact(10), contact(20)];
    let other = contact(30);
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    world.write_sheet(
        "people.csv",
        &format!(
            "email,id\n{},\n,{}\nnobody@example.org,\n",
            text(&chosen[0], "email").to_uppercase(),
            text(&chosen[1], "id")
        ),
    );
    world.delete_contacts(&[&chosen[0], &chosen[1], &other].map(|it| text(it, "id")));
    world.run_restore("--contacts people.csv").exits(3).says("the snapshot has no such contact");
    assert_eq!(world.count_contacts(), 59);
    for it in &chosen {
        assert_eq!(
            world.contact_by_email(&text(it, "email"))["contact"]["firstName"],
            it["firstName"]
        );
    }
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["email"], "nobody@example.org");
}

#[test]
fn rows_picked_from_a_diff_choose_their_contacts() {
    let world = World::backed_up();
    let ids: Vec<String> = world.contacts_with_children().into_iter().take(2).collect();
    world.delete_contacts(&ids);
    world.run_command("backup --to repo").exits(0);
    let diff = world.run_command("backup diff --csv").exits(0).stdout;
    let header = diff.lines().next().unwrap();
    let picked = diff.lines().filter(|line| line.contains(&ids[0]));
    let picked: Vec<&str> = picked.collect();
    assert!(picked.len() > 1, "{diff}");
    world.write_sheet("picked.csv", &format!("{header}\n{}\n", picked.join("\n")));
    world.run_restore("--contacts picked.csv --snapshot latest~1").exits(0);
    assert_eq!(world.count_contacts(), 59);
    let _ = world.restored_id(&ids[0]);
}

#[test]
fn children_are_not_given_to_a_contact_that_is_gone() {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    world.delete_by_id(&id);
    world.write_sheet("people.txt", &id);
    world.run_restore("--children --contacts people.txt").exits(0);
    let unchanged = world.read_csv("res/unchanged.csv");
    assert!(unchanged[0]["_reason"].contains("restore --missing"), "{unchanged:?}");
    assert_eq!(world.count_contacts(), 59);
}
