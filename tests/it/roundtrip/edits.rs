//! Edits of an export's cells, and the state of an account when they are imported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::files::Table;
use crate::world::World;

/// A cell that was edited, and what the account is to hold instead.
pub(super) struct Edit {
    contact: String,
    /// The property, or a custom field's id.
    place: String,
    value: Value,
}

/// The ids of the custom fields, by the columns of an export in `out`.
pub(super) fn fields(world: &World) -> BTreeMap<String, String> {
    let table = Table::read(world, "out/custom_fields.csv");
    let of = |row| (table.cell(row, "column_name").to_owned(), table.cell(row, "id").to_owned());
    (0..table.rows.len()).map(of).collect()
}

/// Edits a cell of every kind, most in a row of its own.
pub(super) fn make(world: &World, table: &mut Table) -> Vec<Edit> {
    let (fields, account) = (fields(world), world.read_contacts());
    let edits = [
        ("first_name", "Zoë-Ann", "firstName", json!("Zoë-Ann")),
        ("last_name", "O'New", "lastName", json!("O'New")),
        ("email", "edited.1@example.com", "email", json!("edited.1@example.com")),
        ("phone", "+12025550143", "phone", json!("+12025550143")),
        ("company_name", "'=Sum & Sons", "companyName", json!("=Sum & Sons")),
        ("source", "round trip", "source", json!("round trip")),
        ("address1", "1 New Street, Flat 2", "address", json!("1 New Street, Flat 2")),
        ("city", "Zürich", "city", json!("Zürich")),
        ("state", "ZH", "state", json!("ZH")),
        ("postal_code", "08001", "postalCode", json!("08001")),
        ("country", "Switzerland", "country", json!("CH")),
        (
            "website",
            "https://new.example.com/?a=1",
            "website",
            json!("https://new.example.com/?a=1"),
        ),
        ("timezone", "Europe/Zurich", "timezone", json!("Europe/Zurich")),
        ("date_of_birth", "1990-02-03", "dateOfBirth", json!(634_003_200_000_i64)),
        ("tags", "only; these", "tags", json!(["only", "these"])),
        ("custom_nickname", "Nick; \"Ace\"", "", json!("Nick; \"Ace\"")),
        ("custom_background", "two\nlines", "", json!("two\nlines")),
        ("custom_employees", "12", "", json!(12.0)),
        ("custom_score", "0.5", "", json!(0.5)),
        ("custom_score_2", "eleven", "", json!("eleven")),
        ("custom_deal_value", "1234.5", "", json!(1234.5)),
        ("custom_second_phone", "+41446681800", "", json!("+41446681800")),
        ("custom_renewal_date", "2027-01-31", "", json!("2027-01-31")),
        ("custom_stage", "Won", "", json!("Won")),
        ("custom_preferred_channel", "Phone", "", json!("Phone")),
        ("custom_interests", "Solar; Gas, oil", "", json!(["Solar", "Gas, oil"])),
        ("custom_products", "[\"B; C\",\"A\"]", "", json!(["B; C", "A"])),
        ("custom_region", "north", "", json!("north")),
    ];
    let mut made = Vec::new();
    for (n, (column, cell, place, value)) in edits.into_iter().enumerate() {
        // Every fifth shares the row of the one before.
        let row = if n % 5 == 4 { (n - 1) * 4 } else { n * 4 };
        assert_ne!(table.cell(row, column), cell, "{column}");
        table.set(row, column, cell);
        let contact = table.cell(row, "id").to_owned();
        let place = fields.get(column).map_or(place, String::as_str).to_owned();
        made.push(Edit { contact, place, value });
    }
    let row =
        (0..table.rows.len()).find(|row| blocked(&account, table.cell(*row, "id")) == json!(false));
    let row = row.unwrap();
    table.set(row, "dnd", "yes");
    made.push(Edit {
        contact: table.cell(row, "id").to_owned(),
        place: "dnd".to_owned(),
        value: json!(true),
    });
    made
}

fn blocked(account: &[Value], id: &str) -> Value {
    let person = account.iter().find(|it| it["contact"]["id"] == id).unwrap();
    person["contact"]["dnd"].clone()
}

/// Empties a cell of every kind that may be cleared, in rows that hold something there.
pub(super) fn empty(world: &World, table: &mut Table) -> Vec<Edit> {
    let fields = fields(world);
    let places = [
        ("company_name", "companyName", Value::Null),
        ("city", "city", Value::Null),
        ("postal_code", "postalCode", Value::Null),
        ("date_of_birth", "dateOfBirth", Value::Null),
        ("website", "website", Value::Null),
        ("custom_nickname", "", Value::Null),
        ("custom_deal_value", "", Value::Null),
        ("custom_interests", "", Value::Null),
        ("custom_renewal_date", "", Value::Null),
    ];
    let mut emptied: Vec<Edit> = Vec::new();
    for (column, place, value) in places {
        let taken = |row: usize| emptied.iter().any(|edit| edit.contact == table.cell(row, "id"));
        let row =
            (0..table.rows.len()).find(|row| !table.cell(*row, column).is_empty() && !taken(*row));
        let row = row.unwrap();
        let contact = table.cell(row, "id").to_owned();
        table.set(row, column, "");
        let place = fields.get(column).map_or(place, String::as_str).to_owned();
        emptied.push(Edit { contact, place, value });
    }
    emptied
}

/// The contacts that were edited.
pub(super) fn rows(edits: &[Edit]) -> BTreeSet<&str> {
    edits.iter().map(|edit| edit.contact.as_str()).collect()
}

/// Shows that the account is as it was, but for the edits.
#[track_caller]
pub(super) fn expect(before: &[Value], after: &[Value], edits: &[Edit]) {
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        let id = before["contact"]["id"].as_str().unwrap();
        let own: Vec<&Edit> = edits.iter().filter(|edit| edit.contact == id).collect();
        let (was, is) = (flat(before), flat(after));
        for (place, value) in &is {
            let edit = own.iter().find(|edit| edit.place == *place);
            let expected = edit.map_or_else(|| was.get(place), |edit| Some(&edit.value));
            let nothing = Value::Null;
            assert_eq!(value, expected.unwrap_or(&nothing), "`{place}` of {id}");
        }
        let gone = was.iter().filter(|(place, value)| !is.contains_key(*place) && !value.is_null());
        for (place, _) in gone {
            assert!(
                own.iter().any(|edit| edit.place == *place && edit.value.is_null()),
                "`{place}` of {id} is gone"
            );
        }
        assert_eq!(
            (&before["notes"], &before["tasks"]),
            (&after["notes"], &after["tasks"]),
            "{id}"
        );
    }
}

/// A contact's properties and custom fields by name, without what follows from others.
fn flat(person: &Value) -> BTreeMap<String, Value> {
    let derived =
        ["dateUpdated", "firstNameLowerCase", "lastNameLowerCase", "contactName", "customFields"];
    let contact = person["contact"].as_object().unwrap();
    let own = contact.iter().filter(|(name, _)| !derived.contains(&name.as_str()));
    let mut all: BTreeMap<_, _> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    for field in contact["customFields"].as_array().into_iter().flatten() {
        all.insert(field["id"].as_str().unwrap().to_owned(), field["value"].clone());
    }
    all
}
