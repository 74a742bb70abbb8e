//! The samples that come with the program: each does what the README says.

use crate::import_world::{empty_world, tag_names};
use crate::world::{CommandOutput, World};

fn sample(name: &str) -> String {
    format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Imports a sample into `res`.
fn import(world: &World, name: &str, options: &str) -> CommandOutput {
    world.run_command(&format!("import '{}' --yes --out res {options}", sample(name)))
}

/// The same for a user without an account, with the embedded sandbox.
fn rehearsed(name: &str, options: &str) -> (World, CommandOutput) {
    let world = empty_world()
        .without_env("GHL_API_URL")
        .without_env("GHL_TOKEN")
        .without_env("GHL_LOCATION_ID");
    let done = import(&world, name, &format!("--sandbox {options}"));
    (world, done)
}

#[test]
fn contacts_csv() {
    let world = empty_world();
    import(&world, "contacts.csv", "").exits(0);
    assert_eq!(world.count_results(), [5, 0, 0, 0, 0]);
    assert_eq!(world.read_csv("res/warnings.csv"), []);
    let casey = world.contact_by_email("casey.muster@example.org");
    assert_eq!(casey["contact"]["phone"], "+4930901820");
    assert_eq!(casey["contact"]["country"], "DE");
    assert_eq!(casey["notes"][0]["body"], "Prefers e-mail");
    assert_eq!(
        tag_names(&world.contact_by_email("avery.sample@example.com")),
        ["lead", "spring fair"]
    );
    let zoe = world.contact_by_email("zoe.mueller@example.net");
    assert_eq!(
        (zoe["contact"]["firstName"].as_str(), zoe["contact"]["city"].as_str()),
        (Some("Zoë"), Some("Zürich"))
    );

    import(&world, "contacts.csv", "").exits(0);
    assert_eq!(world.count_results(), [0, 5, 0, 0, 0]);
    let (world, done) = rehearsed("contacts.csv", "");
    done.exits(0);
    assert_eq!(world.count_results(), [5, 0, 0, 0, 0]);
}

/// What becomes of each row, or of its cell.
const MESSY: [(&str, &str); 18] = [
    ("2", "create"),
    ("3", "R_INVALID_EMAIL"),
    ("4", "R_INVALID_PHONE"),
    ("5", "R_PHONE_SCIENTIFIC"),
    ("6", "R_SPREADSHEET_ERROR"),
    ("7", "R_BOOLEAN_UNKNOWN"),
    ("8", "R_DUPLICATE_IN_FILE"),
    ("9", "W_COUNTRY_UNKNOWN"),
    ("10", "W_DATE_INVALID"),
    ("11", "W_MULTI_EMAIL"),
    ("12", "W_APOSTROPHE_STRIPPED"),
    ("13", "W_MOJIBAKE"),
    ("14", "W_SHORT_ROW"),
    ("15", "R_ROW_TOO_LONG"),
    ("16", "R_NO_MATCH_KEY"),
    ("17", "R_NO_IDENTITY"),
    ("18", "R_TOTALS_ROW"),
    ("19", "R_FOOTER_ROW"),
];

/// The codes of the result files in `res`, by line of the sheet.
fn verdicts(world: &World) -> Vec<(String, String)> {
    let of = |file: &str, line: &str, code: &str| -> Vec<(String, String)> {
        let rows = world.read_csv(&format!("res/{file}"));
        rows.iter().map(|row| (row[line].clone(), row[code].clone())).collect()
    };
    let mut all = of("rejected.csv", "_reject_line", "_reject_code");
    all.extend(of("warnings.csv", "line", "code"));
    all.push(("2".to_owned(), world.read_csv("res/succeeded.csv")[0]["_action"].clone()));
    all.sort_by_key(|(line, _)| line.parse::<u32>().unwrap());
    all
}

#[test]
fn messy_csv() {
    let expected = MESSY.map(|(line, code)| (line.to_owned(), code.to_owned()));
    let world = empty_world();
    import(&world, "messy.csv", "")
        .exits(3)
        .says("E-mail: 1 value is not an e-mail address: `bad.email@example`");
    assert_eq!(verdicts(&world), expected);
    assert_eq!(world.count_results(), [7, 0, 11, 0, 0]);
    assert_eq!(world.contact_by_email("formula@example.com")["notes"][0]["body"], "=1+1");
    assert_eq!(world.read_contacts().len(), 7);

    let (world, done) = rehearsed("messy.csv", "");
    done.exits(3);
    assert_eq!(verdicts(&world), expected);
}

#[test]
fn contacts_xlsx_with_mapping_toml() {
    let mapping = format!("--map '{}'", sample("mapping.toml"));
    let world = empty_world();
    import(&world, "contacts.xlsx", &mapping).exits(0);
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
    let avery = world.contact_by_email("avery.sample@example.com");
    // A number, a date and a title row of a spreadsheet; a constant; words that are translated.
    assert_eq!(avery["contact"]["phone"], "+12025550143");
    assert_eq!(avery["contact"]["dateOfBirth"], 634_003_200_000_i64);
    assert_eq!(avery["contact"]["contactName"], "avery sample");
    assert_eq!(avery["contact"]["source"], "spring fair");
    let casey = world.contact_by_email("casey.muster@example.org");
    assert_eq!(casey["notes"][0]["body"], "Line one\nline two");
    assert_eq!(tag_names(&avery), ["newsletter", "group-north"]);
    assert_eq!(tag_names(&world.contact_by_email("blake.testcase@example.com")), ["group-south"]);
    let log = world.get_control("log").to_string();
    let state = world.get_control("state").to_string();
    assert!(!log.contains("Internal") && !state.contains("Internal"), "an ignored column was sent");

    // A mapping that leaves a column unsaid is refused: the sample says what happens to each.
    let text = std::fs::read_to_string(sample("mapping.toml")).unwrap();
    world.write_sheet("half.toml", &text.replace("ignore = [\"Internal *\"]\n", ""));
    import(&world, "contacts.xlsx", "--map half.toml").exits(4).says("`Internal no.`");

    let (world, done) = rehearsed("contacts.xlsx", &mapping);
    done.exits(0);
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
}

#[test]
fn contacts_xlsx_without_its_mapping_asks_what_is_not_sure() {
    let world = empty_world();
    import(&world, "contacts.xlsx", "").exits(4).says("`Group`").says("ghl-bulk map");
    assert_eq!(world.list_writes(), [] as [String; 0]);
}
