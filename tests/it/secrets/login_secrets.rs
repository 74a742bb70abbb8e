//! Secrets of logins: an app's secret, its tokens, a passphrase and a password manager's command.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ghl_bulk::sandbox::{CLIENT_ID, CLIENT_SECRET};
use serde_json::{Value, json};

use super::commands;
use super::encodings::{Secret, assert_unprinted, assert_unwritten};
use crate::login::{fed, settled};
use crate::raw_http::send_raw_request;
use crate::world::{CommandOutput, World};

const REDIRECT: &str = "http://localhost:9/callback";
const RECORD: &str = "config/credentials";
const EXPORT: &str = "export --out out --format jsonl --with none -vv --timeout 0.5";
const PASSPHRASE: &str = "wren/ladle+orbit=7c41";

/// A code, as the browser would bring it.
fn code(world: &World) -> String {
    let scopes = [
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/tasks.readonly",
        "notes.readonly",
        "locations/tags.readonly",
        "locations/customFields.readonly",
        "users.readonly",
        "businesses.readonly",
        "calendars.readonly",
        "calendars/events.readonly",
    ];
    let path = format!(
        "/oauth/chooselocation?response_type=code&client_id={CLIENT_ID}&scope={}\
         &redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback",
        scopes.join("%20")
    );
    let answer = send_raw_request(world.url(), "GET", &path, &[], "");
    let address = &answer.headers["location"];
    address.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

/// Logs in with the app.
fn log_in(world: &World, code: &str, options: &str) -> CommandOutput {
    let line = format!("login --oauth --paste --redirect-uri {REDIRECT} {options} -vv");
    fed(world, &line, &format!("{code}\n"))
}

fn app() -> World {
    settled(World::new())
        .with_env("GHL_CLIENT_ID", CLIENT_ID)
        .with_env("GHL_CLIENT_SECRET", CLIENT_SECRET)
}

/// The secrets that the record in the file holds, and the app's.
fn secrets(world: &World) -> Vec<Secret> {
    let mut all = vec![Secret::new("the client secret", CLIENT_SECRET)];
    for file in crate::export_files::list_files_below(&world.path(RECORD)) {
        if let Ok(record) = serde_json::from_slice::<Value>(&fs::read(&file).unwrap()) {
            collect(&record, &mut all);
        }
    }
    assert!(all.len() >= 3, "only {all:?} found: does this test still read the record?");
    all
}

fn collect(record: &Value, all: &mut Vec<Secret>) {
    for (key, value) in record.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if ["access", "refresh"].contains(&key.as_str()) => {
                all.push(Secret::new(key, text));
            }
            _ => collect(value, all),
        }
    }
}

#[test]
fn no_command_shows_or_stores_what_an_app_logs_in_with() {
    let world = app();
    let code = code(&world);
    let done = log_in(&world, &code, "--store file").exits(0);
    let mut secrets = secrets(&world);
    secrets.push(Secret::new("the code", &code));
    assert_unprinted(&done, &secrets);
    assert_unprinted(&log_in(&world, &code, "--store file --profile again").exits(8), &secrets);
    let record = world.path(RECORD);
    commands::run_all(&world, "", &[&record], &secrets);
}

#[test]
fn no_refresh_shows_or_stores_a_token_whether_it_succeeds_or_not() {
    let faults = [
        "POST /oauth/token status=400",
        "POST /oauth/token status=500",
        "POST /oauth/token status=502 html",
        "POST /oauth/token drop=before",
        "POST /oauth/token truncate",
        "POST /oauth/token not-json",
        "POST /oauth/token status=302 html",
        "POST /oauth/token drop=after times=1",
    ];
    let record = |world: &World| world.path(RECORD);
    for fault in faults {
        let world = app();
        log_in(&world, &code(&world), "--store file").exits(0);
        let mut known = secrets(&world);
        world.control_request("POST", "oauth/expire", &Value::Null);
        world.control_request("POST", "faults", &json!([fault]));
        let all = [EXPORT, "doctor -vv --timeout 0.5", "whoami -vv --timeout 0.5", "resume -vv"];
        let told: Vec<_> = all.iter().map(|line| world.run_command(line)).collect();
        world.control_request("DELETE", "faults", &Value::Null);
        let last = world.run_command(EXPORT);
        known.extend(secrets(&world));
        told.iter().chain([&last]).for_each(|done| assert_unprinted(done, &known));
        assert_unwritten(&world, &[&record(&world)], &known);
    }
    let world = app();
    log_in(&world, &code(&world), "--store file").exits(0);
    let mut known = secrets(&world);
    world.control_request("POST", "oauth/expire", &Value::Null);
    let renewed = world.run_command(EXPORT).exits(0);
    known.extend(secrets(&world));
    assert_unprinted(&renewed, &known);
    world.control_request("POST", "oauth/expire", &Value::Null);
    world.control_request("POST", "oauth/revoke", &Value::Null);
    // Else the app asks for a new authorisation by itself.
    world.control_request("POST", "faults", &json!(["POST /oauth/reconnect status=400"]));
    for line in [EXPORT, "doctor -vv", "export --json -vv"] {
        assert_unprinted(&world.run_command(line).exits(8), &known);
    }
    assert_unwritten(&world, &[&record(&world)], &known);
}

#[test]
fn a_passphrase_and_what_it_encrypts_are_never_stored_in_the_open() {
    let world = settled(World::new()).with_env("GHL_BULK_PASSPHRASE", PASSPHRASE);
    let secrets =
        [Secret::new("the passphrase", PASSPHRASE), Secret::new("the token", super::SECRET)];
    let done = fed(&world, "login --store age -vv", &super::token()).exits(0);
    assert_unprinted(&done, &secrets);
    assert_unprinted(&world.run_command(EXPORT).exits(0), &secrets);
    assert_unprinted(&world.run_command("doctor -vv").exits(0), &secrets);
    assert_unwritten(&world, &[], &secrets);
    let world = world.with_env("GHL_BULK_PASSPHRASE", &format!("{PASSPHRASE}{PASSPHRASE}"));
    for line in [EXPORT, "whoami -vv", "doctor -vv"] {
        assert_unprinted(&world.run_command(line).exits(8), &secrets);
    }
    assert_unwritten(&world, &[], &secrets);
}

/// A profile whose token comes from a script outside of the world.
fn with_command(elsewhere: &Path, script: &str) -> World {
    let world = settled(World::new());
    let print = elsewhere.join("print");
    fs::write(&print, script).unwrap();
    fs::set_permissions(&print, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir_all(world.path("config")).unwrap();
    let config = format!("[profiles.vault]\ntoken_command = [\"{}\"]\n", print.display());
    fs::write(world.path("config/config.toml"), config).unwrap();
    world
}

#[test]
fn no_command_shows_or_stores_what_a_vaults_client_prints() {
    let elsewhere = tempfile::tempdir().unwrap();
    let script = format!("#!/bin/sh\necho '{}'\n", super::token());
    let world = with_command(elsewhere.path(), &script);
    commands::run_all(&world, "--profile vault", &[], &super::secrets());
}

#[test]
fn a_vaults_client_that_fails_is_not_quoted() {
    let token = super::token();
    let scripts = [
        format!("echo '{token}'; echo 'no use: {token}' >&2; exit 3"),
        format!("echo '{token} {token}'; echo '{token} {token}' >&2"),
        format!("echo 'token: {token}'"),
        format!("printf '%s\\303\\274' '{token}'"),
    ];
    for script in scripts {
        let elsewhere = tempfile::tempdir().unwrap();
        let world = with_command(elsewhere.path(), &format!("#!/bin/sh\n{script}\n"));
        for line in ["export -vv", "whoami -vv", "doctor -vv", "doctor --json -vv"] {
            assert_unprinted(
                &world.run_command(&format!("{line} --profile vault")).exits(8),
                &super::secrets(),
            );
        }
        assert_unwritten(&world, &[], &super::secrets());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_vaults_client_finds_no_secret_in_its_own_process_or_the_one_that_called_it() {
    let elsewhere = tempfile::tempdir().unwrap();
    let script = format!(
        "#!/bin/sh\ncat /proc/self/cmdline /proc/self/environ /proc/$PPID/cmdline /proc/$$/cmdline \
         >> '{}'\necho '{}'\n",
        elsewhere.path().join("seen").display(),
        super::token()
    );
    let world = with_command(elsewhere.path(), &script).with_env("PATH", "/usr/bin:/bin");
    // A login that is there as well, and not used.
    fed(&world, "login --profile other --store file --no-check", &format!("{}2", super::token()))
        .exits(0);
    world.run_command("export --profile vault --out out --with none -vv").exits(0);
    let seen = fs::read(elsewhere.path().join("seen")).unwrap();
    assert!(!seen.is_empty());
    let done = CommandOutput {
        code: 0,
        stdout: String::from_utf8_lossy(&seen).into_owned(),
        stderr: String::new(),
    };
    assert_unprinted(&done, &super::secrets());
}
