//! Deleting: what is not confirmed, not kept or not as it was is not deleted.

use serde_json::json;

use super::{named, three};
use crate::import_world::empty_with;

#[test]
fn a_yes_alone_deletes_nothing_and_names_the_flag_that_does() {
    let (world, _) = three();
    world.sheet("in.csv", "Email\nann@example.com\nbob@example.com\n");
    for options in ["--yes", ""] {
        let done = world.delete(options).exits(2);
        done.says("`--confirm-delete 2`").says("nothing was sent");
        assert_eq!(world.account().len(), 3);
    }
    for options in ["--confirm-delete 3", "--yes --confirm-delete 1"] {
        let done = world.delete(options).exits(2);
        done.says("is not what the plan deletes: 2 contacts");
        assert_eq!(world.account().len(), 3);
    }
    assert_eq!(world.writes(), [] as [String; 0]);
    world.sheet("in.csv", "Email,City\nann@example.com,Rome\n");
    world.import("--confirm-delete 1").exits(2).says("this plan deletes nothing");
    assert_eq!(world.writes(), [] as [String; 0]);
}

#[test]
fn a_dry_run_is_applied_only_with_the_number() {
    let (world, _) = three();
    world.sheet("in.csv", "Email\nann@example.com\nbob@example.com\n");
    let done = world.delete("--dry-run").exits(0);
    let run = world.last("import");
    let resume = format!("resume {run} --confirm-delete");
    done.says(&format!("ghl-bulk {resume} 2"));
    world.run(&format!("resume {run}")).exits(2).says("`--confirm-delete 2`");
    world.run(&format!("{resume} 1")).exits(2).says("is not what the plan deletes");
    assert_eq!(world.writes(), [] as [String; 0]);
    world.run(&format!("{resume} 2")).exits(0);
    assert_eq!(world.emails(), ["eve@example.com"]);
    world.run(&format!("resume {run}")).exits(0).says("nothing to do");
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
        world.sheet("in.csv", &format!("Contact Id\n{}\n{}\n", ids[0], ids[1]));
        world.delete("--dry-run").exits(0);
        let run = world.last("import");
        world.control("PUT", &format!("contacts/{}", ids[0]), &change);
        let resumed = world.run(&format!("resume {run} --confirm-delete 2"));
        resumed.exits(5).says(&ids[0]);
        assert_eq!(world.account().len(), 3, "{change}");
        assert_eq!(world.writes(), [] as [String; 0]);
    }
}

#[test]
fn a_contact_that_was_changed_while_the_deletion_was_interrupted_stays() {
    let (world, ids) = three();
    let world = world.env("GHL_BULK_SETTLE_S", "0.1");
    world.sheet("in.csv", &ids.iter().fold("Contact Id\n".to_owned(), |all, id| all + id + "\n"));
    let killed = world.env("GHL_BULK_FAILPOINT", "after_response:1");
    killed.delete("--confirm-delete 3 --concurrency 1").exits(-1);
    let world = killed.without("GHL_BULK_FAILPOINT");
    assert_eq!(world.account().len(), 2);
    world.control("PUT", &format!("contacts/{}", ids[2]), &json!({"city": "Bern"}));
    world.run(&format!("resume {}", world.last("import"))).exits(3);
    assert_eq!(world.emails(), ["eve@example.com"]);
    assert_eq!(world.tally(), [2, 0, 1, 0, 0]);
    assert_eq!(world.table("res/rejected.csv")[0]["_reject_code"], "R_CONFLICT");
}

#[test]
fn a_contact_that_cannot_be_read_completely_is_not_deleted() {
    for fault in ["GET /contacts/*/notes status=422", "GET /contacts/* status=422"] {
        let world = empty_with(&[&format!("{fault} times=1")]);
        let ids = world.add(&[named("ann"), named("bob")]);
        world.sheet("in.csv", &format!("Contact Id\n{}\n{}\n", ids[0], ids[1]));
        world.delete("--confirm-delete 1 --concurrency 1").exits(3);
        assert_eq!(world.account().len(), 1, "{fault}");
        let rejected = &world.table("res/rejected.csv")[0];
        assert_eq!(rejected["_reject_code"], "R_NOT_KEPT");
        assert!(rejected["_reject_reason"].contains("is not deleted"), "{rejected:?}");
    }
}

#[test]
fn a_task_search_that_fails_is_made_up_for_contact_by_contact() {
    let world = empty_with(&["POST /locations/*/tasks/search status=422"]);
    let task = json!({"title": "Call", "dueDate": "2026-02-03T09:00:00.000Z", "completed": false});
    world.add(&[json!({"email": "ann@example.com", "__tasks": [task]})]);
    world.sheet("in.csv", "Email\nann@example.com\n");
    world.delete("--confirm-delete 1").exits(0).says("with 0 notes and 1 task");
    assert!(world.account().is_empty());
}
