//! The samples: what the README shows, on the stand-in that is embedded in the program.

use std::path::Path;

use crate::people::{empty, tags};
use crate::world::World;

/// Copies the samples into the working directory.
fn world() -> World {
    let world = empty();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for name in ["contacts.csv", "messy.csv", "contacts.xlsx", "mapping.toml"] {
        std::fs::copy(samples.join(name), world.path(name)).unwrap();
    }
    world
}

#[test]
fn contacts_csv_is_imported_into_the_embedded_sandbox() {
    let world = world();
    world.run("import contacts.csv --sandbox --yes --out res").exits(0).says("succeeded");
    assert_eq!(world.tally(), [5, 0, 0, 0, 0]);
}

#[test]
fn contacts_csv_makes_five_people_with_their_notes_and_tags() {
    let world = world();
    world.run("import contacts.csv --yes --out res").exits(0);
    assert_eq!(world.account().len(), 5);
    let casey = world.person("casey.muster@example.org");
    assert_eq!(casey["contact"]["country"], "DE");
    assert_eq!(casey["contact"]["phone"], "+4930901820");
    assert_eq!(casey["notes"][0]["body"], "Prefers e-mail");
    assert_eq!(tags(&world.person("avery.sample@example.com")), ["lead", "spring fair"]);
}

#[test]
fn messy_csv_shows_a_defect_per_row_and_takes_what_is_sound() {
    let world = world();
    world.run("import messy.csv --yes --out res --default-country US").exits(3);
    let rejected = world.table("res/rejected.csv");
    let codes: Vec<_> = rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
    assert_eq!(
        codes,
        [
            "R_INVALID_EMAIL",
            "R_INVALID_PHONE",
            "R_PHONE_SCIENTIFIC",
            "R_SPREADSHEET_ERROR",
            "R_BOOLEAN_UNKNOWN",
            "R_DUPLICATE_IN_FILE",
            "R_NO_IDENTITY",
            "R_TOTALS_ROW",
        ]
    );
    let warned: Vec<_> = world.table("res/warnings.csv");
    for code in ["W_COUNTRY_UNKNOWN", "W_DATE_INVALID", "W_MULTI_EMAIL", "W_APOSTROPHE_STRIPPED"] {
        assert!(warned.iter().any(|row| row["code"] == code), "{code}: {warned:?}");
    }
    assert_eq!(world.account().len(), 5);
    assert_eq!(world.person("formula@example.com")["notes"][0]["body"], "=1+1");
}

#[test]
fn contacts_xlsx_and_mapping_toml_go_together() {
    let world = world();
    world.run("import contacts.xlsx --map mapping.toml --yes --out res").exits(0);
    let avery = world.person("avery.sample@example.com");
    assert_eq!(avery["contact"]["contactName"], "avery sample");
    assert_eq!(avery["contact"]["phone"], "+12025550143");
    assert_eq!(avery["contact"]["source"], "spring fair");
    assert_eq!(tags(&avery), ["newsletter", "group-north"]);
    let casey = world.person("casey.muster@example.org");
    assert_eq!(casey["notes"][0]["body"], "Line one\nline two");
    assert_eq!(world.tally(), [3, 0, 0, 0, 0]);
}
