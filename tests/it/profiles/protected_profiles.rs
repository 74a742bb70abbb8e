//! Protected profiles: a command that changes their location must be confirmed with the location's name.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use super::main_profile;
use crate::import_world::empty_world;
use crate::terminal::run_on_terminal;
use crate::world::World;

const NAME: &str = "--confirm-location 'Sandbox Location 1'";

/// A world with a sheet of one person and a protected profile `main`.
fn guarded() -> World {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,City\nada@example.com,Berlin\n");
    let text = format!("{}protected = true\n[profiles.other]\n", main_profile(&world));
    let (url, token) = (world.url().to_owned(), ghl_bulk::sandbox::TOKEN);
    world.with_config(&text).with_env("GHL_API_URL", &url).with_env("GHL_TOKEN", token)
}

/// Asserts that nothing was asked and nothing was changed.
#[track_caller]
fn untouched(world: &World, line: &str) {
    let before = world.read_contacts();
    world.control_request("DELETE", "log", &Value::Null);
    let done = world.run_command(line).exits(2);
    let done = done.says("nothing was sent: the profile `main` is protected");
    done.says("give `--confirm-location NAME`");
    assert_eq!(world.list_writes(), Vec::<String>::new(), "{line}");
    assert_eq!(world.read_contacts(), before, "{line}");
}

#[test]
fn an_import_needs_the_location_s_name() {
    let world = guarded();
    untouched(&world, "import in.csv --profile main --yes --out res");
    untouched(&world, "import in.csv --profile main --out res");
    world.run_command("import in.csv --profile main --yes --out res").says("`--yes` is not enough");
    let wrong = "import in.csv --profile main --yes --confirm-location Elsewhere --out res";
    world.run_command(wrong).exits(2).says("the location is called `Sandbox Location 1`");
    assert_eq!(world.read_contacts().len(), 0);
    world.run_command(&format!("import in.csv --profile main --yes --out res {NAME}")).exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn omitting_the_profile_does_not_bypass_the_protection() {
    let world = guarded();
    untouched(&world, &format!("import in.csv --location {LOCATION} --yes --out res"));
    untouched(
        &world,
        &format!("import in.csv --profile other --location {LOCATION} --yes --out res"),
    );
    let world = world.with_env("GHL_LOCATION_ID", LOCATION);
    untouched(&world, "import in.csv --yes --out res");
    // Another location of the protected profile is the profile's, too.
    let world = world.with_env("GHL_LOCATION_ID", "another");
    world.run_command("import in.csv --profile main --yes").exits(2).says("`main` is protected");
}

#[test]
fn an_agreed_import_goes_on_after_the_account_could_not_be_read_again() {
    let world = guarded();
    let wrong = "import in.csv --profile main --yes --confirm-location Elsewhere --out res";
    world.run_command(wrong).exits(2);
    world.control_request("POST", "faults", &json!(["* /contacts/** status=401"]));
    let resume = format!("resume {NAME}");
    world.run_command(&resume).exits(8).says("  resume: ghl-bulk resume ");
    assert_eq!(world.list_runs("import")[0].1, "interrupted");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command(&resume).exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn a_dry_run_is_free_and_applying_it_is_not() {
    let world = guarded();
    world.run_command("import in.csv --profile main --dry-run --out res").exits(0);
    let run = world.last_run("import");
    untouched(&world, &format!("apply {run} --yes --profile main"));
    untouched(&world, &format!("apply {run}"));
    world.run_command(&format!("apply {run} --yes --confirm-location Elsewhere")).exits(2);
    assert_eq!(world.read_contacts().len(), 0);
    world.run_command(&format!("apply {run} --yes {NAME}")).exits(0);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn an_undo_needs_the_location_s_name_and_so_does_applying_its_plan() {
    let world = guarded();
    world.run_command(&format!("import in.csv --profile main --yes --out res {NAME}")).exits(0);
    let run = world.last_run("import");
    untouched(&world, &format!("undo {run} --yes --out undone"));
    untouched(&world, &format!("undo {run} --out undone"));
    world.run_command(&format!("undo {run} --dry-run --out planned")).exits(0);
    let undo = world.last_run("undo");
    untouched(&world, &format!("apply {undo} --yes"));
    world
        .run_command(&format!("undo {run} --yes --out undone --confirm-location Elsewhere"))
        .exits(2);
    world.run_command(&format!("apply {undo} --yes {NAME}")).exits(0);
    assert_eq!(
        crate::import_world::tag_names(&world.contact_by_email("ada@example.com")),
        ["import-undone"]
    );
}

#[test]
fn a_deletion_needs_the_location_s_name_in_addition_to_the_number() {
    let world = guarded();
    world.add_contacts(&[serde_json::json!({"email": "ada@example.com"})]);
    let delete = "import in.csv --profile main --mode delete --confirm-delete 1 --yes --out res";
    untouched(&world, delete);
    world.run_command(&format!("{delete} {NAME}")).exits(0);
    assert_eq!(world.read_contacts().len(), 0);
}

#[test]
fn exports_of_a_protected_profile_are_free() {
    let world = guarded();
    world.run_command("export --profile main --with none --out out").exits(0);
}

#[test]
fn what_the_embedded_sandbox_serves_is_not_protected() {
    let world = guarded();
    world.run_command("import in.csv --profile main --sandbox --yes --out res").exits(0);
    world.run_command(&format!("undo {} --yes --out undone", world.last_run("import"))).exits(0);
}

#[test]
fn a_profile_that_is_not_protected_needs_no_name() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,City\nada@example.com,Berlin\n");
    let text = format!("{}protected = false\n", main_profile(&world));
    let world = world.with_config(&text);
    world.run_command("import in.csv --profile main --yes --out res").exits(0);
}

#[test]
fn on_a_terminal_the_location_s_name_is_asked_for() {
    let world = guarded();
    let asked = "Type the location's name";
    let import = "import in.csv --profile main --out res";
    for (wrong, expected) in [("y", 2), ("yes", 2), ("sandbox location 1", 2), ("", 0)] {
        let (code, shown) = run_on_terminal(&world, import, asked, wrong);
        assert_eq!(code, expected, "{shown}");
        assert!(
            shown.contains("nothing was sent") && shown.contains("`Sandbox Location 1`"),
            "{shown}"
        );
        assert_eq!(world.read_contacts().len(), 0);
    }
    let (code, shown) = run_on_terminal(&world, import, asked, "Sandbox Location 1");
    assert_eq!((code, world.read_contacts().len()), (0, 1), "{shown}");
    // `--yes` only skips the prompt, and that is not enough.
    let (code, shown) =
        run_on_terminal(&world, &format!("{import} --yes"), asked, "Sandbox Location 1");
    assert!(code == 2 && shown.contains("`--yes` is not"), "{shown}");
    let undo = format!("undo {} --out undone", world.last_run("import"));
    let (code, shown) = run_on_terminal(&world, &undo, asked, "Sandbox Location 1");
    assert_eq!(code, 0, "{shown}");
    assert_eq!(
        crate::import_world::tag_names(&world.contact_by_email("ada@example.com")),
        ["import-undone"]
    );
}
