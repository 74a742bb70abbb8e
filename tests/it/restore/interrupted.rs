//! Restores that are killed: nothing is lost or made twice.

use std::collections::BTreeSet;

use super::restore_world::child_texts;
use crate::world::World;

fn check_kill(failpoint: &str) {
    let world = World::backed_up();
    let ids: Vec<String> = world.contacts_with_children().into_iter().take(4).collect();
    let before: Vec<_> = ids.iter().map(|id| world.contact_by_id(id)).collect();
    world.delete_contacts(&ids);
    let world = world.with_env("GHL_BULK_FAILPOINT", failpoint);
    let killed = world.run_restore("");
    assert_eq!(killed.code, -1, "{failpoint}: {}", killed.stderr);
    let world = world.without_env("GHL_BULK_FAILPOINT");
    world.run_command("resume --yes").exits(0);
    assert_eq!(world.count_contacts(), 60, "{failpoint}");
    let new: BTreeSet<String> = ids.iter().map(|id| world.restored_id(id)).collect();
    assert_eq!(new.len(), ids.len(), "{failpoint}");
    for (id, was) in ids.iter().zip(&before) {
        let now = world.contact_by_id(&world.restored_id(id));
        for (list, key) in [("notes", "body"), ("tasks", "title")] {
            let count = |it| child_texts(it, list, key).len();
            assert_eq!(count(&now), count(was), "{failpoint}: {list} of {id}");
        }
    }
    world.run_restore("").exits(0).says("the account has everything");
}

#[test]
fn a_restore_that_is_killed_goes_on_and_makes_nothing_twice() {
    for failpoint in
        ["after_intent:2", "mid_body:3", "after_response:5", "before_outcome:4", "during_results"]
    {
        check_kill(failpoint);
    }
}

#[test]
fn a_plan_that_was_not_finished_leaves_nothing_to_resume() {
    let world = World::backed_up();
    world.delete_by_id(&world.contact_id(3));
    let world = world.with_env("GHL_BULK_FAILPOINT", "during_restore_plan");
    let killed = world.run_restore("");
    assert_eq!(killed.code, -1, "{}", killed.stderr);
    let world = world.without_env("GHL_BULK_FAILPOINT");
    world.run_command("resume").exits(2).says("run `ghl-bulk restore` again");
    world.run_restore("").exits(0);
    assert_eq!(world.count_contacts(), 60);
}
