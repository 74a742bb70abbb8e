//! The steps of a job: in their order, each a command of its own, and what their failures mean.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use super::job_world::step_outcomes;
use crate::running_command::RunningCommand;
use crate::world::World;

const SYNC_AND_EXPORT: &str =
    "steps = [\"sync\", \"export\"]\nexport = { out = \"lake\", changes = true, format = \"csv\" }";

#[test]
fn a_job_syncs_and_exports_and_leaves_a_log() {
    let world = World::new().with_job(SYNC_AND_EXPORT);
    let done = world.run_command("job run nightly").exits(0);
    done.says("sync: done in").says("export: done in").says("job `nightly` done in");
    assert!(world.path("lake/contacts.csv").exists());
    assert!(world.path("lake/changes/contacts").is_dir());
    let log = world.job_log();
    let events: Vec<&str> = log.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], *events.last().unwrap()), ("job_started", "summary"));
    let own = |event: &&&str| event.starts_with("step_");
    let own: Vec<_> = events.iter().filter(own).collect();
    assert_eq!(own, [&"step_started", &"step_ended", &"step_started", &"step_ended"]);
    assert!(log.iter().all(|event| event["time"].is_string()));
    // A second night adds a log.
    world.run_command("job run nightly --quiet").exits(0).does_not_say("done");
    assert_eq!(world.job_logs().len(), 2);
}

#[test]
fn a_step_that_fails_does_not_stop_the_others_and_its_code_is_the_job_s() {
    let world = World::new().with_job(SYNC_AND_EXPORT);
    world.run_command("sync").exits(0);
    world.control_request("POST", "faults", &json!(["POST /contacts/search status=403 times=1"]));
    let done = world.run_command("job run nightly --json").exits(2);
    let summary = done.summary();
    assert_eq!(step_outcomes(&summary), ["sync failed", "export complete"]);
    assert_eq!((&summary["outcome"], &summary["kind"]), (&json!("failed"), &json!("job")));
    assert!(summary["steps"][0]["error"].as_str().unwrap().len() > 10, "{summary}");
    assert!(world.path("lake/contacts.csv").exists());
    world.control_request("POST", "faults", &json!(["POST /contacts/search status=403"]));
    let done = world.run_command("job run nightly").exits(2);
    done.says("error: job `nightly` failed: `sync` ended with 2: ")
        .says("  `export` ended with 2: ");
}

#[test]
fn a_job_that_is_partly_done_exits_with_3_and_is_a_success() {
    let world = World::with_faults(&["GET /businesses status=500"]);
    let world = world.with_job("steps = [\"sync\"]\nsync = { with = [\"businesses\"] }");
    let done = world.run_command("job run nightly --json").exits(3);
    assert_eq!(done.summary()["outcome"], "partial");
    let done = world.run_command("job run nightly --ok 0 --json").exits(3);
    assert_eq!(done.summary()["outcome"], "failed");
}

#[test]
fn one_process_at_a_time_runs_a_job() {
    let world = World::new().with_job("steps = [\"sync\"]");
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold times=1"]));
    let first = RunningCommand::start(&world, "job run nightly");
    world.get_control("held?at_least=1");
    let second = world.run_command("job run nightly").exits(11);
    second.says("job `nightly` is in use by process").says("wait for it to finish");
    // Another job is free to run.
    world.run_command("job run other --steps sync").exits(11).says("sync");
    world.control_request("POST", "release", &Value::Null);
    first.wait_for_exit().exits(0);
}

#[test]
fn a_job_that_is_terminated_ends_its_step_in_order() {
    let world = World::new().with_job("steps = [\"sync\", \"sync\"]");
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold times=1"]));
    let job = RunningCommand::start(&world, "job run nightly --json");
    world.get_control("held?at_least=1");
    job.send_signal("TERM");
    world.control_request("POST", "release", &Value::Null);
    let done = job.wait_for_exit().exits(143);
    assert_eq!(step_outcomes(&done.summary()), ["sync failed", "sync skipped"]);
    world.run_command("sync").exits(0);
}

#[test]
fn steps_are_left_out_after_the_deadline() {
    let world = World::new().with_job("steps = [\"sync\"]");
    let done = world.run_command("job run nightly --deadline 2020-01-01 --json");
    assert_eq!(step_outcomes(&done.summary()), ["sync skipped"]);
    assert_eq!(done.code, 9);
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn old_runs_are_removed_at_the_end_of_a_job() {
    let world = World::new().with_job("steps = [\"sync\"]\nruns_keep = \"1ms\"");
    world.run_command("export --out out").exits(0);
    world.run_command("job run nightly").exits(0);
    assert_eq!(world.try_only_run_id(), None);
}

#[test]
fn a_job_lists_how_it_last_ended() {
    let world = World::new().with_jobs("[jobs.nightly]\nsteps = [\"sync\"]\n[jobs.weekly]\nsteps = [\"sync\", \"export\"]\nexport = { out = \"x\" }\n");
    world.run_command("job run nightly").exits(0);
    let listed = world.run_command("job").exits(0);
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert!(lines[1].starts_with("nightly") && lines[1].contains("complete"), "{lines:?}");
    assert!(lines[2].starts_with("weekly") && lines[2].contains("never run"), "{lines:?}");
    let listed = world.run_command("job list --json").exits(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed[0]["last"]["exit_code"], 0);
    assert_eq!(listed[1]["last"], Value::Null);
}

#[test]
fn the_log_of_a_job_names_no_customer() {
    let world = World::new().with_job(
        "steps = [\"sync\", \"export\"]\nexport = { out = \"lake\", template = \"dext\" }",
    );
    let ann = json!({"firstName": "Annabella", "lastName": "Zwanziger", "email": "annabella@example.com"});
    world.add_contact(&ann);
    world.add_contact(&ann);
    world.run_command("job run nightly --steps sync").exits(0);
    world.add_contact(&json!({"firstName": "Annabella", "phone": "+4915112345678"}));
    world.run_command("job run nightly --steps sync").exits(0);
    for log in world.job_logs() {
        let text = std::fs::read_to_string(world.path(&log)).unwrap();
        for name in ["Annabella", "Zwanziger", "annabella@", "4915112345678", "pit-"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
}

/// A night of backups into `repo`.
fn backup_world() -> World {
    let world = World::new();
    let (repository, metrics) = (world.path("repo"), world.path("ghl.prom"));
    let world = world.with_job(&format!(
        "steps = [\"backup\", \"verify\", \"forget\", \"prune\"]\nrepository = \"{}\"\nmetrics = \"{}\"\n\
         keep = {{ daily = 14, within = \"30d\" }}\nalerts = {{ deleted = \"0.5%\" }}",
        repository.display(),
        metrics.display()
    ));
    world.run_command("backup init --to repo").exits(0);
    world
}

#[test]
fn a_night_backs_up_verifies_forgets_and_prunes() {
    let world = backup_world();
    let done = world.run_command("job run nightly --json").exits(0);
    let summary = done.summary();
    let expected = ["backup complete", "verify complete", "forget complete", "prune complete"];
    assert_eq!(step_outcomes(&summary), expected);
    assert!(summary["snapshot"].as_str().unwrap().starts_with("20"), "{summary}");
    let metrics = std::fs::read_to_string(world.path("ghl.prom")).unwrap();
    for part in [
        "ghl_bulk_snapshots{job=\"nightly\",location=\"sandboxLocation00001\"} 1\n",
        "table=\"contacts\",state=\"live\"} 60\n",
        "ghl_bulk_repository_bytes{",
        "ghl_bulk_verified_age_seconds{",
        "ghl_bulk_notes_within_bound_ratio{",
    ] {
        assert!(metrics.contains(part), "{part} in {metrics}");
    }
    world.run_command("backup status --from repo --max-age 1h --min-verified 1h").exits(0);
}

#[test]
fn only_what_the_job_has_backed_up_is_forgotten() {
    let world = World::with_settings(|settings| {
        settings.locations = [LOCATION, "second"].map(str::to_owned).into();
    });
    let repository = world.path("repo").display().to_string();
    let world = world.with_job(&format!(
        "steps = [\"backup\", \"forget\"]\nrepository = \"{repository}\"\n\
         locations = [\"{LOCATION}\", \"second\"]\nkeep = {{ last = 1 }}"
    ));
    let world = world.without_env("GHL_LOCATION_ID");
    world.run_command("backup init --to repo").exits(0);
    let snapshots = |location: &str| {
        let line = format!("backup list --from repo --location {location} --json");
        let listed: Value =
            serde_json::from_str(&world.run_command(&line).exits(0).stdout).unwrap();
        listed.as_array().unwrap().len()
    };
    for _ in 0..2 {
        let line = format!("backup --to repo --location {LOCATION},second");
        world.run_command(&line).exits(0);
    }
    // The backup of one of them fails: its earlier snapshots stay, both of them.
    let held = std::fs::File::open(world.path("repo/second")).unwrap();
    held.try_lock().unwrap();
    let done = world.run_command("job run nightly --json").exits(3);
    assert_eq!(step_outcomes(&done.summary()), ["backup partial", "forget complete"]);
    drop(held);
    assert_eq!((snapshots(LOCATION), snapshots("second")), (1, 2));
}

#[test]
fn nothing_is_forgotten_after_a_backup_that_failed() {
    let world = backup_world();
    world.run_command("job run nightly").exits(0);
    world.control_request("POST", "faults", &json!(["POST /contacts/search status=401"]));
    let done = world.run_command("job run nightly --json");
    assert_ne!(done.code, 0);
    let expected = ["backup failed", "verify complete", "forget skipped", "prune skipped"];
    assert_eq!(step_outcomes(&done.summary()), expected);
}
