//! A write without an answer is sent again, and the first copy of it may arrive later than anything else.

use serde_json::{Value, json};

use crate::import_world::empty_world_with_faults;
use crate::running_command::RunningCommand;

const WAIT: &str = "waiting until requests without an answer can no longer arrive";

#[test]
fn a_late_copy_of_an_update_never_overtakes_the_next_run() {
    let world = empty_world_with_faults(&["PUT /contacts/* hold times=1"])
        .with_env("GHL_BULK_SETTLE_S", "3");
    world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
    let city = || {
        world.contact_by_email("avery@example.com")["contact"]["city"].as_str().unwrap().to_owned()
    };
    world.write_sheet("rome.csv", "Email,City\navery@example.com,Rome\n");
    let mut first = RunningCommand::start(&world, "import rome.csv --yes --out rome --timeout 0.3");
    first.wait_for_stderr(WAIT);
    assert_eq!(city(), "Rome", "the second copy is applied");
    first.send_signal("INT");
    first.wait_for_exit().exits(130);

    world.write_sheet("oslo.csv", "Email,City\navery@example.com,Oslo\n");
    let mut second = RunningCommand::start(&world, "import oslo.csv --yes --out oslo");
    second.wait_for_stderr(WAIT);
    world.control_request("POST", "release", &Value::Null);
    second.wait_for_exit().exits(0);
    assert_eq!(city(), "Oslo", "the first copy arrived before the plan was made");

    // Nothing is left to be done, or to be waited for.
    let resumed = world.run_command("resume --yes").exits(0);
    resumed.does_not_say(WAIT);
    assert_eq!(city(), "Oslo");
}

#[test]
fn an_update_that_arrives_after_the_last_attempt_is_not_called_rejected() {
    let world =
        empty_world_with_faults(&["PUT /contacts/* hold"]).with_env("GHL_BULK_SETTLE_S", "2");
    world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
    world.write_sheet("in.csv", "Email,City\navery@example.com,Rome\n");
    let mut import = RunningCommand::start(&world, "import in.csv --yes --out res --timeout 0.1");
    import.wait_for_stderr(WAIT);
    world.control_request("POST", "release", &Value::Null);
    import.wait_for_exit().exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
}
