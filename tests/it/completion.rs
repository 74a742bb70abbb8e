//! Completion in the shell: a real bash loads the script and asks how a command line goes on.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::World;

/// Loads the script and completes the last of the words that follow; prints the proposals, one per line.
const COMPLETE: &str = r#"
source <("$1" completions bash) || exit 9
COMP_WORDS=(ghl-bulk "${@:2}")
COMP_CWORD=$(($# - 1))
_clap_complete_ghl_bulk ghl-bulk "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What bash proposes for the last word.
fn proposals(world: &World, words: &[&str]) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_ghl-bulk");
    let like = world.command("");
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", COMPLETE, "bash", program]).args(words).env_clear();
    bash.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    bash.env("PATH", std::env::var_os("PATH").unwrap());
    bash.current_dir(like.get_current_dir().unwrap_or(Path::new("."))).stdin(Stdio::null());
    let output = bash.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn assert_proposes(world: &World, words: &[&str], expected: &[&str]) {
    let proposed = proposals(world, words);
    for name in expected {
        assert!(proposed.iter().any(|it| it == name), "{words:?}: no `{name}` in {proposed:?}");
    }
}

#[test]
fn commands_flags_and_their_values_are_completed() {
    let world = World::new();
    assert_proposes(&world, &["exp"], &["export"]);
    assert_proposes(&world, &["export", "--upd"], &["--updated-since"]);
    assert_proposes(&world, &["export", "--format", ""], &["csv", "jsonl", "parquet"]);
    assert_proposes(&world, &["import", "--mode", "up"], &["update", "upsert"]);
}

#[test]
fn runs_are_completed_by_every_command_that_takes_one() {
    let world = World::new();
    world.run_command("export --with none --out out").exits(0);
    let run = world.only_run_id();
    for words in [
        &["resume", ""][..],
        &["apply", ""],
        &["undo", ""],
        &["runs", "show", ""],
        &["runs", "publish", ""],
        &["runs", "results", ""],
        &["runs", "rm", ""],
        &["runs", "show", &run[..4]],
    ] {
        assert_proposes(&world, words, &[&run]);
    }
    let others = proposals(&world, &["runs", "show", "no-such-run"]);
    assert!(!others.contains(&run), "{others:?}");
}

#[test]
fn profiles_are_completed_from_the_configuration_and_the_logins() {
    let world = World::new();
    let config = world.path("config");
    std::fs::create_dir_all(config.join("credentials")).unwrap();
    std::fs::write(config.join("config.toml"), "[profiles.clinic]\n[profiles.main]\n").unwrap();
    let world = world.with_env("GHL_BULK_CONFIG", &config.display().to_string());
    world.write_private_file("config/credentials/agency.json", b"{}");
    assert_proposes(&world, &["export", "--profile", ""], &["agency", "clinic", "main"]);
    assert_eq!(proposals(&world, &["export", "--profile", "cl"]), ["clinic"]);
}

#[test]
fn presets_and_templates_are_completed_with_the_users_own() {
    let world = World::new();
    let presets = world.path("config/presets");
    std::fs::create_dir_all(&presets).unwrap();
    let own = "title = \"Ours\"\nentity = \"contacts\"\nformat = 1\n\n\
               [[column]]\nfrom = \"E\"\nto = \"email\"\n";
    std::fs::write(presets.join("ours.toml"), own).unwrap();
    let config = world.path("config").display().to_string();
    let world = world.with_env("GHL_BULK_CONFIG", &config);
    assert_proposes(&world, &["import", "--preset", ""], &["ours", "hubspot"]);
    assert_proposes(&world, &["map", "--show-preset", "our"], &["ours"]);
    assert_proposes(&world, &["export", "--template", ""], &["dialpad", "dext"]);
    let templates = proposals(&world, &["export", "--template", ""]);
    assert!(!templates.contains(&"ours".to_owned()), "it has no template: {templates:?}");
}

#[test]
fn a_broken_configuration_only_leads_to_fewer_proposals() {
    let world = World::new();
    std::fs::create_dir_all(world.path("config")).unwrap();
    std::fs::write(world.path("config/config.toml"), "this is no TOML").unwrap();
    let config = world.path("config").display().to_string();
    let world = world.with_env("GHL_BULK_CONFIG", &config);
    assert_proposes(&world, &["export", "--prof"], &["--profile"]);
    assert!(!proposals(&world, &["export", "--profile", ""]).contains(&"this".to_owned()));
}

#[test]
fn a_shell_that_is_not_known_is_an_error() {
    let world = World::new().with_env("GHL_BULK_COMPLETE", "tcsh");
    world.run_command("").exits(2).says("unknown shell `tcsh`");
}
