//! Scopes: an import asks for nothing that its columns do not need.

use crate::import_world::empty_world_with_faults;

#[test]
fn users_and_businesses_are_read_only_for_columns_that_need_them() {
    let world = empty_world_with_faults(&["GET /users/ no-scope", "GET /businesses/ no-scope"]);
    world.write_sheet("in.csv", "Name,Email,Phone\nAvery Sample,avery@example.net,+12025550143\n");
    world.run_import("").exits(0);
    world.write_sheet("in.csv", "Email,Assigned to\navery@example.net,someone@example.net\n");
    world.run_import("").exits(8).says("users.readonly");
    world.write_sheet("in.csv", "Email,Business\navery@example.net,Sample & Sons\n");
    world.run_import("--map Business=business").exits(8).says("businesses.readonly");
}
