//! Where a token comes from, and which source has precedence.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use ghl_bulk::sandbox::TOKEN;

use super::{fed, world};
use crate::world::World;

const EXPORT: &str = "export --format jsonl --with none --out out";

fn write(world: &World, name: &str, text: &str, mode: u32) {
    if let Some(dir) = world.path(name).parent() {
        fs::create_dir_all(dir).unwrap();
    }
    fs::write(world.path(name), text).unwrap();
    fs::set_permissions(world.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

/// What `whoami` says the token comes from.
#[track_caller]
fn from(world: &World, options: &str) -> String {
    let summary = world.run_command(&format!("whoami --json {options}")).exits(0).summary();
    summary["token_source"].as_str().unwrap().to_owned()
}

#[test]
fn the_environment_goes_before_a_file_a_command_and_a_login() {
    let world = world();
    fed(&world, "login --profile p", TOKEN).exits(0);
    assert_eq!(from(&world, "--profile p"), "store");
    write(&world, "token", TOKEN, 0o600);
    write(&world, "config/config.toml", "[profiles.p]\ntoken_file = \"../token\"\n", 0o644);
    assert_eq!(from(&world, "--profile p"), "file");
    let command = format!("[profiles.p]\ntoken_command = [\"echo\", \"{TOKEN}\"]\n");
    write(&world, "config/config.toml", &command.replace(TOKEN, "pit-wrong"), 0o644);
    let refused = world.run_command("whoami --json --profile p");
    // A literal token may be refused where it is; either way the login is not used instead.
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    write(&world, "print", &format!("#!/bin/sh\necho {TOKEN}\n"), 0o700);
    let line = "[profiles.p]\ntoken_command = [\"./print\"]\n";
    write(&world, "config/config.toml", line, 0o644);
    assert_eq!(from(&world, "--profile p"), "command");
    let world = world.with_env("GHL_TOKEN_FILE", "token");
    assert_eq!(from(&world, "--profile p"), "file");
    let world = world.with_env("GHL_TOKEN", TOKEN);
    assert_eq!(from(&world, "--profile p"), "environment");
}

#[test]
fn an_invalid_token_source_is_an_error_and_not_skipped() {
    let world = world();
    fed(&world, "login", TOKEN).exits(0);
    let world = world.with_env("GHL_TOKEN_FILE", "missing");
    world.run_command(EXPORT).exits(8).says("the token file `missing`");
    let world = world.with_env("GHL_TOKEN", "");
    world.run_command(EXPORT).exits(8).says("the token in `GHL_TOKEN` is invalid: it is empty");
}

#[test]
fn a_command_that_prints_the_token_serves_an_export() {
    let world = world();
    write(&world, "print", &format!("#!/bin/sh\necho {TOKEN}\n"), 0o700);
    write(&world, "config/config.toml", "[profiles.vault]\ntoken_command = \"./print\"\n", 0o644);
    world.run_command(&format!("{EXPORT} --profile vault")).exits(0);
    write(&world, "print", "#!/bin/sh\necho sealed >&2\nexit 3\n", 0o700);
    world
        .run_command(&format!("{EXPORT} --profile vault"))
        .exits(8)
        .says("token command")
        .says("sealed");
}

#[test]
fn a_token_file_that_others_can_read_is_refused_with_the_command_that_helps() {
    let world = world().with_env("GHL_TOKEN_FILE", "my token");
    for mode in [0o640, 0o604, 0o666] {
        write(&world, "my token", TOKEN, mode);
        world.run_command(EXPORT).exits(8).says("chmod 600 'my token'");
    }
    assert_eq!(world.get_control("log")["requests"], 0);
    write(&world, "my token", TOKEN, 0o400);
    world.run_command(EXPORT).exits(0);
}

#[test]
fn a_token_file_of_a_profile_has_the_same_checks() {
    let world = world();
    write(&world, "token", TOKEN, 0o644);
    write(&world, "config/config.toml", "[profiles.p]\ntoken_file = \"../token\"\n", 0o644);
    world.run_command(&format!("{EXPORT} --profile p")).exits(8).says("chmod 600");
    write(&world, "token", TOKEN, 0o600);
    world.run_command(&format!("{EXPORT} --profile p")).exits(0);
}

#[test]
fn a_token_may_come_through_a_pipe() {
    let world = world().with_env("GHL_TOKEN_FILE", "/dev/stdin");
    fed(&world, EXPORT, &format!("{TOKEN}\n")).exits(0);
}

#[test]
fn a_token_may_come_by_process_substitution() {
    let world = world();
    let command = world.command(EXPORT);
    let mut shell = Command::new("bash");
    let script = format!("GHL_TOKEN_FILE=<(echo {TOKEN}) exec \"$@\"");
    // The substitution is an assignment's word, where bash needs it quoted by `env`.
    let script = script
        .replace("GHL_TOKEN_FILE=<(", "exec env GHL_TOKEN_FILE=<(")
        .replace(" exec \"$@\"", " \"$@\"");
    shell.args(["-c", &script, "bash"]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).env_clear().env("PATH", "/usr/bin:/bin");
    let set = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
    let output = shell.envs(set).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_default_profile_of_the_configuration_is_used_without_a_flag() {
    let world = world();
    write(&world, "config/config.toml", "default_profile = \"clinic\"\n[profiles.clinic]\n", 0o644);
    fed(&world, "login", TOKEN).exits(0).says("clinic");
    assert!(world.path("config/credentials/clinic.json").exists());
    world.run_command(EXPORT).exits(0);
}

#[test]
fn an_unknown_profile_is_an_error_whatever_the_environment_holds() {
    let world = world().with_env("GHL_TOKEN", TOKEN);
    world
        .run_command(&format!("{EXPORT} --profile clinc"))
        .exits(2)
        .says("there is no profile `clinc`");
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn the_token_command_gets_no_secrets_no_core_dumps_and_shows_no_token() {
    let world = world().with_env("GHL_CLIENT_SECRET", "app-secret");
    let world = world.with_env("GHL_BULK_PASSPHRASE", "pass-phrase");
    let script = "#!/bin/sh\n\
        echo \"core $(ulimit -c), ${GHL_CLIENT_SECRET-none} ${GHL_BULK_PASSPHRASE-none}\" >&2\n\
        echo 'denied: token=pit-0a1b2c3d-4e5f bearer eyJhbGciOi.eyJzdWIi.c2ln key 9f8e7d6c5b4a39281706' >&2\n\
        exit 3\n";
    write(&world, "print", script, 0o700);
    write(&world, "config/config.toml", "[profiles.p]\ntoken_command = [\"./print\"]\n", 0o644);
    let mut command = std::process::Command::new("sh");
    let line = world.command("whoami --profile p");
    // As on a machine that writes core dumps.
    command.args(["-c", "ulimit -S -c unlimited; exec \"$@\"", "sh"]).arg(line.get_program());
    command.args(line.get_args()).current_dir(line.get_current_dir().unwrap()).env_clear();
    command.envs(line.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(8), "{stderr}");
    assert!(stderr.contains("core 0, none none"), "{stderr}");
    assert!(stderr.contains("denied: token=… bearer … key …"), "{stderr}");
}
