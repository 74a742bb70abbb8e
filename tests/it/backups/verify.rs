//! Damage shows, is named by snapshot, and leads to no wrong data; and what monitoring reads.

use serde_json::{Value, json};

use super::backup_world::LOCATION;
use crate::world::World;

/// Two chains: a full snapshot and one of changes, twice.
fn world_with_two_chains() -> (World, Vec<String>) {
    let world = World::with_repository();
    world.back_up("");
    world.edit_by_id(&world.contact_id(1), &json!({"firstName": "One"}));
    world.back_up("");
    world.back_up("--full");
    world.edit_by_id(&world.contact_id(2), &json!({"firstName": "Two"}));
    world.back_up("");
    let all = world.snapshots();
    let ids = all.iter().map(|it| it["snapshot"].as_str().unwrap().to_owned()).collect();
    (world, ids)
}

#[test]
fn damage_is_named_by_snapshot_and_the_next_backup_is_a_full_one() {
    let (world, ids) = world_with_two_chains();
    let file = world.path(&format!("repo/{LOCATION}/{}/contacts.jsonl.zst", ids[2]));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let verified = world.run_command("backup verify --from repo --read all --json").exits(12);
    let report = verified.summary()["locations"][LOCATION].clone();
    assert_eq!(report["damaged"][0]["snapshots"], json!([ids[2], ids[3]]), "{report}");
    assert_eq!(report["usable"], json!([ids[0], ids[1]]));
    world
        .run_command("backup verify --from repo --read all")
        .exits(12)
        .says("contacts.jsonl.zst")
        .says(&format!("can be read: {}, {}", ids[0], ids[1]));
    // A damaged file is never written as an export.
    world.run_command("export --from repo --format jsonl --out x").exits(12).says("is damaged");
    assert!(!world.path("x/manifest.json").exists());
    world.run_command(&format!("export --from repo --out y --snapshot {}", ids[1])).exits(0);
    // One of another size is noticed by the next backup.
    std::fs::write(&file, b"x").unwrap();
    let report = world.back_up("");
    assert_eq!(report["full_because"], "the snapshots before are damaged");
    assert_eq!(world.snapshot_rows("", "contacts"), world.account_rows("contacts"));
}

#[test]
fn every_kind_of_damage_shows() {
    type Damage = (&'static str, fn(&World, &[String]));
    let manifest = |id: &str| format!("repo/{LOCATION}/{id}/manifest.json");
    let _ = manifest;
    let all: [Damage; 6] = [
        ("a file is missing", |world, ids| {
            let file = format!("repo/{LOCATION}/{}/notes.jsonl.zst", ids[0]);
            std::fs::remove_file(world.path(&file)).unwrap();
        }),
        ("a file is cut", |world, ids| {
            let file = world.path(&format!("repo/{LOCATION}/{}/notes.jsonl.zst", ids[0]));
            let bytes = std::fs::read(&file).unwrap();
            std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("two files are swapped", |world, ids| {
            let path = |id: &str| world.path(&format!("repo/{LOCATION}/{id}/contacts.jsonl.zst"));
            let (one, two) = (path(&ids[0]), path(&ids[2]));
            let kept = std::fs::read(&one).unwrap();
            std::fs::copy(&two, &one).unwrap();
            std::fs::write(&two, kept).unwrap();
        }),
        ("a member of a chain is missing", |world, ids| {
            std::fs::remove_dir_all(world.path(&format!("repo/{LOCATION}/{}", ids[0]))).unwrap();
        }),
        ("a manifest is altered", |world, ids| {
            let path = world.path(&format!("repo/{LOCATION}/{}/manifest.json", ids[0]));
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("\"unreadable\": 0", "\"unreadable\": 7")).unwrap();
        }),
        ("a manifest is cut", |world, ids| {
            let path = world.path(&format!("repo/{LOCATION}/{}/manifest.json", ids[0]));
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }),
    ];
    for (what, damage) in all {
        let (world, ids) = world_with_two_chains();
        damage(&world, &ids);
        let verified = world.run_command("backup verify --from repo --read all --json");
        assert_eq!(verified.code, 12, "{what}: {}", verified.stdout);
        let report = verified.summary()["locations"][LOCATION].clone();
        let usable: Vec<&Value> = report["usable"].as_array().unwrap().iter().collect();
        let has = |id: &String| usable.iter().any(|it| *it == id);
        assert!(!has(&ids[0]) && !has(&ids[1]), "{what}: {report}");
        if what != "two files are swapped" {
            assert!(has(&ids[2]) && has(&ids[3]), "{what}: {report}");
        }
        world.run_command("backup prune --from repo");
        world.back_up("");
        assert_eq!(world.snapshot_rows("", "contacts"), world.account_rows("contacts"), "{what}");
    }
}

#[test]
fn a_check_of_a_part_goes_on_where_it_ended() {
    let (world, _) = world_with_two_chains();
    let all = world.run_command("backup verify --from repo --read all --json").exits(0).summary();
    let files = all["locations"][LOCATION]["files"].as_u64().unwrap();
    assert!(files >= 14, "{all}");
    let none = "backup verify --from repo --read all --max-duration 0s --json";
    let first = world.run_command(none).exits(0).summary();
    assert_eq!(first["locations"][LOCATION]["files"], 0);
    assert!(first["locations"][LOCATION]["next"].is_string(), "{first}");
    let usual = world.run_command("backup verify --from repo --json").exits(0).summary();
    assert!(usual["locations"][LOCATION]["files"].as_u64().unwrap() < files, "{usual}");
}

#[test]
fn a_replay_of_an_encrypted_snapshot_takes_the_key() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.back_up("");
    world.run_command("backup verify --from repo --read all").exits(0);
    world.run_command("backup verify --from repo --replay").exits(8).says("no identity is given");
    world
        .run_command("backup verify --from repo --replay --identity key.txt")
        .exits(0)
        .says("was merged");
}

#[test]
fn monitoring_reads_the_age_of_snapshots_and_checks_without_token_or_key() {
    let world = World::with_repository().without_env("GHL_LOCATION_ID");
    world.run_command("backup status --from repo").exits(5);
    let world = world.with_env("GHL_LOCATION_ID", LOCATION);
    world.back_up("");
    let world = world.without_env("GHL_TOKEN").without_env("GHL_LOCATION_ID");
    let status = world.run_command("backup status --from repo --max-age 26h").exits(0);
    assert!(
        status.stdout.contains(LOCATION) && status.stdout.contains("1 in all"),
        "{}",
        status.stdout
    );
    let stale = world.run_command("backup status --from repo --max-age 0s --json").exits(5);
    let stale: Value = serde_json::from_str(&stale.stdout).unwrap();
    assert_eq!(stale[0]["ok"], false);
    world.run_command("backup status --from repo --min-verified 8d").exits(5);
    world.run_command("backup verify --from repo").exits(0);
    world.run_command("backup status --from repo --min-verified 8d --max-note-age 8d").exits(0);
    let nagios = world.run_command("backup status --from repo --nagios --max-age 26h").exits(0);
    assert!(nagios.stdout.starts_with("BACKUP OK - 1 locations | age="), "{}", nagios.stdout);
    let nagios = world.run_command("backup status --from repo --nagios --max-age 0s").exits(2);
    assert!(nagios.stdout.starts_with("BACKUP CRITICAL - "), "{}", nagios.stdout);
    let nagios = world.run_command("backup status --from nowhere --nagios").exits(3);
    assert!(nagios.stdout.starts_with("BACKUP UNKNOWN - "), "{}", nagios.stdout);
}
