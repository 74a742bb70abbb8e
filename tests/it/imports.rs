//! Imports: what a sheet changes in an account, and which files the import writes.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::import_world::{empty_world, tag_names};
use crate::world::{World, short_id};

const TWO: &str = "First Name,Last Name,Email,Phone,Tags,Notes\n\
    Avery,Sample,avery@example.com,(202) 555-0143,lead; fair,Met at the fair\n\
    Blake,Testcase,blake@example.com,+1 202 555 0145,,\n";

#[test]
fn a_sheet_of_new_people_makes_each_of_them_once() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_import("").exits(0);
    let avery = world.contact_by_email("avery@example.com");
    assert_eq!(avery["contact"]["firstName"], "Avery");
    assert_eq!(avery["contact"]["phone"], "+12025550143");
    assert_eq!(tag_names(&avery), ["lead", "fair"]);
    assert_eq!(avery["notes"][0]["body"], "Met at the fair");
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
    let row = &world.read_csv("res/succeeded.csv")[0];
    assert_eq!(row["_contact_id"], avery["contact"]["id"].as_str().unwrap());
    assert_eq!((row["_action"].as_str(), row["Email"].as_str()), ("create", "avery@example.com"));
}

#[test]
fn the_same_sheet_again_changes_nothing_and_sends_nothing() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_import("").exits(0);
    let before = world.read_contacts();
    world.control_request("DELETE", "log", &Value::Null);
    world.run_import("").exits(0);
    assert_eq!(world.list_writes(), Vec::<String>::new());
    assert_eq!(world.read_contacts(), before);
    assert_eq!(world.count_results(), [0, 2, 0, 0, 0]);
}

#[test]
fn a_person_who_exists_gets_only_what_differs() {
    let world = empty_world();
    let ids = world.add_contacts(&[json!({
        "email": "avery@example.com", "firstName": "Avery", "lastName": "Old", "phone": "+12025550143",
        "city": "Boston", "tags": ["old"],
    })]);
    world.write_sheet(
        "in.csv",
        &format!("{}\n", TWO.lines().take(2).collect::<Vec<_>>().join("\n")),
    );
    world.run_import("").exits(0);
    let avery = world.contact_by_email("avery@example.com");
    assert_eq!(avery["contact"]["lastName"], "Sample");
    assert_eq!(avery["contact"]["city"], "Boston");
    assert_eq!(tag_names(&avery), ["old", "lead", "fair"]);
    let log = world.get_control("log");
    let put =
        log["entries"].as_array().unwrap().iter().find(|entry| entry["method"] == "PUT").unwrap();
    assert_eq!(put["path"], format!("/contacts/{}", ids[0]));
    assert_eq!(
        world.read_csv("res/plan.csv").iter().filter(|row| row["field"] == "lastName").count(),
        1
    );
}

#[test]
fn a_dry_run_sends_nothing_and_only_apply_applies_it_exactly() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --dry-run --out res").exits(0).says("ghl-bulk apply");
    assert!(world.read_contacts().is_empty());
    assert_eq!(world.list_writes(), Vec::<String>::new());
    let plan = world.read_csv("res/plan.csv");
    assert!(plan.iter().any(|row| row["field"] == "phone" && row["new"] == "+12025550143"));
    let run = world.only_run_id();
    let apply = format!("ghl-bulk apply {}", short_id(&run));
    world.run_command("resume").exits(10).says(&format!("`{apply}` applies it"));
    world.run_command(&format!("resume {run}")).exits(2).says(&format!("apply: {apply}\n"));
    world.run_command(&format!("apply {run}")).exits(2).says("no terminal to ask on");
    assert_eq!(world.list_writes(), Vec::<String>::new());
    world.run_command(&format!("apply {run} --yes")).exits(0);
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
    world.run_command("resume").exits(10);
    world.run_command(&format!("apply {run} --yes")).exits(2).says("is applied already");
}

#[test]
fn a_dry_run_can_say_by_its_code_that_something_would_change() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --dry-run --detailed-exit-code --out res").exits(20);
    world.run_import("").exits(0);
    world.run_command("import in.csv --dry-run --detailed-exit-code --out res").exits(0);
}

#[test]
fn a_plan_is_stale_when_the_sheet_has_changed() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    world.write_sheet("in.csv", &TWO.replace("Sample", "Simple"));
    world.run_command(&format!("apply {} --yes", world.only_run_id())).exits(5).says("in.csv");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn a_plan_is_stale_when_a_contact_it_touches_has_changed() {
    let world = empty_world();
    let ids = world.add_contacts(&[json!({"email": "avery@example.com", "lastName": "Old"})]);
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    world.control_request("DELETE", &format!("contacts/{}", ids[0]), &Value::Null);
    world
        .run_command(&format!("apply {} --yes", world.only_run_id()))
        .exits(5)
        .says("record 1")
        .says(&ids[0])
        .says("no longer exists");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn a_stale_plan_names_the_person_who_was_edited_and_links_to_them() {
    let world = empty_world();
    let old = json!({"email": "avery@example.com", "firstName": "Avery", "lastName": "Old"});
    let ids = world.add_contacts(&[old]);
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    world.control_request("PUT", &format!("contacts/{}", ids[0]), &json!({"city": "Rome"}));
    let location = ghl_bulk::sandbox::LOCATION;
    let url =
        format!("https://app.gohighlevel.com/v2/location/{location}/contacts/detail/{}", ids[0]);
    world
        .run_command(&format!("apply {} --yes", world.only_run_id()))
        .exits(5)
        .says(&format!("Avery Old, avery@example.com ({url}): was edited"));
}

#[test]
fn a_plan_is_stale_when_the_contact_of_a_row_was_created_elsewhere() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    world.add_contacts(&[json!({"email": "blake@example.com"})]);
    world.run_command(&format!("apply {} --yes", world.only_run_id())).exits(5).says("record 2");
}

#[test]
fn without_a_yes_and_without_a_terminal_nothing_is_sent() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    world.run_command("import in.csv --out res").exits(2).says("nothing was sent").says("--yes");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn mode_create_skips_updates_or_rejects_existing_contacts() {
    for (rule, last_name, code, tally) in [
        ("skip", "Old", 0, [1, 1, 0, 0, 0]),
        ("update", "Sample", 0, [2, 0, 0, 0, 0]),
        ("reject", "Old", 3, [1, 0, 1, 0, 0]),
    ] {
        let world = empty_world();
        world.add_contacts(&[json!({"email": "avery@example.com", "lastName": "Old"})]);
        world.write_sheet("in.csv", TWO);
        world.run_import(&format!("--mode create --on-existing {rule}")).exits(code);
        assert_eq!(
            world.contact_by_email("avery@example.com")["contact"]["lastName"],
            last_name,
            "{rule}"
        );
        assert_eq!(world.count_results(), tally, "{rule}");
        assert_eq!(world.read_contacts().len(), 2);
    }
}

#[test]
fn mode_update_never_creates_a_contact() {
    let world = empty_world();
    world.add_contacts(&[json!({"email": "avery@example.com", "lastName": "Old"})]);
    world.write_sheet("in.csv", TWO);
    world.run_import("--mode update").exits(3);
    assert_eq!(world.read_contacts().len(), 1);
    let rejected = &world.read_csv("res/rejected.csv")[0];
    assert_eq!(
        (rejected["_reject_code"].as_str(), rejected["_reject_line"].as_str()),
        ("R_NOT_FOUND", "3")
    );
}

#[test]
fn modes_tag_and_untag_touch_nothing_but_tags_in_few_requests() {
    let world = World::with_settings(|settings| settings.contacts = 250);
    let people = world.read_contacts();
    let mut sheet = "Contact Id,Tags\n".to_owned();
    for person in &people {
        writeln!(sheet, "{},Autumn", person["contact"]["id"].as_str().unwrap()).unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    world.run_import("--mode tag").exits(0);
    assert!(
        world.read_contacts().iter().all(|person| tag_names(person).contains(&"autumn".to_owned()))
    );
    assert_eq!(world.list_writes().len(), 3);
    world.run_import("--mode untag").exits(0);
    let after = world.read_contacts();
    for (before, after) in people.iter().zip(&after) {
        assert_eq!(tag_names(before), tag_names(after));
    }
}

#[test]
fn a_refused_batch_of_tags_is_halved_until_it_is_taken() {
    let world = World::with_settings(|settings| {
        settings.contacts = 100;
        settings.bulk_tags = 30;
    });
    let mut sheet = "Contact Id,Tags\n".to_owned();
    for person in world.read_contacts() {
        writeln!(sheet, "{},autumn", person["contact"]["id"].as_str().unwrap()).unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    world.run_import("--mode tag").exits(0);
    assert!(
        world.read_contacts().iter().all(|person| tag_names(person).contains(&"autumn".to_owned()))
    );
}

#[test]
fn rows_of_one_person_are_rejected_or_merged_as_the_option_says() {
    let sheet = "Name,Email,City\nAnn Test,Ann@Example.com,\nAnn Test,ann@example.com,Rome\n";
    for (rule, code, tally, city) in [
        ("reject", 3, [1, 0, 1, 0, 0], Value::Null),
        ("first", 0, [1, 1, 0, 0, 0], Value::Null),
        ("last", 0, [2, 0, 0, 0, 0], "Rome".into()),
        ("merge", 0, [2, 0, 0, 0, 0], "Rome".into()),
    ] {
        let world = empty_world();
        world.write_sheet("in.csv", sheet);
        world.run_import(&format!("--on-duplicate {rule}")).exits(code);
        let all = world.read_contacts();
        assert_eq!(all.len(), 1, "{rule}");
        assert_eq!(all[0]["contact"]["city"], city, "{rule}");
        assert_eq!(world.count_results(), tally, "{rule}");
    }
}

#[test]
fn a_repaired_rejected_csv_is_accepted_as_it_is() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "Name,Email,Notes\nGood,good@example.com,=1+1\nBad,bad@example,'tis\n",
    );
    world.run_import("").exits(3);
    let rejected = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    world.write_sheet("in.csv", &rejected.replace("bad@example,", "bad@example.com,"));
    world.run_import("").exits(0);
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.contact_by_email("bad@example.com")["notes"][0]["body"], "'tis");
}

#[test]
fn a_rejected_row_says_everything_that_is_wrong_with_it_at_once() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "Name,Email,Phone,DND\nBad,bad@example,555,maybe\nFine,fine@example.com,,\nWorse,worse@,,\n",
    );
    world.run_import("").exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["_reject_code"], "R_INVALID_EMAIL R_INVALID_PHONE R_BOOLEAN_UNKNOWN");
    assert_eq!(rejected[0]["_reject_field"], "Email; Phone; DND");
    let reason = &rejected[0]["_reject_reason"];
    for part in
        ["line 2, column B: `bad@example`", "; line 2, column C: `555`", "; line 2, column D"]
    {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    // That nothing identifies the contact follows from the address, and is no other reason.
    assert_eq!(rejected[1]["_reject_code"], "R_INVALID_EMAIL");
    let plan = &world.read_json("res/summary.json");
    assert_eq!(plan["rows"]["rejected"], 2);
}

#[test]
fn a_sample_applies_some_rows_of_every_action_and_resume_the_rest() {
    let world = empty_world();
    let mut sheet = "Name,Email\n".to_owned();
    for n in 0..40 {
        writeln!(sheet, "Person {n},p{n}@example.com").unwrap();
    }
    world.add_contacts(
        &(0..10).map(|n| json!({"email": format!("p{n}@example.com")})).collect::<Vec<_>>(),
    );
    world.write_sheet("in.csv", &sheet);
    world.run_import("--sample 8").exits(0).says("ghl-bulk resume");
    let [succeeded, _, _, _, pending] = world.count_results();
    assert!((8..=10).contains(&succeeded), "{succeeded}");
    assert_eq!(succeeded + pending, 40);
    world.run_command("resume").exits(0);
    assert_eq!(world.count_results(), [40, 0, 0, 0, 0]);
    assert_eq!(world.read_contacts().len(), 40);
}

#[test]
fn too_many_failed_rows_stop_an_import() {
    let world = crate::import_world::empty_world_with_faults(&["POST /contacts/ status=422"]);
    let mut sheet = "Name,Email\n".to_owned();
    for n in 0..200 {
        writeln!(sheet, "Person {n},p{n}@example.com").unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    world.run_import("--max-errors 3 --concurrency 2").exits(7).says("ghl-bulk resume");
    assert!(world.count_results()[4] > 180, "{:?}", world.count_results());
    assert_eq!(world.count_results().iter().sum::<usize>(), 200);
}

#[test]
fn a_second_import_into_the_location_is_locked_out() {
    let world = crate::import_world::empty_world_with_faults(&["POST /contacts/ hold"]);
    world.write_sheet("in.csv", TWO);
    let first =
        crate::running_command::RunningCommand::start(&world, "import in.csv --yes --out one");
    world.get_control("held?at_least=1");
    world.run_command("import in.csv --yes --out two").exits(11);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    first.wait_for_exit().exits(0);
}

#[test]
fn rows_without_identity_stop_the_plan_unless_an_option_allows_them() {
    let sheet = "Name,City\nNobody Known,Rome\n";
    let world = empty_world();
    world.write_sheet("in.csv", sheet);
    world.run_import("").exits(3);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_NO_MATCH_KEY");
    world.run_import("--allow-name-only").exits(4).says("--no-identity");
    world.run_import("--allow-name-only --no-identity at-most-once").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    world.run_import("--allow-name-only --no-identity at-most-once").exits(0);
    assert_eq!(world.read_contacts().len(), 1, "the same file made somebody twice");
}

#[test]
fn do_not_disturb_is_set_and_never_lifted_without_an_option() {
    let world = empty_world();
    world.add_contacts(&[
        json!({"email": "out@example.com", "dnd": true}),
        json!({"email": "in@example.com", "dnd": false}),
    ]);
    world.write_sheet("in.csv", "Email,DND\nout@example.com,no\nin@example.com,yes\n");
    world.run_import("").exits(0);
    assert_eq!(world.contact_by_email("out@example.com")["contact"]["dnd"], true);
    assert_eq!(world.contact_by_email("in@example.com")["contact"]["dnd"], true);
    world.run_import("--allow-resubscribe").exits(0);
    assert_eq!(world.contact_by_email("out@example.com")["contact"]["dnd"], false);
}

#[test]
fn two_people_behind_one_row_are_never_mixed_up() {
    let world = empty_world();
    world.add_contacts(&[
        json!({"email": "a@example.com", "phone": "+12025550143"}),
        json!({"email": "b@example.com", "phone": "+12025550145"}),
        json!({"email": "c@example.com", "additionalEmails": ["other@example.com"]}),
    ]);
    world.write_sheet(
        "in.csv",
        "Email,Phone,City\na@example.com,+12025550145,Rome\nother@example.com,,Rome\n",
    );
    let before = world.read_contacts();
    world.run_import("").exits(3);
    assert_eq!(world.read_contacts(), before);
    let codes: Vec<_> =
        world.read_csv("res/rejected.csv").iter().map(|row| row["_reject_code"].clone()).collect();
    assert_eq!(codes, ["R_TWO_CONTACTS", "R_SECONDARY_EMAIL"]);
    let reasons: Vec<_> = world
        .read_csv("res/rejected.csv")
        .iter()
        .map(|row| row["_reject_reason"].clone())
        .collect();
    assert!(
        reasons[0].contains("is about a@example.com (https://app.gohighlevel.com/"),
        "{reasons:?}"
    );
    assert!(reasons[0].contains("belongs to b@example.com (https://"), "{reasons:?}");
    assert!(reasons[1].starts_with("c@example.com (https://"), "{reasons:?}");
}

#[test]
fn json_reports_the_plan_the_counts_and_the_exit_code() {
    let world = empty_world();
    world.write_sheet("in.csv", TWO);
    let summary = world.run_import("--json").exits(0).summary();
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["exit_code"], 0);
    assert_eq!(summary["rows"]["succeeded"], 2);
    assert_eq!(summary["plan"]["actions"]["create"], 2);
    assert!(
        summary["paths"]
            .as_array()
            .unwrap()
            .iter()
            .any(|file| file.as_str().unwrap().ends_with("succeeded.csv"))
    );
}

#[test]
fn an_empty_cell_takes_a_contact_out_of_its_business_where_that_is_allowed() {
    let world = empty_world();
    world.control_request("PUT", "businesses", &json!([{"id": "business1", "name": "Acme"}]));
    world.add_contacts(&[json!({"email": "ann@example.com", "businessId": "business1"})]);
    world.write_sheet("in.csv", "Email,Firm\nann@example.com,\n");
    let business = || world.contact_by_email("ann@example.com")["contact"]["businessId"].clone();
    world.run_import("--map Firm=business --blank clear").exits(0);
    assert_eq!(business(), "business1");
    world.run_import("--map Firm=business --blank clear --allow-clear").exits(0);
    assert!(business().is_null(), "{}", business());
    world.run_command(&format!("undo {} --yes --out undone", world.last_run("import"))).exits(0);
    assert_eq!(business(), "business1");
}

#[test]
fn what_a_killed_import_has_left_in_the_directory_of_results_is_removed() {
    let world = empty_world();
    world.write_sheet("in.csv", "email\nada@example.com\n");
    std::fs::create_dir(world.path("results")).unwrap();
    std::fs::write(world.path("results/.ghl-bulk-Ab12Cd"), "ada@example.com").unwrap();
    let writing = std::fs::File::create(world.path("results/.ghl-bulk-Ef34Gh")).unwrap();
    writing.lock().unwrap();
    world.run_command("import in.csv --yes --out results").exits(0);
    let files = world.list_files("results");
    let left: Vec<_> = files.iter().filter(|name| name.starts_with(".ghl-bulk-")).collect();
    assert_eq!(left, [".ghl-bulk-Ef34Gh"], "a process is writing it");
}
