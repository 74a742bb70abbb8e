//! Interruptions: no field is created twice, and nothing is written without its field.

use super::{BOTH, SHEET};
use crate::import_world::{empty_world, empty_world_with_faults};
use crate::world::World;

const CREATE: &str = "POST /locations/*/customFields";

fn world_with(fault: &str) -> World {
    let fault = format!("{CREATE} {fault}");
    let world = empty_world_with_faults(&[&fault]);
    world.write_sheet("in.csv", SHEET);
    world
}

#[track_caller]
fn is_complete(world: &World) {
    let (colour, size) = (world.field_named("Favourite colour"), world.field_named("Shoe size"));
    assert_eq!(world.field_value("ada@example.com", &colour), "teal");
    assert_eq!(world.field_value("bob@example.com", &size), 44.5);
    assert_eq!(world.read_contacts().len(), 3);
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
}

/// Kills the import at a point, and resumes it.
fn survives_kill(point: &str) {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    let mut command = world.command(&format!("import in.csv --yes --out res {BOTH}"));
    let killed = command.env("GHL_BULK_FAILPOINT", point).output().unwrap();
    assert_eq!(killed.status.code(), None, "{point}: {killed:?}");
    world.run_command("resume").exits(0);
    is_complete(&world);
    // The sandbox refuses a second field of a name; the service may not, so it must not be asked for one.
    assert_eq!(world.count_field_requests(), 2, "{point}");
}

#[test]
fn a_kill_at_any_point_of_a_creation_creates_no_field_twice() {
    for point in [
        "before_intent_log:1",
        "after_intent:1",
        "mid_body:1",
        "after_response:1",
        "before_outcome:1",
    ] {
        survives_kill(point);
    }
    for point in ["after_intent:2", "after_response:2"] {
        survives_kill(point);
    }
}

#[test]
fn a_lost_answer_is_looked_up_and_the_field_is_not_created_again() {
    for fault in
        ["drop=after times=1", "applied=502 times=1", "truncate times=1", "applied=422 times=1"]
    {
        let world = world_with(fault);
        world.run_import(BOTH).exits(0);
        is_complete(&world);
        assert_eq!(world.count_field_requests(), 2, "{fault}");
    }
}

#[test]
fn a_lost_request_is_sent_again_after_the_look_up() {
    for fault in ["drop=before times=1", "status=502 times=1"] {
        let world = world_with(fault);
        world.run_import(BOTH).exits(0);
        is_complete(&world);
        assert_eq!(world.count_field_requests(), 3, "{fault}");
    }
}

#[test]
fn without_the_scope_nothing_is_written() {
    let token = "pit-sandbox-without:locations/customFields.write";
    let world = empty_world().with_env("GHL_TOKEN", token);
    world.write_sheet("in.csv", SHEET);
    world
        .run_import(BOTH)
        .exits(8)
        .says("the token lacks the scope `locations/customFields.write`")
        .says("no contact was written")
        .says("create the fields in HighLevel");
    assert_eq!(world.count_field_requests(), 1);
    assert_eq!(world.read_contacts().len(), 0);

    let world = world.with_env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
    world.run_command("resume").exits(0);
    is_complete(&world);
}

#[test]
fn a_refused_field_stops_the_import_before_any_contact() {
    let world = world_with("status=400 times=1");
    world.run_import(BOTH).exits(2).says("refused to create the custom field `Favourite colour`");
    assert_eq!(world.read_contacts().len(), 0);
    world.run_command("resume").exits(0);
    is_complete(&world);
}

#[test]
fn a_field_that_another_client_created_since_the_plan_is_used() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_command(&format!("import in.csv --dry-run --out res {BOTH}")).exits(0);
    world.create_field("Favourite colour", "TEXT");
    let run = world.only_run_id();
    world.run_command(&format!("apply {run} --yes")).exits(0).says("existed already");
    is_complete(&world);
    assert_eq!(world.count_field_requests(), 2, "one of them is the other client's");

    world.run_command(&format!("undo {run} --created delete --confirm-delete 3")).exits(0);
    assert!(world.has_field("Favourite colour") && !world.has_field("Shoe size"));
}

#[test]
fn a_field_of_another_type_that_was_created_since_the_plan_makes_it_stale() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_command(&format!("import in.csv --dry-run --out res {BOTH}")).exits(0);
    world.create_field("Favourite colour", "DATE");
    let run = world.only_run_id();
    world
        .run_command(&format!("apply {run} --yes"))
        .exits(5)
        .says("the location has a custom field `Favourite colour` now, of type DATE");
    assert_eq!(world.read_contacts().len(), 0);
}
