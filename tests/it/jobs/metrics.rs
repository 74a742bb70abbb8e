//! The metrics of a job, as Prometheus' textfile collector reads them.

use serde_json::json;

use crate::world::World;

fn metric(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn metrics_say_when_a_job_last_succeeded_and_how_it_ended() {
    let world = World::new();
    let file = world.path("ghl.prom").display().to_string();
    let world = world.with_job(&format!("steps = [\"sync\"]\nmetrics = \"{file}\""));
    world.run_command("job run nightly").exits(0);
    let read = || std::fs::read_to_string(world.path("ghl.prom")).unwrap();
    let first = read();
    let success = "ghl_bulk_last_success_timestamp_seconds{job=\"nightly\",location=\"sandboxLocation00001\"}";
    let time = metric(&first, success).unwrap();
    assert!(time > 1.7e9, "{first}");
    assert_eq!(metric(&first, "ghl_bulk_exit_code{job=\"nightly\"}"), Some(0.0));
    assert!(metric(&first, "ghl_bulk_requests{").unwrap() >= 1.0);
    assert!(metric(&first, "ghl_bulk_duration_seconds{job=\"nightly\",step=\"sync\"}").is_some());
    world.control_request("POST", "faults", &json!(["POST /contacts/search status=403"]));
    world.run_command("job run nightly").exits(2);
    let second = read();
    assert_eq!(metric(&second, success), Some(time));
    assert_eq!(metric(&second, "ghl_bulk_exit_code{job=\"nightly\"}"), Some(2.0));
    for line in second.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("ghl_bulk_") && name.ends_with('}'), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn metrics_that_cannot_be_written_are_a_warning() {
    let world =
        World::new().with_job("steps = [\"sync\"]\nmetrics = \"/no/such/directory/x.prom\"");
    world.run_command("job run nightly").exits(0).says("the metrics `/no/such/directory/x.prom`");
}
