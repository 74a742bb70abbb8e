//! What snapshots have, and that they are read as they were written.

use serde_json::{Value, json};

use super::backup_world::{LOCATION, TABLES, snapshot_dir};
use crate::world::World;

#[test]
fn an_export_of_a_snapshot_is_the_export_of_the_account() {
    let world = World::with_repository();
    world.back_up("");
    for table in TABLES {
        let requests = world.requests_of(|| {
            let rows = world.snapshot_rows("", table);
            assert!(!rows.is_empty(), "{table}");
        });
        assert_eq!(requests, 0, "a snapshot is read without a request");
        assert_eq!(world.snapshot_rows("", table), world.account_rows(table), "{table}");
    }
}

#[test]
fn every_snapshot_says_how_things_were_when_it_was_made() {
    let world = World::with_repository();
    let mut were = Vec::new();
    for _ in 0..4 {
        world.back_up("");
        were.push(TABLES.map(|table| world.account_rows(table)));
        world.change_account();
    }
    for (back, tables) in were.iter().rev().enumerate() {
        for (table, rows) in TABLES.iter().zip(tables) {
            let found = world.snapshot_rows(&format!("--snapshot latest~{back}"), table);
            assert_eq!(&found, rows, "{table} of latest~{back}");
        }
    }
    let kinds: Vec<_> = world.snapshots().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["full", "changes", "changes", "changes"]);
}

#[test]
fn a_snapshot_of_changes_has_what_has_changed_and_nothing_else() {
    let world = World::with_repository();
    world.back_up("");
    let (edited, deleted) = (world.contact_id(3), world.contact_id(7));
    world.change_account();
    let report = world.back_up("");
    assert_eq!(report["snapshot_kind"], "changes");
    let totals = &report["totals"]["contacts"];
    assert_eq!(totals, &json!({"live": 60, "added": 1, "changed": 1, "deleted": 1}));
    let lines = world.snapshot_lines(&report["snapshot"], "contacts");
    let of = |op: &str| lines.iter().filter(|line| line["op"] == op).collect::<Vec<_>>();
    assert_eq!((of("put").len(), of("del").len()), (2, 1), "{lines:?}");
    assert!(of("put").iter().any(|line| line["id"] == edited.as_str()));
    assert_eq!(of("del")[0]["id"], deleted.as_str());
    assert_eq!(of("del")[0]["why"], "own endpoint");
    // What was attached to the contact went with it.
    let notes = format!("{}/notes.jsonl.zst", snapshot_dir(&report["snapshot"]));
    if world.path(&notes).exists() {
        let notes = world.snapshot_lines(&report["snapshot"], "notes");
        assert!(notes.iter().all(|line| line["why"] == "contact"), "{notes:?}");
    }
}

#[test]
fn a_night_without_a_change_adds_a_manifest_and_no_other_file() {
    let world = World::with_repository();
    world.back_up("");
    let report = world.back_up("");
    assert_eq!(report["lines"], 0);
    let files = world.list_files(snapshot_dir(&report["snapshot"]));
    assert_eq!(files, ["manifest.json"]);
}

#[test]
fn a_line_is_plain_json_that_other_programs_read() {
    let world = World::with_repository();
    let report = world.back_up("");
    let lines = world.snapshot_lines(&report["snapshot"], "contacts");
    assert_eq!(lines.len(), 60);
    for line in &lines {
        assert_eq!(line["op"], "put");
        assert_eq!(line["id"], line["body"]["id"]);
        assert_eq!(line["digest"].as_str().unwrap().len(), 32);
        for time in ["seen_at", "read_at"] {
            line[time].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        }
    }
    let notes = world.snapshot_lines(&report["snapshot"], "notes");
    assert!(notes.iter().all(|note| note["of"].is_string()));
}

#[test]
fn a_manifest_proves_its_files_and_the_one_before() {
    let world = World::with_repository();
    world.back_up("");
    world.change_account();
    world.back_up("");
    let all = world.snapshots();
    let bytes = |id: &Value, name: &str| {
        std::fs::read(world.path(&format!("{}/{name}", snapshot_dir(id)))).unwrap()
    };
    for snapshot in &all {
        for file in snapshot["files"].as_array().unwrap() {
            let content = bytes(&snapshot["snapshot"], file["name"].as_str().unwrap());
            assert_eq!(file["bytes"], content.len());
            assert_eq!(file["sha256"], sha256(&content).as_str());
        }
    }
    let (first, second) = (&all[0], &all[1]);
    assert_eq!(second["previous"]["id"], first["snapshot"]);
    let manifest = bytes(&first["snapshot"], "manifest.json");
    assert_eq!(second["previous"]["sha256"], sha256(&manifest).as_str());
    assert_eq!(second["chain"], json!([first["snapshot"], second["snapshot"]]));
    assert_eq!(second["location"]["id"], LOCATION);
}

#[test]
fn a_full_snapshot_is_made_when_it_is_asked_for_or_much_has_changed() {
    let world = World::with_repository();
    assert_eq!(world.back_up("")["full_because"], "it is the first snapshot");
    assert_eq!(world.back_up("--full")["full_because"], "it was asked for");
    for at in 0..60 {
        world.edit_by_id(&world.contact_id(at), &json!({"firstName": format!("Name {at}")}));
    }
    let many = world.back_up("");
    let because = "more than a quarter has changed since the last full snapshot";
    assert_eq!(
        (many["snapshot_kind"].as_str(), many["full_because"].as_str()),
        (Some("full"), Some(because))
    );
    std::fs::remove_dir_all(world.path("home/mirrors")).unwrap();
    let other = world.back_up("");
    assert_eq!(other["full_because"], "the local copy has made no snapshot in this repository");
}

#[test]
fn a_repository_that_was_put_back_is_told_and_gets_a_full_snapshot() {
    let world = World::with_repository();
    world.back_up("");
    let first = world.snapshots()[0]["snapshot"].clone();
    world.change_account();
    let second = world.back_up("")["snapshot"].clone();
    std::fs::remove_dir_all(world.path(&snapshot_dir(&second))).unwrap();
    let output = world.run_command("backup --to repo --json").exits(0);
    let warned = output.events().into_iter().find(|event| event["event"] == "warning").unwrap();
    assert_eq!(warned["code"], "repository_changed");
    assert!(warned["message"].as_str().unwrap().contains(second.as_str().unwrap()), "{warned}");
    assert_eq!(
        output.summary()["full_because"],
        "the snapshot before is no longer in the repository"
    );
    // A manifest that is damaged is not built upon either.
    let last = output.summary()["snapshot"].clone();
    let path = world.path(&format!("{}/manifest.json", snapshot_dir(&last)));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"unreadable\": 0", "\"unreadable\": 1")).unwrap();
    let again = world.run_command("backup --to repo --json").exits(0);
    assert_eq!(again.summary()["full_because"], "the snapshots before are damaged");
    let warned =
        |event: &Value| event["event"] == "warning" && event["code"] == "repository_changed";
    assert!(again.events().iter().any(warned), "{}", again.stdout);
    assert_ne!(first, last);
}

#[test]
fn an_old_mirror_that_was_put_back_changes_nothing_that_is_there() {
    let world = World::with_repository();
    world.back_up("");
    let mirror = world.path(&format!("home/mirrors/{LOCATION}"));
    let copy = world.path("copy");
    copy_dir(&mirror, &copy);
    world.change_account();
    world.back_up("");
    let then = world.account_rows("contacts");
    std::fs::remove_dir_all(&mirror).unwrap();
    copy_dir(&copy, &mirror);
    world.edit_by_id(&world.contact_id(9), &json!({"firstName": "Later"}));
    // The numbers of its syncs begin again where they were.
    world.sync("");
    world.sync("");
    world.back_up("");
    assert_eq!(
        world.snapshot_rows("--snapshot latest", "contacts"),
        world.account_rows("contacts")
    );
    assert_eq!(world.snapshot_rows("--snapshot latest~1", "contacts"), then);
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    base16ct::lower::encode_string(&sha2::Sha256::digest(bytes))
}

#[test]
fn a_diff_names_records_and_fields() {
    let world = World::with_repository();
    world.back_up("");
    world.run_command("backup diff --from repo").exits(10).says("there is 1 snapshot");
    let (edited, deleted) = (world.contact_id(3), world.contact_id(7));
    world.change_account();
    world.back_up("");
    let diff = world.run_command("backup diff --from repo --table contacts").exits(0).stdout;
    assert!(diff.contains(&format!("~ contact {edited}")), "{diff}");
    assert!(diff.contains("-> Edited"), "{diff}");
    assert!(diff.contains(&format!("- contact {deleted}")), "{diff}");
    assert!(diff.contains("+ contact") && diff.contains("new@example.com"), "{diff}");
    assert!(diff.contains("contacts: 1 added, 1 changed, 1 deleted"), "{diff}");
    let json = world.run_command("backup diff --from repo latest~1 latest --json").exits(0);
    let lines = json.events();
    let of_edited = lines.iter().find(|line| line["id"] == edited.as_str()).unwrap();
    assert_eq!(of_edited["fields"]["first_name"]["after"], "Edited");
    let csv = world.run_command("backup diff --from repo --csv --table contacts").exits(0).stdout;
    assert!(csv.starts_with("table,change,id,of,name,email,phone,fields\n"), "{csv}");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    world.run_command("backup diff --from repo --detailed-exit-code").exits(20);
    let same = "backup diff --from repo latest latest --detailed-exit-code";
    assert_eq!(world.run_command(same).exits(0).stdout, "no difference\n");
    // Between two chains it is the same.
    world.back_up("--full");
    let across = world.run_command("backup diff --from repo latest~2 latest --table contacts");
    assert_eq!(across.exits(0).stdout, diff);
    let shown = world.run_command("backup show --from repo latest~1").exits(0).stdout;
    assert!(shown.contains("changes") && shown.lines().all(|line| line.len() <= 80), "{shown}");
}

#[test]
fn listings_fit_80_columns_with_the_newest_last() {
    let world = World::with_repository();
    world.back_up("");
    world.back_up("");
    let listed = world.run_command("backup list --from repo").exits(0).stdout;
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    let (full, changes) = (listed.find(" full "), listed.find(" changes "));
    assert!(full.is_some() && full < changes, "{listed}");
}
