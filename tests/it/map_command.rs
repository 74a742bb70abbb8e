//! `ghl-bulk map`: proposals, and saved presets.

use crate::import_world::empty_world;
use crate::world::World;

/// A world whose presets lie in its directory.
fn world() -> World {
    let world = empty_world();
    let config = world.path("config").display().to_string();
    world.with_env("GHL_BULK_CONFIG", &config)
}

fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path(name)).unwrap()
}

#[test]
fn a_clear_sheet_is_mapped_and_its_mapping_imports() {
    let world = world();
    world.write_sheet("in.csv", "First Name,Email,Mobile\nAnn,ann@example.com,+12025550143\n");
    let done = world.run_command("map in.csv -o map.toml").exits(0);
    done.says("3 columns mapped, 0 to check, 0 to decide")
        .says("ghl-bulk import in.csv --map map.toml");
    world.run_import("--map map.toml").exits(0);
    assert_eq!(world.contact_by_email("ann@example.com")["contact"]["firstName"], "Ann");
}

#[test]
fn an_open_question_stops_an_import_until_it_is_answered() {
    let world = world();
    world.write_sheet(
        "in.csv",
        "Email,Customer Telefone,Zustand\nann@example.com,+12025550143,x\nbob@example.com,+12025550145,y\n\
         eve@example.com,+12025550147,z\n",
    );
    let told = "1 column mapped, 1 to check, 1 to decide";
    world
        .run_command("map in.csv -o map.toml")
        .exits(0)
        .says(told)
        .says("decide what is \"?\" in map.toml");
    let text = read(&world, "map.toml");
    assert!(text.contains("# To decide: columns B, C."), "{text}");
    assert!(text.contains("replace \"?\" by \"phone\" if right\nsuggest = \"phone\""), "{text}");
    let done = world.run_import("--map map.toml").exits(4);
    let line = |from: &str| text.lines().position(|it| it == format!("from = \"{from}\"")).unwrap();
    for from in ["Customer Telefone", "Zustand"] {
        let place = format!("line {}: `{from}` has no target yet", line(from));
        assert!(done.stderr.contains(&place), "{place}: {}", done.stderr);
    }
    assert_eq!(world.list_writes(), [""; 0]);
    let decided = text.replacen("to = \"?\"", "to = \"phone\"", 1).replacen(
        "to = \"?\"",
        "to = \"ignore\"",
        1,
    );
    world.write_sheet("map.toml", &decided);
    world.run_import("--map map.toml").exits(0);
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["phone"], "+12025550145");
}

#[test]
fn a_mapping_is_never_overwritten_unasked() {
    let world = world();
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    world.write_sheet("map.toml", "mine");
    world.run_command("map in.csv -o map.toml").exits(2).says("`map.toml` exists").says("--force");
    assert_eq!(read(&world, "map.toml"), "mine");
    world.run_command("map in.csv -o map.toml --force").exits(0);
    assert!(read(&world, "map.toml").contains("to = \"email\""));
}

#[test]
fn the_location_is_asked_for_its_fields_unless_a_flag_forbids_it() {
    let world = world();
    world.write_sheet("in.csv", "Email,Renewal date\nann@example.com,2026-01-02\n");
    let asked = world.run_command("map in.csv").exits(0).stdout;
    assert!(asked.contains("to = \"customFields.renewal_date\""), "{asked}");
    let before = world.get_control("log")["entries"].as_array().unwrap().len();
    let offline = world.run_command("map in.csv --offline").exits(0).stdout;
    assert!(!offline.contains("customFields.renewal_date"), "{offline}");
    assert_eq!(world.get_control("log")["entries"].as_array().unwrap().len(), before);
}

#[test]
fn text_of_the_sheet_cannot_leave_its_comment_or_string() {
    let world = world();
    let evil = "x\"\"\n[[column]]\nfrom = \"\"Email\"\"\nto = \"\"ignore\"\"\n\u{1b}[31m\u{202e}\u{2028}# ";
    let sheet =
        format!("Email,\"{evil}\"\nann@example.com,\"{evil}\"\nbob@example.com,\"{evil}\"\n");
    world.write_sheet("in.csv", &sheet);
    let text = world.run_command("map in.csv").exits(0).stdout;
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{2028}', '\r']), "{text:?}");
    let tables = text.lines().filter(|line| *line == "[[column]]").count();
    assert_eq!(tables, 2, "{text}");
    let known = |line: &str| {
        let fronts = ["#", "[[column]]", "from = ", "to = ", "suggest = ", "format = "];
        line.is_empty() || fronts.iter().any(|front| line.starts_with(front))
    };
    assert!(text.lines().all(known), "{text}");
    world.write_sheet("map.toml", &text);
    world.run_import("--map map.toml").exits(4).says("has no target yet");
}

#[test]
fn presets_are_listed_and_shown() {
    let world = world();
    let list = world.run_command("map --list-presets").exits(0).stdout;
    assert_eq!(
        list.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["NAME", "DIRECTION", "WHAT"]
    );
    assert!(
        list.lines().any(|line| line.starts_with("hubspot ") && line.contains(" both ")),
        "{list}"
    );
    let json = world.run_command("map --list-presets --json").exits(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mailchimp = json.as_array().unwrap().iter().find(|it| it["name"] == "mailchimp").unwrap();
    assert_eq!(mailchimp["direction"], "import");
    let text = world.run_command("map --show-preset mailchimp").exits(0).stdout;
    world.write_sheet("map.toml", &text);
    world.write_sheet("in.csv", "Email Address,MEMBER_RATING,LEID\nann@example.com,4,1\n");
    world.run_import("--map map.toml").exits(0);
    world.run_command("map --show-preset mailchmp").exits(2).says("did you mean `mailchimp`?");
    world.run_command("map").exits(2);
}

#[test]
fn a_saved_preset_knows_its_files_from_then_on() {
    let world = world();
    world.write_sheet(
        "in.csv",
        "Kunde,Mail-Adresse,Rabatt\nAnn Test,ann@example.com,5\nBob Test,bob@example.com,6\n",
    );
    world.run_command("map in.csv --save-preset shop").exits(0).says("ghl-bulk import in.csv");
    world.run_command("map in.csv --save-preset shop").exits(2).says("exists").says("--force");
    let text = read(&world, "config/presets/shop.toml");
    world.run_import("").exits(4).says("shop.toml").says("has no target yet");
    let mut decided = text.replace("to = \"?\"", "to = \"ignore\"");
    for (from, to) in [("Kunde", "name"), ("Mail-Adresse", "email")] {
        let at = decided.find(&format!("from = \"{from}\"")).unwrap();
        let line = decided[at..].find("to = ").unwrap() + at;
        let end = decided[line..].find('\n').unwrap() + line;
        decided.replace_range(line..end, &format!("to = \"{to}\""));
    }
    world.write_sheet("config/presets/shop.toml", &decided);
    world.run_import("").exits(0);
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["lastName"], "Test");
    let list = world.run_command("map --list-presets").exits(0).stdout;
    assert!(
        list.lines().any(|line| line.starts_with("shop ") && line.contains("(yours)")),
        "{list}"
    );
    for name in ["../shop", "a/b", "a\\b", ".shop", ""] {
        world
            .run_command(&format!("map in.csv --save-preset '{name}'"))
            .exits(2)
            .says("cannot be a preset's name");
    }
}

#[test]
fn a_preset_of_ones_own_comes_before_a_built_in_one_of_its_name() {
    let world = world();
    world.write_sheet("in.csv", "Email Address,MEMBER_RATING,LEID\nann@example.com,4,1\n");
    std::fs::create_dir_all(world.path("config/presets")).unwrap();
    let own = "title = \"mine\"\nmissing = \"skip\"\n[detect]\nall = [\"MEMBER_RATING\"]\n\
               [[column]]\nfrom = \"Email Address\"\nto = \"email\"\n\
               [[column]]\nfrom = \"MEMBER_RATING\"\nto = \"tags\"\nprefix = \"rated-\"\n";
    world.write_sheet("config/presets/mailchimp.toml", own);
    world.run_import("--preset mailchimp").exits(0);
    assert_eq!(
        crate::import_world::tag_names(&world.contact_by_email("ann@example.com")),
        ["rated-4"]
    );
    assert_eq!(world.run_command("map --show-preset mailchimp").exits(0).stdout, own);
}

#[test]
fn an_error_in_a_preset_of_ones_own_names_file_and_line() {
    let world = world();
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    std::fs::create_dir_all(world.path("config/presets")).unwrap();
    let broken = "title = \"mine\"\n[[column]]\nfrom = \"Email\"\nto = \"emial\"\n";
    world.write_sheet("config/presets/crm.toml", broken);
    for command in ["import in.csv --yes", "import in.csv --yes --preset crm", "map in.csv"] {
        let done = world.run_command(command).exits(4).says("config/presets/crm.toml");
        done.says("line 4: `emial` is not a target").says("did you mean `email`?");
    }
    world.run_command("map --list-presets").exits(2).says("crm.toml").says("line 4");
    let unknown = "title = \"x\"\n\n[detect]\nal = [\"Email\"]\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n";
    world.write_sheet("config/presets/crm.toml", unknown);
    world.run_command("import in.csv --yes --preset crm").exits(4).says("crm.toml").says("line 4");
    // Who gives a mapping, or names another preset, has nothing to do with it.
    world.write_sheet("map.toml", "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n");
    world.run_import("--map map.toml").exits(0);
}

#[test]
fn a_preset_that_does_not_fit_says_what_is_missing_and_which_one_does() {
    let world = world();
    world.write_sheet("in.csv", "Email Address,MEMBER_RATING,LEID\nann@example.com,4,1\n");
    for command in ["import in.csv --yes --preset brevo", "map in.csv --preset brevo"] {
        let done = world
            .run_command(command)
            .exits(4)
            .says("it lacks `EMAIL`, `ADDED_TIME`, `MODIFIED_TIME`");
        done.says("`--preset mailchimp` fits it");
    }
    world.write_sheet("in.csv", "Alpha,Beta\n1,2\n");
    world
        .run_command("import in.csv --yes --preset dub-seed-contacts")
        .exits(4)
        .says("`contactId`")
        .says("no preset matches it");
}

#[test]
fn presets_that_fit_equally_are_both_named_and_the_user_decides() {
    let world = world();
    std::fs::create_dir_all(world.path("config/presets")).unwrap();
    for (name, tag) in [("north", "n"), ("south", "s")] {
        let text = format!(
            "missing = \"skip\"\n[detect]\nall = [\"Mail\", \"Region\"]\n\
             [[column]]\nfrom = \"Mail\"\nto = \"email\"\n\
             [[column]]\nfrom = \"Region\"\nto = \"tags\"\nprefix = \"{tag}-\"\n"
        );
        world.write_sheet(&format!("config/presets/{name}.toml"), &text);
    }
    world.write_sheet("in.csv", "Mail,Region\nann@example.com,west\n");
    world.run_import("").exits(4).says("`north` and `south`").says("--preset");
    world.run_command("map in.csv").exits(0).says("`north` and `south`");
    world.run_import("--preset south").exits(0);
    assert_eq!(
        crate::import_world::tag_names(&world.contact_by_email("ann@example.com")),
        ["s-west"]
    );
}

#[test]
fn an_export_of_people_who_unsubscribed_is_known_by_its_name_and_opts_them_out() {
    let world = world();
    let sheet = "Email Address,MEMBER_RATING,LEID\nann@example.com,4,1\n";
    let out = || {
        world.contact_by_email("ann@example.com")["contact"]["dndSettings"]["Email"]["status"]
            .clone()
    };
    world.write_sheet("subscribed_members.csv", sheet);
    world.run_command("import subscribed_members.csv --yes --out one").exits(0);
    assert_ne!(out(), "active");
    world.write_sheet("Unsubscribed_members.csv", sheet);
    world.run_command("map Unsubscribed_members.csv -o map.toml").exits(0);
    world.run_command("import Unsubscribed_members.csv --yes --out two").exits(0);
    assert_eq!(out(), "active");
}

#[test]
fn a_known_export_with_translated_names_is_understood_all_the_same() {
    let world = world();
    world.write_sheet(
        "in.csv",
        "Indirizzo email,Nome,Cognome,MEMBER_RATING,OPTIN_TIME,LEID,EUID,TAGS\n\
         ann@example.com,Ann,Test,4,2024-03-14 09:12:31,1,2,\"\"\"VIP\"\"\"\n",
    );
    world.run_import("").exits(0);
    let ann = world.contact_by_email("ann@example.com");
    assert_eq!([&ann["contact"]["firstName"], &ann["contact"]["lastName"]], ["Ann", "Test"]);
    assert_eq!(crate::import_world::tag_names(&ann), ["vip"]);
}

#[test]
fn the_targets_are_listed_with_the_custom_fields_of_the_location() {
    let world = world();
    let list = world.run_command("map --list-targets").exits(0).stdout;
    let line = |start: &str| {
        let found = list.lines().find(|line| line.split_whitespace().next() == Some(start));
        found.unwrap_or_else(|| panic!("no `{start}` in:\n{list}"))
    };
    assert!(line("assignedTo").contains("the user who is responsible"), "{list}");
    assert!(line("dndSettings.SMS").contains("do not send text messages"), "{list}");
    for target in ["firstName", "note.title", "task.dueDate", "tags", "optIn", "business"] {
        line(target);
    }
    let interests = line("customFields.interests");
    assert!(interests.contains("CHECKBOX") && interests.contains("Interests"), "{interests}");
    assert!(interests.contains("Solar, Wind; offshore, Gas, oil"), "{interests}");
    assert!(line("customFields.contract").contains("cannot be written"), "{list}");
    // A key that is empty, or that two fields have, names no field.
    let unclear =
        |line: &str| line.starts_with("customFields.region") || line.contains("customFields. ");
    assert!(!list.lines().any(unclear), "{list}");
    let json = world.run_command("map --list-targets --json").exits(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let targets = json["targets"].as_array().unwrap();
    assert!(targets.iter().any(|it| it["target"] == "tags" && it["several_columns"] == true));
    let fields = json["custom_fields"].as_array().unwrap();
    let stage = fields.iter().find(|it| it["key"] == "stage").unwrap();
    assert_eq!(stage["target"], "customFields.stage");
    assert_eq!([&stage["label"], &stage["type"]], ["Stage", "SINGLE_OPTIONS"]);
    assert_eq!(stage["options"][1], "Won");
}

#[test]
fn without_an_account_only_the_targets_of_every_location_are_listed() {
    let world = world().without_env("GHL_TOKEN").without_env("GHL_LOCATION_ID");
    let done = world.run_command("map --list-targets").exits(0);
    assert!(done.stdout.contains("firstName") && !done.stdout.contains("customFields."));
    let done = done.says("no account is given");
    assert!(!done.stderr.contains("error"), "{}", done.stderr);
    let json = world.run_command("map --list-targets --json").exits(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["custom_fields"].is_null(), "{json}");
}

#[test]
fn likely_targets_are_accepted_from_the_confidence_that_is_given() {
    let world = world();
    world.write_sheet(
        "in.csv",
        "Email,Customer Telefone,Zustand\nann@example.com,+12025550143,x\nbob@example.com,+12025550145,y\n\
         eve@example.com,+12025550147,z\n",
    );
    let asked = world.run_command("map in.csv").exits(0).stdout;
    assert!(asked.contains("replace \"?\" by \"phone\" if right"), "{asked}");
    world
        .run_command("map in.csv --accept 0.6 -o map.toml")
        .exits(0)
        .says("2 columns mapped, 0 to check, 1 to decide");
    world.run_import("--map map.toml --ignore-column Zustand").exits(4).says("has no target yet");
    world.write_sheet(
        "in.csv",
        "Email,Customer Telefone\nann@example.com,+12025550143\n\
         bob@example.com,+12025550145\neve@example.com,+12025550147\n",
    );
    world.run_command("map in.csv --accept 0.6 -o map.toml --force").exits(0);
    world.run_import("--map map.toml").exits(0);
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["phone"], "+12025550145");
    world.run_command("map in.csv --accept 0.99").exits(0).says("1 to check");
    world.run_command("map in.csv --accept 70").exits(2).says("a number from 0 to 1");
}

#[test]
fn of_two_likely_columns_for_one_target_only_one_is_accepted() {
    let world = world();
    world.write_sheet(
        "in.csv",
        "Email,Sales Rep,Agent\nann@example.com,Ann,Bob\nbob@example.com,Bob,Ann\neve@example.com,Ann,Ann\n",
    );
    let text = world.run_command("map in.csv --accept 0.3").exits(0).stdout;
    assert_eq!(text.matches("to = \"assignedTo\"").count(), 1, "{text}");
    assert!(text.contains("and only one column can"), "{text}");
}
