//! Which snapshots stay, what holds them, and what is deleted.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::backup_world::{LOCATION, TABLES};
use crate::world::World;

/// A world with so many snapshots, between which something changes.
fn world_with_snapshots(count: usize) -> World {
    let world = World::with_repository();
    for at in 0..count {
        if at > 0 {
            world.edit_by_id(&world.contact_id(at), &json!({"firstName": format!("Edit {at}")}));
        }
        world.back_up("");
    }
    world
}

fn ids(world: &World) -> Vec<String> {
    let id = |it: &Value| it["snapshot"].as_str().unwrap().to_owned();
    world.snapshots().iter().map(id).collect()
}

/// Makes the files of the repository look older than they are.
fn age_files(dir: &std::path::Path, by: Duration) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age_files(&path, by);
        } else {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - by).unwrap();
        }
    }
}

const TEN_DAYS: Duration = Duration::from_hours(240);

#[test]
fn forgotten_snapshots_are_gone_from_the_list_and_come_back() {
    let world = world_with_snapshots(3);
    let all = ids(&world);
    let plan = world.run_command("backup forget --from repo --keep-last 1 --dry-run").exits(0);
    assert_eq!(plan.stdout.matches("forget").count(), 2, "{}", plan.stdout);
    assert!(plan.stdout.contains("keep    newest, last"), "{}", plan.stdout);
    assert_eq!(ids(&world), all, "a dry run forgets nothing");
    world
        .run_command("backup forget --from repo --keep-last 1")
        .exits(2)
        .says("no terminal to ask on");
    world
        .run_command("backup forget --from repo --keep-last 1 --yes")
        .exits(0)
        .says("2 snapshots forgotten");
    assert_eq!(ids(&world), all[2..]);
    // What stays is still read from the files of what was forgotten.
    assert_eq!(world.snapshot_rows("", "contacts"), world.account_rows("contacts"));
    world
        .run_command(&format!("export --from repo --out x --snapshot {}", all[0]))
        .exits(10)
        .says("it was forgotten; `backup remember` takes that back");
    world.run_command(&format!("backup remember --from repo {}", all[0])).exits(0);
    assert_eq!(ids(&world), [&*all[0], &*all[2]]);
    world.run_command("backup verify --from repo --read all --replay").exits(0);
}

#[test]
fn prune_deletes_only_what_no_chain_needs() {
    let world = world_with_snapshots(2);
    world.back_up("--full");
    world.edit_by_id(&world.contact_id(5), &json!({"firstName": "Last"}));
    world.back_up("");
    let all = ids(&world);
    world.run_command("backup forget --from repo --keep-last 1 --yes").exits(0);
    let nothing = world.run_command("backup prune --from repo --json").exits(0).summary();
    assert_eq!(nothing["files"], 0, "within the grace nothing is deleted");
    age_files(&world.path("repo"), TEN_DAYS);
    let dry = world.run_command("backup prune --from repo --json --dry-run").exits(0).summary();
    let pruned = world.run_command("backup prune --from repo --json").exits(0).summary();
    assert_eq!((&dry["files"], &dry["bytes"]), (&pruned["files"], &pruned["bytes"]));
    assert_eq!(pruned["snapshots"], 2);
    assert_eq!(pruned["pinned"], 1, "the full snapshot of the last chain");
    for gone in &all[..2] {
        assert!(!world.path(&format!("repo/{LOCATION}/{gone}")).exists(), "{gone}");
    }
    for table in TABLES {
        assert_eq!(world.snapshot_rows("", table), world.account_rows(table), "{table}");
    }
    world.run_command("backup verify --from repo --read all --replay").exits(0);
    world
        .run_command(&format!("backup remember --from repo {}", all[0]))
        .exits(10)
        .says("or it is pruned already");
    world.back_up("");
}

#[test]
fn what_a_killed_backup_has_left_is_pruned_after_a_day() {
    let world = world_with_snapshots(1);
    world.change_account();
    let world = world.with_env("GHL_BULK_FAILPOINT", "before_manifest");
    assert_eq!(world.run_command("backup --to repo").code, -1);
    let world = world.without_env("GHL_BULK_FAILPOINT");
    let young = world.run_command("backup prune --from repo --json").exits(0).summary();
    assert_eq!(young["files"], 0);
    age_files(&world.path("repo"), Duration::from_hours(25));
    let old = world.run_command("backup prune --from repo --json").exits(0).summary();
    assert!(old["files"].as_u64().unwrap() > 0, "{old}");
    assert_eq!(world.list_files(format!("repo/{LOCATION}")).len(), 1);
    world.run_command("backup verify --from repo --read all --replay").exits(0);
}

#[test]
fn kills_of_forget_and_prune_leave_nothing_wrong() {
    for failpoint in ["mid_forget", "mid_prune"] {
        let world = world_with_snapshots(2);
        world.back_up("--full");
        if failpoint == "mid_prune" {
            world.run_command("backup forget --from repo --keep-last 1 --yes").exits(0);
            age_files(&world.path("repo"), TEN_DAYS);
        }
        let world = world.with_env("GHL_BULK_FAILPOINT", failpoint);
        let command = if failpoint == "mid_prune" {
            "backup prune --from repo"
        } else {
            "backup forget --from repo --keep-last 1 --yes"
        };
        assert_eq!(world.run_command(command).code, -1, "{failpoint}");
        let world = world.without_env("GHL_BULK_FAILPOINT");
        world.run_command("backup verify --from repo --read all --replay").exits(0);
        world.run_command(command).exits(0);
        assert_eq!(world.snapshot_rows("", "contacts"), world.account_rows("contacts"));
    }
}

#[test]
fn forgetting_everything_must_be_said() {
    let world = world_with_snapshots(2);
    let all = ids(&world);
    world.run_command("backup forget --from repo --yes").exits(2).says("no rule says what to keep");
    world
        .run_command(&format!("backup forget --from repo --yes {} {}", all[0], all[1]))
        .exits(4)
        .says("would have no snapshot left")
        .says("--keep-none");
    assert_eq!(ids(&world), all);
    world.run_command("backup forget --from repo --keep-none --yes").exits(0);
    assert!(ids(&world).is_empty());
    assert_eq!(world.back_up("")["full_because"], "the snapshot before was forgotten");
}

#[test]
fn a_held_snapshot_stays_until_it_is_released() {
    let world = world_with_snapshots(3);
    let all = ids(&world);
    world.run_command(&format!("backup hold --from repo {}", all[0])).exits(0);
    world.run_command("backup forget --from repo --keep-last 1 --yes").exits(0);
    assert_eq!(ids(&world), [&*all[0], &*all[2]]);
    let listed = world.run_command("backup list --from repo").exits(0).stdout;
    assert!(listed.contains("held"), "{listed}");
    world
        .run_command(&format!("backup forget --from repo --yes {}", all[0]))
        .exits(2)
        .says("is held");
    world.run_command(&format!("backup release --from repo {}", all[0])).exits(0);
    world
        .run_command(&format!("backup release --from repo {}", all[0]))
        .exits(2)
        .says("is not held");
    world.run_command(&format!("backup forget --from repo --yes {}", all[0])).exits(0);
    assert_eq!(ids(&world), [&*all[2]]);
}

#[test]
fn an_alert_holds_the_last_good_snapshot() {
    let world = world_with_snapshots(2);
    let good = ids(&world)[1].clone();
    for _ in 0..12 {
        world.delete_by_id(&world.contact_id(0));
    }
    let output = world.run_command("backup --to repo --json").exits(0);
    let events = output.events();
    let event = |name: &str| events.iter().find(|it| it["event"] == name).unwrap();
    assert_eq!(
        (&event("snapshot")["kind"], &event("snapshot")["chain"]),
        (&json!("changes"), &json!(3))
    );
    assert_eq!(
        (&event("alert")["code"], &event("alert")["count"]),
        (&json!("mass_deletion"), &json!(12))
    );
    let alerts = output.summary()["alerts"].clone();
    assert_eq!(alerts[0]["code"], "mass_deletion", "{alerts}");
    assert_eq!((&alerts[0]["count"], &alerts[0]["of"]), (&json!(12), &json!(60)));
    let warned = |event: &Value| event["event"] == "warning" && event["code"] == "mass_deletion";
    assert!(output.events().iter().any(warned), "{}", output.stdout);
    world.run_command("backup forget --from repo --keep-last 1 --yes").exits(0);
    let kept = world.snapshots();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0]["snapshot"], good.as_str());
    assert_eq!(kept[0]["held"]["because_of"], kept[1]["snapshot"]);
}

#[test]
fn a_bulk_edit_that_empties_a_field_is_an_alert() {
    let world = world_with_snapshots(1);
    let with_phone = world.account_contacts();
    let with_phone: Vec<_> =
        with_phone.iter().filter(|it| it["contact"]["phone"].is_string()).take(20).collect();
    assert_eq!(with_phone.len(), 20);
    for contact in with_phone {
        world.edit_by_id(contact["contact"]["id"].as_str().unwrap(), &json!({"phone": null}));
    }
    let alerts = world.back_up("")["alerts"].clone();
    let codes: Vec<_> = alerts.as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes, ["mass_change", "field_emptied"], "{alerts}");
    assert_eq!(alerts[1]["count"], 20);
    assert!(alerts[1]["message"].as_str().unwrap().contains("`phone`"), "{alerts}");
}
