//! Profiles and defaults of flags: what `config.toml` sets, and what takes precedence over it.

mod config_errors;
mod config_explain;
mod protected_profiles;

use ghl_bulk::sandbox::{LOCATION, TOKEN};
use serde_json::{Value, json};

use crate::world::World;

impl World {
    /// The same world with a `config.toml`, and no location and address in the environment, which would
    /// go before it.
    pub(crate) fn with_config(self, text: &str) -> Self {
        std::fs::create_dir_all(self.path("config")).unwrap();
        std::fs::write(self.path("config/config.toml"), text).unwrap();
        let dir = self.path("config").display().to_string();
        self.with_env("GHL_BULK_CONFIG", &dir)
            .without_env("GHL_API_URL")
            .without_env("GHL_LOCATION_ID")
    }

    /// What `config explain` shows of a setting or flag.
    #[track_caller]
    fn explain_setting(&self, line: &str, name: &str) -> Value {
        let done = self.run_command(&format!("config explain {line} --json")).exits(0);
        let told: Value = serde_json::from_str(&done.stdout).unwrap();
        let all = ["settings", "flags"].map(|key| told[key].as_array().unwrap().clone()).concat();
        all.into_iter().find(|entry| entry["name"] == name).unwrap()
    }

    /// The value of a setting or flag, and where it comes from: its source and its line.
    #[track_caller]
    fn effective_value(&self, line: &str, name: &str) -> (String, String) {
        let entry = self.explain_setting(line, name);
        let from = match (&entry["line"], &entry["variable"]) {
            (Value::Null, Value::Null) => entry["source"].as_str().unwrap().to_owned(),
            (Value::Null, variable) => variable.as_str().unwrap().to_owned(),
            (line, _) => format!("line {line}"),
        };
        (entry["value"].as_str().unwrap_or("-").to_owned(), from)
    }
}

/// A profile for this world's sandbox.
fn main_profile(world: &World) -> String {
    std::fs::write(world.path("token"), TOKEN).unwrap();
    set_mode(&world.path("token"));
    let (url, token) = (world.url(), world.path("token").display().to_string());
    format!("[profiles.main]\nlocation = '{LOCATION}'\napi_url = '{url}'\ntoken_file = '{token}'\n")
}

/// Only the owner may read a token.
fn set_mode(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[track_caller]
fn check(actual: &(String, String), value: &str, from: &str) {
    assert_eq!((actual.0.as_str(), actual.1.as_str()), (value, from));
}

#[test]
fn a_profile_is_all_that_an_export_needs() {
    let world = World::new();
    let profile = main_profile(&world);
    let world = world.with_config(&profile).without_env("GHL_TOKEN");
    world.run_command("export --profile main --with none --out out").exits(0);
    world.run_command("export --with none --out out").exits(8).says("no token was given");
    let by_default = format!("default_profile = 'main'\n{profile}");
    let world = world.with_config(&by_default);
    world.run_command("export --with none --out out").exits(0);
    let world = world.with_config(&profile).with_env("GHL_BULK_PROFILE", "main");
    world.run_command("export --with none --out out").exits(0);
}

#[test]
fn the_flag_chooses_before_the_environment_and_that_before_the_default() {
    let text = "default_profile = 'a'\n[profiles.a]\n[profiles.b]\n[profiles.c]\n";
    let world = World::new().with_config(text);
    check(&world.effective_value("", "profile"), "a", "line 1");
    let world = world.with_env("GHL_BULK_PROFILE", "b");
    check(&world.effective_value("", "profile"), "b", "GHL_BULK_PROFILE");
    check(&world.effective_value("--profile c", "profile"), "c", "flag");
    let world = world.with_env("GHL_BULK_PROFILE", "");
    check(&world.effective_value("", "profile"), "a", "line 1");
}

#[test]
fn a_location_is_of_the_flag_or_else_the_environment_or_else_the_profile() {
    let world = World::new().with_config("[profiles.p]\nlocation = 'profiled'\n");
    check(&world.effective_value("", "location"), "-", "unset");
    check(&world.effective_value("--profile p", "location"), "profiled", "line 2");
    let world = world.with_env("GHL_LOCATION_ID", "surrounding");
    check(&world.effective_value("--profile p", "location"), "surrounding", "GHL_LOCATION_ID");
    check(&world.effective_value("--profile p --location flagged", "location"), "flagged", "flag");
}

#[test]
fn an_address_is_of_the_flag_or_else_the_environment_or_else_the_profile() {
    let world = World::new().with_config("[profiles.p]\napi_url = 'http://127.0.0.1:1'\n");
    let built_in = "https://services.leadconnectorhq.com";
    check(&world.effective_value("", "api-url"), built_in, "default");
    check(&world.effective_value("--profile p", "api-url"), "http://127.0.0.1:1", "line 2");
    let world = world.with_env("GHL_API_URL", "http://127.0.0.1:2");
    check(&world.effective_value("--profile p", "api-url"), "http://127.0.0.1:2", "GHL_API_URL");
    let flagged = "--profile p --api-url http://127.0.0.1:3";
    check(&world.effective_value(flagged, "api-url"), "http://127.0.0.1:3", "flag");
}

#[test]
fn a_default_of_the_profile_goes_before_a_general_one_and_a_command_s_before_all_commands() {
    let levels = [
        "[defaults]\nconcurrency = 1\n",
        "[defaults.export]\nconcurrency = 2\n",
        "[profiles.p.defaults]\nconcurrency = 3\n",
        "[profiles.p.defaults.export]\nconcurrency = 4\n",
    ];
    let asked = "--profile p export";
    // Every pair, and each alone; whatever comes last in the list above wins, wherever it is.
    for (weak, weaker) in levels.iter().enumerate() {
        let world = World::new().with_config(&format!("[profiles.p]\n{weaker}"));
        let value = (weak + 1).to_string();
        check(&world.effective_value(asked, "--concurrency"), &value, "line 3");
        check(
            &world.effective_value(&format!("{asked} --concurrency 9"), "--concurrency"),
            "9",
            "flag",
        );
        for (strong, stronger) in levels.iter().enumerate().skip(weak + 1) {
            let value = (strong + 1).to_string();
            let text = format!("[profiles.p]\n{weaker}{stronger}");
            check(
                &World::new().with_config(&text).effective_value(asked, "--concurrency"),
                &value,
                "line 5",
            );
            let text = format!("[profiles.p]\n{stronger}{weaker}");
            check(
                &World::new().with_config(&text).effective_value(asked, "--concurrency"),
                &value,
                "line 3",
            );
        }
    }
    check(
        &World::new().with_config("").effective_value("export", "--concurrency"),
        "32",
        "default",
    );
}

#[test]
fn defaults_of_other_profiles_and_commands_do_not_hold() {
    let text = "[profiles.p]\n[profiles.q.defaults]\nconcurrency = 5\n[defaults.import]\n\
        concurrency = 6\n[defaults.runs.publish]\nconcurrency = 7\n";
    let world = World::new().with_config(text);
    check(&world.effective_value("--profile p export", "--concurrency"), "32", "default");
    check(&world.effective_value("", "--concurrency"), "32", "default");
    check(&world.effective_value("import", "--concurrency"), "6", "line 5");
    check(&world.effective_value("runs list", "--concurrency"), "32", "default");
    check(&world.effective_value("runs publish", "--concurrency"), "7", "line 7");
    check(&world.effective_value("--profile q import", "--concurrency"), "5", "line 3");
}

#[test]
fn defaults_are_what_the_flags_would_be() {
    let world = World::new();
    let profile = main_profile(&world);
    let text = format!(
        "default_profile = 'main'\n[defaults.export]\nformat = ['csv', 'jsonl']\nwith = 'none'\n\
         updated-since = 2999-01-01\ncsv_safe = 'off'\nout = 'elsewhere'\n[defaults]\nquiet = true\n\
         [defaults.runs.publish]\nformat = 'parquet'\n{profile}"
    );
    let world = world.with_config(&text);
    let done = world.run_command("export").exits(0);
    assert!(!done.stderr.contains("exported"), "{}", done.stderr);
    let names = world.list_files("elsewhere");
    assert!(names.contains(&"contacts.csv".to_owned()), "{names:?}");
    assert!(names.contains(&"contacts.jsonl".to_owned()), "{names:?}");
    assert!(!names.contains(&"tasks.csv".to_owned()), "{names:?}");
    assert_eq!(world.read_rows("elsewhere/contacts.jsonl"), Vec::<Value>::new());
    world.run_command("export --format jsonl --updated-since 2001-01-01 --out all -q").exits(0);
    assert!(!world.list_files("all").contains(&"contacts.csv".to_owned()));
    assert_eq!(world.read_rows("all/contacts.jsonl").len(), 60);
    let run = world.run_command("runs list --json").exits(0).stdout;
    let runs: Value = serde_json::from_str(&run).unwrap();
    let run = runs[0]["run"].as_str().unwrap();
    world.run_command(&format!("runs publish {run} --out again")).exits(0);
    assert!(world.list_files("again").contains(&"contacts.parquet".to_owned()));
}

#[test]
fn a_default_that_is_true_can_be_taken_back() {
    let world = World::new().with_config("[defaults]\nwait = true\nverbose = 2\n");
    check(&world.effective_value("", "--wait"), "true", "line 2");
    check(&world.effective_value("--wait=false", "--wait"), "false", "flag");
    check(&world.effective_value("--wait", "--wait"), "true", "flag");
    check(&world.effective_value("-qv", "--quiet"), "true", "flag");
    check(&world.effective_value("-qv", "--verbose"), "1", "flag");
    check(&world.effective_value("", "--verbose"), "2", "line 3");
    World::new().run_command("runs --wait=false").exits(0);
    World::new().run_command("runs --wait=perhaps").exits(2).says("--wait");
}

#[test]
fn a_default_gives_way_to_a_flag_that_excludes_it() {
    let world = World::new();
    std::fs::write(world.path("list.csv"), "unserved\n").unwrap();
    let profile = main_profile(&world);
    let text = format!(
        "default_profile = 'main'\n[defaults.export]\nlocations = 'list.csv'\nwith = 'none'\n\
         [defaults.import]\nsplit_notes = true\n{profile}"
    );
    let world = world.with_config(&text);
    world.run_command("export --out out").exits(8);
    world.run_command(&format!("export --out out --location {LOCATION}")).exits(0);
    check(&world.effective_value("import", "--split-notes"), "true", "line 6");
    let truncated =
        World::new().with_config("[defaults.import]\ntruncate_notes = 9\nsplit_notes = true\n");
    // One of two that exclude each other holds, and not both.
    check(&truncated.effective_value("import", "--truncate-notes"), "9", "line 2");
    check(&truncated.effective_value("import", "--split-notes"), "false", "default");
}

#[test]
fn a_default_preset_gives_way_to_a_mapping_that_is_given() {
    let world = crate::import_world::empty_world();
    world.write_sheet("in.csv", "Mail\nada@example.com\n");
    world.write_sheet("map.toml", "format = 1\n[[column]]\nfrom = 'Mail'\nto = 'email'\n");
    let text = format!("[defaults.import]\npreset = 'brevo'\n{}", main_profile(&world));
    let world = world.with_config(&text);
    world.run_command("import in.csv --profile main --yes --out res").exits(4);
    world.run_command("import in.csv --profile main --map map.toml --yes --out res").exits(0);
    let both = "import in.csv --profile main --map map.toml --preset brevo --yes";
    world.run_command(both).exits(2).says("exclude each other");
}

#[test]
fn no_configuration_changes_nothing() {
    let world = World::new().with_env("GHL_BULK_CONFIG", "/nowhere/at/all");
    world.run_command("export --with none --out out").exits(0);
    check(&world.effective_value("", "profile"), "-", "unset");
    assert!(world.effective_value("", "config file").0.ends_with("(there is none)"));
    let done = world.run_command("config path").exits(0);
    assert_eq!(done.stdout, "/nowhere/at/all/config.toml\n");
    let world = world.without_env("GHL_BULK_CONFIG");
    world.run_command("config explain").exits(0);
    world.run_command("config path").exits(2).says("`GHL_BULK_CONFIG`");
    let world = world.with_env("HOME", "/home/nobody");
    assert_eq!(
        world.run_command("config path").stdout,
        "/home/nobody/.config/ghl-bulk/config.toml\n"
    );
    let world = world.with_env("XDG_CONFIG_HOME", "/etc/xdg");
    assert_eq!(world.run_command("config path").stdout, "/etc/xdg/ghl-bulk/config.toml\n");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let text = "\u{feff}default_profile = \"p\"\r\n\r\n[profiles.p]\r\nlocation = \"here\"\r\n";
    let world = World::new().with_config(text);
    check(&world.effective_value("", "location"), "here", "line 4");
    let world = world.with_config(&format!("{text}stroe = \"file\"\r\n"));
    world.run_command("runs").exits(2).says("line 5: a profile has no key `stroe`");
}

#[test]
fn a_token_file_of_a_profile_is_relative_to_the_configuration() {
    let world = World::new();
    let profile = main_profile(&world);
    let world = world.with_config("");
    let path = world.path("config/secret");
    std::fs::copy(world.path("token"), &path).unwrap();
    set_mode(&path);
    let token = world.path("token").display().to_string();
    let world = world.with_config(&profile.replace(&token, "secret")).without_env("GHL_TOKEN");
    world.run_command("export --profile main --with none --out out").exits(0);
    let home = world.path("config").display().to_string();
    let world = world.with_env("HOME", &home).with_config(&profile.replace(&token, "~/secret"));
    world.run_command("export --profile main --with none --out out").exits(0);
}

#[test]
fn completions_and_the_path_work_with_a_broken_configuration() {
    let world = World::new().with_config("this is no TOML");
    world.run_command("config path").exits(0);
    world.run_command("completions bash").exits(0);
    world.run_command("man pages").exits(0);
    world.run_command("--help").exits(0);
    world.run_command("export --help").exits(0);
    world.run_command("--version").exits(0);
}

#[test]
fn an_unknown_profile_is_reported_with_the_known_ones() {
    let world = World::new().with_config("[profiles.main]\n[profiles.clinic]\n");
    let done = world.run_command("export --profile clinc").exits(2);
    done.says("there is no profile `clinc`").says("did you mean `clinic`?").says("`main`");
    let done = world.run_command("export --profile nowhere --json").exits(2);
    let summary = done.summary();
    assert_eq!(summary["error"], json!("there is no profile `nowhere`"));
    let world = world.with_config("default_profile = 'mian'\n[profiles.main]\n");
    world.run_command("export").exits(2).says("config.toml line 1: there is no profile `mian`");
    let world = World::new().with_env("GHL_BULK_PROFILE", "../../etc");
    world.run_command("export").exits(2).says("cannot be a profile's name");
}
