//! Bytes that are not UTF-8 or not JSON: they cost the record they are in, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::altered_answers::{SeenRequest, alter_answers};
use crate::export_files::{ExportFiles, read_errors_csv};
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";

/// The first of these bytes in the answers to these requests is replaced until the switch is off.
struct BrokenWorld {
    world: World,
    switch: Arc<AtomicBool>,
}

impl BrokenWorld {
    fn new(
        world: World,
        is_broken: impl Fn(&SeenRequest) -> bool + Send + Sync + 'static,
        old: &'static [u8],
        new: &'static [u8],
    ) -> Self {
        let switch = Arc::new(AtomicBool::new(true));
        let is_on = Arc::clone(&switch);
        let world = alter_answers(world, move |request, answer| {
            if is_on.load(Ordering::SeqCst) && answer.status < 300 && is_broken(request) {
                answer.replace_bytes(old, new);
            }
        });
        Self { world, switch }
    }

    /// Exports, and gives the line of `errors.csv` that there is.
    #[track_caller]
    fn export(&self) -> BTreeMap<String, String> {
        self.world.run_command(EXPORT).exits(3).says("1 record could not be read");
        let lines = read_errors_csv(&self.world, "out");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["code"], "malformed", "{lines:?}");
        lines.into_iter().next().unwrap()
    }

    /// A sound server makes the export whole.
    #[track_caller]
    fn heal(&self) {
        self.switch.store(false, Ordering::SeqCst);
        self.world.run_command("resume --retry-errors").exits(0);
        let files = ExportFiles::read_from(&self.world, "out");
        ExportFiles::of_undisturbed_export(60).assert_same(&files);
    }

    /// How many rows of a table differ from those of an undisturbed export.
    #[track_caller]
    fn count_differences(&self, table: &str) -> usize {
        let file = format!("{table}.jsonl");
        let sound = ExportFiles::of_undisturbed_export(60).read_rows(&file);
        let rows = self.world.read_rows(&format!("out/{file}"));
        let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&rows), ids(&sound), "{table}");
        rows.iter().zip(&sound).filter(|(row, sound)| row != sound).count()
    }
}

fn search(request: &SeenRequest) -> bool {
    request.is("POST", "/contacts/search")
}

#[test]
fn a_contact_with_a_byte_of_latin_1_costs_one_line_and_keeps_its_notes_and_tasks() {
    let old = br#""lastName":""#;
    let broken = BrokenWorld::new(World::new(), search, old, b"\"lastName\":\"J\xF6");
    let line = broken.export();
    let message = &line["message"];
    assert!(message.contains("not UTF-8") && message.contains(r"J\xF6"), "{message}");
    assert_eq!(line["table"], "contacts");
    assert_eq!(broken.count_differences("contacts"), 1);
    for table in ["notes", "tasks", "users", "tags", "custom_fields"] {
        assert_eq!(broken.count_differences(table), 0, "{table}");
    }
    let contacts = broken.world.read_rows("out/contacts.jsonl");
    let contact = contacts.iter().find(|row| row["id"] == line["subject"].as_str()).unwrap();
    assert!(contact["last_name"].as_str().unwrap().starts_with("J\u{fffd}"), "{contact}");
    broken.heal();
}

#[test]
fn bytes_that_are_cut_or_of_another_encoding_cost_one_line() {
    let old = br#""lastName":""#;
    for new in [
        b"\"lastName\":\"\xE2\x82".as_slice(),
        b"\"lastName\":\"\xED\xA0\xBD\xED\xB8\x80",
        b"\"lastName\":\"\xFF\xFE\x80\xC0\xAF",
    ] {
        let broken = BrokenWorld::new(World::new(), search, old, new);
        broken.export();
        assert_eq!(broken.count_differences("contacts"), 1);
    }
}

#[test]
fn a_contact_that_is_not_json_costs_one_line() {
    let old = br#""lastName":""#;
    for new in [
        // Kept whole: an escape that there is not, and characters that must be escaped.
        br#""lastName":"\x41 \u12"#.as_slice(),
        b"\"lastName\":\"a\nb\x00c",
        // Kept as far as it goes: quotes and commas at the wrong place.
        br#""lastName":"the "late" "#,
        br#""lastName" "name":""#,
    ] {
        let broken = BrokenWorld::new(World::new(), search, old, new);
        let line = broken.export();
        assert!(line["message"].contains("not JSON"), "{line:?}");
        assert_eq!(broken.count_differences("contacts"), 1);
        assert_eq!(broken.count_differences("notes"), 0);
        if !new.ends_with(b" ") && !new.ends_with(b":\"") {
            broken.heal();
        }
    }
}

#[test]
fn a_note_with_a_wrong_byte_costs_one_line_and_is_read_again() {
    let world = World::new();
    let contacts = crate::raw_http::search_contacts(&world, &Value::Array(Vec::new()));
    let mut ids = contacts.iter().map(|contact| contact["id"].as_str().unwrap().to_owned());
    let has_notes = |id: &String| {
        let path = format!("/contacts/{id}/notes");
        !crate::raw_http::list_rows(&world, &path, "notes").is_empty()
    };
    let first = ids.find(has_notes).unwrap();
    let path = format!("/contacts/{first}/notes");
    let is_broken = move |request: &SeenRequest| request.is("GET", &path);
    let broken = BrokenWorld::new(world, is_broken, br#""body":""#, b"\"body\":\"\xE4");
    let line = broken.export();
    assert_eq!(line["table"], "notes");
    assert!(line["subject"].starts_with(&format!("{first} ")), "{line:?}");
    assert_eq!(broken.count_differences("notes"), 1);
    broken.heal();
}

#[test]
fn a_task_with_a_wrong_byte_costs_one_line() {
    let tasks = |request: &SeenRequest| request.is("POST", "/tasks/search");
    let broken = BrokenWorld::new(World::new(), tasks, br#""title":""#, b"\"title\":\"\xE4");
    assert_eq!(broken.export()["table"], "tasks");
    assert_eq!(broken.count_differences("tasks"), 1);
}

#[test]
fn a_user_a_tag_or_a_field_with_a_wrong_byte_costs_one_line() {
    for (part, table) in
        [("/users/", "users"), ("/tags", "tags"), ("/customFields", "custom_fields")]
    {
        let list = move |request: &SeenRequest| request.is("GET", part);
        let broken = BrokenWorld::new(World::new(), list, br#""name":""#, b"\"name\":\"\xE4");
        assert_eq!(broken.export()["table"], table);
        assert_eq!(broken.count_differences(table), 1);
        broken.heal();
    }
}

#[test]
fn a_wrong_byte_in_the_name_of_the_location_costs_nothing() {
    let location = |request: &SeenRequest| {
        request.is("GET", &format!("/locations/{}", ghl_bulk::sandbox::LOCATION))
            && !request.path.contains("/tags")
            && !request.path.contains("/customFields")
    };
    let broken = BrokenWorld::new(World::new(), location, br#""name":""#, b"\"name\":\"\xE4");
    broken.world.run_command(EXPORT).exits(0);
}

#[test]
fn a_row_that_is_broken_only_once_costs_nothing() {
    let switch = AtomicBool::new(true);
    let world = alter_answers(World::new(), move |request, answer| {
        if search(request) && switch.swap(false, Ordering::SeqCst) {
            answer.replace_bytes(br#""lastName":""#, br#""lastName" "name":""#);
        }
    });
    world.run_command(EXPORT).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_listed_contact_with_a_wrong_byte_costs_one_line() {
    let world = World::new();
    let contacts = crate::raw_http::search_contacts(&world, &Value::Array(Vec::new()));
    let ids: Vec<&str> = contacts.iter().map(|contact| contact["id"].as_str().unwrap()).collect();
    std::fs::write(world.path("list.csv"), ids[..20].join("\n")).unwrap();
    let broken = BrokenWorld::new(world, search, br#""lastName":""#, b"\"lastName\":\"\xE4");
    broken.world.run_command(&format!("{EXPORT} --contacts list.csv")).exits(3);
    let lines = read_errors_csv(&broken.world, "out");
    assert_eq!((lines.len(), lines[0]["code"].as_str()), (1, "malformed"), "{lines:?}");
    broken.switch.store(false, Ordering::SeqCst);
    broken.world.run_command("resume --retry-errors").exits(0);
    let rows = broken.world.read_rows("out/contacts.jsonl");
    assert_eq!(rows.len(), 20);
    assert!(!rows.iter().any(|row| row.to_string().contains('\u{fffd}')));
}

#[test]
fn a_wrong_byte_in_the_account_does_not_stop_the_plan_of_an_import() {
    for new in [b"\"lastName\":\"\xE4".as_slice(), br#""lastName" "x":""#, br#""lastName":"\q"#] {
        let broken = BrokenWorld::new(World::new(), search, br#""lastName":""#, new);
        let rows: Vec<String> = (0..30).map(|n| format!("person{n}@example.net,Rome")).collect();
        let sheet = format!("Email,City\n{}\n", rows.join("\n"));
        std::fs::write(broken.world.path("in.csv"), sheet).unwrap();
        broken.world.run_command("import in.csv --yes --out res").exits(0);
        let created = crate::raw_http::search_contacts(&broken.world, &Value::Array(Vec::new()));
        assert_eq!(created.len(), 90);
    }
}
