//! Whole rows and tables: rejected rows, column names, sort order.

use serde_json::json;

use super::super::*;
use super::{contacts, decoded, field, is_lossless, shown, text};

#[test]
fn a_value_nested_a_thousand_deep_is_kept_as_text() {
    let table = contacts();
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let row = format!(r#"{{"id":"c1","odd":{deep},"dndSettings":{deep},"tags":{deep}}}"#);
    let (batch, _) = decoded(&table, &row);
    assert_eq!(text(&table, &batch, "dnd_settings"), Some(deep.clone()));
    let extra = text(&table, &batch, "extra").unwrap();
    assert_eq!(extra, format!(r#"{{"odd":{deep},"tags":{deep}}}"#));
    assert_eq!(rebuild_row(&table, &batch, 0)["odd"], json!(deep));
}

#[test]
fn what_is_no_row_is_refused_and_leaves_no_trace() {
    let table = contacts();
    let mut decoder = RowDecoder::new(&table);
    for row in [
        "",
        "[]",
        "7",
        "{}",
        r#"{"id":null}"#,
        r#"{"id":""}"#,
        r#"{"id":[1]}"#,
        r#"{"id":"a"} x"#,
        r#"{"id":"a","#,
    ] {
        assert!(matches!(decoder.push_row(row), Err(RowDecodeError::NotARow { .. })), "{row}");
        // A key is read from rows of a response, so rows are whole.
        if !row.starts_with(r#"{"id":"a""#) {
            assert!(SortKeyReader::new(&table).sort_key(row).is_err(), "{row}");
        }
    }
    assert!(decoder.is_empty());
    assert_eq!(decoder.finish().num_rows(), 0);
    decoder.push_row(r#"{"id":7}"#).unwrap();
    assert_eq!((decoder.len(), decoder.finish().num_rows(), decoder.len()), (1, 1, 0));
}

#[test]
fn custom_columns_have_steady_names() {
    let rows = [
        field("b", "Lead Score", "NUMERICAL"),
        field("a", "lead_score", "TEXT"),
        field("c", "LEAD-SCORE", "TEXT"),
        field("Id7", "日本", "DATE"),
        r#"{"id":"opp","fieldKey":"opportunity.x","dataType":"TEXT","model":"opportunity"}"#
            .to_owned(),
    ];
    let names = |rows: &[String]| {
        let fields = CustomFieldColumns::from_definitions(rows.iter().map(String::as_str)).unwrap();
        let names =
            ["a", "b", "c", "Id7", "opp"].map(|id| fields.column_name(id).map(str::to_owned));
        (names, fields.columns().len())
    };
    let expected =
        ["custom_lead_score", "custom_lead_score_2", "custom_lead_score_3", "custom_ri_ben"];
    let (found, count) = names(&rows);
    assert_eq!(found[..4], expected.map(|name| Some(name.to_owned())));
    assert_eq!((found[4].as_deref(), count), (None, 4));
    let mut reversed = rows.clone();
    reversed.reverse();
    assert_eq!(names(&reversed), (found, count));
}

#[test]
fn a_definition_row_knows_its_column() {
    let row = field("x1", "lead_score", "NUMERICAL");
    let fields = CustomFieldColumns::from_definitions([row.as_str()]).unwrap();
    let table = CUSTOM_FIELDS.table_schema(&fields);
    let (batch, _) = decoded(&table, &row);
    assert_eq!(text(&table, &batch, "column_name").as_deref(), Some("custom_lead_score"));
    is_lossless(&table, &row);
}

#[test]
fn every_table_begins_with_its_id_and_ends_with_extra() {
    for resource in RESOURCES {
        let table = resource.table_schema(&CustomFieldColumns::default());
        assert_eq!(table.columns[0].name, "id", "{}", table.name);
        assert_eq!(table.columns.last().unwrap().name, "extra", "{}", table.name);
        let mut names: Vec<_> = table.columns.iter().map(|c| &c.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        let mut keys: Vec<_> = table.columns.iter().flat_map(TableColumn::source_keys).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{}", table.name);
        assert_eq!(RowDecoder::new(&table).finish().num_rows(), 0);
        assert!(ResourceSpec::from_name(resource.name).is_some());
    }
}

#[test]
fn appointments_without_a_zone_need_one() {
    let table = APPOINTMENTS.table_schema(&CustomFieldColumns::default());
    let row = r#"{"id":"e","startTime":"2021-07-16 11:00:00","appointmentStatus":"new","appoinmentStatus":"new"}"#;
    let preserved = r#"{"startTime":"2021-07-16 11:00:00"}"#;
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    let decoders = [RowDecoder::new(&table), RowDecoder::new(&table).with_time_zone(zone)];
    let starts = decoders.map(|mut decoder| {
        decoder.push_row(row).unwrap();
        let batch = decoder.finish();
        assert_eq!(text(&table, &batch, "extra").as_deref(), Some(preserved));
        shown(batch.column(table.column_index("start_time").unwrap()))
    });
    assert_eq!(starts, [None, Some("1626426000000".to_owned())]);
    is_lossless(&table, row);
    is_lossless(&table, r#"{"id":"e","appoinmentStatus":"new"}"#);
    is_lossless(&table, r#"{"id":"e","appoinmentStatus":"new","appointmentStatus":"old"}"#);
}

#[test]
fn rows_sort_by_the_time_they_were_added() {
    let table = TASKS.table_schema(&CustomFieldColumns::default());
    let of = |row: &str| SortKeyReader::new(&table).sort_key(row).unwrap();
    let early = of(r#"{"_id":"b","dateAdded":"2025-11-24T16:58:56.678Z"}"#);
    let late = of(r#"{"dateAdded":"2025-11-25T16:58:56.678Z","id":"a"}"#);
    let never = of(r#"{"id":"other","_id":"z","dateAdded":null}"#);
    assert_eq!((early.added, early.id.as_str()), (1_764_003_536_678, "b"));
    assert_eq!((never.added, never.id.as_str()), (i64::MIN, "z"));
    assert!(never < early && early < late);
}
