//! Mistakes in `config.toml`: each is reported with its line, before anything else happens.

use std::os::unix::fs::PermissionsExt as _;

use crate::world::{CommandOutput, World};

/// A configuration is refused with these parts of a message; nothing is asked of anybody.
#[track_caller]
fn assert_refused(text: &str, parts: &[&str]) -> CommandOutput {
    let world = World::new();
    let url = world.url().to_owned();
    let world = world.with_config(text).with_env("GHL_API_URL", &url);
    let mut done = world.run_command("runs").exits(2);
    assert_eq!(done.stdout, "");
    for part in parts {
        done = done.says(part);
    }
    assert_eq!(world.get_control("log")["requests"], 0);
    done
}

#[test]
fn invalid_toml_is_reported_with_line_and_column() {
    assert_refused("default_profile = \n", &["config.toml line 1: invalid TOML at column 19: "]);
    assert_refused("[defaults]\nconcurrency = 16\nü = 'x\n", &["line 3: invalid TOML at column 1"]);
    assert_refused(
        "[profiles.a]\n[profiles.a]\n",
        &["line 2: invalid TOML at column 11: duplicate key"],
    );
    assert_refused("just text", &["line 1: ", "invalid TOML"]);
    assert_refused("\u{feff}[profiles.a]\nx = =\n", &["line 2: invalid TOML at column 5: "]);
}

#[test]
fn an_unknown_key_is_reported_with_the_closest() {
    let close = ["line 1: the file has no key `default-profil`", "did you mean `default_profile`?"];
    assert_refused("default-profil = 'a'", &close);
    assert_refused("[profile.a]\nlocation = 'x'\n", &["line 1", "did you mean `profiles`?"]);
    let close = ["config.toml line 3: a profile has no key `locaton`", "did you mean `location`?"];
    assert_refused("[profiles.a]\n\nlocaton = 'x'\n", &close);
    assert_refused(
        "[profiles.a]\nxyz = 1\n",
        &["line 2: a profile has no key `xyz`", "`token_file`"],
    );
    assert_refused(
        "xyz = 1\n",
        &[
            "line 1: the file has no key `xyz`",
            "`default_profile`, `default_repository`, `defaults`, `jobs`",
        ],
    );
}

#[test]
fn an_unknown_flag_is_reported_with_the_closest_of_its_command() {
    let close = ["line 2: no command has a flag `concurency`", "did you mean `concurrency`?"];
    assert_refused("[defaults]\nconcurency = 3\n", &close);
    let close = ["line 2: `ghl-bulk export` has no flag `fromat`", "did you mean `format`?"];
    assert_refused("[defaults.export]\nfromat = 'csv'\n", &close);
    let close = ["line 2: `ghl-bulk runs publish` has no flag `mode`"];
    assert_refused("[defaults.runs.publish]\nmode = 'create'\n", &close);
    let close = ["line 3: `ghl-bulk import` has no flag `on_duplicat`", "`on-duplicate`"];
    assert_refused("[profiles.a]\n[profiles.a.defaults.import]\non_duplicat = 'first'\n", &close);
    let close = ["line 1: there is no command `exprt`", "did you mean `export`?"];
    assert_refused("[defaults.exprt]\nformat = 'csv'\n", &close);
    assert_refused("[defaults]\nhelp = true\n", &["line 2: ", "`help`"]);
    assert_refused("[defaults]\ndefault = {}\n", &["line 2: there is no command `default`"]);
}

#[test]
fn a_wrong_type_is_reported_with_the_expected_one() {
    for (text, parts) in [
        ("default_profile = 3", "line 1: `default_profile` must be text, not a whole number"),
        ("defaults = 3", "line 1: `defaults` must be a table"),
        ("profiles = []", "line 1: `profiles` must be a table"),
        ("[profiles]\na = 1", "line 2: `profiles.a` must be a table"),
        ("[profiles.a]\nlocation = 1", "line 2: `location` must be text"),
        ("[profiles.a]\nprotected = 'yes'", "line 2: `protected` must be true or false"),
        ("[profiles.a]\ntoken_command = 1", "line 2: `token_command` must be text, or a list"),
        (
            "[profiles.a]\ntoken_command = ['x', 1]",
            "line 2: `token_command` must be text, or a list",
        ),
        ("[profiles.a]\ntoken_command = []", "line 2: `token_command` does not name a program"),
        ("[profiles.a]\ntoken_command = ' '", "line 2: `token_command` is blank"),
        ("[profiles.a]\nlocation = ''", "line 2: `location` is blank"),
        ("[defaults]\nwait = 'yes'", "line 2: `wait` must be true or false, not text"),
        ("[defaults]\nconcurrency = true", "line 2: `concurrency` must be text or a number"),
        ("[defaults]\nconcurrency = [1]", "line 2: `concurrency` must be text or a number"),
        ("[defaults]\nverbose = 'much'", "line 2: `verbose` must be a whole number"),
        (
            "[defaults.export]\nformat = ['csv', true]",
            "line 2: `format` must be text, a number or a list",
        ),
    ] {
        assert_refused(text, &[parts]);
    }
}

#[test]
fn a_value_that_the_flag_would_refuse_is_reported_with_its_line() {
    let done = assert_refused(
        "[defaults]\n\nconcurrency = 'lots'\n",
        &["line 3: `concurrency` cannot be `lots`: "],
    );
    assert!(!done.stderr.contains("--help"), "{}", done.stderr);
    assert_refused("[defaults]\nconcurrency = 0\n", &["line 2: `concurrency` cannot be `0`"]);
    assert_refused(
        "[defaults]\nverbose = 300\n",
        &["line 2: `verbose` must be a number from 0 to 255"],
    );
    assert_refused(
        "[defaults.export]\nformat = 'cvs'\n",
        &["line 2: `format` cannot be `cvs`", "it can be `parquet`, `csv`, `jsonl`"],
    );
    assert_refused(
        "[defaults.export]\nformat = ['csv', 'x']\n",
        &["line 2: ", "`parquet`, `csv`, `jsonl`"],
    );
    assert_refused(
        "[defaults.export]\nupdated_since = 'often'\n",
        &["line 2: `updated_since` cannot be `often`: not a time"],
    );
    assert_refused(
        "[defaults.import]\nmax-errors = '5%%'\n",
        &["line 2: `max-errors` cannot be `5%%`"],
    );
    assert_refused(
        "[profiles.a]\nlocation = '..'\n",
        &["line 2: `location`: `..` is not a valid location id: it is a path segment"],
    );
    assert_refused(
        "[profiles.a]\nlocation = 'a, b'\n",
        &["line 2: `location` must be the id of one location"],
    );
    assert_refused(
        "[profiles.a]\napi_url = 'nowhere'\n",
        &["line 2: `api_url`: it is not an address"],
    );
    assert_refused(
        "[profiles.a]\nstore = 'keyrin'\n",
        &["line 2: `store` cannot be `keyrin`", "`keyring`"],
    );
    assert_refused("[profiles.'a/b']\n", &["line 1: `a/b` cannot be a profile's name"]);
    let both = "[profiles.a]\ntoken_command = 'x'\ntoken_file = 'y'\n";
    assert_refused(both, &["line 3: `token_command` and `token_file` exclude each other"]);
}

#[test]
fn checks_that_a_person_makes_have_no_default() {
    for (flag, why) in [
        ("yes = true", "without confirmation"),
        ("confirm-location = 'Here'", "a check to make each time"),
        ("confirm_location = 'Here'", "a check to make each time"),
        ("allow-http = true", "exposes the token"),
        ("profile = 'a'", "default_profile"),
        ("location = 'a'", "[profiles.NAME]"),
        ("api_url = 'http://x'", "[profiles.NAME]"),
    ] {
        assert_refused(
            &format!("[defaults]\n{flag}\n"),
            &["line 2: ", "cannot have a default", why],
        );
        assert_refused(
            &format!("[defaults.import]\n{flag}\n"),
            &["line 2: ", "cannot have a default"],
        );
    }
}

#[test]
fn a_token_anywhere_in_the_file_is_refused_and_never_repeated() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
    for token in ["pit-0a1b2c3d-4e5f-6789", jwt] {
        for text in [
            format!("[profiles.a]\ntoken = '{token}'\n"),
            format!("[profiles.a]\nlocation = '{token}'\n"),
            format!("[profiles.a]\ntoken_command = 'echo {token}'\n"),
            format!("[profiles.a]\n# the old one: {token}\n"),
            format!("[profiles.a]\n{token} = 1\n"),
            format!("[profiles.a]\nno TOML {token}\n"),
        ] {
            let done = assert_refused(
                &text,
                &["config.toml line 2: this looks like a token", "`ghl-bulk login`"],
            );
            assert!(!done.stderr.contains(token), "{}", done.stderr);
        }
    }
    for key in ["token", "access_token", "client-secret", "password", "API_KEY"] {
        let text = format!("[profiles.a]\n{key} = 'hush hush'\n");
        let done = assert_refused(
            &text,
            &["line 2: ", "a secret must not be in this file", "`token_command`"],
        );
        assert!(!done.stderr.contains("hush"), "{}", done.stderr);
    }
    let text = "[profiles.a]\napi_url = 'https://ada:hush@example.com'\n";
    assert!(!assert_refused(text, &["line 2: ", "password"]).stderr.contains("hush"));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = "x = 1\n[defaults]\nconcurency = 1\nwait = 1\n[profiles.a]\nlocation = 2\n";
    assert_refused(text, &["config.toml line 1: ", "  line 3: ", "  line 4: ", "  line 6: "]);
}

#[test]
fn a_mistake_is_an_event_too() {
    let world = World::new().with_config("x = 1");
    let summary = world.run_command("export --json").exits(2).summary();
    assert!(
        summary["error"]
            .as_str()
            .unwrap()
            .ends_with("config.toml line 1: the file has no key `x` (E_CONFIG)")
    );
    assert_eq!(summary["exit_code"], 2);
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    let world = World::new().with_config("");
    let file = world.path("config/config.toml");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    world.run_command("runs").exits(2).says("config.toml: ").says("hint: ");
    let world = World::new().with_config("");
    std::fs::write(world.path("config/config.toml"), b"[defaults]\nquery = '\xff'\n").unwrap();
    world.run_command("runs").exits(2).says("config.toml line 2: this is not UTF-8 text");
    let file = world.path("config/config.toml").display().to_string();
    let world = world.with_env("GHL_BULK_CONFIG", &file);
    world.run_command("runs").exits(2).says("`GHL_BULK_CONFIG` names a directory");
}

#[test]
fn a_configuration_without_read_permission_is_refused() {
    let world = World::new().with_config("");
    let file = world.path("config/config.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    if std::fs::read(&file).is_err() {
        world.run_command("runs").exits(2).says("config.toml: ").says("make it readable");
    }
}

#[test]
fn text_of_the_configuration_does_not_act_on_the_terminal() {
    let done = assert_refused("\"\\u001b[31m\" = 1\n", &["line 1: "]);
    assert!(!done.stderr.contains('\u{1b}'), "{}", done.stderr);
}
