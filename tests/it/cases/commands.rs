//! What a person types: tags and an owner for every row, some of the rows, several files.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use super::{contact, import_text};
use crate::export_files::list_files_below;
use crate::import_world::{empty_world, tag_names};
use crate::world::{CommandOutput, World};

const THREE: &str =
    "First Name,Email,Tags\nA,a@example.net,vip\nB,b@example.net,\nC,c@example.net,x; y\n";

#[test]
fn every_row_gets_the_tags_of_the_command_line() {
    let (world, done) = import_text(THREE, "--tag imported-2026 --tag 'one, two'");
    done.exits(0);
    let tags = |email: &str| tag_names(&world.contact_by_email(email));
    assert_eq!(tags("a@example.net"), ["vip", "imported-2026", "one, two"]);
    assert_eq!(tags("b@example.net"), ["imported-2026", "one, two"]);
    assert_eq!(tags("c@example.net"), ["x", "y", "imported-2026", "one, two"]);
}

#[test]
fn some_of_the_rows_are_read() {
    let (world, done) = import_text(THREE, "--skip-rows 1 --limit 1");
    done.exits(0).says("not all rows are imported");
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(contact(&world, "b@example.net")["firstName"], "B");
    // A later command reads the others.
    world.run_import("").exits(0);
    assert_eq!(world.read_contacts().len(), 3);
}

#[test]
fn every_contact_is_assigned_to_a_user() {
    let world = empty_world();
    let users = world.get_control("state")["users"].clone();
    world.write_sheet("in.csv", THREE);
    let refused = world.run_import("--assign-to nobody@example.net");
    assert_eq!(refused.code, 4, "{refused:?}");
    let Some(user) = users.as_array().and_then(|users| users.first()) else { return };
    let email = user["email"].as_str().unwrap();
    world.run_import(&format!("--assign-to {email}")).exits(0);
    for email in ["a@example.net", "b@example.net"] {
        assert_eq!(contact(&world, email)["assignedTo"], user["id"]);
    }
}

#[test]
fn several_files_with_the_same_columns_are_imported_one_after_the_other() {
    let world = empty_world();
    world.write_sheet("a.csv", "First Name,Email\nA,a@example.net\n");
    world.write_sheet("b.csv", "Email,First Name\nb@example.net,B\n");
    let done = world.run_command("import a.csv b.csv --yes --out res").exits(0);
    let done = done.says("file a.csv:");
    done.says("file b.csv:");
    assert_eq!(contact(&world, "b@example.net")["firstName"], "B");
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.read_csv("res/a/succeeded.csv").len(), 1);
    assert_eq!(world.read_csv("res/b/succeeded.csv").len(), 1);
}

#[test]
fn several_files_with_different_columns_are_refused_before_anything_is_sent() {
    let world = empty_world();
    world.write_sheet("a.csv", "First Name,Email\nA,a@example.net\n");
    world.write_sheet("b.csv", "First Name,Phone\nB,+12025550101\n");
    let done = world.run_command("import a.csv b.csv --yes --out res").exits(4);
    done.says("lacks `email` and also has `phone`");
    assert!(world.read_contacts().is_empty());
}

/// Runs a command with this on its standard input.
fn run_piped(world: &World, line: &str, input: &[u8]) -> CommandOutput {
    let mut command = world.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    CommandOutput {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_sheet_can_be_piped_and_is_kept_until_its_plan_is_applied() {
    let world = empty_world();
    run_piped(&world, "import - --dry-run --out res", THREE.as_bytes()).exits(0);
    assert!(world.read_contacts().is_empty());
    world.run_command(&format!("apply {} --yes", world.only_run_id())).exits(0);
    assert_eq!(world.read_contacts().len(), 3);
    // Nothing of it is left outside of the run.
    let left = list_files_below(&world.path("home"));
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(!left.iter().any(|path| name(path).starts_with("input-")), "{left:?}");
    assert_eq!(left.iter().filter(|path| name(path) == "stdin").count(), 1);
}

#[test]
fn a_piped_workbook_and_piped_json_lines_are_recognized() {
    let world = empty_world();
    let json = "{\"Email\": \"a@example.net\", \"First Name\": \"A\"}\n";
    run_piped(&world, "import - --yes --out res", json.as_bytes()).exits(0);
    assert_eq!(contact(&world, "a@example.net")["firstName"], "A");
    let book = std::fs::read("tests/cases/b03_inline.xlsx").unwrap();
    run_piped(&world, "import - --yes --out res2", &book).exits(0);
    assert_eq!(contact(&world, "avery.b3@example.net")["firstName"], "Avery");
}

#[test]
fn a_refused_sheet_from_a_pipe_leaves_nothing_behind() {
    let world = empty_world();
    run_piped(&world, "import - --yes", b"Email,What\na@example.net,x\n").exits(0);
    run_piped(&world, "import - --yes --map What=nonsense", b"Email,What\na@example.net,x\n");
    run_piped(&world, "import - --yes", b"%PDF-1.7 something").exits(4);
    let left = list_files_below(&world.path("home"));
    assert_eq!(left.iter().filter(|path| path.ends_with("stdin")).count(), 1, "{left:?}");
}
