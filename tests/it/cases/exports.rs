//! Our own exports in formats other than CSV and XLSX.

use super::contact;
use crate::import_world::empty_world;
use crate::world::World;

#[test]
fn an_untouched_export_in_any_format_changes_nothing() {
    let world = World::new();
    world
        .run_command(
            "export --format jsonl --format parquet --format csv --with notes,tasks --out out --quiet",
        )
        .exits(0);
    for table in ["contacts", "notes", "tasks"] {
        for format in ["csv", "jsonl", "parquet"] {
            let done =
                world.run_command(&format!("import out/{table}.{format} --yes --out res-{format}"));
            assert!(matches!(done.code, 0 | 3), "{table}.{format}: {done:?}");
            assert_eq!(world.list_writes(), Vec::<String>::new(), "{table}.{format}");
            let count = |name: &str| {
                let path = format!("res-{format}/{name}");
                if world.path(&path).exists() { world.read_csv(&path).len() } else { 0 }
            };
            let rows = std::fs::read_to_string(world.path(&format!("out/{table}.jsonl"))).unwrap();
            assert_eq!(count("unchanged.csv") + count("rejected.csv"), rows.lines().count());
            std::fs::remove_dir_all(world.path(&format!("res-{format}"))).unwrap();
        }
    }
}

#[test]
fn an_export_that_was_edited_changes_what_was_edited() {
    let world = World::new();
    world.run_command("export --format jsonl --with none --out out --quiet").exits(0);
    let text = std::fs::read_to_string(world.path("out/contacts.jsonl")).unwrap();
    let mut first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    first["city"] = "Rome".into();
    world.write_sheet("in.ndjson", &format!("{first}\n"));
    world.run_command("import in.ndjson --yes --out res").exits(0);
    let id = first["id"].as_str().unwrap();
    assert_eq!(world.list_writes(), [format!("PUT /contacts/{id}")]);
    assert_eq!(world.contact_by_id(id)["contact"]["city"], "Rome");
}

#[test]
fn lines_that_are_no_objects_are_rejected_and_the_others_are_read() {
    let world = empty_world();
    world.write_sheet(
        "in.jsonl",
        "{\"Email\": \"a@example.net\", \"Tags\": [\"a, b\", \"c\"]}\n\nnot json\n\
         {\"First Name\": \"B\", \"Email\": \"b@example.net\", \"Tags\": null}\n",
    );
    world.run_command("import in.jsonl --yes --out res").exits(3);
    assert_eq!(contact(&world, "b@example.net")["firstName"], "B");
    assert_eq!(
        crate::import_world::tag_names(&world.contact_by_email("a@example.net")),
        ["a, b", "c"]
    );
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["_reject_code"], "R_JSON_INVALID");
    assert_eq!(rejected[0]["_reject_line"], "3");
}

#[test]
fn what_is_no_table_is_refused_whatever_its_name() {
    let world = empty_world();
    world.write_sheet("in.jsonl", "Email,Name\na@example.net,A\n");
    world.run_command("import in.jsonl --yes").exits(4).says("line 1 is not a JSON object");
    std::fs::write(world.path("in.parquet"), b"PAR1 and nothing else PAR1").unwrap();
    world.run_command("import in.parquet --yes").exits(4).says("the Parquet file cannot be read");
    world.write_sheet("in.json", "[{\"Email\": \"a@example.net\"}]");
    world.run_command("import in.json --yes").exits(4).says("a JSON document");
}
