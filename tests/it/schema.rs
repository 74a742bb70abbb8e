//! `ghl-bulk schema`: tables as SQL, as sources of dbt, and as code that reads the files of an export.

use serde_json::{Value, json};

use crate::world::{World, short_id};

/// An account with one contact and one custom field, whose label needs quotes everywhere.
fn account() -> World {
    let world = World::with_settings(|settings| settings.contacts = 0);
    let fields = json!([
        {"id": "f1", "name": "Wert \"€\"; it's", "fieldKey": "contact.deal_value", "dataType": "MONETORY", "model": "contact"},
        {"id": "f2", "name": "Interests", "fieldKey": "contact.interests", "dataType": "CHECKBOX", "model": "contact"},
    ]);
    world.control_request("PUT", "customFields", &fields);
    let contact = json!({"id": "c1", "firstName": "Zoë", "phone": "+14155550100",
        "customFields": [{"id": "f1", "value": 12.5}, {"id": "f2", "value": ["a", "b"]}]});
    world.control_request("POST", "contacts", &json!([contact]));
    world
}

/// The output of a command, with the world's directory replaced.
fn printed(world: &World, line: &str) -> String {
    let dir = world.path("").display().to_string();
    world.run_command(line).exits(0).stdout.replace(&dir, "/data/")
}

/// The lines of one table, which show what those of the others do.
fn lines_about(text: &str, parts: &[&str]) -> String {
    let wanted = |line: &&str| parts.iter().any(|part| line.contains(part));
    text.lines().filter(wanted).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tables_are_sql_for_each_database() {
    let world = World::new();
    for dialect in ["duckdb", "postgres", "bigquery", "snowflake"] {
        let script = printed(&world, &format!("schema --ddl {dialect}"));
        insta::assert_snapshot!(format!("schema_ddl_{dialect}"), script);
    }
}

#[test]
fn an_export_is_sql_that_loads_its_rows() {
    let world = account();
    world.run_command("export --format parquet,jsonl --out 'a b'").exits(0);
    let parts = [
        "_value",
        "interests",
        "tags",
        "INSERT",
        "copy",
        "bq ",
        "load_contacts",
        "COPY",
        "PUT",
        "KEY",
    ];
    for dialect in ["duckdb", "postgres", "bigquery", "snowflake"] {
        let script = printed(&world, &format!("schema --ddl {dialect} --export 'a b'"));
        insta::assert_snapshot!(format!("schema_load_{dialect}"), lines_about(&script, &parts));
    }
}

#[test]
fn flat_lines_are_loaded_as_nested_ones_are() {
    let world = account();
    world.run_command("export --format jsonl --jsonl flat --with none --out out").exits(0);
    for (dialect, part) in [
        ("duckdb", r#"string_split("tags", '; ') END AS "tags""#),
        ("postgres", "(line->>'extra')::json"),
        ("bigquery", "JSON_VALUE_ARRAY(JSON_VALUE(line, '$.tags'))"),
        ("snowflake", "PARSE_JSON(line:tags::VARCHAR)::ARRAY"),
    ] {
        let script = printed(&world, &format!("schema --ddl {dialect} --export out"));
        assert!(script.contains(part), "{dialect}: {script}");
    }
}

#[test]
fn code_that_reads_an_export_gives_every_column_its_type() {
    let world = account();
    for (format, options) in
        [("parquet", ""), ("jsonl", ""), ("flat", "--jsonl flat"), ("csv", ""), ("xlsx", "")]
    {
        let name = if format == "flat" { "jsonl" } else { format };
        world
            .run_command(&format!("export --with none --format {name} {options} --out {format}"))
            .exits(0);
        let tools: &[&str] =
            if format == "xlsx" { &["pandas", "polars"] } else { &["duckdb", "pandas", "polars"] };
        let code = tools.iter().map(|tool| {
            let code = printed(&world, &format!("schema --read {tool} --export {format}"));
            lines_about(&code, &["tags"])
        });
        let code: Vec<String> = code.collect();
        insta::assert_snapshot!(format!("schema_read_{format}"), code.join("\n"));
    }
}

#[test]
fn the_tables_of_an_export_have_its_custom_fields() {
    let world = account();
    world.run_command("export --with none --out out").exits(0);
    let text = printed(&world, "schema --export out");
    assert!(
        text.contains(
            r#"The custom field "Wert "€"; it's" (MONETORY, key `deal_value`, id `f1`)."#
        )
    );
    assert!(!text.contains("custom_<key>") && !text.contains("appointments:"), "{text}");
    let tables: Value =
        serde_json::from_str(&printed(&world, "schema --export out --json")).unwrap();
    let columns = tables[0]["columns"].as_array().unwrap();
    let column = columns.iter().find(|column| column["name"] == "custom_deal_value").unwrap();
    assert_eq!(column["type"], "float");
}

#[test]
fn the_sources_of_dbt_test_ids_and_references() {
    let world = World::new();
    let yaml = printed(&world, "schema --dbt");
    let from = yaml.find("      - name: tasks").unwrap();
    let to = yaml.find("          - name: title").unwrap();
    insta::assert_snapshot!(yaml[from..to].to_owned());
}

#[test]
fn what_cannot_be_described_is_said_with_what_to_do() {
    let world = account();
    let refused = |line: &str| world.run_command(line).exits(2).stderr;
    world.run_command("export --with none --format csv --out csv").exits(0);
    world.run_command("export --with none --format xlsx --out xlsx").exits(0);
    world.run_command("export --template google --out template").exits(0);
    std::fs::create_dir(world.path("empty")).unwrap();
    let dir = world.path("").display().to_string();
    let runs = ["csv", "xlsx", "template"].map(|out| {
        world.read_json(&format!("{out}/manifest.json"))["run"].as_str().unwrap().to_owned()
    });
    let said = [
        "schema --ddl duckdb --export empty",
        "schema --ddl postgres --export csv",
        "schema --ddl duckdb --export xlsx",
        "schema --read duckdb --export xlsx",
        "schema --dbt --export template",
        "schema codes --ddl duckdb",
    ];
    let said: Vec<String> = said.iter().map(|line| refused(line)).collect();
    let in_command = |run: &str| format!(" {} ", short_id(run));
    let said = runs.iter().fold(said.join(""), |said, run| said.replace(&in_command(run), " RUN "));
    insta::assert_snapshot!(said.replace(&dir, "/data/"));
}

#[test]
fn a_manifest_that_names_a_file_elsewhere_makes_no_script_read_it() {
    let world = account();
    world.run_command("export --with none --format jsonl --out out").exits(0);
    let path = world.path("out/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("contacts.jsonl", "../../../etc/passwd")).unwrap();
    let refused = world.run_command("schema --ddl postgres --export out").exits(2);
    refused.says("the export has no file of `contacts` in the format `jsonl`");
}

#[test]
fn the_commands_at_the_end_of_an_export_guess_no_types() {
    let world = account();
    for format in ["parquet", "csv", "jsonl", "xlsx"] {
        let done = world
            .run_command(&format!("export --with none --format {format} --out '{format} out'"))
            .exits(0);
        let from = done.stderr.find("look at it").unwrap();
        let shown = done.stderr[from..].replace(&world.path("").display().to_string(), "/data/");
        insta::assert_snapshot!(format!("reading_hint_{format}"), shown);
    }
}

#[test]
fn every_column_of_every_file_for_another_system_is_described() {
    let world = World::new();
    insta::assert_snapshot!("schema_templates", printed(&world, "schema templates"));
    let files: Value = serde_json::from_str(&printed(&world, "schema templates --json")).unwrap();
    let file = files.as_array().unwrap().iter().find(|file| file["preset"] == "dext-seed-activity");
    assert_eq!(
        file.unwrap()["columns"][3],
        json!({ "name": "content", "from": ["task.title", "note"], "to": ["task.title", "note"] })
    );
}
