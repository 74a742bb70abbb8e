//! Undo: an entire account is as it was before.

use std::fmt::Write as _;

use serde_json::Value;

use crate::import_world::tag_names;
use crate::world::World;

/// A sheet that updates, tags, adds to and clears some of the account's contacts, and makes others.
fn mixed(people: &[Value]) -> String {
    let mut sheet = "Contact Id,First Name,Last Name,Email,City,Country,Website,Date of birth,DND,Owner,Tags,Note,Title,Due\n".to_owned();
    for (n, person) in people.iter().enumerate().filter(|(n, _)| n % 3 != 2) {
        let id = person["contact"]["id"].as_str().unwrap();
        let old =
            tag_names(person).first().cloned().unwrap_or_default().replace([',', ';', '"'], " ");
        let name = if n % 2 == 0 { format!("New{n}") } else { String::new() };
        let note = if n % 4 == 0 { format!("note {n}") } else { String::new() };
        let task =
            if n % 5 == 0 { format!("task {n},2026-09-08T10:00:00Z") } else { ",".to_owned() };
        let dnd = if n % 6 == 0 { "yes" } else { "" };
        writeln!(sheet, "{id},{name},Changed{n},,Town{n},FR,https://example.com/{n},1980-02-{:02},{dnd},,{old}; fresh{n},{note},{task}",
            n % 28 + 1).unwrap();
    }
    for n in 0..12 {
        writeln!(sheet, ",Made{n},Up,made{n}@example.com,Town,US,,1990-01-01,,,fresh; vip,hello {n},task,2026-09-08T10:00:00Z").unwrap();
    }
    sheet
}

#[test]
fn an_account_is_as_before_after_a_mixed_import_and_its_undo() {
    for seed in [1, 2] {
        let world = World::with_settings(|settings| settings.seed = seed);
        let people = world.read_contacts();
        let before = world.read_contents();
        world.write_sheet("in.csv", &mixed(&people));
        let map = "--map Tags=tags:list --map Note=note --map Title=task.title --map Due=task.dueDate --map Country=country --ignore-column Owner";
        let done = world.run_import(map);
        assert!(matches!(done.code, 0 | 3), "{done:?}");
        assert!(world.count_results()[0] > 45, "{:?}", world.count_results());
        world.run_deleting_undo().exits(0);
        let after = world.read_contents();
        assert_eq!(after.len(), before.len());
        for (then, now) in before.iter().zip(&after) {
            assert_eq!(then, now, "seed {seed}");
        }
    }
}
