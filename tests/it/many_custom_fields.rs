//! An account with more custom fields than any table has columns.

use std::fmt::Write as _;

use crate::altered_answers::alter_answers;
use crate::world::World;

/// The definitions of so many custom fields, all with the same label and key.
fn definitions(count: usize) -> String {
    let mut all = String::from("{\"customFields\":[");
    for n in 0..count {
        let comma = if n == 0 { "" } else { "," };
        let id = format!("f{n:019}");
        write!(
            all,
            "{comma}{{\"id\":\"{id}\",\"name\":\"Field\",\"fieldKey\":\"contact.field\",\
             \"dataType\":\"TEXT\",\"model\":\"contact\"}}"
        )
        .unwrap();
    }
    all + "]}"
}

#[test]
fn a_hundred_thousand_custom_fields_cost_bounded_memory_and_lose_no_value() {
    let world = World::with_settings(|settings| settings.contacts = 20);
    let world = alter_answers(world, |request, answer| {
        if request.is("GET", "/customFields") {
            answer.replace(200, definitions(100_000));
        } else if request.is("POST", "/contacts/search") {
            let known = format!("{:019}", 7);
            let left_out = format!("{:019}", 99_999);
            let values = format!(
                "\"customFields\":[{{\"id\":\"f{known}\",\"value\":\"seven\"}},\
                 {{\"id\":\"f{left_out}\",\"value\":\"last\"}}],\"other\":["
            );
            answer.replace_bytes(b"\"customFields\":[", values.as_bytes());
        }
    });
    let done = world.run_in_little_memory("export --format parquet,jsonl --out out").exits(0);
    let done = done.says("custom fields than a table has columns (10,000)");
    done.does_not_say("panicked");
    let rows = world.read_rows("out/contacts.jsonl");
    let first = rows.iter().find(|row| row["extra"].to_string().contains("last")).unwrap();
    assert!(first.to_string().contains("\"seven\""));
}
