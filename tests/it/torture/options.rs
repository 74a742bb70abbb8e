//! The effect of options on the corpus's files, and of its files on existing contacts.

use serde_json::{Value, json};

use super::{CONTACT, corpus, field, location, unguarded};
use crate::import_world::empty_world;
use crate::world::World;

/// The e-mail addresses that the plan creates or updates.
fn emails(world: &World) -> Vec<String> {
    (1..=world.count()).filter_map(|row| world.value(row, "email")).collect()
}

/// A world in which the import of a file was planned.
#[track_caller]
fn planned(file: &str, options: &str, code: i32) -> World {
    let world = location();
    world.try_file(file, options).exits(code);
    world
}

/// A world with an empty location into which a file was imported.
#[track_caller]
fn imported(file: &str, options: &str, code: i32) -> World {
    let world = empty_world();
    import(&world, file, options, code);
    world
}

#[track_caller]
fn import(world: &World, file: &str, options: &str, code: i32) {
    world.take(file);
    let line = format!("import {file} --yes --out res --default-country US {options}");
    world.run_command(&line).exits(code);
}

#[test]
fn hidden_rows_are_passed_over_or_taken_when_asked() {
    let of = |hidden| emails(&planned("53_hidden_rows.xlsx", &format!("--hidden {hidden}"), 0));
    let address = |n: &i32| format!("be{n}@example.com");
    assert_eq!(of("skip"), [1, 4, 6].map(|n| address(&n)));
    assert_eq!(of("include"), [1, 2, 3, 4, 5, 6].map(|n| address(&n)));
}

#[test]
fn an_order_of_dates_that_was_named_decides() {
    for (order, third, invalid) in [("MDY", "1990-02-03", 4), ("DMY", "1990-03-02", 5)] {
        let world = planned("25_dates_mixed.csv", &format!("--date-format {order}"), 0);
        assert_eq!(world.value(3, "dateOfBirth").as_deref(), Some(third), "{order}");
        assert_eq!(world.value(invalid, "dateOfBirth"), None, "{order}");
        assert_eq!(world.value(9 - invalid, "dateOfBirth").as_deref(), Some("1985-12-25"));
        assert!(world.warned_rows("W_DATE_INVALID").contains(&invalid), "{order}");
        assert!(!world.warned_rows("W_DATE_AMBIGUOUS").contains(&3), "{order}");
    }
}

#[test]
fn strict_rejects_rows_whose_dates_would_be_left_out() {
    let world = planned("25_dates_mixed.csv", "--strict", 3);
    let rejected: Vec<_> = (1..=18).filter(|row| world.verdict(*row).0 == "rejected").collect();
    assert_eq!(rejected, [3, 6, 11, 12, 14, 15, 16, 17]);
}

#[test]
fn a_month_in_a_language_that_was_named_is_read() {
    let world = planned("25_dates_mixed.csv", "--date-locale fr", 0);
    assert_eq!(world.value(16, "dateOfBirth").as_deref(), Some("1990-02-03"));
}

#[test]
fn rows_of_one_person_become_one_contact_the_first_or_the_last_value_counting() {
    for (rule, leader, name, email, city) in [
        ("merge", 1, "Ann Test", "Ann@Example.com", "Boston"),
        ("last", 3, "Ann", "ANN@EXAMPLE.COM", "Paris"),
    ] {
        let world = planned("32_dup_email_case.csv", &format!("--on-duplicate {rule}"), 0);
        let actions: Vec<_> = (1..=4).map(|row| world.verdict(row).0).collect();
        let expected =
            (1..=4).map(|row| if row == leader || row == 4 { "create" } else { "merged" });
        assert!(actions.iter().eq(expected), "{rule}: {actions:?}");
        let value = |field| world.value(leader, field).unwrap();
        assert_eq!([value("name"), value("email"), value("city")], [name, email, city], "{rule}");
    }
}

#[test]
fn a_pattern_reaches_all_its_columns() {
    let world = empty_world();
    let fields: Vec<Value> = (1..=497).map(|n| field(&format!("custom_{n}"), "TEXT")).collect();
    let named = fields.into_iter().enumerate().map(|(at, mut field)| {
        field["name"] = format!("Custom {}", at + 1).into();
        field
    });
    world.control_request("PUT", "customFields", &named.collect());
    world.try_file("35_wide_500_columns.csv", "--map 'Custom *=customFields.*'").exits(0);
    let values = world.planned(1).into_iter();
    let custom: Vec<_> = values.filter(|line| line["field"].starts_with("customFields.")).collect();
    assert_eq!(custom.len(), 497);
    assert_eq!(world.value(1, "customFields.custom_497").as_deref(), Some("v497"));
    assert_eq!(world.warned_rows("W_UNMAPPED_COLUMNS"), [0; 0]);
}

#[test]
fn an_invalid_phone_can_be_dropped() {
    let options = "--on-invalid-phone drop --on-shared-phone first";
    let world = planned("34b_invalid_phones.csv", options, 0);
    let dropped = [1, 2, 4, 5, 6, 9, 11, 12];
    assert_eq!(world.warned_rows("W_PHONE_INVALID"), dropped);
    assert!(dropped.iter().all(|row| world.value(*row, "phone").is_none()));
    assert_eq!(world.value(12, "email").as_deref(), Some("t12@example.com"));
}

#[test]
fn a_phone_that_different_people_share_is_imported_with_a_warning() {
    let world = planned("34b_invalid_phones.csv", "", 3);
    assert_eq!(world.warned_rows("W_SHARED_PHONE"), [3, 7, 8, 10]);
    assert_eq!(world.warned_rows("W_PHONE_IDD_00"), [7]);
}

#[test]
fn placeholders_can_be_treated_as_empty() {
    let world = planned(
        "34a_invalid_emails.csv",
        "--empty-values 'N/A,none@none' --allow-name-only --no-identity at-most-once",
        3,
    );
    for row in [11, 12] {
        assert_eq!(world.verdict(row).0, "create", "row {row}");
        assert_eq!(world.value(row, "email"), None);
    }
    assert_eq!(world.verdict(1).1, "R_INVALID_EMAIL");
}

#[test]
fn a_number_with_a_decimal_comma_needs_the_option() {
    let world =
        planned("06_semicolon_decimal_comma.csv", "--map Umsatz=customFields.umsatz:number", 0);
    assert_eq!(world.value(1, "customFields.umsatz"), None);
    assert_eq!(world.warned_rows("W_NUMBER_INVALID"), [1, 2]);
    let strict = "--strict --map Umsatz=customFields.umsatz:number";
    assert_eq!(planned("06_semicolon_decimal_comma.csv", strict, 3).verdict(1).0, "rejected");
}

#[test]
fn one_of_two_columns_with_one_header_can_be_chosen() {
    for (options, city) in [
        ("--map C=city", "Boston"),
        ("--map D=city", "Paris"),
        ("--ignore-column D", "Boston"),
        ("--ignore-column C", "Paris"),
    ] {
        let world = planned("13b_duplicate_headers_single.csv", options, 0);
        assert_eq!(world.value(1, "city").as_deref(), Some(city), "{options}");
    }
}

#[test]
fn a_duplicate_header_is_reported_with_its_columns() {
    let done = location().try_file("13b_duplicate_headers_single.csv", "").exits(4);
    done.says("`City` is the header of columns C and D")
        .says("--map C=city")
        .says("--ignore-column D");
}

#[test]
fn a_long_note_is_cut_or_split_only_when_asked() {
    let world = planned("20_cell_1mb.csv", "--truncate-notes 5000", 0);
    assert_eq!(world.value(1, "note").unwrap().chars().count(), 5_000);
    assert!(!world.warned().is_empty(), "a shortened note is reported");
    let world = planned("20_cell_1mb.csv", "--split-notes", 0);
    let notes = world.values(1, "note");
    assert!(notes.len() > 200 && notes.iter().all(|note| note.chars().count() <= 5_000));
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).count();
    let whole = std::fs::read_to_string(corpus().join("20_cell_1mb.csv")).unwrap();
    let cell = whole.lines().nth(1).unwrap().split("h1@example.com,").nth(1).unwrap();
    let parts: usize = notes.iter().map(|note| letters(note)).sum();
    assert!(parts >= letters(cell), "{parts} letters are left");
}

#[test]
fn an_open_quote_is_reported_with_record_and_line() {
    location()
        .try_file("10_unterminated_quote.csv", "")
        .exits(4)
        .says("record 2 (line 3) opens a quote");
}

#[test]
fn a_record_after_line_breaks_is_reported_with_its_line() {
    let world = planned("09_embedded_newlines_quotes.csv", "", 0);
    assert_eq!(world.planned(2)[0]["line"], "6");
}

#[test]
fn an_error_in_a_spreadsheet_is_reported_with_sheet_and_cell() {
    let world = planned("50_title_row.xlsx", "--map 'Email=phone' --ignore-column Phone", 3);
    let rejected = world.read_csv("res/rejected.csv");
    assert!(rejected[0]["_reject_reason"].starts_with("Contacts!C5: "), "{rejected:?}");
}

#[test]
fn a_task_without_a_date_is_due_some_days_from_today_when_asked() {
    let world =
        planned("63_tasks_dashclicks.csv", "--preset dashclicks-seed-tasks --default-due 7d", 3);
    assert_eq!(world.verdict(5).0, "notes_and_tasks");
    let due: jiff::Timestamp = world.value(5, "task.dueDate").unwrap().parse().unwrap();
    let hours = due.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((5 * 24..=8 * 24).contains(&hours), "{due}");
}

#[test]
fn a_due_date_without_time_is_midnight_where_the_location_is() {
    let world = planned("63_tasks_dashclicks.csv", "--preset dashclicks-seed-tasks", 3);
    assert_eq!(world.value(2, "task.dueDate").as_deref(), Some("2026-01-02T05:00:00Z"));
    let told =
        world.warned().into_iter().find(|(row, code, _)| (*row, &**code) == (2, "W_DUE_NO_TIME"));
    let (.., message) = told.unwrap();
    assert!(message.contains("America/New_York") && message.contains("--timezone"), "{message}");
}

#[test]
fn a_note_s_date_goes_into_its_text_when_asked() {
    let world = planned("64_notes_dub.csv", "--preset dub-seed-notes --note-date prefix", 3);
    let note = world.value(1, "note").unwrap();
    assert!(note.contains("2026-02-01") && note.ends_with("two\nlines, and \"quotes\""), "{note}");
    assert_eq!(world.warned_rows("W_NOTE_DATE_NOT_SETTABLE"), [0; 0]);
}

#[test]
fn imported_notes_are_not_created_again() {
    let world = location();
    let bodies = || {
        let contact = world.read_contacts().remove(0);
        let notes = contact["notes"].as_array().unwrap().clone();
        let mut bodies: Vec<_> =
            notes.iter().map(|note| note["body"].as_str().unwrap().to_owned()).collect();
        bodies.sort();
        bodies
    };
    let expected = ["=1+1", "changed text", "two\nlines, and \"quotes\""];
    for _ in 0..2 {
        import(&world, "64_notes_dub.csv", "--preset dub-seed-notes", 3);
        assert_eq!(bodies(), expected);
    }
}

#[test]
fn a_short_row_takes_nothing_from_a_contact() {
    let world = empty_world();
    world
        .add_contacts(&[json!({"email": "c2@example.com", "companyName": "Kept", "city": "Rome"})]);
    import(&world, "12_ragged_rows.csv", "", 3);
    let contact = world.contact_by_email("c2@example.com");
    assert_eq!(contact["contact"]["companyName"], "Kept");
    assert_eq!(contact["contact"]["city"], "Rome");
}

#[test]
fn an_empty_cell_that_is_not_there_clears_nothing_even_where_empty_cells_do() {
    let world = empty_world();
    world
        .add_contacts(&[json!({"email": "c2@example.com", "companyName": "Kept", "city": "Rome"})]);
    world.write_sheet(
        "clear.toml",
        "format = 1\n[[column]]\nfrom = \"Name\"\nto = \"name\"\n\
         [[column]]\nfrom = \"Email\"\nto = \"email\"\n\
         [[column]]\nfrom = \"Company\"\nto = \"companyName\"\nblank = \"clear\"\n\
         [[column]]\nfrom = \"City\"\nto = \"city\"\nblank = \"clear\"\n",
    );
    import(&world, "12_ragged_rows.csv", "--map clear.toml --allow-clear", 3);
    assert_eq!(world.contact_by_email("c2@example.com")["contact"]["city"], "Rome");
}

#[test]
fn no_consent_column_lifts_an_opt_out() {
    let world = empty_world();
    let out = json!({"status": "active", "message": "", "code": ""});
    let person =
        |n: i32| json!({"email": format!("ag{n}@example.com"), "dndSettings": {"Email": out}});
    world.add_contacts(&[2, 3].map(person));
    import(&world, "47_consent_polarity.csv", "", 0);
    for n in [1, 2, 3, 4, 5] {
        let person = world.contact_by_email(&format!("ag{n}@example.com"));
        let status = &person["contact"]["dndSettings"]["Email"]["status"];
        assert_eq!(status, "active", "ag{n}");
        assert_ne!(person["contact"]["dnd"], true, "one channel is not all");
    }
}

#[test]
fn a_row_without_consent_columns_leaves_a_reachable_contact_reachable() {
    let world = imported("47_consent_polarity.csv", "", 0);
    for n in [2, 3] {
        let person = world.contact_by_email(&format!("ag{n}@example.com"));
        assert_ne!(person["contact"]["dndSettings"]["Email"]["status"], "active", "ag{n}");
    }
}

#[test]
fn an_update_omits_a_no_that_would_lift_a_block() {
    let world = empty_world();
    world.add_contacts(&[json!({"email": "p2@example.com", "dnd": true})]);
    import(&world, "28_booleans.csv", "", 3);
    assert_eq!(world.contact_by_email("p2@example.com")["contact"]["dnd"], true);
    assert_eq!(world.contact_by_email("p4@example.com")["contact"]["dnd"], false);
}

#[test]
fn an_unknown_id_is_never_created() {
    let world = empty_world();
    import(&world, "43_contact_ids_update.csv", "--mode update", 3);
    assert_eq!(world.read_contacts().len(), 0);
    let codes: Vec<_> =
        world.read_csv("res/rejected.csv").iter().map(|row| row["_reject_code"].clone()).collect();
    assert_eq!(
        codes,
        ["R_NOT_FOUND", "R_DUPLICATE_IN_FILE", "R_INVALID_CONTACT_ID", "R_NOT_FOUND"]
    );
}

#[test]
fn what_looks_like_a_formula_is_stored_as_it_is_and_guarded_where_it_is_exported() {
    let world = imported("31_formula_injection.csv", "", 0);
    world.run_command("export --with notes --format csv --out out").exits(0);
    let notes = world.read_csv("out/notes.csv");
    let contacts = world.read_csv("out/contacts.csv");
    let expected =
        csv::Reader::from_path(corpus().join("31_formula_injection.expected_export.csv"));
    for row in expected.unwrap().deserialize() {
        let row: crate::import_world::ResultRow = row.unwrap();
        let own = contacts.iter().find(|contact| contact["email"] == row["Email"]).unwrap();
        let note = notes.iter().find(|note| note["contact_id"] == own["id"]).unwrap();
        assert_eq!(note["body"], row["Notes"], "{}", row["Email"]);
        let stored = world.contact_by_email(&row["Email"])["notes"][0]["body"].clone();
        assert_eq!(stored, unguarded(&row["Notes"]), "{}", row["Email"]);
    }
}

#[test]
fn the_guarded_form_of_a_formula_is_read_as_its_text() {
    let world = imported("31_formula_injection.csv", "", 0);
    let notes = |world: &World| -> Vec<(String, String)> {
        let of = |person: &Value| {
            (person["contact"]["email"].to_string(), person["notes"][0]["body"].to_string())
        };
        let mut notes: Vec<_> = world.read_contacts().iter().map(of).collect();
        notes.sort();
        notes
    };
    let again = imported("31_formula_injection.expected_export.csv", "", 0);
    assert_eq!(notes(&again), notes(&world));
}

#[test]
fn a_contact_that_a_file_names_is_the_one_that_changes() {
    let world = location();
    import(&world, "43_contact_ids_update.csv", "", 3);
    let all = world.read_contacts();
    assert_eq!(all.len(), 2);
    let named = all.iter().find(|person| person["contact"]["id"] == CONTACT).unwrap();
    assert_eq!(named["contact"]["firstName"], "Avery");
    assert_eq!(named["contact"]["companyName"], "Already There");
}
