//! Columns that belong together, and names.

use serde_json::{Value, json};

use super::{contact, import_case, import_text};

#[test]
fn two_addresses_are_asked_about_and_never_mixed() {
    for name in ["e02_propstream.csv", "e09_thunderbird.csv"] {
        let (world, done) = import_case(name, "");
        let said = done.exits(4).stderr;
        assert!(world.list_writes().is_empty(), "{name}");
        let proposes = |part: &str| said.contains(&format!("`) may be `{part}`"));
        assert!(proposes("address1") && proposes("city") && proposes("state"), "{said}");
        for other in ["`Work Address`", "(`Address`)", "`Owner 2", "`Do Not Mail`", "Type`"] {
            assert!(!said.contains(other), "{name} {other}: {said}");
        }
    }
}

#[test]
fn one_owner_of_a_property_is_imported_with_the_own_numbers_and_one_address() {
    let maps = ["Address=address1", "City=city", "State=state", "Zip=postalCode"];
    let maps: Vec<_> = maps.iter().map(|map| format!("--map 'Mailing {map}'")).collect();
    let owner = "--map 'Owner 1 First Name=firstName' --map 'Owner 1 Last Name=lastName'";
    let (world, done) = import_case("e02_propstream.csv", &format!("{owner} {}", maps.join(" ")));
    // What forbids contact is named among the columns left out, in full.
    let said = done.exits(3).stderr;
    for column in ["Do Not Mail", "Phone 1 DNC", "Phone 2 DNC", "Litigator", "Owner Occupied"] {
        assert!(said.contains(&format!("`{column}`")), "{column}: {said}");
    }
    let avery = contact(&world, "avery.e2@example.net");
    let texts = ["firstName", "lastName", "phone", "address", "city", "state", "postalCode"];
    assert_eq!(
        texts.map(|key| avery[key].as_str().unwrap_or("")),
        ["Avery", "Sample", "+12025550154", "PO Box 1", "Austin", "TX", "73301"]
    );
    assert!(avery["assignedTo"].is_null(), "{avery}");
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!((rejected.len(), rejected[0]["_reject_code"].as_str()), (1, "R_NO_MATCH_KEY"));
}

#[test]
fn a_fax_number_is_no_phone_and_parts_of_a_birthday_are_no_birthdays() {
    let maps: Vec<_> =
        ["Address=address1", "City=city", "State=state", "ZipCode=postalCode", "Country=country"]
            .iter()
            .map(|map| format!("--map 'Home {map}'"))
            .collect();
    let options = format!("{} --ignore-column 'Home Address 2'", maps.join(" "));
    let (world, done) = import_case("e09_thunderbird.csv", &options);
    let said = done.exits(0).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for column in ["Fax Number", "Birth Year", "Birth Month", "Work Address"] {
        assert!(said.contains(&format!("`{column}`")), "{column}: {said}");
    }
    let avery = contact(&world, "avery.e9@example.net");
    assert_eq!((&avery["address"], &avery["city"]), (&"1 Main St".into(), &"Boston".into()));
    assert!(
        said.contains("Birth Day: 1 value is not a valid date: `13`; it is left out"),
        "{said}"
    );
    assert!(avery["dateOfBirth"].is_null(), "{avery}");
    assert!(contact(&world, "blake.e9@example.net")["phone"].is_null());
}

#[test]
fn one_part_of_an_address_that_the_user_maps_decides_about_the_others() {
    let sheet = "Name,Email,Home Address,Home City,Work Address,Work City\n\
                 A B,a@example.net,1 Elm Rd,Boston,2 Office Park,Salem\n";
    let (_, done) = import_text(sheet, "");
    done.exits(4).says("`Home Address`").does_not_say("`Work Address`");
    let (world, done) = import_text(sheet, "--map 'Work Address=address1'");
    done.exits(0).says("`Home Address`");
    let who = contact(&world, "a@example.net");
    assert_eq!((&who["address"], &who["city"]), (&"2 Office Park".into(), &"Salem".into()));
}

#[test]
fn a_billing_address_beside_the_own_one_is_left_out_and_named() {
    let sheet = "Name,Email,Address,City,Billing Address,Billing City\n\
                 A B,a@example.net,1 Elm Rd,Boston,2 Office Park,Salem\n";
    let (world, done) = import_text(sheet, "");
    done.exits(0).says("`Billing City`");
    let who = contact(&world, "a@example.net");
    assert_eq!((&who["address"], &who["city"]), (&"1 Elm Rd".into(), &"Boston".into()));
}

#[test]
fn names_with_the_last_name_first_are_read_so() {
    let (world, done) = import_case("d10b_name_last_first.csv", "");
    done.exits(0).says("have the form `Last, First`");
    let avery = contact(&world, "avery.d10b@example.net");
    assert_eq!((&avery["firstName"], &avery["lastName"]), (&"Avery".into(), &"Sample".into()));
    let (world, done) = import_text("Name,Email\n\"Sample & Sons, Inc.\",a@example.net\n", "");
    done.exits(0).does_not_say("Last, First");
    assert_eq!(contact(&world, "a@example.net")["firstName"], "Sample");
}

#[test]
fn without_a_column_of_names_one_that_holds_names_is_asked_about() {
    let sheet = "Email,Booked by\na@example.net,Avery Sample\nb@example.net,Blake Sample\n\
                 c@example.net,Casey Sample\n";
    let (_, done) = import_text(sheet, "");
    done.exits(4).says("`Booked by`) may be `name`");
    let (_, done) = import_text(sheet, "--ignore-column B");
    done.exits(0);
}

#[test]
fn a_custom_field_of_the_account_wins_against_the_usual_meaning() {
    let world = crate::import_world::empty_world();
    let field = |id: &str, name: &str, options: &[&str]| {
        json!({
            "id": id, "name": name, "fieldKey": format!("contact.{}", name.to_lowercase()), "model": "contact",
            "dataType": if options.is_empty() { "TEXT" } else { "SINGLE_OPTIONS" }, "picklistOptions": options,
        })
    };
    let fields = [
        field("f1", "Region", &["North", "South"]),
        field("f2", "Mood", &["Good", "Bad", "Mixed"]),
        field("f3", "Email", &[]),
    ];
    world.control_request("PUT", "customFields", &json!(fields));
    let sheet =
        "Name,Email,Region,Feeling\nA B,a@example.net,North,Good\nC D,c@example.net,South,Bad\n";
    world.write_sheet("in.csv", sheet);
    // The name alone decides about the region; values alone are asked about.
    world
        .run_import("")
        .exits(4)
        .says("`Feeling`) may be `customFields.mood`")
        .does_not_say("`Region`");
    world.run_import("--map Feeling=customFields.mood").exits(0);
    let one = contact(&world, "a@example.net");
    assert_eq!(one["state"], Value::Null);
    let values = one["customFields"].to_string();
    assert!(values.contains("North") && values.contains("Good"), "{values}");
}

#[test]
fn people_who_share_a_number_are_judged_in_the_plan_as_the_location_will() {
    let sends = |options: &str| {
        let world = crate::world::World::with_settings(|settings| settings.contacts = 0);
        super::copy_case(&world, "h02_switchboard_5.csv");
        let import = "import h02_switchboard_5.csv --out res";
        world.run_command(&format!("{import} --dry-run {options}"));
        let plan = world.read_json("res/summary.json");
        let applied = world.run_command(&format!("{import} --yes {options}"));
        let summary = world.read_json("res/summary.json");
        let planned_rejections = plan["actions"]["rejected"].as_u64().unwrap_or(0);
        assert_eq!(summary["rows"]["rejected"], planned_rejections, "{plan:#}\n{summary:#}");
        (world, applied)
    };
    let (world, done) = sends("");
    done.exits(3).says("`--on-shared-phone first`");
    assert_eq!(world.count_results(), [1, 0, 4, 0, 0]);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_SHARED_PHONE");

    let phones = |world: &crate::world::World| {
        let all = world.read_contacts();
        assert_eq!(all.len(), 5);
        all.iter().filter(|one| one["contact"]["phone"].is_string()).count()
    };
    let (world, done) = sends("--on-shared-phone first");
    done.exits(0);
    assert_eq!(phones(&world), 1);
    let (world, done) = sends("--on-shared-phone drop-value");
    done.exits(0);
    assert_eq!(phones(&world), 0);
    assert_eq!(super::warned_columns(&world, "W_SHARED_VALUE_DROPPED"), [("phone".to_owned(), 5)]);
}

#[test]
fn people_who_share_an_address_are_told_apart_and_can_be_kept() {
    for (name, rejected, people) in
        [("d03_placeholder_email.csv", 3, 5), ("d04_family_email.csv", 2, 3)]
    {
        let (world, done) = import_case(name, "");
        done.exits(3);
        let rows = world.read_csv("res/rejected.csv");
        assert_eq!(rows.len(), rejected, "{name}");
        let reason = &rows[0]["_reject_reason"];
        assert!(reason.contains("it may be another person; `--on-shared-email first`"), "{reason}");
        let (world, done) =
            import_case(name, "--on-shared-email drop-value --no-identity at-most-once");
        done.exits(0);
        assert_eq!(world.read_contacts().len(), people, "{name}");
    }
    // The same person twice is one that is repeated.
    let sheet =
        "Name,Email,Phone\nA B,a@example.net,+12025550143\nA B,a@example.net,+12025550143\n";
    let (world, done) = import_text(sheet, "--on-shared-email first");
    done.exits(3);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_DUPLICATE_IN_FILE");
}

#[test]
fn a_person_who_is_repeated_in_a_family_is_not_created_twice() {
    let sheet = "Name,Email,Phone\n\
                 Ann B,family@example.net,+12025550143\n\
                 Ann B,family@example.net,+12025550143\n\
                 Bob B,family@example.net,+12025550144\n";
    let (world, done) = import_text(sheet, "--on-shared-email first");
    done.exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert_eq!(
        (rejected[0]["_reject_line"].as_str(), rejected[0]["_reject_code"].as_str()),
        ("3", "R_DUPLICATE_IN_FILE")
    );
    assert_eq!(world.read_contacts().len(), 2);
}

#[test]
fn a_number_of_a_row_that_is_rejected_is_free_for_the_next_one() {
    let sheet = "Name,Email,Phone\n\
                 Ann B,ann@example.net,\n\
                 Ann B,ann@example.net,+12025550143\n\
                 Cat D,cat@example.net,+12025550143\n";
    let (world, done) = import_text(sheet, "");
    done.exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert_eq!(rejected[0]["_reject_code"], "R_DUPLICATE_IN_FILE");
    assert_eq!(contact(&world, "cat@example.net")["phone"], "+12025550143");
}
