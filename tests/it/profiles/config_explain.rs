//! `config explain`: every setting and where it comes from, without secrets.

use ghl_bulk::sandbox::TOKEN;
use serde_json::Value;

use crate::world::World;

const CONFIG: &str = "default_profile = 'main'

[defaults]
concurrency = 16
wait = true
[defaults.undo]
tag = 'taken back'

[profiles.main]
location = 'location-of-main'
token_command = ['/usr/bin/vault', 'read', '--key=hush-hush']
store = 'file'
protected = true
[profiles.main.defaults]
daily-reserve = '20%'
[profiles.main.defaults.undo]
created = 'keep'
";

/// A world with this configuration, and paths that are the same everywhere.
fn world() -> World {
    World::new()
        .with_config(CONFIG)
        .without_env("GHL_TOKEN")
        .with_env("GHL_BULK_HOME", "home")
        .with_env("GHL_BULK_CONFIG", "config")
}

fn redacted(world: &World, text: &str) -> String {
    // macOS reaches its temporary directory through a link.
    let dir = world.path("").canonicalize().unwrap().display().to_string();
    let text = text.replace(dir.trim_end_matches('/'), "/world");
    // The columns are as wide as the paths were.
    text.lines()
        .map(|line| line.split("  ").filter(|part| !part.is_empty()).map(str::trim))
        .map(|parts| parts.collect::<Vec<_>>().join(" | "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn explain_shows_each_setting_and_where_it_comes_from() {
    let world = world();
    let done = world
        .run_command("config explain undo --api-url https://api.example.com --timeout 5")
        .exits(0);
    assert_eq!(done.stderr, "");
    insta::with_settings!({snapshot_path => "../snapshots"}, {
        insta::assert_snapshot!(redacted(&world, &done.stdout));
    });
}

#[test]
fn explain_is_printed_in_columns() {
    let done = world().run_command("config explain").exits(0);
    let lines: Vec<&str> = done.stdout.lines().filter(|line| !line.is_empty()).collect();
    let place = lines[0].find("FROM").unwrap();
    for line in lines {
        let (before, from) = line.split_at(place);
        assert!(before.ends_with("  ") && !from.starts_with(' '), "{line}");
    }
}

#[test]
fn explain_is_json_for_programs() {
    let world = world().with_env("GHL_LOCATION_ID", "surrounding");
    let done = world.run_command("config explain runs publish --json").exits(0);
    assert_eq!((done.stderr.as_str(), done.stdout.lines().count()), ("", 1));
    let told: Value = serde_json::from_str(&done.stdout).unwrap();
    let lines = ["settings", "flags"].map(|key| told[key].as_array().unwrap().clone()).concat();
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    insta::with_settings!({snapshot_path => "../snapshots"}, {
        insta::assert_snapshot!(redacted(&world, &lines.join("\n")));
    });
    assert_eq!(told["command"], "runs publish");
}

#[test]
fn explain_shows_where_a_token_would_come_from_and_never_the_token() {
    let world = World::new()
        .with_config(
            "[profiles.f]\ntoken_file = 'kept'\n[profiles.c]\n\
        token_command = 'touch asked'\n",
        )
        .without_env("GHL_TOKEN");
    let own = |world: &World, options: &str| world.effective_value(options, "token");
    assert_eq!(own(&world, "--profile c").0, "token command: what touch prints");
    assert_eq!(own(&world, "--profile c").1, "line 4");
    assert!(!world.path("asked").exists());
    assert!(own(&world, "--profile f").0.ends_with("/config/kept"));
    let world = world.with_config("[profiles.c]\ntoken_command = 'KEY=hush \"/bin/my vault\" x'\n");
    assert_eq!(own(&world, "--profile c").0, "token command: what a program prints");
    let world = world.with_config("[profiles.c]\ntoken_command = 'KEY=hush /bin/vault x'\n");
    assert_eq!(own(&world, "--profile c").0, "token command: what vault prints");
    let world = world.with_env("GHL_TOKEN_FILE", "/run/secrets/ghl");
    let expected = ("in the file /run/secrets/ghl".to_owned(), "GHL_TOKEN_FILE".to_owned());
    assert_eq!(own(&world, "--profile c"), expected);
    let world = world.with_env("GHL_TOKEN", TOKEN);
    assert_eq!(own(&world, "--profile c"), ("GHL_TOKEN".to_owned(), "GHL_TOKEN".to_owned()));
    assert_eq!(own(&world, "--profile c --sandbox").0, "the sandbox's");
}

#[test]
fn explain_never_shows_a_secret() {
    let world = world()
        .with_env("GHL_TOKEN", TOKEN)
        .with_env("GHL_API_URL", "https://ada:hush-hush@api.example.com")
        .with_env("GHL_LOCATION_ID", "pit-0123456789-pasted");
    for line in
        ["", "--json", "export --json", "-vv", "import --profile main --ca-file pit-0123456789"]
    {
        let done = world.run_command(&format!("config explain {line}")).exits(0);
        let all = done.stdout + &done.stderr;
        for secret in [TOKEN, "hush-hush", "pit-0123456789"] {
            assert!(!all.contains(secret), "{line}: {all}");
        }
    }
}

#[test]
fn explain_knows_every_command() {
    let world = World::new();
    world.run_command("config explain exprt").exits(2).says("did you mean `export`?");
    world.run_command("config explain runs pubish").exits(2).says("did you mean `publish`?");
    world.run_command("config explain 'runs publish'").exits(0);
    world.run_command("config explain config explain").exits(0);
}

#[test]
fn explain_escapes_what_acts_on_a_terminal() {
    let world = World::new().with_env("GHL_LOCATION_ID", "a\u{202e}b");
    let done = world.run_command("config explain").exits(0);
    assert!(done.stdout.contains("a\\u{202e}b"), "{}", done.stdout);
    assert!(!world.run_command("config explain --json").stdout.contains('\u{202e}'));
}
