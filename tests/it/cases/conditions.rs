//! Conditions on text in mappings: notes and the results of calls set tags.

use crate::import_world::{empty_world, tag_names};
use crate::world::World;

const SHEET: &str = "Email,Name,Result,Notes\n\
                     a@example.net,Ann,No Answer,Please CALL BACK on Monday\n\
                     b@example.net,Bob,connected,3 calls\n\
                     c@example.net,Cy,VOICEMAIL,\n";

/// The columns of the sheet, with this text after them.
fn mapping(more: &str) -> String {
    format!(
        "format = 1\nignore = [\"Result\"]\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n\
         [[column]]\nfrom = \"Name\"\nto = \"name\"\n\
         [[column]]\nfrom = \"Notes\"\nto = \"note\"\n{more}"
    )
}

fn world(map: &str) -> World {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.write_sheet("map.toml", map);
    world
}

/// The tags of a, b and c after an import with this constant's condition.
#[track_caller]
fn tags_with_condition(when: &str) -> [Vec<String>; 3] {
    let constant = format!("[[constant]]\nto = \"tags\"\nvalue = \"hit\"\nwhen = {{ {when} }}\n");
    let world = world(&mapping(&constant));
    world.run_import("--map map.toml").exits(0);
    ["a", "b", "c"].map(|name| tag_names(&world.contact_by_email(&format!("{name}@example.net"))))
}

#[test]
fn a_constant_is_for_the_rows_whose_text_passes_the_test() {
    for (when, rows) in [
        ("column = \"Notes\", contains = \"call back\"", [true, false, false]),
        ("column = \"Notes\", contains = [\"Monday\", \"CALLS\"]", [true, true, false]),
        ("column = \"Notes\", matches = '^\\d+ CALLS?$'", [false, true, false]),
        ("column = \"Notes\", matches = '(?-i)CALL'", [true, false, false]),
        ("column = \"Result\", in = [\"no answer\", \"voicemail\"]", [true, false, true]),
        ("column = \"Result\", is = \"Connected\"", [false, true, false]),
        ("column = \"Notes\", filled = false", [false, false, true]),
    ] {
        let tags = tags_with_condition(when);
        assert_eq!(tags.map(|tags| tags == ["hit"]), rows, "{when}");
    }
}

#[test]
fn a_column_is_read_only_in_the_rows_whose_text_passes_the_test() {
    let rule = "[[column]]\nfrom = \"Result\"\nto = \"tags\"\nprefix = \"call: \"\n\
                when = { column = \"Result\", matches = \"^(no answer|voicemail)$\" }\n";
    let world = world(&mapping(rule).replace("ignore = [\"Result\"]\n", ""));
    world.run_import("--map map.toml").exits(0);
    let tags = |email: &str| tag_names(&world.contact_by_email(email));
    assert_eq!(tags("a@example.net"), ["call: no answer"]);
    assert_eq!(tags("b@example.net"), [""; 0]);
    assert_eq!(tags("c@example.net"), ["call: voicemail"]);
    // The tested column is imported, too.
    assert_eq!(world.contact_by_email("b@example.net")["notes"][0]["body"], "3 calls");
}

#[test]
fn a_wrong_pattern_is_an_error_of_the_mapping_with_its_line() {
    let constant = |when: &str| {
        mapping(&format!("[[constant]]\nto = \"tags\"\nvalue = \"hit\"\nwhen = {when}\n"))
    };
    for (when, says) in [
        ("{ column = \"Notes\", matches = \"a(b\" }", "line 15: `matches`: unclosed group"),
        ("{ column = \"Notes\", contains = \"\" }", "line 15: `contains` has an empty text"),
        ("{ column = \"Notes\", matchs = \"a\" }", "did you mean `matches`?"),
        ("{ column = \"Notez\", contains = \"a\" }", "the sheet has no column `Notez`"),
        ("{ column = \"Notes\" }", "one of `is`, `in`, `not`, `contains`"),
    ] {
        let world = world(&constant(when));
        world.run_import("--map map.toml").exits(4).says(says);
        assert_eq!(world.list_writes(), [""; 0], "{when}");
    }
}

#[test]
fn a_plan_keeps_the_conditions_of_its_mapping() {
    let constant = "[[constant]]\nto = \"tags\"\nvalue = \"hit\"\n\
                    when = { column = \"Notes\", matches = \"call\\\\b\" }\n";
    let world = world(&mapping(constant));
    let rejected = SHEET.replace("b@example.net", "b@@example.net");
    world.write_sheet("in.csv", &rejected);
    world.run_import("--map map.toml").exits(3);
    assert_eq!(tag_names(&world.contact_by_email("a@example.net")), ["hit"]);
    // The rejected row is imported with the same mapping, without naming it again.
    let text = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    let corrected = text.replace("b@@example.net", "b@example.net").replace("3 calls", "3 call");
    world.write_sheet("res/rejected.csv", &corrected);
    world.run_command("import res/rejected.csv --yes --out res2").exits(0);
    assert_eq!(tag_names(&world.contact_by_email("b@example.net")), ["hit"]);
}
