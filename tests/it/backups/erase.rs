//! Erasing people: in no byte of home or repository, and everybody else as before.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::backup_world::{LOCATION, TABLES, snapshot_dir};
use crate::world::World;

const EMAIL: &str = "zebulon@quixworth.example";
const OLD_EMAIL: &str = "zeb.former@quixworth.example";
const PHONE: &str = "+12025550177";
const NOTE: &str = "allergic to quinces";
const TASK: &str = "send the quince catalogue";

/// Adds the person, and gives the id.
fn add_person(world: &World) -> String {
    world.add_contact(&json!({
        "firstName": "Zebulon", "lastName": "Quixworth", "email": OLD_EMAIL, "phone": PHONE,
        "__notes": [{"body": NOTE}], "__tasks": [{"title": TASK}],
    }))
}

/// A world whose person is in a chain: in the full snapshot, changed in the next one, and unchanged in the last one. The
/// account no longer has them.
fn world_with_person(init: &str) -> (World, String) {
    let world = World::with_settings(|settings| settings.contacts = 12);
    world.run_command(&format!("backup init --to repo {init}")).exits(0);
    let id = add_person(&world);
    world.back_up("");
    world.edit_by_id(&id, &json!({"email": EMAIL}));
    world.back_up("");
    world.edit_by_id(&world.contact_id(5), &json!({"firstName": "Other"}));
    world.back_up("");
    world.delete_by_id(&id);
    (world, id)
}

/// Everything that names the person. Phone numbers in any spelling have these digits.
fn needles(id: &str) -> Vec<String> {
    let mut needles: Vec<String> =
        [id, EMAIL, OLD_EMAIL, NOTE, TASK, "Quixworth", "2025550177"].map(str::to_owned).into();
    needles.extend(needles.clone().iter().map(|needle| needle.to_lowercase()));
    needles
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The content of a file as it is, and decrypted, decompressed and row by row.
fn contents(path: &Path, key: Option<&Path>) -> Vec<Vec<u8>> {
    let raw = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let has_extension = |extension: &str| path.extension().is_some_and(|it| it == extension);
    let mut all = vec![raw.clone()];
    let plain = match key.filter(|_| has_extension("age")) {
        Some(key) => decrypt(&raw, key),
        None => raw,
    };
    if name.contains(".jsonl.zst") {
        let mut text = Vec::new();
        zstd::Decoder::new(&*plain).unwrap().read_to_end(&mut text).unwrap();
        all.push(text);
    }
    if has_extension("db") {
        all.extend(database_values(path));
    }
    all
}

#[cfg(not(feature = "encrypted-logins"))]
fn decrypt(_bytes: &[u8], _key: &Path) -> Vec<u8> {
    panic!("this build cannot encrypt")
}

#[cfg(feature = "encrypted-logins")]
fn decrypt(bytes: &[u8], key: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(key).unwrap();
    let secret = text.lines().last().unwrap();
    let identity: age::x25519::Identity = secret.parse().unwrap();
    let decryptor = age::Decryptor::new(bytes).unwrap();
    let mut plain = Vec::new();
    let identities = std::iter::once(&identity as &dyn age::Identity);
    decryptor.decrypt(identities).unwrap().read_to_end(&mut plain).unwrap();
    plain
}

fn database_values(path: &Path) -> Vec<Vec<u8>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut names =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut values = Vec::new();
    for name in names {
        let mut query = connection.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(text) => values.push(text.to_vec()),
                    ValueRef::Blob(blob) => {
                        values.extend(zstd::decode_all(blob).ok());
                        values.push(blob.to_vec());
                    }
                    _ => {}
                }
            }
        }
    }
    values
}

/// Where the person still is, in home and repository.
fn traces(world: &World, id: &str, key: Option<&str>) -> Vec<String> {
    let key = key.map(|key| world.path(key));
    let mut found = Vec::new();
    for dir in ["home", "repo"] {
        for path in all_files(&world.path(dir)) {
            for content in contents(&path, key.as_deref()) {
                let text = String::from_utf8_lossy(&content);
                let found_one =
                    needles(id).into_iter().find(|needle| text.contains(needle.as_str()));
                found.extend(found_one.map(|needle| format!("{needle} in {}", path.display())));
            }
        }
    }
    found
}

/// What each snapshot has of everybody else, by tables, in order.
fn others(world: &World, id: &str, flags: &str, tables: &[&str]) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for at in (0..world.snapshots().len()).rev() {
        for table in tables {
            let flags = format!("--snapshot latest~{at} --replace {flags}");
            let mut rows = world.snapshot_rows(&flags, table);
            rows.retain(|row| row["id"] != id && row["contact_id"] != id);
            all.push(rows);
        }
    }
    all
}

#[test]
fn an_erased_person_is_in_no_byte_and_everybody_else_is_as_before() {
    for (init, flags, key) in
        [("", "", None), ("--new-key key.txt", "--identity key.txt", Some("key.txt"))]
    {
        let (world, id) = world_with_person(init);
        world.run_command("export --out out --format jsonl --replace").exits(0);
        assert!(!traces(&world, &id, key).is_empty(), "the search finds people");
        let before = others(&world, &id, flags, &TABLES);
        let erase = format!("backup erase --from repo --contact {EMAIL} {flags}");
        let dry = world.run_command(&format!("{erase} --dry-run")).exits(0);
        dry.says("3 snapshots written again");
        assert_eq!(world.snapshots().len(), 3);
        assert!(!traces(&world, &id, key).is_empty(), "a dry run erases nothing");
        world.run_command(&erase).exits(2).says("there is no terminal to ask on");
        let erased = world.run_command(&format!("{erase} --yes --json")).exits(0).summary();
        let of_location = &erased["locations"][LOCATION];
        assert_eq!((&of_location["people"], &of_location["erased"]), (&json!(1), &json!(true)));
        assert_eq!(of_location["account_still_has"], 0);
        assert_eq!(traces(&world, &id, key), [""; 0]);
        assert_eq!(others(&world, &id, flags, &TABLES), before);
        for at in 0..3 {
            let verify =
                format!("backup verify --from repo --read all --replay latest~{at} {flags}");
            world.run_command(&verify).exits(0);
        }
        // The next backup goes on where the last one was.
        world.edit_by_id(&world.contact_id(6), &json!({"firstName": "Next"}));
        assert_eq!(world.back_up("")["snapshot_kind"], "changes");
        world
            .run_command(&format!("backup verify --from repo --read all --replay {flags}"))
            .exits(0);
        assert_eq!(traces(&world, &id, key), [""; 0]);
    }
}

#[test]
fn the_totals_of_rewritten_snapshots_are_those_of_what_they_have() {
    let (world, id) = world_with_person("");
    world.run_command(&format!("backup erase --from repo --contact {id} --yes")).exits(0);
    for snapshot in world.snapshots() {
        let manifest =
            world.read_json(&format!("{}/manifest.json", snapshot_dir(&snapshot["snapshot"])));
        assert_eq!(manifest["totals"]["contacts"]["live"], 12, "{manifest}");
        assert_eq!(manifest["rewrites"].as_array().unwrap().len(), 1, "{manifest}");
    }
    let second = world.snapshots()[1]["snapshot"].clone();
    let manifest = world.read_json(&format!("{}/manifest.json", snapshot_dir(&second)));
    assert_eq!(manifest["totals"]["contacts"]["changed"], 0, "{manifest}");
}

#[test]
fn a_kill_anywhere_leaves_snapshots_that_verify_and_the_same_command_finishes() {
    let mut kills = 0;
    for at in 1.. {
        let (world, id) = world_with_person("");
        world.run_command("backup hold --from repo latest~1").exits(0);
        let before = others(&world, &id, "", &["contacts"]);
        let world = world.with_env("GHL_BULK_FAILPOINT", &format!("mid_erase:{at}"));
        let erase = format!("backup erase --from repo --contact {EMAIL} --yes");
        let killed = world.run_command(&erase);
        let world = world.without_env("GHL_BULK_FAILPOINT");
        if killed.code == 0 {
            break;
        }
        assert_eq!(killed.code, -1, "{}", killed.stderr);
        kills += 1;
        world.run_command("backup verify --from repo --read all --replay").exits(0);
        if at % 3 == 0 {
            // A backup in between has nothing wrong, either.
            world.back_up("");
            world.run_command("backup verify --from repo --read all --replay").exits(0);
        }
        world.run_command(&erase).exits(0);
        assert_eq!(traces(&world, &id, None), [""; 0], "kill {at}");
        let after = others(&world, &id, "", &["contacts"]);
        assert_eq!(after[..before.len()], before, "kill {at}");
        world.run_command("backup verify --from repo --read all --replay").exits(0);
        let held = world
            .snapshots()
            .iter()
            .filter(|it| it["held"] != json!(null) && it["held"] != json!(false))
            .count();
        assert_eq!(held, 1, "kill {at}: {:?}", world.snapshots());
        world.back_up("");
        world.run_command("backup verify --from repo --read all --replay").exits(0);
    }
    assert!(kills > 10, "{kills}");
}

#[test]
fn a_second_erasure_of_the_same_person_does_nothing() {
    let (world, id) = world_with_person("");
    world.run_command(&format!("backup erase --from repo --contact {id} --yes")).exits(0);
    let files = all_files(&world.path("repo"));
    for contact in [&*id, EMAIL, OLD_EMAIL, PHONE] {
        world.run_command(&format!("backup erase --from repo --contact {contact} --yes")).exits(0);
    }
    assert_eq!(all_files(&world.path("repo")), files);
    let records = world.list_files("repo");
    let text: String = records
        .iter()
        .filter(|name| name.starts_with("erasure-"))
        .map(|name| std::fs::read_to_string(world.path(&format!("repo/{name}"))).unwrap())
        .collect();
    assert!(text.contains("\"erased\"") && !text.contains("quixworth"), "{text}");
}

#[test]
fn a_person_whom_the_account_still_has_is_named_and_comes_back() {
    let world = World::with_repository();
    let id = add_person(&world);
    world.back_up("");
    let erase = format!("backup erase --from repo --contact {id} --yes");
    world.run_command(&erase).exits(0).says("the account still has 1 contact");
    world.back_up("");
    assert_eq!(world.snapshot_rows("", "contacts").len(), 61, "since the account has them");
    world.run_command("backup verify --from repo --read all --replay").exits(0);
    world.delete_by_id(&id);
    world.run_command(&erase).exits(0).says("the account no longer has them");
    assert_eq!(traces(&world, &id, None), [""; 0]);
}

#[test]
fn held_and_forgotten_snapshots_are_written_again_and_stay_so() {
    let (world, id) = world_with_person("");
    let ids: Vec<String> =
        world.snapshots().iter().map(|it| it["snapshot"].as_str().unwrap().to_owned()).collect();
    world.run_command(&format!("backup hold --from repo {}", ids[2])).exits(0);
    world.run_command(&format!("backup forget --from repo {} --yes", ids[1])).exits(0);
    world
        .run_command(&format!("backup erase --from repo --contact {id} --yes"))
        .exits(0)
        .says("held ones, too: 1")
        .says("forgotten ones, too: 1");
    assert_eq!(world.snapshots().len(), 2);
    let forgotten = world.list_files(format!("repo/{LOCATION}/forgotten"));
    assert_eq!(forgotten.len(), 1);
    let last = world.snapshots()[1]["snapshot"].as_str().unwrap().to_owned();
    world.run_command(&format!("backup forget --from repo {last} --yes")).exits(2).says("is held");
    let back = forgotten[0].trim_end_matches(".json");
    world.run_command(&format!("backup remember --from repo {back}")).exits(0);
    for at in 0..3 {
        let verify = format!("backup verify --from repo --read all --replay latest~{at}");
        world.run_command(&verify).exits(0);
    }
    assert_eq!(traces(&world, &id, None), [""; 0]);
}

#[test]
fn a_run_that_is_not_finished_stops_the_erasure() {
    let (world, id) = world_with_person("");
    world.write_sheet("in.csv", &format!("Email,City\n{EMAIL},Quince Town\n"));
    world.run_command("import in.csv --dry-run --out plan").exits(0);
    let erase = format!("backup erase --from repo --contact {id} --yes");
    world
        .run_command(&erase)
        .exits(4)
        .says("1 unfinished run has something of these people")
        .says("ghl-bulk runs rm");
    assert!(!traces(&world, &id, None).is_empty());
    let run = world.only_run_id();
    world.run_command(&format!("runs rm {run}")).exits(0);
    world.run_command(&erase).exits(0);
    assert_eq!(traces(&world, &id, None), [""; 0]);
}

#[test]
fn a_finished_import_with_the_person_is_removed_and_others_stay() {
    let (world, id) = world_with_person("");
    world.write_sheet("zeb.csv", "Email,Phone\nnew@quix.example,(202) 555-0177\n");
    world.write_sheet("bob.csv", "Email\nbob@other.example\n");
    for sheet in ["zeb", "bob"] {
        world.run_command(&format!("import {sheet}.csv --yes --out {sheet}")).exits(0);
    }
    assert_eq!(world.list_files("home/runs").len(), 2);
    let erased = world.run_command(&format!("backup erase --from repo --contact {id} --yes"));
    erased.exits(0).says("is removed (import");
    assert_eq!(world.list_files("home/runs").len(), 1);
}

#[test]
fn an_address_of_several_people_is_asked_about() {
    let world = World::with_repository();
    for first in ["One", "Two"] {
        world.add_contact(&json!({"firstName": first, "email": "shared@quix.example"}));
    }
    world.back_up("");
    world
        .run_command("backup erase --from repo --contact shared@quix.example --yes")
        .exits(2)
        .says("2 contacts have `shared@quix.example`")
        .says("give the id of one of them");
    assert_eq!(world.snapshot_rows("", "contacts").len(), 62);
}

#[test]
fn an_unknown_person_or_a_missing_key_changes_nothing() {
    let (world, id) = world_with_person("--new-key key.txt");
    let files = all_files(&world.path("repo"));
    let erase = |contact: &str, flags: &str| {
        world.run_command(&format!("backup erase --from repo --contact {contact} --yes {flags}"))
    };
    for contact in ["nobody@example.com", "000000000000000000no", "+12025550999"] {
        erase(contact, "--identity key.txt")
            .exits(10)
            .says("neither the repository nor this machine has a contact");
    }
    erase(&id, "").exits(8).says("is encrypted, and no identity is given");
    world.run_command("backup init --to other --new-key wrong.txt").exits(0);
    erase(&id, "--identity wrong.txt").exits(8).says("none of the identities decrypts");
    erase(&id, "--identity missing.txt").exits(8).says("the identity file `missing.txt`");
    world.run_command("backup erase --from repo --yes").exits(2).says("--contact");
    world.run_command(&format!("backup erase --from none --contact {id}")).exits(10);
    assert_eq!(all_files(&world.path("repo")), files);
    assert!(!traces(&world, &id, Some("key.txt")).is_empty());
}

#[test]
fn a_damaged_snapshot_is_not_written_again() {
    let (world, id) = world_with_person("");
    let first = world.snapshots()[0]["snapshot"].clone();
    let file = world.path(&format!("{}/contacts.jsonl.zst", snapshot_dir(&first)));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let files = all_files(&world.path("repo"));
    world
        .run_command(&format!("backup erase --from repo --contact {id} --yes"))
        .exits(12)
        .says("is damaged");
    assert_eq!(all_files(&world.path("repo")), files);
}

#[test]
fn two_erasures_at_once_are_refused() {
    let (world, id) = world_with_person("");
    let lock = std::fs::File::open(world.path(&format!("repo/{LOCATION}"))).unwrap();
    lock.lock().unwrap();
    let erase = format!("backup erase --from repo --contact {id} --yes");
    world.run_command(&erase).exits(11).says("another process");
    world.run_command(&format!("{erase} --dry-run")).exits(0);
    drop(lock);
    world.run_command(&erase).exits(0);
}

#[test]
fn another_repository_of_this_machine_is_named_and_gets_a_full_snapshot() {
    let (world, id) = world_with_person("");
    world.run_command("backup init --to second").exits(0);
    world.run_command("backup --to second").exits(0);
    world
        .run_command(&format!("backup erase --from repo --contact {id} --yes"))
        .exits(0)
        .says("has made snapshots in 1 other repository");
    let next = world.run_command("backup --to second --json").exits(0).summary();
    assert_eq!(next["snapshot_kind"], "full");
    world.run_command("backup verify --from second --read all --replay").exits(0);
}

#[test]
fn a_watch_goes_on_behind_an_erased_person() {
    let world = World::with_repository();
    let watch = "watch --once --jsonl events.jsonl";
    world.run_command(watch).exits(0);
    let id = add_person(&world);
    world.run_command(watch).exits(0);
    world.back_up("");
    world.delete_by_id(&id);
    world.run_command(watch).exits(0);
    world.run_command(&format!("backup erase --from repo --contact {id} --yes")).exits(0);
    assert_eq!(traces(&world, &id, None), [""; 0]);
    let before = std::fs::read_to_string(world.path("events.jsonl")).unwrap();
    let other = world.contact_id(3);
    world.edit_by_id(&other, &json!({"firstName": "Watched"}));
    world.run_command(watch).exits(0);
    let events = std::fs::read_to_string(world.path("events.jsonl")).unwrap();
    let new = &events[before.len()..];
    assert!(new.contains(&other) && !new.contains(&id), "{new}");
    assert_eq!(new.lines().count(), 1, "{new}");
}

#[test]
fn a_person_of_the_local_copy_alone_is_erased_and_not_restored() {
    let world = World::with_repository();
    world.back_up("");
    let id = add_person(&world);
    world.run_command("sync").exits(0);
    world.delete_by_id(&id);
    world.run_command("sync").exits(0);
    let erased = format!("backup erase --from repo --contact {OLD_EMAIL} --yes --json");
    let erased = world.run_command(&erased).exits(0).summary()["locations"][LOCATION].clone();
    assert_eq!((&erased["people"], &erased["snapshots"]), (&json!(1), &json!([])), "{erased}");
    assert!(erased["local_records"].as_u64().unwrap() >= 3, "{erased}");
    assert_eq!(traces(&world, &id, None), [""; 0]);
    assert_eq!(world.back_up("")["snapshot_kind"], "changes");
    world.run_command("backup verify --from repo --read all --replay").exits(0);
}

#[test]
fn a_later_chain_without_the_person_stays_as_it_is() {
    let (world, id) = world_with_person("");
    let full = world.back_up("--full")["snapshot"].clone();
    let manifest = world.read_json(&format!("{}/manifest.json", snapshot_dir(&full)));
    world.run_command(&format!("backup erase --from repo --contact {id} --yes")).exits(0);
    let after = world.read_json(&format!("{}/manifest.json", snapshot_dir(&full)));
    assert_eq!(after, manifest, "it names a snapshot that was written again");
    assert_eq!(world.snapshots().len(), 4);
    for at in 0..4 {
        let verify = format!("backup verify --from repo --read all --replay latest~{at}");
        world.run_command(&verify).exits(0);
    }
    assert_eq!(traces(&world, &id, None), [""; 0]);
    assert_eq!(world.back_up("")["snapshot_kind"], "changes");
}
