//! Hostile sheets: text that would control a terminal, cells that a spreadsheet would execute, ids that look like
//! paths. They are treated as data: none is interpreted, and none is lost.

use serde_json::json;

use crate::export_files::list_files_below;
use crate::hostile::{NASTY, assert_harmless};
use crate::import_world::{RESULTS, empty_world};
use crate::world::World;

/// Text that drives a terminal, without what a cell must not hold.
const TURNED: &str = "\u{202e}txt.exe";

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The cells of our own in all result files: nothing there drives a terminal.
#[track_caller]
fn assert_own_cells_are_harmless(world: &World) {
    for name in ["plan.csv", "warnings.csv", "rejected.csv", "in_doubt.csv"] {
        if !world.path(&format!("res/{name}")).exists() {
            continue;
        }
        let all = matches!(name, "plan.csv" | "warnings.csv");
        for row in world.read_csv(&format!("res/{name}")) {
            for (column, cell) in row.iter().filter(|(column, _)| all || column.starts_with('_')) {
                let turns = |c: char| ('\u{202a}'..='\u{202e}').contains(&c);
                let acts = |c: char| c.is_control() && c != '\n' || turns(c);
                // A line break may be spelled in both ways; a carriage return alone overwrites its line.
                let cell = cell.replace("\r\n", "\n");
                assert!(!cell.contains(acts), "{name}, {column}: {cell:?}");
            }
        }
    }
}

#[test]
fn terminal_escapes_in_cells_and_headers_are_never_printed() {
    let world = empty_world();
    let (nasty, turned) = (quoted(NASTY), quoted(TURNED));
    world.write_sheet(
        "in.csv",
        &format!(
            "Name,Email,Tags,Owner,{nasty},DND,Notes\n\
             {nasty},a@example.com,,,,,\n\
             Ann,{nasty},,,,,\n\
             Bob,b@example.com,{turned},,{nasty},,{turned}\n\
             Cid,c@example.com,,,,{turned},\n"
        ),
    );
    for options in ["-vv", "--json", "--progress plain", "--quiet", "--strict"] {
        let done = world.run_import(options);
        assert!(matches!(done.code, 0 | 3 | 4), "{options}: {done:?}");
        assert_harmless(&done);
        assert_own_cells_are_harmless(&world);
    }
    assert_harmless(&world.run_command("map in.csv"));
    for command in ["runs list", "runs list --json"] {
        assert_harmless(&world.run_command(command).exits(0));
    }
    world.write_sheet("in.csv", &format!("Email,Owner\na@example.com,{nasty}\n,{turned}\n"));
    assert_harmless(&world.run_import(""));
    world.write_sheet("in.csv", "Email,Owner\na@example.com,\u{202e}nobody\n");
    assert_harmless(&world.run_import("").exits(4));
}

#[test]
fn terminal_escapes_in_file_names_mappings_and_options_are_never_printed() {
    let world = empty_world();
    let name = "\u{1b}[31m\u{9b}.csv";
    world.write_sheet(name, "Email\na@example.com\n");
    world.write_sheet(
        "m.toml",
        &format!("format = 1\n[[column]]\nfrom = {:?}\nto = \"emial\"\n", "\u{202e}x"),
    );
    world.write_sheet("in.csv", "Email\na@example.com\n");
    for line in [
        format!("import '{name}' --yes --out res -vv"),
        format!("import '{name}' --yes --out res --json"),
        "import in.csv --map m.toml --yes".to_owned(),
        "import in.csv --preset '\u{1b}[31m' --yes".to_owned(),
        "import in.csv --map '\u{1b}[31m=email' --yes".to_owned(),
        "import in.csv --key 'custom:\u{1b}[31m' --yes".to_owned(),
        "import in.csv --confirm-location '\u{1b}[31m' --yes".to_owned(),
        "import '\u{1b}[31m' --yes".to_owned(),
    ] {
        assert_harmless(&world.run_command(&line));
    }
}

#[test]
fn terminal_escapes_in_the_account_are_never_printed_in_a_plan() {
    let world = empty_world();
    world.add_contacts(&[json!({ "email": "a@example.com", "city": NASTY, "lastName": TURNED })]);
    world.write_sheet("in.csv", "Email,City,Last Name\na@example.com,Rome,Ann\n");
    assert_harmless(&world.run_command("import in.csv --dry-run --out res -vv").exits(0));
    assert_own_cells_are_harmless(&world);
    assert_harmless(
        &world.run_command(&format!("apply {} --yes --json", world.only_run_id())).exits(0),
    );
    assert_eq!(world.contact_by_email("a@example.com")["contact"]["city"], "Rome");
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_guarded_in_every_result_file() {
    let world =
        crate::import_world::empty_world_with_faults(&["POST /contacts/*/notes status=422"]);
    world.write_sheet(
        "in.csv",
        "Name,Email,Company Name,Notes\n=cmd|' /C calc'!A0,a@example.com,@SUM(1),\n\
         Ann,b@@,=HYPERLINK(1),+1+1\nBob,c@example.com,-1+1,=1+1\n=2+2,=3+3,,\n",
    );
    world.run_import("").exits(3);
    for name in RESULTS.iter().copied().chain(["plan.csv", "warnings.csv"]) {
        let mut reader = csv::Reader::from_path(world.path(&format!("res/{name}"))).unwrap();
        for record in reader.records() {
            for cell in &record.unwrap() {
                assert!(!cell.starts_with(['=', '@', '+', '-', '\t']), "{name}: {cell}");
            }
        }
    }
    assert_eq!(world.contact_by_email("a@example.com")["contact"]["companyName"], "@SUM(1)");
    // The guard comes off again when the file is fed back.
    world.control_request("DELETE", "faults", &serde_json::Value::Null);
    let rejected = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    world.write_sheet("in.csv", &rejected.replace("b@@", "b@example.com"));
    world.run_import("").exits(3);
    let ann = world.contact_by_email("b@example.com");
    assert_eq!(ann["contact"]["companyName"], "=HYPERLINK(1)");
    assert_eq!(ann["notes"][0]["body"], "+1+1");
    assert_eq!(world.contact_by_email("c@example.com")["notes"][0]["body"], "=1+1");
}

#[test]
fn ids_that_look_like_paths_match_no_contact_and_write_no_file() {
    let world = World::new();
    world.write_sheet(
        "in.csv",
        "Contact Id,City\n../../escape,Rome\n..%2f..,Rome\na/b,Rome\n.,Rome\n<script>,Rome\nx?y=1#z,Rome\n",
    );
    let before = world.read_contacts();
    world.run_import("").exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected.len(), 6);
    assert!(
        rejected.iter().all(|row| row["_reject_code"] == "R_INVALID_CONTACT_ID"),
        "{rejected:?}"
    );
    assert_eq!(world.read_contacts(), before);
    assert_eq!(world.list_writes(), Vec::<String>::new());
    let log = world.get_control("log").to_string();
    assert!(!log.contains("escape") && !log.contains("script"), "{log}");
    let files = list_files_below(&world.path("."));
    assert!(files.iter().all(|path| !path.display().to_string().contains("escape")), "{files:?}");
}

#[test]
fn markup_is_text() {
    let world = empty_world();
    let markup = "<img src=x onerror=alert(1)>";
    world.write_sheet(
        "in.csv",
        &format!("Last Name,Email,Notes\n{markup},a@example.com,<b>{markup}</b>\n"),
    );
    world.run_import("").exits(0);
    let person = world.contact_by_email("a@example.com");
    assert_eq!(person["contact"]["lastName"], markup);
    assert_eq!(person["notes"][0]["body"], format!("<b>{markup}</b>"));
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [0, 1, 0, 0, 0]);
}
