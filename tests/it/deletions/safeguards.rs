//! Safeguards of deletions: a record that is not confirmed, not backed up or has changed is not deleted.

use serde_json::json;

use super::{named, three};
use crate::import_world::empty_world_with_faults;
use crate::world::short_id;

#[test]
fn a_yes_alone_deletes_nothing_and_names_the_flag_that_does() {
    let (world, _) = three();
    world.write_sheet("in.csv", "Email\nann@example.com\nbob@example.com\n");
    for options in ["--yes", ""] {
        let done = world.run_deletion(options).exits(2);
        done.says("`--confirm-delete 2`").says("nothing was sent");
        assert_eq!(world.read_contacts().len(), 3);
    }
    for options in ["--confirm-delete 3", "--yes --confirm-delete 1"] {
        let done = world.run_deletion(options).exits(2);
        done.says("is not what the plan deletes: 2 contacts");
        assert_eq!(world.read_contacts().len(), 3);
    }
    assert_eq!(world.list_writes(), [] as [String; 0]);
    world.write_sheet("in.csv", "Email,City\nann@example.com,Rome\n");
    world.run_import("--confirm-delete 1").exits(2).says("this plan deletes nothing");
    assert_eq!(world.list_writes(), [] as [String; 0]);
}

#[test]
fn a_dry_run_is_applied_only_with_the_number() {
    let (world, _) = three();
    world.write_sheet("in.csv", "Email\nann@example.com\nbob@example.com\n");
    let done = world.run_deletion("--dry-run").exits(0);
    let run = world.last_run("import");
    let apply = format!("apply {} --confirm-delete", short_id(&run));
    done.says(&format!("ghl-bulk {apply} 2"));
    world.run_command(&format!("apply {run}")).exits(2).says("`--confirm-delete 2`");
    world.run_command(&format!("{apply} 1")).exits(2).says("is not what the plan deletes");
    assert_eq!(world.list_writes(), [] as [String; 0]);
    world.run_command(&format!("{apply} 2")).exits(0);
    assert_eq!(world.read_emails(), ["eve@example.com"]);
    world.run_command(&format!("resume {run}")).exits(0).says("nothing to do");
}

#[test]
fn a_contact_that_was_changed_since_the_dry_run_stops_the_plan() {
    let changes = [
        json!({"city": "Bern"}),
        json!({"__notes": [{"id": "noteNumber1", "body": "by hand"}]}),
        json!({"__tasks": []}),
    ];
    for change in changes {
        let (world, ids) = three();
        world.write_sheet("in.csv", &format!("Contact Id\n{}\n{}\n", ids[0], ids[1]));
        world.run_deletion("--dry-run").exits(0);
        let run = world.last_run("import");
        world.control_request("PUT", &format!("contacts/{}", ids[0]), &change);
        let resumed = world.run_command(&format!("apply {run} --confirm-delete 2"));
        resumed.exits(5).says(&ids[0]);
        assert_eq!(world.read_contacts().len(), 3, "{change}");
        assert_eq!(world.list_writes(), [] as [String; 0]);
    }
}

#[test]
fn a_contact_that_was_changed_while_the_deletion_was_interrupted_stays() {
    let (world, ids) = three();
    let world = world.with_env("GHL_BULK_SETTLE_S", "0.1");
    world.write_sheet(
        "in.csv",
        &ids.iter().fold("Contact Id\n".to_owned(), |all, id| all + id + "\n"),
    );
    let killed = world.with_env("GHL_BULK_FAILPOINT", "after_response:1");
    killed.run_deletion("--confirm-delete 3 --concurrency 1").exits(-1);
    let world = killed.without_env("GHL_BULK_FAILPOINT");
    assert_eq!(world.read_contacts().len(), 2);
    world.control_request("PUT", &format!("contacts/{}", ids[2]), &json!({"city": "Bern"}));
    world.run_command(&format!("resume {}", world.last_run("import"))).exits(3);
    assert_eq!(world.read_emails(), ["eve@example.com"]);
    assert_eq!(world.count_results(), [2, 0, 1, 0, 0]);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_CONFLICT");
}

#[test]
fn a_contact_that_cannot_be_read_completely_is_not_deleted() {
    for fault in ["GET /contacts/*/notes status=422", "GET /contacts/* status=422"] {
        let world = empty_world_with_faults(&[&format!("{fault} times=1")]);
        let ids = world.add_contacts(&[named("ann"), named("bob")]);
        world.write_sheet("in.csv", &format!("Contact Id\n{}\n{}\n", ids[0], ids[1]));
        world.run_deletion("--confirm-delete 1 --concurrency 1").exits(3);
        assert_eq!(world.read_contacts().len(), 1, "{fault}");
        let rejected = &world.read_csv("res/rejected.csv")[0];
        assert_eq!(rejected["_reject_code"], "R_NOT_KEPT");
        assert!(rejected["_reject_reason"].contains("is not deleted"), "{rejected:?}");
    }
}

#[test]
fn a_task_search_that_fails_is_made_up_for_contact_by_contact() {
    let world = empty_world_with_faults(&["POST /locations/*/tasks/search status=422"]);
    let task = json!({"title": "Call", "dueDate": "2026-02-03T09:00:00.000Z", "completed": false});
    world.add_contacts(&[json!({"email": "ann@example.com", "__tasks": [task]})]);
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    world.run_deletion("--confirm-delete 1").exits(0).says("with 0 notes and 1 task");
    assert!(world.read_contacts().is_empty());
}
