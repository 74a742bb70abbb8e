//! Where logins are stored: a private file, an encrypted file, and a keyring that is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use age::secrecy::ExposeSecret as _;
use ghl_bulk::sandbox::TOKEN;

use super::{assert_nothing_kept, fed, world};
use crate::export_files::list_files_below;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --with none --out out";
const RECORD: &str = "config/credentials/default.json";

/// No file of the world holds the token in the open.
#[track_caller]
fn assert_sealed(world: &World) {
    for file in list_files_below(&world.path(".")) {
        let bytes = fs::read(&file).unwrap();
        let open = bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
        assert!(!open, "{}", file.display());
    }
}

#[test]
fn without_a_keyring_the_token_goes_into_a_private_file_and_a_message_says_so() {
    let world = world();
    let done = fed(&world, "login", TOKEN).exits(0);
    done.says("there is no keyring here;").says("a file that only you can read");
    let mode = fs::metadata(world.path(RECORD)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mode = fs::metadata(world.path("config/credentials")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_requested_keyring_that_is_missing_is_an_error() {
    let world = world();
    fed(&world, "login --store keyring", TOKEN).exits(8).says("keyring").says("--store file");
    assert_nothing_kept(&world);
}

#[test]
fn the_store_of_the_profile_counts_where_no_flag_is_given() {
    let world = world();
    fs::create_dir(world.path("config")).unwrap();
    let config = "[profiles.clinic]\nstore = \"keyring\"\n";
    fs::write(world.path("config/config.toml"), config).unwrap();
    fed(&world, "login --profile clinic", TOKEN).exits(8).says("keyring");
    fed(&world, "login --profile clinic --store file", TOKEN).exits(0);
}

#[test]
fn a_record_that_others_can_read_is_refused_with_the_command_that_helps() {
    let world = world();
    fed(&world, "login --store file", TOKEN).exits(0);
    fs::set_permissions(world.path(RECORD), fs::Permissions::from_mode(0o644)).unwrap();
    world.run_command(EXPORT).exits(8).says("chmod 600");
    assert_eq!(world.get_control("log")["requests"], 1, "only the login has asked");
}

#[test]
fn a_damaged_record_is_reported_and_replaced_by_a_new_login() {
    let world = world();
    fed(&world, "login --store file", TOKEN).exits(0);
    fs::write(world.path(RECORD), "{").unwrap();
    world.run_command(EXPORT).exits(12).says("ghl-bulk login");
    fed(&world, "login --store file", TOKEN).exits(0);
    world.run_command(EXPORT).exits(0);
}

#[test]
fn only_its_passphrase_decrypts_a_record() {
    let world = world().with_env("GHL_BULK_PASSPHRASE", "correct horse");
    fed(&world, "login --store age", TOKEN).exits(0).says("age file");
    assert_sealed(&world);
    world.run_command(EXPORT).exits(0);
    let world = world.with_env("GHL_BULK_PASSPHRASE", "wrong horse");
    world.run_command(EXPORT).exits(8).says("cannot be decrypted");
    let world = world.without_env("GHL_BULK_PASSPHRASE");
    world.run_command(EXPORT).exits(8).says("GHL_BULK_PASSPHRASE");
    world.run_command("logout").exits(0).says("removed");
}

#[test]
fn a_passphrase_may_come_from_a_file_that_only_its_owner_can_read() {
    let world = world().with_env("GHL_BULK_PASSPHRASE_FILE", "words");
    fs::write(world.path("words"), "correct horse\n").unwrap();
    fs::set_permissions(world.path("words"), fs::Permissions::from_mode(0o640)).unwrap();
    fed(&world, "login --store age", TOKEN).exits(8).says("chmod 600 words");
    assert_nothing_kept(&world);
    fs::set_permissions(world.path("words"), fs::Permissions::from_mode(0o600)).unwrap();
    fed(&world, "login --store age", TOKEN).exits(0);
    world.run_command(EXPORT).exits(0);
}

#[test]
fn without_a_passphrase_and_a_terminal_nothing_is_stored() {
    let world = world();
    fed(&world, "login --store age", TOKEN).exits(8).says("GHL_BULK_PASSPHRASE");
    assert_nothing_kept(&world);
}

#[test]
fn a_recipients_key_decrypts_what_was_encrypted_for_it() {
    let world = world();
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public();
    fed(&world, &format!("login --store age --recipient {recipient}"), TOKEN).exits(0);
    assert_sealed(&world);
    world.run_command(EXPORT).exits(8).says("GHL_BULK_AGE_IDENTITY");
    fs::write(world.path("key.txt"), key.to_string().expose_secret()).unwrap();
    fs::set_permissions(world.path("key.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    let world = world.with_env("GHL_BULK_AGE_IDENTITY", "key.txt");
    world.run_command(EXPORT).exits(0);
}

#[test]
fn a_recipient_needs_the_encrypted_store_and_must_be_one() {
    let world = world();
    let done = fed(&world, "login --recipient age1xyz", TOKEN).exits(2);
    done.says("--store age");
    fed(&world, "login --store age --recipient age1xyz", TOKEN).exits(8).says("recipient");
    assert_nothing_kept(&world);
}

#[test]
fn a_name_that_could_be_a_path_is_not_a_profile() {
    let world = world();
    fed(&world, "login --profile ../up", TOKEN).exits(2);
    assert!(!world.path("up.json").exists() && !world.path("config/up.json").exists());
}

#[test]
fn what_a_killed_login_has_left_is_removed_by_the_next_command_that_stores_or_logs_out() {
    let world = world();
    let leftovers =
        ["config/credentials/.new-default.json-Ab12Cd", "config/credentials/.new-Ab12Cd"];
    for line in ["login", "logout"] {
        fs::create_dir_all(world.path("config/credentials")).unwrap();
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(world.path("config/credentials"), mode).unwrap();
        for name in leftovers {
            fs::write(world.path(name), TOKEN).unwrap();
        }
        // Another profile's process may be writing this one.
        fs::write(world.path("config/credentials/.new-other.json-Ab12Cd"), "").unwrap();
        fed(&world, line, TOKEN).exits(0);
        let files = world.list_files("config/credentials");
        let left: Vec<_> = files.iter().filter(|name| name.starts_with(".new-")).collect();
        assert_eq!(left, [".new-other.json-Ab12Cd"], "{line}");
    }
}
