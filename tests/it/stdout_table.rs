//! `--out -`: one table to stdout, or a refusal.

use crate::import_world::empty_world;
use crate::world::World;

#[test]
fn one_table_goes_to_stdout_and_nothing_else_does() {
    let world = World::new();
    world.run_command("export --out out --format csv,jsonl --with notes").exits(0);
    for (options, file) in [
        ("", "contacts.csv"),
        ("--format jsonl", "contacts.jsonl"),
        ("--format csv --table notes", "notes.csv"),
        ("--format jsonl --table custom_fields", "custom_fields.jsonl"),
    ] {
        let done = world.run_command(&format!("export --out - {options}")).exits(0);
        let expected = std::fs::read_to_string(world.path("out").join(file)).unwrap();
        assert!(done.stdout == expected, "{options}: {}", done.stdout);
    }
    assert_eq!(world.list_files("."), ["home", "out"]);
    assert!(world.list_files("home/stdout").is_empty(), "no data is left behind");
}

#[test]
fn what_does_not_fit_into_stdout_is_refused_and_no_directory_gets_that_name() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email\na@example.com\n");
    for (line, why) in [
        ("export --out - --format parquet", "csv or jsonl"),
        ("export --out - --format csv,jsonl", "csv or jsonl"),
        ("export --out - --with notes", "--table"),
        ("export --out - --table people", "there is no table `people`"),
        ("export --out x --table notes", "`--table` goes with `--out -`"),
        ("import in.csv --yes --out -", "do not fit into stdout"),
        ("undo 20260101-000000-abcd --out -", "do not fit into stdout"),
        ("runs publish 20260101-000000-abcd --out -", "do not fit into stdout"),
    ] {
        world.run_command(line).exits(2).says(why);
    }
    world.run_command("export --out - --json").exits(2);
    assert!(!world.path("-").exists());
    let done = world.run_command("map in.csv -o -").exits(0);
    assert!(done.stdout.contains("Email"), "{}", done.stdout);
    assert!(!world.path("-").exists());
}
