//! Backups of several locations in one repository, full disks, and what could not be read.

use std::process::Command;

use ghl_bulk::sandbox::LOCATION;
use serde_json::json;

use crate::world::World;

#[test]
fn each_location_has_snapshots_of_its_own_and_a_failure_stops_no_other() {
    let world = World::with_settings(|settings| {
        settings.locations = [LOCATION, "second"].map(str::to_owned).into();
    });
    world.control_request(
        "POST",
        "contacts?locationId=second",
        &json!([{"id": "one"}, {"id": "two"}]),
    );
    world.run_command("backup init --to repo").exits(0);
    let command = format!("backup --to repo --json --location {LOCATION},second");
    let both = world.run_command(&command).exits(0).summary();
    assert_eq!(both["locations"]["second"]["totals"]["contacts"]["live"], 2);
    let held = std::fs::File::open(world.path("repo/second")).unwrap();
    held.try_lock().unwrap();
    let partial = world.run_command(&command).exits(3).summary();
    assert_eq!(partial["locations"]["second"]["exit_code"], 11);
    assert_eq!(partial["locations"][LOCATION]["outcome"], "complete");
    drop(held);
    let world = world.without_env("GHL_LOCATION_ID").without_env("GHL_TOKEN");
    let listed = world.run_command("backup list --from repo").exits(0).stdout;
    assert!(listed.contains(LOCATION) && listed.contains("second"), "{listed}");
    world.run_command("backup diff --from repo").exits(2).says("is about one location");
    world.run_command("export --from repo --format jsonl --out all").exits(0);
    assert_eq!(world.read_rows("all/second/contacts.jsonl").len(), 2);
    assert_eq!(world.read_rows(&format!("all/{LOCATION}/contacts.jsonl")).len(), 60);
    world.run_command("export --from repo --format jsonl --out one --location second").exits(0);
    assert_eq!(world.read_rows("one/contacts.jsonl").len(), 2);
    world.run_command("backup verify --from repo --read all --replay").exits(0);
}

#[test]
fn a_full_disk_leaves_the_snapshots_as_they_were() {
    let world = World::with_repository();
    world.back_up("");
    let rows = world.snapshot_rows("", "contacts");
    world.change_account();
    world.sync("");
    // Files of at most 4 KB: enough for the databases to be read, too little for a full snapshot.
    let plain = world.command("backup --to repo --full");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg("trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"");
    command.arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.current_dir(world.path(".")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.snapshots().len(), 1);
    assert_eq!(world.snapshot_rows("", "contacts"), rows);
    world.back_up("");
    assert_eq!(world.snapshot_rows("", "contacts"), world.account_rows("contacts"));
}

#[test]
fn a_snapshot_says_what_could_not_be_read() {
    let world = World::with_repository();
    world.control_request("POST", "faults", &json!(["GET /businesses status=500 times=50"]));
    let command = "backup --to repo --json --with businesses";
    let partial = world.run_command(command).exits(3).summary();
    assert_eq!(partial["outcome"], "partial");
    let listed = world.run_command("backup list --from repo").exits(0).stdout;
    assert!(listed.contains("partial"), "{listed}");
    assert_eq!(
        world.run_command("export --from repo --out partly").code,
        3,
        "and so does an export of it"
    );
}
