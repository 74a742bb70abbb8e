//! Encrypted repositories: whoever backs up cannot read, and who has a key can.

use crate::world::World;

use super::backup_world::TABLES;

#[test]
fn the_machine_that_backs_up_needs_no_key_and_cannot_read_what_it_wrote() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0).says("two safe places");
    std::fs::rename(world.path("key.txt"), world.path("safe.txt")).unwrap();
    world.back_up("");
    world.change_account();
    let report = world.back_up("");
    assert_eq!(report["snapshot_kind"], "changes");
    assert_eq!(world.snapshots().len(), 2, "the list needs no key");
    world
        .run_command("export --from repo --out x")
        .exits(8)
        .says("is encrypted, and no identity is given")
        .says("--identity FILE");
    assert!(!world.path("x/manifest.json").exists());
    for table in TABLES {
        let rows = world.snapshot_rows("--identity safe.txt", table);
        assert_eq!(rows, world.account_rows(table), "{table}");
    }
}

#[test]
fn no_name_of_a_person_is_in_an_encrypted_repository() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.back_up("");
    let contacts = world.account_contacts();
    let mut needles: Vec<String> = Vec::new();
    for contact in &contacts {
        for field in ["email", "phone", "lastName"] {
            let text = contact["contact"][field].as_str().unwrap_or_default();
            needles.extend((text.len() > 5).then(|| text.to_owned()));
        }
    }
    assert!(needles.len() > 60, "{}", needles.len());
    for (path, bytes) in all_files(&world.path("repo")) {
        let text = String::from_utf8_lossy(&bytes);
        for needle in &needles {
            assert!(!text.contains(needle.as_str()), "{needle} in {}", path.display());
        }
    }
}

#[test]
fn a_wrong_key_says_so_and_a_second_recipient_reads_as_well() {
    let world = World::new();
    world.run_command("backup init --to other --new-key wrong.txt").exits(0);
    world.run_command("backup init --to third --new-key second.txt").exits(0);
    let second = world.read_json("third/repository.json")["recipients"][0].clone();
    let second = second.as_str().unwrap();
    let init = format!("backup init --to repo --new-key key.txt --recipient {second}");
    world.run_command(&init).exits(0);
    world.back_up("");
    world
        .run_command("export --from repo --out x --identity wrong.txt")
        .exits(8)
        .says("none of the identities decrypts");
    world.run_command("export --from repo --out x --identity key.txt").exits(0);
    world.run_command("export --from repo --out y --identity second.txt").exits(0);
}

#[test]
fn other_recipients_begin_with_a_full_snapshot() {
    let world = World::with_repository();
    world.back_up("");
    world.run_command("backup init --to other --new-key key.txt").exits(0);
    let recipient = world.read_json("other/repository.json")["recipients"][0].clone();
    let flags = format!("--recipient {}", recipient.as_str().unwrap());
    let report = world.back_up(&flags);
    assert_eq!(report["full_because"], "the recipients have changed");
    assert_eq!(report["encrypted"], true);
    let read = world.snapshot_rows("--identity key.txt", "contacts");
    assert_eq!(read.len(), 60);
    assert_eq!(world.snapshot_rows("--snapshot latest~1", "contacts").len(), 60);
}

#[test]
fn a_key_file_that_exists_or_is_in_the_repository_is_refused() {
    let world = World::new();
    world.write_private_file("key.txt", b"something");
    world
        .run_command("backup init --to repo --new-key key.txt")
        .exits(2)
        .says("the key file `key.txt` exists already");
    assert_eq!(std::fs::read(world.path("key.txt")).unwrap(), b"something");
    std::fs::create_dir(world.path("repo")).unwrap();
    world
        .run_command("backup init --to repo --new-key repo/key.txt")
        .exits(2)
        .says("the key must not be in the repository");
    assert!(world.list_files("repo").is_empty());
}

#[test]
fn a_secret_key_given_as_a_recipient_is_not_repeated() {
    let world = World::new();
    world.run_command("backup init --to other --new-key key.txt").exits(0);
    let text = std::fs::read_to_string(world.path("key.txt")).unwrap();
    let secret = text.lines().last().unwrap();
    let said = world.run_command(&format!("backup init --to repo --recipient {secret}")).exits(2);
    assert!(!said.stderr.contains(secret), "{}", said.stderr);
}

fn all_files(dir: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn a_command_may_print_the_key() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.back_up("");
    let (config, repo) = (world.path("config"), world.path("repo").display().to_string());
    std::fs::create_dir(&config).unwrap();
    let write = |command: &str| {
        let text = format!("[repositories.main]\npath = '{repo}'\nidentity_command = {command}\n");
        std::fs::write(config.join("config.toml"), text).unwrap();
    };
    let world = world.with_env("GHL_BULK_CONFIG", &config.display().to_string());
    write("['cat', 'key.txt']");
    world.run_command("export --from main --format jsonl --out x").exits(0);
    assert_eq!(world.read_rows("x/contacts.jsonl").len(), 60);
    write("'echo AGE-SECRET-KEY-1NONE; exit 3'");
    let failed = world.run_command("export --from main --out y").exits(8).says("ended with 3");
    assert!(!failed.stderr.contains("AGE-SECRET-KEY"), "{}", failed.stderr);
    write("['true']");
    world.run_command("export --from main --out y").exits(2).says("there is no X25519 identity");
}
