//! What the columns and `extra` contain, and that together they contain everything.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, TimestampMillisecondType};
use serde_json::{Map, Value, json};

use super::*;

mod property;
mod rows;
mod values;

/// The search row of api.md §16.
const SEARCH_ROW: &str = r#"{"id":"102goXVW3lIExEQPOnd3","locationId":"ve9EPM428h8vShlRW1KT","contactName":"jane smith",
 "firstName":"Jane","firstNameLowerCase":"jane","lastName":"Smith","lastNameLowerCase":"smith",
 "email":"jane@example.com","additionalEmails":[],"phone":"+14155551234","additionalPhones":[],"phoneLabel":null,"validEmail":null,
 "type":"lead","assignedTo":"182goXVW3lIExEQPOnd3","followers":[],"tags":["prospect"],
 "customFields":[{"id":"text","value":"text"},{"id":"money","value":250000.5},{"id":"many","value":["90+ Days"]}],
 "dnd":false,"dndSettings":{"SMS":{"status":"permanent","message":"STOP_KEYWORD","code":"103"}},"inboundDndSettings":{},
 "address":"123 Main St","city":"New York","state":"NY","postalCode":"10001","country":"US","timezone":"America/New_York",
 "website":null,"companyName":"Acme Corp","businessName":null,"businessId":null,"dateOfBirth":654220800000,"source":"website",
 "dateAdded":"2025-11-24T16:58:56.678Z","dateUpdated":"2026-03-06T20:27:20.348Z",
 "opportunities":[{"id":"opp456","pipelineId":"p1","pipelineStageId":"s1","monetaryValue":5000,"status":"open"}],
 "attributionSource":{"sessionSource":"CRM UI","medium":"manual"},"lastAttributionSource":{},
 "searchAfter":[1764003536678,"102goXVW3lIExEQPOnd3"]}"#;

fn field(id: &str, key: &str, data_type: &str) -> String {
    json!({"id": id, "fieldKey": format!("contact.{key}"), "dataType": data_type, "model": "contact"})
        .to_string()
}

fn contacts() -> TableSchema {
    let rows = [
        field("text", "plain", "TEXT"),
        field("money", "worth", "MONETORY"),
        field("many", "options", "MULTIPLE_OPTIONS"),
        field("day", "since", "DATE"),
        field("files", "files", "FILE_UPLOAD"),
    ];
    CONTACTS.table_schema(
        &CustomFieldColumns::from_definitions(rows.iter().map(String::as_str)).unwrap(),
    )
}

fn decoded(table: &TableSchema, row: &str) -> (RecordBatch, u64) {
    let mut decoder = RowDecoder::new(table);
    decoder.push_row(row).unwrap();
    let misfits = decoder.type_mismatch_counts().map(|(_, count)| count).sum();
    (decoder.finish(), misfits)
}

fn text(table: &TableSchema, batch: &RecordBatch, column: &str) -> Option<String> {
    let cells = batch.column(table.column_index(column).unwrap()).as_string::<i32>();
    cells.iter().next().unwrap().map(str::to_owned)
}

/// `null` equals absent, and so does an empty list of custom-field values.
fn plain(row: &Value) -> Map<String, Value> {
    let mut row = row.as_object().unwrap().clone();
    row.retain(|_, value| !value.is_null());
    if let Some(Value::Array(entries)) = row.get_mut("customFields") {
        let holds_null = |entry: &Value| {
            let keys = || entry.as_object().into_iter().flat_map(Map::keys);
            keys().all(|key| key == "id" || key == "value")
                && entry.get("value").is_none_or(Value::is_null)
                && entry.get("id").is_some_and(|id| {
                    ["text", "money", "many", "day", "files"].contains(&id.as_str().unwrap_or(""))
                })
        };
        entries.retain(|entry| !holds_null(entry));
        entries.sort_by_key(Value::to_string);
    }
    row
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            // `serde_json` reads long decimals to within a bit or so, unless `float_roundtrip` is on.
            let (x, y) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (x - y).abs() <= x.abs() * 1e-15
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

#[track_caller]
fn is_lossless(table: &TableSchema, row: &str) {
    let (batch, _) = decoded(table, row);
    let rebuilt = plain(&rebuild_row(table, &batch, 0));
    let sent = plain(&serde_json::from_str(row).unwrap());
    for (key, value) in &sent {
        let again = rebuilt.get(key).unwrap_or(&Value::Null);
        assert!(same(value, again), "`{key}` was {value}, came back as {again}\n{row}");
    }
    let implied =
        |key: &String| table.derived.iter().any(|d| d.key == key) || rebuilt[key] == json!([]);
    for key in rebuilt.keys().filter(|key| !sent.contains_key(*key)) {
        assert!(implied(key), "`{key}` was never sent\n{row}");
    }
}

/// Checks the cell and the `extra` of a contact with one member in addition to its id.
#[track_caller]
fn check(member: &str, column: &str, cell: Option<&str>, extra: Option<&str>, misfits: u64) {
    let table = contacts();
    let row = format!(r#"{{"id":"c1",{member}}}"#);
    let (batch, counted) = decoded(&table, &row);
    let preserved = text(&table, &batch, "extra");
    assert_eq!(preserved.as_deref(), extra, "extra of {row}");
    let cells = batch.column(table.column_index(column).unwrap());
    let shown = shown(cells);
    assert_eq!(shown.as_deref(), cell, "{column} of {row}");
    assert_eq!(counted, misfits, "misfits of {row}");
    is_lossless(&table, &row);
}

fn shown(cells: &dyn arrow_array::Array) -> Option<String> {
    use arrow_schema::DataType;
    if cells.is_null(0) {
        return None;
    }
    Some(match cells.data_type() {
        DataType::Utf8 => cells.as_string::<i32>().value(0).to_owned(),
        DataType::Boolean => cells.as_boolean().value(0).to_string(),
        DataType::Float64 => cells.as_primitive::<Float64Type>().value(0).to_string(),
        DataType::Date32 => cells.as_primitive::<Date32Type>().value(0).to_string(),
        DataType::Timestamp(..) => {
            cells.as_primitive::<TimestampMillisecondType>().value(0).to_string()
        }
        _ => {
            let items = cells.as_list::<i32>().value(0);
            let items: Vec<_> =
                items.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
            items.join("|")
        }
    })
}
