//! Imports that are refused, with their exit codes and messages; nothing is sent.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::import_world::{empty_world, empty_world_with_faults};
use crate::running_command::RunningCommand;
use crate::world::World;

const ONE: &str = "Email,City\na@example.com,Rome\n";

/// Imports `ONE` with options that must be refused, and asserts that nothing was written.
#[track_caller]
fn assert_refused(world: &World, options: &str, code: i32, says: &[&str]) {
    world.write_sheet("in.csv", ONE);
    let mut done = world.run_import(options).exits(code);
    for part in says {
        done = done.says(part);
    }
    assert_eq!(world.list_writes(), Vec::<String>::new());
}

#[test]
fn a_missing_file_is_named() {
    let world = empty_world();
    world.run_command("import nowhere.csv --yes").exits(2).says("`nowhere.csv`: no such file");
    world.run_command("import - --yes").exits(4).says("E_EMPTY_FILE");
    world.run_command("import - nowhere.csv --yes").exits(2);
    world.run_command("map -").exits(2).says("save the piped data to a file first");
    std::fs::create_dir(world.path("dir.csv")).unwrap();
    world.run_command("import dir.csv --yes").exits(2).says("dir.csv").says("is a directory");
    world.write_sheet("empty.csv", "");
    world.run_command("import empty.csv --yes").exits(4).says("E_EMPTY_FILE");
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    let world = empty_world();
    world.write_sheet("in.csv", ONE);
    let path = world.path("in.csv");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Some users may read everything.
    if std::fs::File::open(&path).is_err() {
        world.run_import("").exits(2).says("in.csv").says("nothing was sent");
    }
}

#[test]
fn a_sheet_without_rows_is_nothing_to_do_and_one_of_bad_rows_is_all_rejected() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,City\n");
    world.run_import("").exits(0).says("0 rows");
    assert_eq!(world.count_results(), [0; 5]);
    world.write_sheet("in.csv", "Email,City\na@@,Rome\n,Paris\n");
    world.run_import("").exits(3).says("rejected.csv");
    assert_eq!(world.count_results(), [0, 0, 2, 0, 0]);
    assert_eq!(world.list_writes(), Vec::<String>::new());
}

#[test]
fn result_files_never_overwrite_the_file_they_are_made_from() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,City\na@@,Rome\n");
    world.run_import("").exits(3);
    let rejected = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    world.run_command("import res/rejected.csv --yes --out res").exits(2).says("--out");
    world
        .run_command("import res/rejected.csv --yes --out ./res/../res")
        .exits(2)
        .says("rejected.csv");
    assert_eq!(std::fs::read_to_string(world.path("res/rejected.csv")).unwrap(), rejected);
    world.run_command("import res/rejected.csv --yes --out again").exits(3);
    assert_eq!(std::fs::read_to_string(world.path("res/rejected.csv")).unwrap(), rejected);
}

#[test]
fn a_mapping_for_another_location_is_refused() {
    let world = empty_world();
    world.write_sheet("m.toml", "format = 1\nlocation = \"somewhereElse0000001\"\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n[[column]]\nfrom = \"City\"\nto = \"city\"\n");
    assert_refused(&world, "--map m.toml", 4, &["somewhereElse0000001", "nothing was sent"]);
}

#[test]
fn a_mapping_that_forgets_a_column_is_refused() {
    let world = empty_world();
    world.write_sheet("m.toml", "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n");
    assert_refused(&world, "--map m.toml", 4, &["`City`", "ignore"]);
}

#[test]
fn a_wrong_word_in_a_mapping_is_named_with_its_line_and_the_nearest_right_one() {
    let world = empty_world();
    world.write_sheet("m.toml", "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"emial\"\n");
    assert_refused(&world, "--map m.toml", 4, &["line 4", "`emial`", "`email`"]);
}

#[test]
fn an_unknown_target_is_answered_with_the_location_s_own_custom_field() {
    let world = empty_world();
    let hint = "did you mean `customFields.deal_value`?";
    assert_refused(&world, "--map 'City=Deal Value'", 2, &["`Deal Value` is not a target", hint]);
    assert_refused(&world, "--map City=dealvalu", 2, &["`dealvalu` is not a target", hint]);
    let mapping = "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n\
                   [[column]]\nfrom = \"City\"\nto = \"Deal value\"\n";
    world.write_sheet("m.toml", mapping);
    assert_refused(&world, "--map m.toml", 4, &["line 7", "`Deal value` is not a target", hint]);
}

#[test]
fn an_unknown_preset_key_or_marker_is_named() {
    let world = empty_world();
    assert_refused(&world, "--preset hubspott", 2, &["hubspott", "hubspot"]);
    assert_refused(&world, "--key custom:nonsense", 2, &["nonsense"]);
    assert_refused(&world, "--marker-field nonsense", 2, &["nonsense"]);
    assert_refused(&world, "--marker-field employees", 2, &["employees", "NUMERICAL"]);
}

#[test]
fn a_custom_field_of_another_kind_and_an_invalid_option_are_named() {
    let world = empty_world();
    assert_refused(&world, "--map City=customFields.contract", 4, &["`contract`", "FILE_UPLOAD"]);
    assert_refused(
        &world,
        "--map City=customFields.interests:date",
        4,
        &["`interests`", "CHECKBOX"],
    );
    assert_refused(&world, "--map City=customFields.intrests", 4, &["intrests", "Interests"]);
    world.write_sheet("in.csv", "Email,Channel\na@example.com,Phone\nb@example.com,Phoen\n");
    world.run_import("--map Channel=customFields.preferred_channel").exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["_reject_code"], "R_OPTION_UNKNOWN");
    assert!(rejected[0]["_reject_reason"].contains("the closest is `Phone`"), "{rejected:?}");
}

#[test]
fn an_owner_s_name_that_two_users_share_is_never_guessed() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,Owner\na@example.com,John Smith\n");
    let done = world.run_import("").exits(4).says("is the name of 2 users");
    assert!(done.stderr.contains("user7@example.com") && done.stderr.contains("user8@example.com"));
    assert_eq!(world.list_writes(), Vec::<String>::new());
    world.write_sheet("in.csv", "Email,Owner\na@example.com,user8@example.com\n");
    world.run_import("").exits(0);
}

#[test]
fn the_wrong_location_s_name_stops_an_import() {
    let world = empty_world();
    assert_refused(&world, "--confirm-location Elsewhere", 2, &["Elsewhere", "nothing was sent"]);
}

#[test]
fn an_unknown_owner_stops_the_plan_with_the_nearest_name() {
    let world = World::with_settings(|settings| settings.contacts = 1);
    world.write_sheet("in.csv", "Email,Owner\na@example.com,Nobody Atall\n");
    world.run_import("").exits(4).says("Nobody Atall").says("column `Owner`");
    assert_eq!(world.list_writes(), Vec::<String>::new());
}

#[test]
fn a_sheet_that_changes_while_it_is_planned_is_stale() {
    let world = empty_world_with_faults(&["GET /locations/* hold times=1"]);
    world.write_sheet("in.csv", ONE);
    let import = RunningCommand::start(&world, "import in.csv --yes --out res");
    world.get_control("held?at_least=1");
    world.write_sheet("in.csv", "Email,City\nb@example.com,Paris\n");
    world.control_request("POST", "release", &Value::Null);
    import.wait_for_exit().exits(5).says("in.csv");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn a_token_that_may_only_read_plans_and_then_says_which_scope_it_lacks() {
    let world = empty_world().with_env("GHL_TOKEN", "pit-sandbox-without:contacts.write");
    world.write_sheet("in.csv", ONE);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    world.run_import("").exits(8).says("contacts.write").says("ghl-bulk resume");
    assert!(world.read_contacts().is_empty());
    assert_eq!(world.count_results(), [0, 0, 0, 0, 1]);
    let world = world.with_env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
    world.run_command("resume").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

/// Runs a command that cannot write files of more than so many blocks of 512 bytes.
fn on_a_disk_of(world: &World, blocks: u32, line: &str) -> (Option<i32>, String) {
    let inner = world.command(line);
    let mut outer = Command::new("sh");
    outer.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    outer.arg(inner.get_program()).args(inner.get_args()).env_clear();
    outer.envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = outer.current_dir(inner.get_current_dir().unwrap()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_disk_that_is_full_while_planning_sends_nothing_and_the_run_goes_on_later() {
    let world = empty_world();
    let mut sheet = "Email,City\n".to_owned();
    for n in 0..400 {
        writeln!(sheet, "p{n}@example.com,{}", "x".repeat(2_000)).unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    for blocks in [100, 1_000] {
        let (code, said) = on_a_disk_of(&world, blocks, "import in.csv --yes --out res");
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("free space") && said.contains("ghl-bulk resume"), "{said}");
        assert_eq!(world.list_writes(), Vec::<String>::new());
    }
    world.run_command("resume --sample 3").exits(2);
    world.run_command("resume").exits(0);
    assert_eq!(world.read_contacts().len(), 400);
}

#[test]
fn a_deadline_that_has_passed_leaves_a_run_that_goes_on() {
    let world = empty_world();
    world.write_sheet("in.csv", ONE);
    world.run_import("--deadline 2020-01-01T00:00:00Z").exits(9).says("ghl-bulk resume");
    assert_eq!(world.list_writes(), Vec::<String>::new());
    world.run_command("resume").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn result_files_that_cannot_be_written_stop_before_anything_is_sent() {
    let world = empty_world();
    world.write_sheet("file", "");
    world.write_sheet("in.csv", ONE);
    world.run_command("import in.csv --yes --out file/res").exits(2);
    assert!(world.read_contacts().is_empty());
}

#[test]
fn an_invalid_flag_value_is_refused_by_name() {
    let world = empty_world();
    for (options, part) in [
        ("--max-errors 150%", "--max-errors"),
        ("--max-errors=-1%", "--max-errors"),
        ("--deadline whenever", "--deadline"),
        ("--preset hubspot --map m.toml", "exclude each other"),
        ("--map a.toml --map b.toml", "one mapping file"),
        ("--map nowhere.toml", "nowhere.toml"),
        ("--map City=", "City"),
        ("--truncate-notes 5 --split-notes", "cannot be used with"),
        ("--detailed-exit-code", "--dry-run"),
        ("--header-row 9", "line 9"),
        ("--delimiter ab", "one character"),
        ("--encoding klingon", "klingon"),
        ("--ignore-column Nowhere", "Nowhere"),
        ("--sample 0", "--sample"),
        ("--key email", "--key"),
        ("--mode destroy", "--mode"),
        ("--timezone Mars/Olympus", "timezone"),
        ("--default-country Germany", "country"),
    ] {
        world.write_sheet("in.csv", ONE);
        let done = world.run_import(options);
        assert!(done.code == 2 || done.code == 4, "{options}: {}", done.code);
        assert!(done.stderr.contains(part), "{options}: {}", done.stderr);
    }
    assert_eq!(world.list_writes(), Vec::<String>::new());
}

#[test]
fn no_failed_row_at_all_may_be_allowed_and_the_right_location_confirmed() {
    let world = empty_world();
    world.write_sheet("in.csv", ONE);
    world.run_import("--max-errors 0% --confirm-location 'Sandbox Location 1'").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn people_who_share_the_key_are_not_distinguished_by_guessing() {
    let world = empty_world();
    world.control_request("PUT", "customFields", &json!([
        {"id": "fieldMember00000001", "name": "Member", "fieldKey": "contact.member", "dataType": "TEXT", "model": "contact"},
    ]));
    let field = json!([{"id": "fieldMember00000001", "value": "M1"}]);
    world.add_contacts(&[
        json!({"email": "a@example.com", "customFields": field}),
        json!({"email": "b@example.com", "customFields": field}),
    ]);
    world.write_sheet("in.csv", "Member,City\nM1,Rome\nM2,Paris\n");
    world.run_import("--key custom:member --mode update").exits(3);
    let codes: Vec<_> =
        world.read_csv("res/rejected.csv").iter().map(|row| row["_reject_code"].clone()).collect();
    assert_eq!(codes, ["R_AMBIGUOUS_MATCH", "R_NOT_FOUND"]);
}

/// The cells of the first sheet of a workbook, as texts.
fn workbook_cells(world: &World, file: &str) -> Vec<Vec<String>> {
    use calamine::Reader as _;
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(world.path(file)).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn the_rejected_rows_of_a_workbook_are_a_workbook_too() {
    let world = empty_world();
    let mut book = rust_xlsxwriter::Workbook::new();
    let rows = [
        ["First Name", "Email", "Postal Code", "Phone"],
        ["Ada", "ada@@example", "01234", "+12025550143"],
        ["=Bob", "bob@example.com", "02108", ""],
    ];
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    book.save(world.path("people.xlsx")).unwrap();
    let done = world.run_command("import people.xlsx --yes --out res").exits(3);
    let again = format!("ghl-bulk import {}\n", world.path("res/rejected.xlsx").display());
    let done = done.says(&again);
    done.does_not_say("rejected.csv");
    let shown = world.run_command(&format!("runs show {}", world.only_run_id())).exits(0);
    assert!(shown.stdout.ends_with(&format!("next: {again}")), "{}", shown.stdout);
    let cells = workbook_cells(&world, "res/rejected.xlsx");
    let added = ["_reject_line", "_reject_code", "_reject_field", "_reject_reason"];
    assert_eq!(cells[0], [&rows[0][..], &added[..]].concat());
    assert_eq!(cells[1][..4], rows[1]);
    assert_eq!(cells[1][5], world.read_csv("res/rejected.csv")[0]["_reject_code"]);
    assert_eq!(cells.len(), 2);
    // It is imported again like the sheet that it comes from.
    let again = world.run_command("import res/rejected.xlsx --yes --out again").exits(3);
    let cells = workbook_cells(&world, "again/rejected.xlsx");
    assert_eq!(cells[1][..4], rows[1], "{}", again.stderr);
    world.write_sheet("in.csv", "First Name,Email\nAda,ada@@example\n");
    world.run_command("import in.csv --yes --out text").exits(3);
    assert!(!world.path("text/rejected.xlsx").exists());
}
