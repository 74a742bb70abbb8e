//! Commands and files as sinks: what they get, and what happens when they fail.

use std::fs;

use serde_json::json;

use super::watch_world::ONCE;
use crate::world::World;

/// A world in which a contact was added since the first watch with these sinks.
fn changed_world(line: &str) -> World {
    let world = World::new();
    world.run_command(line).exits(0);
    world.add_contact(&json!({"firstName": "Ann"}));
    world
}

#[test]
fn a_command_gets_each_event_on_its_input() {
    let line = "watch --once --exec sh -c 'cat >> got.jsonl; echo $GHL_BULK_EVENT_ID >> ids'";
    let world = changed_world(line);
    world.add_contact(&json!({"firstName": "Bob"}));
    world.run_command(line).exits(0);
    let events = world.read_rows("got.jsonl");
    let ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(fs::read_to_string(world.path("ids")).unwrap(), format!("{}\n", ids.join("\n")));
}

#[test]
fn an_event_that_a_command_refuses_is_kept() {
    let line = "watch --once --exec sh -c 'echo no room >&2; test -f ok && cat > got.jsonl'";
    let world = changed_world(line);
    world.run_command(line).exits(3).says("it ended with code 1: no room").says("1 event kept");
    fs::write(world.path("ok"), "").unwrap();
    // It was put off for a second after the failure.
    let mut runs = 0;
    while world.run_command(line).code != 0 || !world.path("got.jsonl").exists() {
        runs += 1;
        assert!(runs < 1000, "the event does not come");
    }
    assert_eq!(world.read_rows("got.jsonl").len(), 1);
}

#[test]
fn a_command_that_hangs_is_killed_with_what_it_has_started() {
    let line = "watch --once --exec-timeout 300ms --exec sh -c 'sleep 600 & echo $! > pid; wait'";
    let world = changed_world(line);
    world.run_command(line).exits(3).says("it took longer than 0.3 s and was killed");
    let pid = fs::read_to_string(world.path("pid")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "it is still there: {stat}");
}

#[test]
fn a_command_that_prints_a_megabyte_or_reads_nothing_has_the_event() {
    let print = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2";
    let line = format!("watch --once --exec sh -c '{print}; touch done'");
    let world = changed_world(&line);
    world.run_command(&line).exits(0);
    assert!(world.path("done").exists());
}

#[test]
fn a_command_does_not_get_the_programs_secrets() {
    let line = "watch --once --exec sh -c 'env > seen'";
    let world = changed_world(line).with_env("GHL_BULK_WEBHOOK_SECRET", "whsec_secret");
    world.run_command(line).exits(0);
    let seen = fs::read_to_string(world.path("seen")).unwrap();
    assert!(!seen.contains("GHL_TOKEN") && !seen.contains("whsec_secret"), "{seen}");
}

#[test]
fn a_command_that_does_not_exist_is_a_failure_that_is_said() {
    let line = "watch --once --exec /nowhere/at/all";
    let world = changed_world(line);
    world.run_command(line).exits(3).says("`/nowhere/at/all`").says("it cannot be started");
}

#[test]
fn a_sink_that_fails_holds_up_no_other_one() {
    let line = format!("{ONCE} --exec false");
    let world = changed_world(&line);
    world.run_command(&line).exits(3);
    assert_eq!(world.read_events().len(), 1);
    world.run_command(&line);
    assert_eq!(world.read_events().len(), 1, "what has arrived does not come again");
}

#[test]
fn standard_output_has_the_events_and_nothing_else() {
    let world = World::new();
    world.run_command("watch --once").exits(0);
    world.add_contact(&json!({"firstName": "Ann"}));
    let output = world.run_command("watch --once").exits(0);
    assert_eq!(output.events().len(), 1);
    assert_eq!(output.events()[0]["type"], "contact.created");
    let refused = world.run_command("watch --once --json").exits(2).summary();
    assert!(refused["error"].as_str().unwrap().contains("both be on standard output"), "{refused}");
}

#[test]
fn what_a_kill_left_of_a_line_is_removed() {
    let world = changed_world(ONCE);
    fs::write(world.path("events.jsonl"), "{\"id\":\"evt_1\",\"type\":\"cont").unwrap();
    world.run_command(ONCE).exits(0);
    assert_eq!(world.read_events().len(), 1);
}

#[test]
fn a_file_that_cannot_be_opened_and_a_sink_named_twice_are_refused() {
    let world = World::new();
    world.run_command("watch --once --jsonl /nowhere/events").exits(2).says("cannot be opened");
    world.run_command("watch --once --jsonl a --jsonl ./a").exits(2).says("a sink is named twice");
    world.run_command("watch --every 0s").exits(2).says("at least 30s");
    let far = "watch --every 1s --api-url https://example.com";
    world.run_command(far).exits(2).says("`--every` must be at least 30s");
}

#[test]
fn events_can_be_in_the_words_of_another_system() {
    let world = World::new();
    let line = "--layout dub-partners";
    world.watch_once(line);
    let row =
        json!({"firstName": "Ann", "lastName": "Lee", "email": "ann@example.net", "country": "BE"});
    let id = world.add_contact(&row);
    world.edit_by_id(&id, &json!({"__notes": [{"body": "n"}]}));
    let output = world.run_command(&format!("{ONCE} {line}")).exits(0);
    output.says("`dub-partners` has no layout for tasks and notes");
    let events = world.read_events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["data"]["name"], "Ann Lee", "{}", events[0]);
    assert_eq!(events[0]["data"]["email"], "ann@example.net");
    assert!(events[0]["data"].get("first_name").is_none());
    world
        .run_command(&format!("{ONCE} --layout dubb"))
        .exits(2)
        .says("there is no template `dubb`");
}
