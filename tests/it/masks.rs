//! `--mask`: what files say of people is hashed, shortened or left out, and nothing of it reaches the output directory.

use std::collections::BTreeSet;

use ring::hmac;
use serde_json::{Value, json};

use crate::export_files::read_errors_csv;
use crate::table_file::ParquetFile;
use crate::world::World;

/// The HMAC of a text with the key of a world.
fn hash(world: &World, text: &str) -> String {
    let key = std::fs::read(world.path("home/mask.key")).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
    base16ct::lower::encode_string(tag.as_ref())
}

/// Every byte of every file in a directory; of Parquet files, what they hold.
fn read_everything(world: &World, dir: &str) -> String {
    let mut all = String::new();
    for name in world.list_files(dir) {
        let file = format!("{dir}/{name}");
        if world.path(&file).is_dir() {
            all.push_str(&read_everything(world, &file));
        } else if name.ends_with(".parquet") {
            let parquet = ParquetFile::open(world, &file);
            all.push_str(&json!(parquet.rows()).to_string());
            let metadata = format!("{:?}", parquet.metadata);
            all.push_str(&metadata);
        } else {
            all.push_str(&String::from_utf8_lossy(&std::fs::read(world.path(&file)).unwrap()));
        }
    }
    all
}

/// The texts of a column of an export, those inside of lists included, that no other text has by chance.
fn texts(rows: &[Value], column: &str) -> BTreeSet<String> {
    let values = rows.iter().flat_map(|row| match &row[column] {
        Value::Array(items) => items.clone(),
        value => vec![value.clone()],
    });
    let texts = values.filter_map(|value| value.as_str().map(str::to_owned));
    texts.filter(|text| text.trim().len() >= 8).collect()
}

#[test]
fn no_masked_text_of_an_awkward_account_is_in_any_byte_of_the_output() {
    let world = World::with_settings(|settings| settings.contacts = 300);
    let with = "--with tasks,notes,appointments,businesses";
    world.run_command(&format!("export {with} --format jsonl --out plain")).exits(0);
    let sources =
        [("", "plain-mask"), ("--incremental", "mirror"), ("--incremental --changes", "changes")];
    for (source, out) in sources {
        let with = if source.is_empty() { with } else { "" };
        world
            .run_command(&format!(
                "export {source} {with} --format jsonl,csv,parquet --mask-preset analytics --out {out}"
            ))
            .exits(0);
        let everything = read_everything(&world, out);
        let mut seen = 0;
        for (table, columns) in [
            (
                "contacts",
                &["email", "phone", "address1", "additional_emails", "additional_phones"][..],
            ),
            ("notes", &["body"]),
            ("tasks", &["title", "body"]),
            ("users", &["email", "name"]),
        ] {
            let rows = world.read_rows(&format!("plain/{table}.jsonl"));
            for column in columns {
                for text in texts(&rows, column) {
                    let written = json!(text).to_string();
                    let written = &written[1..written.len() - 1];
                    assert!(!everything.contains(&text), "{table}.{column}: {text}");
                    assert!(!everything.contains(written), "{table}.{column}: {text}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 500, "{seen}");
        let people = world.read_rows(&format!("{out}/contacts.jsonl"));
        assert_eq!(people.len(), world.read_rows("plain/contacts.jsonl").len());
    }
}

#[test]
fn a_hash_is_the_same_for_a_person_in_every_table_format_and_night() {
    let world = World::new();
    let user = json!([{ "id": "u1", "name": "Ada", "email": "ada@example.com" }]);
    world.control_request("PUT", "users", &user);
    let id = world.add_contact(&json!({
        "email": "Ada@Example.com", "additionalEmails": ["b@example.com", "ada@example.com"], "phone": null,
    }));
    let masks = "--mask email=hash --mask additional_emails=hash --mask contacts.phone=hash";
    for night in ["one", "two"] {
        let line = format!("export --format jsonl,csv,parquet {masks} --out {night}");
        world.run_command(&line).exits(0);
        let rows = world.read_rows(&format!("{night}/contacts.jsonl"));
        let ada = rows.iter().find(|row| row["id"] == id.as_str()).unwrap();
        let expected = hash(&world, "ada@example.com");
        assert_eq!(ada["email"], expected.as_str());
        assert_eq!(ada["additional_emails"], json!([hash(&world, "b@example.com"), expected]));
        assert_eq!(ada["phone"], Value::Null);
        let users = world.read_rows(&format!("{night}/users.jsonl"));
        assert_eq!(users[0]["email"], expected.as_str());
        let parquet = ParquetFile::open(&world, &format!("{night}/contacts.parquet")).rows();
        assert!(parquet.iter().any(|row| row["email"] == expected.as_str()));
        let csv = std::fs::read_to_string(world.path(&format!("{night}/contacts.csv"))).unwrap();
        assert!(csv.contains(&expected));
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(world.path("home/mask.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn each_method_changes_its_column_and_json_is_left_out() {
    let world = World::new();
    let id = world.add_contact(&json!({
        "email": "Ada@Example.com", "phone": "+12025550143", "dateOfBirth": "1815-12-10",
        "additionalEmails": ["b@example.org"], "attributionSource": { "medium": "secret" },
    }));
    let masks = [
        "email=domain",
        "phone=last4",
        "date_of_birth=year",
        "date_added=year",
        "last_name=drop",
        "additional_emails=domain",
        "contacts.opportunities=hash",
    ];
    let masks = format!("--mask {}", masks.join(" --mask "));
    world.run_command(&format!("export --format jsonl,parquet {masks} --out out")).exits(0);
    let rows = world.read_rows("out/contacts.jsonl");
    let ada = rows.iter().find(|row| row["id"] == id.as_str()).unwrap();
    assert_eq!(ada["email"], "example.com");
    assert_eq!(ada["phone"], "0143");
    assert_eq!(ada["date_of_birth"], 1815);
    assert_eq!(ada["additional_emails"], json!(["example.org"]));
    assert_eq!(ada["date_added"], jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year());
    let gone =
        ["last_name", "extra", "attribution_source", "dnd_settings", "last_attribution_source"];
    assert!(gone.iter().all(|column| ada.get(column).is_none()), "{ada}");
    assert!(ada.get("opportunities").is_some());
    assert!(world.read_rows("out/notes.jsonl")[0].get("relations").is_none());
    let file = ParquetFile::open(&world, "out/contacts.parquet");
    assert!(file.columns().contains(&"date_of_birth: Int64".to_owned()), "{:?}", file.columns());
    let sorted = file.metadata.row_group(0).sorting_columns().map_or(0, Vec::len);
    assert_eq!(sorted, 0, "rows are not sorted by years");
    let manifest = world.read_json("out/manifest.json");
    let masks = manifest["request"]["masks"].as_array().unwrap();
    assert!(masks.contains(&json!("phone=last4")), "{masks:?}");
    let columns = manifest["tables"]["contacts"]["columns"].as_array().unwrap();
    assert!(columns.iter().all(|column| column["name"] != "extra"));
    assert!(columns.contains(&json!({ "name": "date_of_birth", "type": "integer" })));
}

#[test]
fn a_rule_that_cannot_be_followed_is_a_usage_error_before_any_request() {
    let world = World::new();
    let requests = world.requests_of(|| {
        for (mask, says) in [
            ("emial=hash", "did you mean `email`?"),
            ("tasks.email=hash", "no such column"),
            ("people.email=hash", "there is no table `people`"),
            ("email=blur", "the method must be"),
            ("email", "COLUMN=METHOD"),
            ("id=drop", "can be hashed"),
            ("dnd=last4", "not a text"),
        ] {
            world.run_command(&format!("export --mask {mask} --out out")).exits(2).says(says);
            let line = format!("export --incremental --mask {mask} --out out");
            world.run_command(&line).exits(2).says(says);
        }
        world.run_command("export --mask email=hash --template dialpad --out out").exits(2);
    });
    assert_eq!(requests, 0);
    world
        .run_command("export --mask custom_nothing=drop --out out")
        .exits(2)
        .says("custom_nothing");
    assert!(!world.path("out").exists());
}

#[test]
fn a_masked_export_is_not_imported() {
    let world = World::new();
    world.run_command("export --format csv,jsonl,parquet --mask email=hash --out out").exits(0);
    for file in ["contacts.csv", "contacts.jsonl", "contacts.parquet", "notes.csv"] {
        let refused = world.run_command(&format!("import out/{file} --dry-run")).exits(4);
        refused.says("masked export").says("without `--mask`");
    }
    world.run_command("export --format csv --out plain").exits(0);
    world.run_command("import plain/contacts.csv --dry-run").exits(0);
}

#[test]
fn exports_with_other_masks_do_not_replace_each_other() {
    let world = World::new();
    world.run_command("export --with none --out plain").exits(0);
    let masked = "export --with none --mask email=hash";
    world.run_command(&format!("{masked} --out plain")).exits(4).says("other masks");
    world.run_command(&format!("{masked} --out masked")).exits(0);
    world.run_command(&format!("{masked} --out masked")).exits(0);
    world.run_command("export --with none --out masked").exits(4).says("other masks");
    let incremental = "export --incremental --format jsonl --mask email=hash --out lake";
    world.run_command(incremental).exits(0);
    world.run_command(incremental).exits(0).says("nothing has changed");
    world.run_command(&format!("{incremental} --mask phone=drop")).exits(4).says("other masks");
    // Another format of the run has the same masks.
    let run = world.run_command("runs --json").exits(0).stdout;
    let runs: Vec<Value> = serde_json::from_str(&run).unwrap();
    let run = runs.last().unwrap()["run"].as_str().unwrap();
    world.run_command(&format!("runs publish {run} --format jsonl --out again")).exits(0);
    let rows = world.read_rows("again/contacts.jsonl");
    assert!(rows.iter().all(|row| !row["email"].to_string().contains('@')));
    let line = format!("runs publish {run} --template dialpad --out again");
    world.run_command(&line).exits(2).says("masked");
}

#[test]
fn what_could_not_be_read_is_not_quoted() {
    let world = World::with_faults(&["POST /contacts/search unset=id row=secretRow000000001"]);
    world.add_contact(&json!({ "id": "secretRow000000001", "email": "row@secret.example" }));
    std::fs::write(world.path("list.csv"), "email\nrow@secret.example\nnobody@secret.example\n")
        .unwrap();
    for which in ["", "--contacts list.csv"] {
        let line = format!(
            "export {which} --with none --format csv --mask email=hash --replace --out out"
        );
        world.run_command(&line).exits(3);
        assert!(!read_errors_csv(&world, "out").is_empty());
        let everything = read_everything(&world, "out");
        assert!(!everything.contains("secret.example"), "{everything}");
    }
    let line =
        "export --query row@secret.example --with none --mask email=hash --replace --out out";
    world.run_command(line);
    assert!(!read_everything(&world, "out").contains("secret.example"));
}

#[test]
fn a_damaged_key_is_refused_before_anything_is_written() {
    let world = World::new();
    world.run_command("export --with none --mask email=hash --out out").exits(0);
    std::fs::write(world.path("home/mask.key"), "short").unwrap();
    world
        .run_command("export --with none --mask email=hash --out other")
        .exits(12)
        .says("mask.key");
    assert!(!world.path("other").exists());
}
