//! Two ways with 300 awkward contacts: the files for the five systems, as they were written and as pandas and Excel save
//! them again, change nothing.

use serde_json::{Map, Value, json};

use super::{Sheet, imported_sheets, preset};
use crate::world::World;

const CONTACTS: usize = 300;
const FIRST: [&str; 9] = [
    "Dwayne \"The Rock\"",
    "D'Arcy",
    "Zoë 🎉",
    "=1+1",
    "-Ann",
    "  Bo  Jo ",
    "Null",
    "李",
    "Line\nBreak",
];
const LAST: [&str; 7] =
    ["O'Neil", "Müller-Lüdenscheidt", "Smith, Jr.", "@home", "المرزوقي", "de la Cruz", "'Quoted'"];
const COMPANIES: [&str; 8] = [
    "Acme \"Rockets\" & Sons",
    "+cmd|' /C calc'!A0",
    "Semi; Colon, Comma",
    "00123",
    "1e5",
    "TRUE",
    "2026-03-01",
    "Two\r\nlines",
];
const TAGS: [&[&str]; 7] = [
    &[],
    &["vip"],
    &["a, b", "c; d"],
    &["quote \" inside", "apostrophe ' too"],
    &["[bracket]", "*star"],
    &["pipe|d", "tab\there"],
    &["=sum(a1)", "naïve 🎈"],
];
const NOTES: [&str; 6] = [
    "<p>Hello &amp; <b>welcome</b><br>second line</p>",
    "=HYPERLINK(\"http://example.com\")",
    "She said \"no\", then; left\r\n\r\n- item one\n- item two  ",
    "0049 30 1234",
    "🎉🎉 ünïcödé",
    "true",
];

fn insert_if(row: &mut Map<String, Value>, wanted: bool, key: &str, value: impl Into<Value>) {
    row.insert(key.to_owned(), if wanted { value.into() } else { Value::Null });
}

/// A contact that differs from the others in what it has and lacks.
fn awkward_contact(n: usize) -> Value {
    let mut row = Map::new();
    row.insert("id".into(), format!("AAAAAAAAAAAAAAAA{n:04}").into());
    let has_email = n % 11 != 5;
    let has_phone = n % 5 != 2;
    insert_if(&mut row, n % 13 != 4, "firstName", FIRST[n % FIRST.len()]);
    insert_if(&mut row, n % 6 != 1, "lastName", LAST[n % LAST.len()]);
    insert_if(&mut row, has_email, "email", format!("person{n}@example.com"));
    // Some share their number with another contact.
    let number = if n % 20 == 3 { n - 1 } else { n };
    let country = if n.is_multiple_of(2) { "+1202555" } else { "+4930555" };
    insert_if(&mut row, has_phone, "phone", format!("{country}{number:04}"));
    let company = if n % 17 == 3 { "x".repeat(500) } else { COMPANIES[n % 8].to_owned() };
    insert_if(&mut row, !n.is_multiple_of(3), "companyName", company);
    insert_if(&mut row, n % 4 != 1, "country", if n.is_multiple_of(2) { "US" } else { "DE" });
    insert_if(&mut row, n % 7 == 3, "website", format!("https://example.com/{n}?a=1&b=2"));
    insert_if(&mut row, n % 9 == 2, "businessId", "000000000000000000000b01");
    row.insert("tags".into(), json!(TAGS[n % TAGS.len()]));
    if n % 10 == 2 {
        row.insert("additionalPhones".into(), json!([format!("+1303555{n:04}")]));
        row.insert("additionalEmails".into(), json!([format!("other{n}@example.com")]));
    }
    let tasks = (0..n % 3).map(|k| {
        let due = match (n + k) % 4 {
            0 => Value::Null,
            1 => json!(1_772_355_600_250_u64 + n as u64),
            2 => json!("2026-03-01T09:00:00.250Z"),
            _ => json!("2026-03-01T09:00:00.000Z"),
        };
        json!({
            "id": format!("TTTTTTTTTTTTTTT{n:04}{k}"), "title": NOTES[(n + k) % 6].trim(), "completed": n.is_multiple_of(2),
            "dueDate": due, "body": if k == 0 { "Priority: high\nby post" } else { "" },
        })
    });
    row.insert("__tasks".into(), tasks.collect());
    let notes = (0..n % 4).map(|k| {
        let body =
            if n % 50 == 3 { "long text, ".repeat(450) } else { NOTES[(n + k) % 6].to_owned() };
        json!({ "id": format!("NNNNNNNNNNNNNNN{n:04}{k}"), "body": body })
    });
    row.insert("__notes".into(), notes.collect());
    row.into()
}

fn account() -> World {
    let world = crate::import_world::empty_world();
    let business = json!([{ "id": "000000000000000000000b01", "name": "A; \"B\", C" }]);
    world.control_request("PUT", "businesses", &business);
    world.add_contacts(&(0..CONTACTS).map(awkward_contact).collect::<Vec<_>>());
    world
}

/// A cell as pandas writes it after `read_csv`: numbers lose `+` and get `.0` beside empty cells.
fn saved_by_pandas(column: &[&str]) -> Vec<String> {
    let filled = column.iter().filter(|cell| !cell.is_empty());
    let is_number = |cell: &str| {
        cell.strip_prefix('+').unwrap_or(cell).bytes().all(|byte| byte.is_ascii_digit())
    };
    let numbers = filled.clone().all(|cell| is_number(cell)) && filled.clone().count() > 0;
    let booleans = filled.clone().all(|cell| matches!(*cell, "true" | "false"));
    let has_empty = filled.count() < column.len();
    let cell = |cell: &&str| match *cell {
        "" => String::new(),
        text if numbers && has_empty => format!("{}.0", text.trim_start_matches('+')),
        text if numbers => text.trim_start_matches('+').to_owned(),
        "true" if booleans => "True".to_owned(),
        "false" if booleans => "False".to_owned(),
        text => text.to_owned(),
    };
    column.iter().map(cell).collect()
}

/// A cell as Excel saves it: what looks like a number is one.
fn saved_by_excel(cell: &str) -> String {
    match cell {
        "true" => "TRUE".to_owned(),
        "false" => "FALSE".to_owned(),
        "1e5" => "1.00E+05".to_owned(),
        "00123" => "123".to_owned(),
        text => match text.strip_prefix('+') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.to_owned(),
            _ => text.to_owned(),
        },
    }
}

fn write_as_pandas(sheet: &Sheet, world: &World) {
    let columns = (0..sheet.header.len()).map(|at| {
        let column: Vec<&str> = sheet.rows.iter().map(|row| row[at].as_str()).collect();
        saved_by_pandas(&column)
    });
    let columns: Vec<Vec<String>> = columns.collect();
    let row = |n: usize| columns.iter().map(|column| column[n].clone()).collect();
    let rows = (0..sheet.rows.len()).map(row).collect();
    Sheet { header: sheet.header.clone(), rows }.write(world, "pandas.csv");
}

/// The file with a byte order mark, semicolons and CRLF, as Excel in Europe saves it.
fn write_as_excel(sheet: &Sheet, world: &World) {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(&mut bytes);
    writer.write_record(&sheet.header).unwrap();
    for row in &sheet.rows {
        writer.write_record(row.iter().map(|cell| saved_by_excel(cell))).unwrap();
    }
    drop(writer);
    std::fs::write(world.path("excel.csv"), bytes).unwrap();
}

/// The field of the API that a column has, and of which record: the contact, its tasks or its notes.
fn field_of(column: &str) -> Option<(&'static str, &'static str)> {
    Some(match column {
        "firstName" => ("contact", "firstName"),
        "lastName" => ("contact", "lastName"),
        "email" => ("contact", "email"),
        "phone" => ("contact", "phone"),
        "company" => ("contact", "companyName"),
        "businessId" => ("contact", "businessId"),
        "title" | "taskName" => ("tasks", "title"),
        "note" => ("notes", "body"),
        _ => return None,
    })
}

/// Shows that the cells of a file are the account's values, but for the apostrophe before formulas.
#[track_caller]
fn assert_cells_are_true(file: &str, sheet: &Sheet, account: &[Value]) {
    let by_id = |list: &Value, id: &str| {
        list.as_array().unwrap().iter().find(|child| child["id"] == id).cloned().unwrap()
    };
    let mut compared = 0;
    for row in &sheet.rows {
        let cell = |name: &str| {
            sheet.header.iter().position(|column| column == name).map(|at| row[at].as_str())
        };
        let Some(id) = cell("contactId") else { return };
        let owner = account.iter().find(|one| one["contact"]["id"] == id).unwrap();
        let child = |kind: &str, ids: [&str; 2]| {
            let id = ids.into_iter().find_map(cell).filter(|id| !id.is_empty());
            id.map_or(Value::Null, |id| by_id(&owner[kind], id))
        };
        for (column, text) in sheet.header.iter().zip(row) {
            let is_task = cell("taskId").is_some_and(|id| !id.is_empty());
            let (kind, field) = match (column.as_str(), is_task) {
                ("content", true) => ("tasks", "title"),
                ("content", false) => ("notes", "body"),
                _ => match field_of(column) {
                    Some(field) => field,
                    None => continue,
                },
            };
            let record = match kind {
                "contact" => owner["contact"].clone(),
                "tasks" => child(kind, ["taskId", "taskId"]),
                _ => child(kind, ["noteId", "id"]),
            };
            let value = record[field].as_str().unwrap_or_default();
            let bare = text.strip_prefix('\'').unwrap_or(text);
            assert!(text == value || bare == value, "{file} {id} {column}: {text:?} {value:?}");
            compared += 1;
        }
    }
    assert!(compared > 100 || file.contains("tags"), "{file}");
}

#[track_caller]
fn check_system(system: &str) {
    let world = account();
    let before = world.read_contacts();
    world.run_command(&format!("export --template {system} --out out --quiet")).exits(0);
    for file in imported_sheets(&world, "out") {
        let name = preset(&file);
        let sheet = Sheet::read(&world, &format!("out/{file}"));
        assert_cells_are_true(&file, &sheet, &before);
        std::fs::copy(world.path(&format!("out/{file}")), world.path("written.csv")).unwrap();
        write_as_pandas(&sheet, &world);
        write_as_excel(&sheet, &world);
        for saved in ["written", "pandas", "excel"] {
            world.control_request("DELETE", "log", &Value::Null);
            let done = world.run_command(&format!(
                "import {saved}.csv --yes --out res --preset {name} --default-country US"
            ));
            let rejected = world.read_csv("res/rejected.csv");
            let codes: Vec<&str> =
                rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
            assert_eq!(
                (world.list_writes(), codes),
                (vec![], vec![]),
                "{file} as {saved}: {} {rejected:#?}",
                done.stderr
            );
            done.does_not_say("dates of notes cannot be set");
            let rows = sheet.rows.len();
            assert_eq!(world.count_results(), [0, rows, 0, 0, 0], "{file} as {saved}");
        }
    }
    assert_eq!(world.read_contacts(), before);
}

#[test]
fn an_awkward_account_goes_to_dub_and_comes_back_unchanged() {
    check_system("dub");
}

#[test]
fn an_awkward_account_goes_to_docsend_and_comes_back_unchanged() {
    check_system("docsend");
}

#[test]
fn an_awkward_account_goes_to_dialpad_and_comes_back_unchanged() {
    check_system("dialpad");
}

#[test]
fn an_awkward_account_goes_to_dashclicks_and_comes_back_unchanged() {
    check_system("dashclicks");
}

#[test]
fn an_awkward_account_goes_to_dext_and_comes_back_unchanged() {
    check_system("dext");
}
