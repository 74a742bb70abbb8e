//! Whatever the server sends, the table reproduces.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::*;
use super::{contacts, is_lossless};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(|n| json!(f64::from(n) / 4.0)),
        any::<i32>().prop_map(|days| json!(i64::from(days % 100_000) * 86_400_000)),
        ".{0,6}".prop_map(Value::from),
        prop_oneof![
            "2025-11-24",
            "2025-11-24T16:58:56.678Z",
            "2025-11-24T16:58:56Z",
            "true",
            "12",
            "1e5",
            "c1"
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop_oneof!["email", "phone", "id", "value", "[a-z\"\\\\é]{1,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn entries() -> impl Strategy<Value = Value> {
    let id = prop_oneof!["text", "money", "many", "day", "files", "unknown"];
    let value_key =
        prop_oneof![8 => Just("value"), 1 => Just("fieldValue"), 1 => Just("field_value")];
    let entry = (id, value_key, json_value(), prop::option::weighted(0.1, json_value())).prop_map(
        |(id, key, value, more)| match more {
            Some(more) => json!({"id": id, key: value, "more": more}),
            None => json!({"id": id, key: value}),
        },
    );
    prop::collection::vec(prop_oneof![9 => entry.boxed(), 1 => json_value().boxed()], 0..6)
        .prop_map(Value::from)
}

fn row(table: &TableSchema) -> impl Strategy<Value = String> {
    let mut keys: Vec<_> = table.columns.iter().flat_map(TableColumn::source_keys).collect();
    keys.extend(table.derived.iter().map(|derived| derived.key));
    let known = prop::sample::select(keys).prop_map(str::to_owned);
    let key = prop_oneof![6 => known.boxed(), 1 => "[a-zA-Z\"\\\\é]{1,4}".boxed()];
    let members = prop::collection::vec((key, json_value()), 0..16);
    let custom = prop::option::of(prop_oneof![5 => entries().boxed(), 1 => json_value().boxed()]);
    let primary = table.columns[0].source_keys().next().unwrap();
    (members, custom, any::<bool>()).prop_map(move |(members, custom, pretty)| {
        let mut row: Map<String, Value> = members.into_iter().collect();
        row.remove("id");
        row.remove("_id");
        row.insert(primary.to_owned(), json!("c1"));
        if let Some(custom) = custom {
            row.insert("customFields".to_owned(), custom);
        }
        let row = Value::Object(row);
        if pretty { format!("{row:#}") } else { row.to_string() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_contact_loses_anything(row in row(&contacts())) {
        is_lossless(&contacts(), &row);
    }

    #[test]
    fn no_task_loses_anything(row in row(&TASKS.table_schema(&CustomFieldColumns::default()))) {
        is_lossless(&TASKS.table_schema(&CustomFieldColumns::default()), &row);
    }

    #[test]
    fn no_appointment_loses_anything(row in row(&APPOINTMENTS.table_schema(&CustomFieldColumns::default()))) {
        is_lossless(&APPOINTMENTS.table_schema(&CustomFieldColumns::default()), &row);
    }

    #[test]
    fn no_text_stops_the_decoder(row in ".{0,40}", braced in "\\{\"id\":\"a\",[\\[\\]{}\",:a-d0-9\\\\ ]{0,30}\\}") {
        let mut decoder = RowDecoder::new(&contacts());
        let _ = decoder.push_row(&row);
        let _ = decoder.push_row(&braced);
        decoder.finish();
    }
}
