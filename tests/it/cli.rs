//! The command line itself: help, version, completions, manual pages, schemas, and which output goes to stdout
//! or stderr.

use std::collections::BTreeSet;

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::world::{CommandOutput, World};

/// A world in which help is as wide as everywhere and knows no settings.
pub(super) fn bare() -> World {
    ["GHL_API_URL", "GHL_TOKEN", "GHL_LOCATION_ID"]
        .into_iter()
        .fold(World::new(), World::without_env)
        .with_env("COLUMNS", "100")
}

/// The help of every command, of `ghl-bulk` itself first.
const COMMANDS: [&str; 53] = [
    "",
    "export",
    "import",
    "map",
    "apply",
    "undo",
    "show",
    "history",
    "sync",
    "mirror",
    "mirror status",
    "mirror forget",
    "mirror rm",
    "watch",
    "job",
    "job list",
    "job run",
    "job install",
    "backup",
    "backup init",
    "backup list",
    "backup show",
    "backup diff",
    "backup status",
    "backup verify",
    "backup forget",
    "backup remember",
    "backup hold",
    "backup release",
    "backup prune",
    "backup copy",
    "backup erase",
    "restore",
    "resume",
    "login",
    "logout",
    "whoami",
    "doctor",
    "runs",
    "runs list",
    "runs show",
    "runs publish",
    "runs results",
    "runs resolve",
    "runs rm",
    "runs prune",
    "schema",
    "sandbox",
    "config",
    "config explain",
    "config path",
    "completions",
    "man",
];

#[test]
fn every_command_has_help() {
    let world = bare();
    let root = world.run_command("--help").exits(0).stdout;
    let everywhere = root.find("Global options:").unwrap()..root.find("\n\nExamples:").unwrap();
    for command in COMMANDS {
        let done = world.run_command(&format!("{command} --help")).exits(0);
        assert_eq!(done.stderr, "", "{command}");
        assert!(done.stdout.contains(&root[everywhere.clone()]), "{command}");
        let own = done.stdout.replace(&root[everywhere.clone()], "Global options: …");
        let shown = if command.is_empty() { done.stdout } else { own };
        let name = format!("help {command}").trim_end().replace(' ', "_");
        insta::assert_snapshot!(name, shown);
    }
}

#[test]
fn help_names_every_command() {
    let help = bare().run_command("--help").exits(0).stdout;
    let commands = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let named: BTreeSet<&str> =
        commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let known: BTreeSet<&str> = COMMANDS
        .iter()
        .filter_map(|command| command.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(named.into_iter().filter(|name| *name != "help").collect::<BTreeSet<_>>(), known);
}

#[test]
fn help_never_shows_a_token() {
    let world = World::new().with_env("GHL_TOKEN", "pit-secret-in-help");
    for command in COMMANDS {
        let done = world.run_command(&format!("{command} --help")).exits(0);
        assert!(!done.stdout.contains("pit-secret"), "{command}");
    }
}

#[test]
fn the_version_is_the_crates() {
    let done = bare().run_command("--version").exits(0);
    assert_eq!(done.stdout, format!("ghl-bulk {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_are_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = bare().run_command(&format!("completions {shell}")).exits(0);
        assert!(done.stdout.contains("GHL_BULK_COMPLETE"), "{shell}");
        assert_eq!(done.stderr, "", "{shell}");
    }
}

#[test]
fn bash_takes_its_completions() {
    let world = bare();
    let script = world.run_command("completions bash").exits(0).stdout;
    std::fs::write(world.path("script"), script).unwrap();
    let bash = std::process::Command::new("bash").arg("-n").arg(world.path("script")).status();
    assert!(bash.unwrap().success());
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let world = bare();
    world.run_command("man pages/man1").exits(0);
    let pages = world.list_files("pages/man1");
    for command in COMMANDS {
        let page = format!("ghl-bulk {command}").trim_end().replace(' ', "-") + ".1";
        assert!(pages.contains(&page), "no {page} in {pages:?}");
        let text = std::fs::read_to_string(world.path("pages/man1").join(page)).unwrap();
        assert!(text.contains(".TH"), "{command}");
    }
}

#[test]
fn the_schema_of_the_tables_names_the_columns_that_an_export_has() {
    let world = World::new();
    let schema: Value =
        serde_json::from_str(&bare().run_command("schema tables --json").exits(0).stdout).unwrap();
    world.run_command("export --format jsonl --with tasks,notes,appointments --out out").exits(0);
    let mut seen = 0;
    for table in schema.as_array().unwrap() {
        let file = format!("out/{}.jsonl", table["name"].as_str().unwrap());
        if !world.path(&file).exists() {
            continue;
        }
        let row = world.read_rows(&file).remove(0);
        let there: BTreeSet<_> = row.as_object().unwrap().keys().cloned().collect();
        let there = there.iter().map(String::as_str).filter(|name| !name.starts_with("custom_"));
        let told = table["columns"].as_array().unwrap().iter();
        let told: BTreeSet<_> = told.map(|column| column["name"].as_str().unwrap()).collect();
        assert_eq!(there.collect::<BTreeSet<_>>(), told, "{file}");
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn the_schema_of_the_tables_is_text_for_people() {
    insta::assert_snapshot!(bare().run_command("schema tables").exits(0).stdout);
}

/// Whether a value has what a schema asks for, as far as our schema goes.
fn fits(schema: &Value, value: &Value) -> bool {
    let kind = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema has a type `{other}`"),
    };
    let kinds = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(kind),
        one => kind(one),
    };
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    let choice = schema["enum"].as_array().is_none_or(|choice| choice.contains(value));
    let required = schema["required"].as_array().into_iter().flatten();
    let required = required.map(|key| key.as_str().unwrap()).all(|key| value.get(key).is_some());
    let members = schema["properties"].as_object().into_iter().flatten();
    let members =
        members.into_iter().all(|(key, part)| value.get(key).is_none_or(|value| fits(part, value)));
    let each = &schema["additionalProperties"];
    let each = value
        .as_object()
        .is_none_or(|map| each.is_null() || map.values().all(|value| fits(each, value)));
    let items =
        value.as_array().is_none_or(|list| list.iter().all(|item| fits(&schema["items"], item)));
    kinds && constant && choice && required && members && each && items
}

/// Checks that stdout is events and nothing else, the summary last, all as the schema says.
#[track_caller]
fn check_events(done: &CommandOutput) {
    let schema: Value =
        serde_json::from_str(&bare().run_command("schema events").exits(0).stdout).unwrap();
    let events = done.events();
    for event in &events {
        let name = event["event"].as_str().unwrap();
        let schema = &schema["$defs"][name];
        assert!(schema.is_object(), "`{name}` is not in the schema");
        assert!(fits(schema, event), "{event} is not as {schema}");
        let known = schema["properties"].as_object().unwrap();
        let unknown = event.as_object().unwrap().keys().find(|key| !known.contains_key(*key));
        assert_eq!(unknown, None, "{event}");
    }
    let summaries = events.iter().filter(|event| event["event"] == "summary").count();
    assert_eq!(summaries, 1);
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["exit_code"]), (&json!("summary"), &json!(done.code)));
    assert_eq!(done.stderr, "");
}

#[test]
fn events_are_as_the_schema_says_and_the_summary_is_the_last() {
    let world = World::new();
    let done = world.run_command("export --json --out out").exits(0);
    check_events(&done);
    let events = done.events();
    assert_eq!(events[0]["event"], "started");
    let written = events.iter().filter(|event| event["event"] == "written").count();
    assert_eq!(written, 6);
    let summary = done.summary();
    assert_eq!(summary["rows"]["contacts"], 60);
    assert_eq!(summary["out"], world.path("out").canonicalize().unwrap().display().to_string());
    assert_eq!(summary["run"], world.only_run_id());
}

#[test]
fn a_failure_is_an_event_too() {
    let world = World::new().with_env("GHL_TOKEN", "pit-wrong");
    check_events(&world.run_command("export --json --out out").exits(8));
    let done = bare().run_command("export --json").exits(8);
    check_events(&done);
    assert_eq!(done.summary()["error"], "no token was given");
}

#[test]
fn several_locations_are_reported_in_events() {
    let world = World::with_settings(|settings| settings.locations.push("second".to_owned()));
    check_events(&world.run_command("export --json --out out --location second,unserved").exits(3));
}

#[test]
fn an_estimate_is_reported_in_events() {
    check_events(&World::new().run_command("export --json --estimate").exits(0));
}

#[test]
fn publishing_again_is_reported_in_events() {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    let run = world.only_run_id();
    check_events(&world.run_command(&format!("runs publish {run} --format csv --json")).exits(0));
}

#[test]
fn progress_goes_to_stderr_and_nothing_to_stdout() {
    let world = World::new();
    for how in ["--progress plain", "--progress auto", ""] {
        let done = world.run_command(&format!("export --out out {how}")).exits(0);
        assert_eq!(done.stdout, "", "{how}");
        assert!(!done.stderr.is_empty(), "{how}");
        assert!(!done.stderr.contains('\u{1b}'), "{how}: {}", done.stderr);
    }
}

#[test]
fn quiet_says_nothing_of_what_went_well() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    world.control_request("POST", "contacts", &json!([{"id": "c1", "firstName": "Ada"}]));
    // A field of text boxes has options that are no texts, which is worth a warning.
    world.control_request("PUT", "customFields", &json!([]));
    let done = world.run_command("export --quiet --out out").exits(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
}

#[test]
fn quiet_says_what_went_wrong() {
    let world = World::new().with_env("GHL_TOKEN", "pit-wrong");
    world.run_command("export --quiet --out out").exits(8).says("error: ");
}

#[test]
fn the_log_has_one_line_for_each_attempt_and_never_the_token() {
    let world = World::with_faults(&["POST /contacts/search status=503 times=1"]);
    let done = world.run_command("export -v --with none --out out").exits(0);
    assert!(!done.stderr.contains(ghl_bulk::sandbox::TOKEN));
    let log: Vec<&str> = done.stderr.lines().filter(|line| line.contains(" DEBUG ")).collect();
    assert_eq!(log.len() as u64, world.get_control("log")["requests"], "{}", done.stderr);
    let searches: Vec<&&str> =
        log.iter().filter(|line| line.contains("POST /contacts/search ")).collect();
    assert!(searches[0].contains("POST /contacts/search 503 "), "{}", searches[0]);
    assert!(searches[0].contains(" ms, attempt 1, "), "{}", searches[0]);
    assert!(searches[1].contains("POST /contacts/search 200 "), "{}", searches[1]);
    assert!(searches[1].contains(" ms, attempt 2, "), "{}", searches[1]);
    let trace = searches[1].split("trace ").nth(1).and_then(|rest| rest.split(',').next());
    assert!(trace.is_some_and(|trace| trace.len() > 8), "{}", searches[1]);
}

#[test]
fn the_log_has_the_status_of_an_answer_that_is_cut_off() {
    let world = World::with_faults(&["POST /contacts/search truncate times=1"]);
    let done = world.run_command("export -v --with none --out out").exits(0);
    let cut = done.stderr.lines().find(|line| line.contains("POST /contacts/search ")).unwrap();
    assert!(cut.contains("POST /contacts/search 200 ") && cut.contains(" attempt 1, "), "{cut}");
    assert!(cut.ends_with('"') && !cut.contains("no answer"), "{cut}");
}

#[test]
fn the_log_is_kept_in_a_private_file_that_grows() {
    let world = World::new();
    let done = world.run_command("whoami --log requests.log").exits(0);
    assert!(!done.stderr.contains(" DEBUG "), "{}", done.stderr);
    let first = std::fs::read_to_string(world.path("requests.log")).unwrap();
    assert!(first.contains("GET /locations/{id} 200 "), "{first}");
    assert!(!first.contains(ghl_bulk::sandbox::TOKEN) && !first.contains('\u{1b}'), "{first}");
    world.run_command("whoami -v --log requests.log").exits(0).says(" DEBUG ");
    let both = std::fs::read_to_string(world.path("requests.log")).unwrap();
    assert!(both.starts_with(&first) && both.len() > first.len());
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(world.path("requests.log")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    world.run_command("whoami --log .").exits(2).says("the log file `.` cannot be opened");
}

#[test]
fn the_token_may_come_from_a_file() {
    let world = World::new().without_env("GHL_TOKEN").with_env("GHL_TOKEN_FILE", "token.txt");
    world.write_private_file("token.txt", format!("{}\n", ghl_bulk::sandbox::TOKEN).as_bytes());
    world.run_command("export --with none --out out").exits(0);
}

#[test]
fn a_flag_goes_before_the_environment() {
    let url = World::new();
    let world = World::new()
        .with_env("GHL_LOCATION_ID", "elsewhere")
        .with_env("GHL_API_URL", "http://127.0.0.1:9");
    let line =
        format!("export --with none --out out --location {LOCATION} --api-url {}", url.url());
    world.run_command(&line).exits(0);
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn a_file_format_that_does_not_exist_is_refused_with_those_that_do() {
    let done = World::new().run_command("export --format xml").exits(2);
    done.says("invalid value 'xml'").says("parquet, csv, jsonl");
}

#[test]
fn the_default_directory_is_in_the_working_directory() {
    let world = World::new();
    world.run_command("export --with none").exits(0);
    assert!(world.path("ghl-export/contacts.parquet").exists());
}
