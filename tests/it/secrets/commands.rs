//! Every command of the program, derived from its help: a command without a case here fails the test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::encodings::{Secret, assert_unprinted, assert_unwritten};
use crate::running_command::RunningCommand;
use crate::world::World;

/// All commands that do something, such as `runs show`, as the help names them.
fn commands(world: &World) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut open = vec![String::new()];
    while let Some(path) = open.pop() {
        let help = world.run_command(format!("{path} --help").trim_start()).exits(0).stdout;
        let below: Vec<_> = subcommands(&help).map(|name| format!("{path} {name}")).collect();
        if below.is_empty() {
            all.insert(path.trim().to_owned());
        }
        open.extend(below.iter().map(|path| path.trim().to_owned()));
    }
    all
}

fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let list = list.split("\n\n").next().unwrap_or_default();
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
}

/// The commands about backups, and how they end.
const BACKUPS: &[(&str, &[i32])] = &[
    ("backup init --to repo --new-key key.txt", &[0]),
    ("backup --to repo --json", &[0]),
    ("backup --to repo --full", &[0]),
    ("backup list --from repo", &[0]),
    ("backup show --from repo", &[0]),
    ("backup status --from repo --json", &[0]),
    ("backup diff --from repo --identity key.txt", &[0]),
    ("history a@example.com --from repo --identity key.txt", &[0, 10]),
    ("restore --from repo --identity key.txt --dry-run --json", &[0, 3]),
    ("restore --from repo --identity key.txt --yes", &[0, 3]),
    ("backup verify --from repo --read all --replay --identity key.txt", &[0]),
    ("backup hold --from repo latest~1", &[0]),
    ("backup release --from repo latest~1", &[0]),
    ("backup verify --from repo --live 2 --identity key.txt", &[0]),
    ("backup copy --from repo --into copied", &[0]),
    ("backup erase --from repo --contact nobody@example.com --identity key.txt --yes", &[10]),
    ("backup forget --from repo --keep-last 1 --yes", &[0]),
    ("backup remember --from repo 2026", &[0, 10]),
    ("backup prune --from repo", &[0]),
    ("export --from repo --identity key.txt --out restored", &[0]),
];

/// Runs every command with `-vv`, and some in several ways, and searches what they tell and write. The
/// commands know their token by the world's settings and these options.
pub(super) fn run_all(world: &World, options: &str, keepers: &[&Path], secrets: &[Secret]) {
    let mut missing = commands(world);
    let mut run = |line: &str, codes: &[i32]| {
        missing.retain(|name| line != name && !line.starts_with(&format!("{name} ")));
        let done = world.run_command(&format!("{line} {options} -vv"));
        assert!(codes.contains(&done.code), "{line}: {}\n{}", done.code, done.stderr);
        assert_unprinted(&done, secrets);
        done
    };
    world.write_sheet("in.csv", "Name,Email,Notes\nAnn,ann@example.com,hello\nBad,bad@@,\n");
    world.write_sheet("more.csv", "Name,Email\nBob,bob@example.com\n");
    world.write_sheet("ids.csv", "email\nbob@example.com\n");
    run("export --out out --format parquet,csv,jsonl --with tasks,notes,appointments", &[0]);
    let exported = world.only_run_id();
    run("export --estimate --json", &[0]);
    run("sync", &[0]);
    run("export --incremental --out mirrored --json", &[0]);
    run("show nobody@example.com", &[10]);
    run("history nobody@example.com", &[10]);
    run("watch --once --jsonl events.jsonl --json", &[0]);
    for (line, codes) in BACKUPS {
        run(line, codes);
    }
    run("mirror status --json", &[0]);
    run("job list", &[2]);
    run("job run nightly --steps sync", &[0]);
    run("job install nightly --at 02:30", &[2]);
    run("mirror forget mirrored", &[0]);
    run("mirror rm --yes", &[0]);
    run("map in.csv -o map.toml", &[0]);
    let planned = run("import in.csv --dry-run --out plan --json", &[3]).summary();
    run(&format!("apply {} --yes", planned["run"].as_str().unwrap()), &[3]);
    run("import in.csv --map map.toml --yes --out res --json", &[3]);
    let imported = run("import more.csv --yes --out more --json", &[0]).summary();
    let imported = imported["run"].as_str().unwrap();
    run("runs list", &[0]);
    run("runs list --json", &[0]);
    run("runs prune --keep-last 0 --dry-run", &[0]);
    run(&format!("runs show {exported} --json"), &[0]);
    run(&format!("runs publish {exported} --format csv --out again"), &[0]);
    run(&format!("runs results {imported} --out results"), &[0]);
    fs::write(world.path("in_doubt.csv"), "Name\n").unwrap();
    run(&format!("runs resolve {imported} in_doubt.csv"), &[0, 2, 4]);
    run(&format!("resume {exported}"), &[0]);
    run(&format!("undo {imported} --yes --out undone"), &[0]);
    run(&format!("runs rm {imported}"), &[0]);
    run("doctor", &[0]);
    run("doctor --json", &[0]);
    run("schema tables", &[0]);
    run("schema events", &[0]);
    run("completions bash", &[0]);
    run("man pages", &[0]);
    others(world, &mut run);
    missing.remove("sandbox");
    serve(world, options, secrets);
    assert!(missing.is_empty(), "{missing:?} have no case here");
    assert_unwritten(world, keepers, secrets);
}

/// Commands about access and settings.
fn others(world: &World, run: &mut impl FnMut(&str, &[i32]) -> crate::world::CommandOutput) {
    let known = commands(world);
    let mut run = |line: &str, codes: &[i32]| {
        if known.iter().any(|name| line == name || line.starts_with(&format!("{name} "))) {
            run(line, codes);
        }
    };
    run("config explain", &[0]);
    run("config explain --json", &[0]);
    run("config path", &[0, 2]);
    run("whoami", &[0]);
    run("whoami --json", &[0]);
    // They are about a profile that is not the one of the test.
    run("login --profile other --stdin --no-check", &[2, 8]);
    run("logout --profile other", &[0, 2, 8]);
}

/// The sandbox serves until it is terminated.
fn serve(world: &World, options: &str, secrets: &[Secret]) {
    let mut sandbox =
        RunningCommand::start(world, &format!("sandbox --port 0 --contacts 1 {options} -vv"));
    sandbox.wait_for_stdout("GHL_API_URL=");
    sandbox.send_signal("INT");
    // It says itself what its app's secret is: that one opens nothing else.
    let own = secrets.iter().filter(|secret| secret.name != "the client secret").cloned();
    assert_unprinted(&sandbox.wait_for_exit(), &own.collect::<Vec<_>>());
}
