//! What a terminal shows of a plan and of a result: sentences by column, the most important last, on 24 lines.

use std::fmt::Write as _;

use serde_json::json;

use crate::import_world::empty_world;
use crate::world::{CommandOutput, World, short_id};

/// What a command said, without what differs from run to run.
fn stable_text(world: &World, done: &CommandOutput) -> String {
    let dir = world.path("").display().to_string();
    let said = done.stderr.replace(dir.trim_end_matches('/'), "DIR");
    let run = world.only_run_id();
    said.replace(&run, "RUN").replace(&format!(" {}", short_id(&run)), " RUN")
}

/// A sheet in which much is wrong, with columns that no target fits.
fn write_messy_sheet(world: &World) {
    let mut sheet =
        "Name,E-mail,Mobile,Country,Birthday,Do Not Disturb,Employees,Agent Smith's Owner Id,\
                     Zeta One,Zeta Two,Notes\n"
            .to_owned();
    for n in 0..40 {
        let employees = if n % 4 == 0 { "12" } else { "\"$5,000\"" };
        let country = if n % 10 == 3 { "Atlantis" } else { "US" };
        let birthday = if n == 7 { "2026-02-30" } else { "1990-02-13" };
        // A number whose country cannot be read is none of the usual country.
        let code = if n % 10 == 3 { "+1 " } else { "" };
        writeln!(
            sheet,
            "Person {n},p{n}@example.com,{code}(202) 555-{:04},{country},{birthday},no,{employees},x,y,z,",
            143 + n
        )
        .unwrap();
    }
    sheet.push_str(
        "Bad Email,bad.email@example,555-0143,US,,maybe,1,,,,\n\
         Bad Phone,bad.phone@example.com,555-0143,US,,,1,,,,\n\
         Person 1,p1@example.com,,US,,,1,,,,\n\
         Name Only,,,US,,,1,,,,\n\
         Long Row,long@example.com,,US,,,1,,,,a comma, unquoted\n\
         ,,,US,,,1,,,,nobody knows who this is\n\
         TOTAL,41,,,,,,,,,\n",
    );
    world.write_sheet("in.csv", &sheet);
}

#[test]
fn a_plan_for_a_messy_sheet_fits_on_a_terminal_and_says_in_sentences_what_is_wrong() {
    let world = empty_world();
    world.add_contacts(&[json!({"email": "p2@example.com", "firstName": "Old"})]);
    write_messy_sheet(&world);
    let done = world
        .run_command(
            "import in.csv --dry-run --out res --progress none --ignore-column 'Zeta Two' \
             --map Employees=customFields.employees --unmapped ignore",
        )
        .exits(3);
    let said = stable_text(&world, &done);
    assert!(said.lines().count() <= 24, "{} lines:\n{said}", said.lines().count());
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn the_result_of_a_messy_sheet_says_what_is_wrong_and_what_to_do_next() {
    let world = empty_world();
    write_messy_sheet(&world);
    let done = world
        .run_command(
            "import in.csv --yes --out res --progress none --ignore-column 'Zeta Two' \
             --map Employees=customFields.employees",
        )
        .exits(3);
    let said = stable_text(&world, &done);
    let result = said.split_once("row by row").unwrap().1;
    let result = &result[result.find("  succeeded").unwrap()..];
    for part in [
        "not imported:\n",
        "  Mobile: 2 values are not valid phone numbers, such as `555-0143`\n",
        "fix the rejected rows and import the file again, with the same mapping and options:\n",
        "to undo this import:\n  ghl-bulk undo RUN",
    ] {
        assert!(result.contains(part), "no `{part}` in:\n{result}");
    }
    assert!(!result.contains("R_"), "{result}");
    assert!(result.lines().count() <= 24, "{result}");
}

#[test]
fn the_command_for_rejected_rows_can_be_copied_whatever_the_directory_is_called() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email\nbad@example\n");
    let done = world.run_command("import in.csv --yes --out 'my results'").exits(3);
    let path = world.path("my results/rejected.csv");
    done.says(&format!("\n  ghl-bulk import '{}'\n", path.display()));
}

#[test]
fn every_column_that_is_left_out_is_named_and_owners_and_consent_come_first() {
    let world = empty_world();
    let mut header = "Email".to_owned();
    for n in 0..12 {
        write!(header, ",Qwx {n}").unwrap();
    }
    let cells = ",x".repeat(14);
    world.write_sheet(
        "in.csv",
        &format!("{header},Contact owner,Accepts SMS Marketing\nann@example.com{cells}\n"),
    );
    let done = world
        .run_command(
            "import in.csv --dry-run --out res --ignore-column 'Contact owner' \
             --ignore-column 'Accepts SMS Marketing'",
        )
        .exits(0);
    let said = done.stderr.replace("\n  ", " ");
    assert!(said.contains("14 columns are left out"), "{said}");
    assert!(
        said.contains(
            ": `Contact owner` (owner), `Accepts SMS Marketing` (consent), `Qwx 0`, `Qwx 1`"
        ),
        "{said}"
    );
    assert!(said.contains("`Qwx 11`"), "{said}");
    let left_out = world.read_json("res/summary.json")["left_out"].clone();
    assert_eq!(left_out.as_array().unwrap().len(), 14);
    assert_eq!(left_out[0], json!({"column": "Contact owner", "about": "owner", "ignored": true}));
    let warning = &world.read_csv("res/warnings.csv")[0];
    assert_eq!(warning["code"], "W_UNMAPPED_COLUMNS");
    assert!(warning["message"].contains("`Qwx 11`"), "{warning:?}");
}

#[test]
fn the_counts_by_column_and_an_example_are_in_the_summary_for_programs() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "Email,Headcount\nann@example.com,some\nbob@example.com,more\nbad@example,3\n",
    );
    let map = "--map Headcount=customFields.employees";
    let plan = world.run_import(&format!("{map} --json")).exits(3).summary()["plan"].clone();
    assert_eq!(plan["warnings"], json!({"W_NUMBER_INVALID": 2}));
    assert_eq!(plan["rejected"], json!({"R_INVALID_EMAIL": 1}));
    let warning = &plan["warnings_by_column"][0];
    assert_eq!(
        [&warning["field"], &warning["code"], &warning["value"], &warning["place"]],
        ["Headcount", "W_NUMBER_INVALID", "some", "line 2"]
    );
    assert_eq!(warning["count"], 2);
    assert_eq!(plan["rejected_by_column"][0]["value"], "bad@example");
}
