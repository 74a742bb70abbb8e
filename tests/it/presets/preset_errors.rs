//! Presets that are not there, cannot be read, conflict, or meet a file in another language.

use serde_json::json;

use crate::import_world::{empty_world, tag_names};
use crate::world::World;

/// A world whose presets lie in its directory.
fn world() -> World {
    let world = empty_world();
    let config = world.path("config").display().to_string();
    std::fs::create_dir_all(world.path("config/presets")).unwrap();
    world.with_env("GHL_BULK_CONFIG", &config)
}

const BREVO: &str =
    "EMAIL;FIRSTNAME;ADDED_TIME;MODIFIED_TIME\nann@example.com;Ann;01-02-2026;01-02-2026\n";

#[test]
fn a_path_or_an_unknown_name_is_not_a_preset() {
    let world = world();
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    world.write_sheet(
        "config/outside.toml",
        "title = \"x\"\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n",
    );
    for name in ["../outside", "../presets/../outside", "/etc/passwd", "hubspot.toml", ""] {
        for command in ["import in.csv --yes --preset", "map in.csv --preset", "map --show-preset"]
        {
            let done = world.run_command(&format!("{command} '{name}'")).exits(2);
            let done = done.says(&format!("there is no preset `{name}`"));
            done.says("hint: ").says("`ghl-bulk map --list-presets` lists all presets");
        }
    }
    world
        .run_command("import in.csv --yes --preset hubpsot")
        .exits(2)
        .says("did you mean `hubspot`?");
    assert_eq!(world.list_writes(), [""; 0]);
}

#[test]
fn an_unreadable_presets_directory_is_reported_and_nothing_is_guessed() {
    let world = world();
    world.write_sheet("in.csv", BREVO);
    std::fs::remove_dir(world.path("config/presets")).unwrap();
    world.write_sheet("config/presets", "a file where the directory should be");
    let save = "map in.csv --save-preset mine";
    for command in ["import in.csv --yes", "map in.csv", "map --list-presets", save] {
        world.run_command(command).exits(2).says("config/presets`: ");
    }
    // A complete mapping needs no presets.
    world.write_sheet("map.toml", "format = 1\n[[column]]\nfrom = \"EMAIL\"\nto = \"email\"\n");
    world.run_import("--map map.toml --unmapped ignore --ignore-column FIRSTNAME --ignore-column ADDED_TIME --ignore-column MODIFIED_TIME").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_preset_that_cannot_be_read_is_named() {
    let world = world();
    world.write_sheet("in.csv", BREVO);
    // A link in a circle cannot be read by any user.
    std::os::unix::fs::symlink("loop.toml", world.path("config/presets/loop.toml")).unwrap();
    std::fs::create_dir(world.path("config/presets/dir.toml")).unwrap();
    world.run_command("import in.csv --yes").exits(2).says("loop.toml");
    std::fs::remove_file(world.path("config/presets/loop.toml")).unwrap();
    world.run_command("import in.csv --yes --out res").exits(0);
}

#[test]
fn a_preset_saved_from_a_known_file_is_taken_before_the_program_s() {
    let world = world();
    world.write_sheet("in.csv", BREVO);
    world.run_command("map in.csv --save-preset ours").exits(0);
    let text = std::fs::read_to_string(world.path("config/presets/ours.toml")).unwrap();
    let text = text + "\n[[constant]]\nto = \"tags\"\nvalue = \"ours\"\n";
    world.write_sheet("config/presets/ours.toml", &text);
    world.run_command("map in.csv").exits(0).says("the preset `ours` knows");
    world.run_import("").exits(0);
    assert_eq!(tag_names(&world.contact_by_email("ann@example.com")), ["ours"]);
}

#[test]
fn built_in_presets_are_replaced_only_when_asked_and_this_is_shown() {
    let world = world();
    world.write_sheet("in.csv", BREVO);
    for name in ["brevo", "HubSpot"] {
        let done = world.run_command(&format!("map in.csv --save-preset {name}")).exits(2);
        done.says(&format!("`{name}` is a preset of the program's")).says("--force");
    }
    assert_eq!(world.list_files("config/presets"), [""; 0]);
    world.run_command("map in.csv --save-preset brevo --force").exits(0);
    let list = world.run_command("map --list-presets").exits(0).stdout;
    let own: Vec<&str> = list.lines().filter(|line| line.starts_with("brevo ")).collect();
    assert!(own.len() == 1 && own[0].contains("(yours, in place of the program's)"), "{list}");
    world.run_import("").exits(0);
}

#[test]
fn every_preset_with_errors_is_reported_with_its_lines_and_suggestions() {
    let world = world();
    let column = "[[column]]\nfrom = \"Email\"\nto = \"email\"\n";
    for (name, text, said) in [
        (
            "one",
            format!("titel = \"x\"\n{column}"),
            "line 1: a mapping has no key `titel` (did you mean `title`?)",
        ),
        (
            "two",
            format!("{column}convrt = \"date\"\n"),
            "line 4: `[[column]]` has no key `convrt` (did you mean `convert`?)",
        ),
        (
            "three",
            format!("\nentity = \"contact\"\n{column}"),
            "line 2: unknown variant `contact`, expected one of `contacts`",
        ),
        ("four", "title = \"x\n".to_owned(), "line 1: invalid TOML"),
        (
            "five",
            format!("[detect]\nal = [\"Email\"]\n{column}"),
            "line 2: unknown field `al`, expected `all`",
        ),
    ] {
        world.write_sheet(&format!("config/presets/{name}.toml"), &text);
        let done = world.run_command("map --list-presets").exits(2);
        assert!(done.stdout.contains("hubspot"), "the others are listed all the same");
        let line = done.stderr.lines().find(|line| line.contains(&format!("{name}.toml")));
        let line = line.unwrap_or_else(|| panic!("nothing about {name}: {}", done.stderr));
        assert!(line.contains(said), "{line}");
    }
    // One file after another, each in a line of its own.
    let told = world.run_command("map --list-presets").exits(2).stderr;
    assert_eq!(told.lines().filter(|line| line.contains(".toml`: line ")).count(), 5, "{told}");
}

#[test]
fn a_lead_form_in_another_language_is_known_and_its_questions_are_understood() {
    let world = world();
    world.write_sheet(
        "in.csv",
        "id,created_time,form_id,form_name,is_organic,platform,nombre_completo,correo_electrónico,número_de_teléfono,ciudad\n\
         l:1,2026-02-01T10:00:00+01:00,f:2,Leads,false,fb,Ana Torres,ana@example.com,p:+34611223344,Sevilla\n",
    );
    world.run_command("map in.csv --offline").exits(0).says("the preset `facebook-leads` knows");
    world.run_import("").exits(0);
    let ana = &world.contact_by_email("ana@example.com")["contact"];
    let fields =
        ["firstName", "phone", "city"].map(|name| ana[name].as_str().unwrap().to_lowercase());
    assert_eq!(fields, ["ana", "+34611223344", "sevilla"]);
}

/// Outlook's export as it names its columns in German: no preset knows it, and the dictionary does.
#[test]
fn an_address_book_in_another_language_is_read_by_the_dictionary_and_nothing_is_taken_for_something_else()
 {
    let world = world();
    world.write_sheet(
        "in.csv",
        "Anrede,Vorname,Weitere Vornamen,Nachname,Firma,Abteilung,Position,Straße geschäftlich,Ort geschäftlich,\
         Postleitzahl geschäftlich,Land/Region geschäftlich,Fax geschäftlich,Telefon geschäftlich,Mobiltelefon,\
         E-Mail-Adresse,E-Mail-Typ,E-Mail: Angezeigter Name,Geburtstag,Notizen,Name Assistent,Telefon Assistent\n\
         Frau,Anna,Maria,Muster,Muster GmbH,Einkauf,Leiterin,Hauptstr. 1,Berlin,10115,Deutschland,+49 30 999,\
         +49 30 1234567,+49 151 12345678,anna@example.com,SMTP,Anna Muster (anna@example.com),1985-03-12,Messe,\
         Ben Beispiel,+49 30 7654321\n",
    );
    let text = world.run_command("map in.csv --offline").exits(0).stdout;
    let goes = |column: &str| -> String {
        let at = text
            .find(&format!("from = \"{column}\"\n"))
            .unwrap_or_else(|| panic!("{column}: {text}"));
        let to = text[at..].lines().find(|line| line.starts_with("to = ")).unwrap();
        to.split('"').nth(1).unwrap().to_owned()
    };
    for (column, target) in [
        ("Vorname", "firstName"),
        ("Nachname", "lastName"),
        ("Firma", "companyName"),
        ("E-Mail-Adresse", "email"),
        ("Geburtstag", "dateOfBirth"),
        ("Notizen", "note"),
    ] {
        assert_eq!(goes(column), target, "{column}");
    }
    for column in [
        "Anrede",
        "Weitere Vornamen",
        "Abteilung",
        "Position",
        "Fax geschäftlich",
        "E-Mail-Typ",
        "E-Mail: Angezeigter Name",
        "Name Assistent",
        "Telefon Assistent",
    ] {
        assert!(["?", "ignore"].contains(&goes(column).as_str()), "{column} -> {}", goes(column));
    }
    assert!(json!(world.list_writes()).as_array().unwrap().is_empty());
}
