//! The settings of a job: flags of `job run`, checked with their lines, and weaker than what is typed.

use crate::world::World;

#[track_caller]
fn assert_refused(lines: &str, parts: &[&str]) {
    let world = World::new().with_job(lines);
    let mut done = world.run_command("job").exits(2);
    for part in parts {
        done = done.says(part);
    }
}

#[test]
fn mistakes_in_a_job_are_reported_with_their_lines() {
    assert_refused(
        "stesp = [\"sync\"]",
        &["line 2: `ghl-bulk job run` has no flag `stesp`", "did you mean `steps`?"],
    );
    assert_refused(
        "steps = [\"snyc\"]",
        &["line 2: `steps` cannot be `snyc`", "did you mean `sync`?"],
    );
    assert_refused("keep = { hourly = 3 }", &["line 2: `keep` cannot be `hourly=3`: not a rule"]);
    assert_refused("keep = 3", &["line 2: `keep` cannot be `3`"]);
    assert_refused("export = { outt = \"x\" }", &["line 2: ", "`outt`", "did you mean `out`?"]);
    assert_refused("hooks = { befor = [[\"x\"]] }", &["line 2: `hooks` cannot be"]);
    assert_refused("hooks = { before = [[]] }", &["line 2: `hooks.before`"]);
    assert_refused(
        "location = \"abc\"",
        &["`location` is no setting of a job", "write `locations = [\"ID\"]`"],
    );
    assert_refused("token = \"x\"", &["`token`"]);
    assert_refused("deadline = \"soon\"", &["line 2: `deadline` cannot be `soon`"]);
    assert_refused("alerts = { deleted = \"2\" }", &["line 2: `alerts` cannot be `deleted=2`"]);
    let world = World::new().with_jobs("[jobs.\"../x\"]\nsteps = [\"sync\"]\n");
    world.run_command("job").exits(2).says("`../x` cannot be a job's name");
}

#[test]
fn a_job_without_what_its_steps_need_does_nothing() {
    let refused = |lines: &str, part: &str| {
        let world = World::new().with_job(lines);
        world.run_command("job run nightly").exits(2).says(part);
        assert_eq!(world.get_control("log")["requests"], 0);
    };
    refused("max_requests = \"5%\"", "the job has no steps");
    refused("steps = [\"backup\"]", "no backup repository is named");
    refused(
        "steps = [\"backup\", \"forget\"]\nrepository = \"r\"",
        "the step `forget` needs rules",
    );
    refused(
        "steps = [\"prune\", \"backup\"]\nrepository = \"r\"",
        "the step `prune` needs the step `backup` before it",
    );
    refused("steps = [\"export\"]", "the step `export` needs an output directory");
    refused("steps = [\"sync\"]\nlocations = [\"all\", \"x\"]", "`all` stands for every location");
}

#[test]
fn an_unknown_job_is_reported_with_the_known_ones() {
    let world = World::new().with_job("steps = [\"sync\"]");
    world.run_command("job run nigthly").exits(2).says("did you mean `nightly`?");
    world.run_command("job run ../x --steps sync").exits(2).says("cannot be a job's name");
    let world = World::new();
    world.run_command("job run nightly").exits(2).says("add `[jobs.nightly]` to `config.toml`");
    world.run_command("job").exits(2).says("there are no jobs");
}

#[test]
fn flags_go_before_the_settings_of_a_job() {
    let world =
        World::new().with_job("steps = [\"sync\", \"export\"]\nexport = { out = \"lake\" }");
    let done = world.run_command("job run nightly --steps sync --json").exits(0);
    assert_eq!(super::job_world::step_outcomes(&done.summary()), ["sync complete"]);
    assert!(!world.path("lake").exists());
    // Without a configuration, flags are enough.
    World::new().run_command("job run adhoc --steps sync").exits(0);
}

#[test]
fn a_location_that_is_typed_goes_before_those_of_the_job() {
    let world = World::new().with_job("steps = [\"sync\"]\nlocations = [\"nosuchlocation000001\"]");
    let line = format!("job run nightly --location {} --json", ghl_bulk::sandbox::LOCATION);
    let done = world.run_command(&line).exits(0);
    assert_eq!(super::job_world::step_outcomes(&done.summary()), ["sync complete"]);
    let both = world.run_command("job run nightly --location a --locations b").exits(2);
    both.says("`--location` and `--locations` both name locations").says("give one of them");
}

#[test]
fn the_default_repository_is_that_of_jobs() {
    let world = World::new();
    let dir = world.path("repo").display().to_string();
    let world = world.with_jobs(&format!(
        "default_repository = \"main\"\n[repositories.main]\npath = \"{dir}\"\n\
         [jobs.nightly]\nsteps = [\"backup\", \"verify\"]\n"
    ));
    world.run_command("backup init").exits(0);
    let done = world.run_command("job run nightly --json").exits(0);
    let expected = ["backup complete", "verify complete"];
    assert_eq!(super::job_world::step_outcomes(&done.summary()), expected);
}

#[test]
fn locations_are_ids_or_profiles() {
    let world = World::new();
    let url = world.url().to_owned();
    let config = format!(
        "[profiles.acme]\nlocation = \"{}\"\napi_url = \"{url}\"\n[jobs.nightly]\nsteps = [\"sync\"]\nlocations = [\"acme\"]\n",
        ghl_bulk::sandbox::LOCATION
    );
    let world = world.with_config(&config);
    let done = world.run_command("job run nightly --json").exits(0);
    assert_eq!(done.summary()["steps"][0]["locations"], 1);
    let world = World::new().with_job("steps = [\"sync\"]\nlocations = [\"nosuchlocation000001\"]");
    let done = world.run_command("job run nightly --json");
    assert_eq!(done.summary()["steps"][0]["outcome"], "failed");
}
