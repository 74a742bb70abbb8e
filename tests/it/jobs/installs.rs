//! `job install`: the files of each scheduler, and what is found before they are written.

use std::fs;
use std::process::Command;

use ghl_bulk::sandbox::TOKEN;

use crate::world::World;

/// A world whose job finds its token in a file, as a scheduler's jobs must.
fn installed_world(lines: &str) -> World {
    let world = World::new();
    world.write_private_file("token", TOKEN.as_bytes());
    let token = world.path("token").display().to_string();
    let home = world.path("user").display().to_string();
    fs::create_dir(world.path("user")).unwrap();
    let world = world.with_job(lines).without_env("GHL_TOKEN");
    world.with_env("GHL_TOKEN_FILE", &token).with_env("HOME", &home)
}

/// What was printed, with what differs from machine to machine replaced.
fn stable(world: &World, text: &str) -> String {
    let dir = world.path("").display().to_string();
    text.replace(env!("CARGO_BIN_EXE_ghl-bulk"), "/usr/bin/ghl-bulk")
        .replace(dir.trim_end_matches('/'), "DIR")
        .replace(world.url(), "URL")
}

#[test]
fn each_scheduler_has_its_files() {
    let world = installed_world("steps = [\"sync\"]");
    let schedulers =
        ["systemd", "systemd --system", "launchd", "task-scheduler", "cron", "cron --system"];
    let shown = schedulers.map(|flags| {
        let line = format!("job install nightly --at 02:30 --no-check --for {flags}");
        let printed = world.run_command(&line).exits(0);
        format!("== {flags}\n{}\n", stable(&world, &printed.stdout))
    });
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn a_written_service_is_accepted_by_systemd() {
    let world = installed_world("steps = [\"sync\"]").with_env("GHL_BULK_PROFILE", "");
    world.run_command("job install nightly --at 02:30 --for systemd --write").exits(0);
    let dir = world.path("user/.config/systemd/user");
    let units = ["ghl-bulk-nightly.service", "ghl-bulk-nightly.timer"].map(|unit| dir.join(unit));
    assert!(units.iter().all(|unit| unit.is_file()));
    // Where systemd is not installed, the snapshot is what is checked.
    let Ok(checked) = Command::new("systemd-analyze").arg("verify").args(&units).output() else {
        return;
    };
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    let about_units =
        said.lines().filter(|line| line.contains("ghl-bulk-nightly")).collect::<Vec<_>>();
    assert!(about_units.is_empty(), "{about_units:?}");
}

#[test]
fn a_job_whose_token_the_scheduler_does_not_have_is_not_installed() {
    let world = World::new().with_job("steps = [\"sync\"]");
    let home = world.path("user").display().to_string();
    let world = world.with_env("HOME", &home);
    let done =
        world.run_command("job install nightly --at 02:30 --for cron --system --write").exits(8);
    done.says("in the environment of the scheduler, `ghl-bulk doctor").does_not_say(TOKEN);
    // Only shown, it is a warning.
    let done = world.run_command("job install nightly --at 02:30 --for cron").exits(0);
    let done = done.says("warning: in the environment of the scheduler").says("--no-check");
    assert!(done.stdout.contains("30 2 * * * "), "{done:?}");
}

#[test]
fn relative_paths_are_found_before_the_night() {
    let refused = |lines: &str, path: &str| {
        let world = installed_world(lines);
        let done = world.run_command("job install nightly --at 02:30 --for cron").exits(2);
        done.says(&format!("`{path}` in the job `nightly` is a relative path"));
    };
    refused("steps = [\"export\"]\nexport = { out = \"lake\" }", "lake");
    refused("steps = [\"sync\"]\nmetrics = \"x.prom\"", "x.prom");
    refused("steps = [\"backup\"]\nrepository = \"./repo\"", "./repo");
}

#[test]
fn wrong_times_and_jobs_are_refused() {
    let world = installed_world("steps = [\"sync\"]");
    for time in ["2:30", "25:00", "0230", "noon"] {
        world
            .run_command(&format!("job install nightly --at {time}"))
            .exits(2)
            .says("not a time of day");
    }
    world.run_command("job install other --at 02:30").exits(2).says("there is no job `other`");
    let line = "job install nightly --at 02:30 --for launchd --system";
    world.run_command(line).exits(2).says("`--system` is for systemd and cron only");
}
