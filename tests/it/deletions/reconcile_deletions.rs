//! Deleting over an unreliable network: a missing response is looked up, never guessed, and no deletion is counted
//! twice.

use serde_json::{Value, json};

use super::{named, three};
use crate::import_world::{empty_world, empty_world_with_faults};

#[test]
fn a_deletion_whose_answer_was_lost_is_looked_up() {
    for (fault, deletions) in
        [("drop=after", 3), ("applied=500", 3), ("drop=before", 4), ("truncate", 3)]
    {
        let (world, ids) = three();
        let world = world.with_env("GHL_BULK_SETTLE_S", "0.2");
        world.control_request(
            "POST",
            "faults",
            &json!([format!("DELETE /contacts/* {fault} times=1")]),
        );
        world.write_sheet(
            "in.csv",
            &ids.iter().fold("Contact Id\n".to_owned(), |all, id| all + id + "\n"),
        );
        world.run_deletion("--confirm-delete 3").exits(0);
        assert!(world.read_contacts().is_empty(), "{fault}");
        assert_eq!(world.count_results(), [3, 0, 0, 0, 0], "{fault}");
        assert_eq!(world.list_writes().len(), deletions, "{fault}");
    }
}

#[test]
fn a_note_whose_deletion_was_lost_is_looked_up_in_its_list() {
    for fault in ["drop=after", "drop=before"] {
        let world = empty_world().with_env("GHL_BULK_SETTLE_S", "0.2");
        let ids = world.add_contacts(&[json!({"email": "a@example.com", "__notes": [{"id": "n1", "body": "Hi"}],
            "__tasks": [{"id": "t1", "title": "T", "dueDate": "2026-02-03T09:00:00.000Z", "completed": false}]})]);
        let faults =
            ["notes", "tasks"].map(|list| format!("DELETE /contacts/*/{list}/* {fault} times=1"));
        world.control_request("POST", "faults", &json!(faults));
        for (record, target) in [("n1", "note.id"), ("t1", "task.id")] {
            world.write_sheet("in.csv", &format!("id,contact\n{record},{}\n", ids[0]));
            world
                .run_deletion(&format!(
                    "--map id={target} --map contact=contactId --confirm-delete 1"
                ))
                .exits(0);
            assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
        }
        let person = world.contact_by_email("a@example.com");
        assert_eq!((&person["notes"], &person["tasks"]), (&json!([]), &json!([])));
    }
}

#[test]
fn a_contact_that_another_client_deletes_meanwhile_is_unchanged_and_never_recreated() {
    let world = empty_world_with_faults(&["DELETE /contacts/* hold times=1"]);
    let ids = world.add_contacts(&[named("ann"), named("bob")]);
    world.write_sheet("in.csv", &format!("Contact Id\n{}\n{}\n", ids[0], ids[1]));
    let mut child = world
        .start_command("import in.csv --mode delete --out res --confirm-delete 2 --concurrency 1");
    world.get_control("held?at_least=1");
    for id in &ids {
        world.control_request("DELETE", &format!("contacts/{id}"), &Value::Null);
    }
    world.control_request("POST", "release", &Value::Null);
    assert!(child.wait().unwrap().success());
    assert_eq!(world.count_results(), [0, 2, 0, 0, 0]);
    let reason = &world.read_csv("res/unchanged.csv")[0]["_reason"];
    assert!(reason.contains("already been deleted"), "{reason}");
    world.run_command(&format!("undo {} --yes --out undone", world.last_run("import"))).exits(0);
    assert!(world.read_contacts().is_empty(), "nobody is brought back whom somebody else deleted");
}

#[test]
fn a_deletion_that_is_killed_anywhere_resumes_where_it_was() {
    for point in
        ["after_intent:1", "mid_body:2", "after_response:2", "before_outcome:3", "during_results:1"]
    {
        let (world, ids) = three();
        world.write_sheet(
            "in.csv",
            &ids.iter().fold("Contact Id\n".to_owned(), |all, id| all + id + "\n"),
        );
        let world =
            world.with_env("GHL_BULK_SETTLE_S", "0.1").with_env("GHL_BULK_FAILPOINT", point);
        world.run_deletion("--confirm-delete 3 --concurrency 1").exits(-1);
        let world = world.without_env("GHL_BULK_FAILPOINT");
        world.run_command(&format!("resume {}", world.last_run("import"))).exits(0);
        assert!(world.read_contacts().is_empty(), "{point}");
        assert_eq!(world.count_results(), [3, 0, 0, 0, 0], "{point}");
    }
}
