//! Each format, read back.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::file::metadata::RowGroupMetaData;
use sha2::{Digest, Sha256};

use super::super::*;
use super::{Row, batch, full, schema, written};

#[track_caller]
fn check(format: &str, row: Row, expected: &str) {
    let (_folder, path, _) = written(format, &[row], &SinkOptions::default());
    let text = fs::read_to_string(path).unwrap();
    let line = text.strip_prefix("id,name,ok,count,worth,born,date_added,tags,extra\n");
    assert_eq!(line.unwrap_or(&text), expected);
}

#[test]
fn csv_shows_every_type() {
    let tags = |tags: Vec<&'static str>| Row { tags: Some(tags), ..Row::default() };
    check(
        "csv",
        full(),
        "r0,\"Zoë \"\"Z\"\", née\nÅ\",true,-7,187500.25,1990-09-25,2025-11-24T16:58:56.678Z,a; b c,\"{\"\"n\"\":1.50}\"\n",
    );
    check("csv", Row::default(), "r0,,,,,,,,\n");
    check("csv", tags(vec![]), "r0,,,,,,,,\n");
    check("csv", tags(vec![""]), "r0,,,,,,,\"[\"\"\"\"]\",\n");
    check("csv", tags(vec!["a;b", "c"]), "r0,,,,,,,\"[\"\"a;b\"\",\"\"c\"\"]\",\n");
    check("csv", tags(vec!["=1", "c"]), "r0,,,,,,,'=1; c,\n");
    check("csv", Row { worth: Some(-5.0), ..Row::default() }, "r0,,,,-5,,,,\n");
}

#[test]
fn json_lines_show_every_type() {
    check(
        "jsonl",
        full(),
        concat!(
            r#"{"id":"r0","name":"Zoë \"Z\", née\nÅ","ok":true,"count":-7,"worth":187500.25,"born":"1990-09-25","#,
            r#""date_added":"2025-11-24T16:58:56.678Z","tags":["a","b c"],"extra":{"n":1.50}}"#,
            "\n"
        ),
    );
    let nulls = r#"{"id":"r0","name":null,"ok":null,"count":null,"worth":null,"born":null,"date_added":null,"tags":null,"extra":null}"#;
    check("jsonl", Row::default(), &format!("{nulls}\n"));
}

#[test]
fn flat_json_lines_have_one_type_per_column() {
    let options = SinkOptions { jsonl: JsonLinesShape::Flat, ..SinkOptions::default() };
    let (_folder, path, _) = written("jsonl", &[full(), Row::default()], &options);
    let text = fs::read_to_string(path).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    let ends = r#""tags":"[\"a\",\"b c\"]","extra":"{\"n\":1.50}"}"#;
    assert!(first.ends_with(ends), "{first}");
    assert!(second.ends_with("\"tags\":null,\"extra\":null}\n"), "{second}");
}

#[test]
fn csv_begins_with_a_byte_order_mark_where_that_is_asked_for() {
    let options = SinkOptions { csv_bom: true, ..SinkOptions::default() };
    let (_folder, path, written) = written("csv", &[Row::default()], &options);
    let bytes = fs::read(path).unwrap();
    assert!(bytes.starts_with("\u{feff}id,name,".as_bytes()));
    assert_eq!(written.bytes, bytes.len() as u64);
}

#[track_caller]
fn embedded(json: &str, expected: &str) {
    let row = Row { extra: Some(json.to_owned()), ..Row::default() };
    let (_folder, path, _) = written("jsonl", &[row], &SinkOptions::default());
    let text = fs::read_to_string(path).unwrap();
    let (_, extra) = text.split_once(r#""extra":"#).unwrap();
    assert_eq!(extra, format!("{expected}}}\n"));
}

#[test]
fn json_is_embedded_unless_readers_would_refuse_it() {
    embedded("{\n  \"a\": [1,\r\n 2]\n}", r#"{  "a": [1, 2]}"#);
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    embedded(&nested(100), &nested(100));
    embedded(&nested(101), &format!("\"{}\"", nested(101)));
    let brackets = format!(r#"["{}"]"#, "[\\\"".repeat(300));
    embedded(&brackets, &brackets);
    embedded(r#"["\ud83d\ude00"]"#, r#"["\ud83d\ude00"]"#);
    embedded(r#"["\ud83d"]"#, r#""[\"\\ud83d\"]""#);
    embedded(r#"["\\ud83d"]"#, r#"["\\ud83d"]"#);
}

/// The cells of a workbook, each as its type and value.
fn cells(path: &Path) -> Vec<Vec<String>> {
    use calamine::{Data, Reader as _};
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let text = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::DateTime(date) => format!("date {:?}", date.to_ymd_hms_milli()),
        Data::Empty => String::new(),
        other => format!("{other:?}"),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn a_workbook_has_typed_cells_and_text_where_a_number_would_lose_something() {
    let odd = Row {
        name: Some("007"),
        count: Some(9_007_199_254_740_993),
        born: Some(-30_000),
        added: Some(-9_000_000_000_000),
        tags: Some(vec!["a;b"]),
        ..Row::default()
    };
    let risky = Row { name: Some("=1+1"), tags: Some(vec!["+1 2"]), ..Row::default() };
    let (_folder, path, _) =
        written("xlsx", &[full(), odd, risky, Row::default()], &SinkOptions::default());
    let rows = cells(&path);
    let shown: Vec<String> = rows.iter().skip(1).map(|row| row.join(" | ")).collect();
    assert_eq!(
        shown,
        [
            "r0 | Zoë \"Z\", née\nÅ | Bool(true) | Float(-7.0) | Float(187500.25) | \
             date (1990, 9, 25, 0, 0, 0, 0) | date (2025, 11, 24, 16, 58, 56, 678) | a; b c | {\"n\":1.50}",
            "r0 | 007 |  | 9007199254740993 |  | 1887-11-12 | 1684-10-19T08:00:00.000Z | [\"a;b\"] | ",
            "r0 | =1+1 |  |  |  |  |  | +1 2 | ",
            "r0 |  |  |  |  |  |  |  | ",
        ]
    );
}

#[test]
fn days_and_instants_reach_the_ends_of_the_calendar() {
    let text = |days: i64, ms: i64| {
        let mut out = Vec::new();
        super::super::date_text::write_instant(&mut out, days * 86_400_000 + ms);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(text(0, 0), "1970-01-01T00:00:00.000Z");
    assert_eq!(text(0, -1), "1969-12-31T23:59:59.999Z");
    assert_eq!(text(-719_162, 0), "0001-01-01T00:00:00.000Z");
    assert_eq!(text(2_932_896, 86_399_999), "9999-12-31T23:59:59.999Z");
    assert_eq!(text(2_932_897, 0), "+010000-01-01T00:00:00.000Z");
    for days in -719_162_i64..2_932_897 {
        if days % 37 == 0 {
            let expected = jiff::Timestamp::from_second(days * 86_400).unwrap();
            assert_eq!(
                text(days, 5),
                format!("{:.3}", expected + jiff::SignedDuration::from_millis(5))
            );
        }
    }
}

#[test]
fn parquet_gives_back_what_it_was_given() {
    let rows = [full(), Row::default(), Row { tags: Some(vec![]), ..full() }];
    let options = SinkOptions {
        metadata: vec![("run".to_owned(), "r1".to_owned())],
        sorted_by: vec!["date_added".to_owned(), "id".to_owned()],
        ..SinkOptions::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mut sink =
        TableFormat::from_name("parquet").unwrap().open_sink(&path, schema(), &options).unwrap();
    sink.write_batch(&batch(&rows)).unwrap();
    assert_eq!(sink.close().unwrap().rows, 3);

    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let file = reader.metadata().file_metadata();
    let pairs = file.key_value_metadata().unwrap();
    assert!(pairs.iter().any(|pair| pair.key == "run" && pair.value.as_deref() == Some("r1")));
    let sorting = reader.metadata().row_group(0).sorting_columns().unwrap();
    let sorting: Vec<_> = sorting.iter().map(|s| (s.column_idx, s.nulls_first)).collect();
    assert_eq!(sorting, [(6, true), (0, true)]);
    let types = reader.parquet_schema().columns().iter();
    let types: Vec<_> = types.map(|column| column.logical_type_ref().cloned()).collect();
    assert_eq!(types[8], Some(::parquet::basic::LogicalType::Json));
    assert_eq!(types[1], Some(::parquet::basic::LogicalType::String));
    assert_eq!(reader.schema().fields(), schema().fields());
    let read = reader.build().unwrap().next().unwrap().unwrap();
    assert_eq!(read.columns(), batch(&rows).columns());
}

#[test]
fn an_empty_table_has_all_its_columns() {
    for format in FORMATS {
        let (_folder, path, written) = written(format.name, &[], &SinkOptions::default());
        assert_eq!(written.rows, 0);
        let bytes = fs::read(&path).unwrap();
        match format.name {
            "parquet" => {
                let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
                assert_eq!(reader.unwrap().schema().fields(), schema().fields());
            }
            "csv" => assert_eq!(bytes, b"id,name,ok,count,worth,born,date_added,tags,extra\n"),
            "xlsx" => {
                let schema = schema();
                let names = schema.fields().iter().map(|field| field.name().clone());
                assert_eq!(cells(&path), [names.collect::<Vec<_>>()]);
            }
            _ => assert_eq!(bytes, b""),
        }
    }
}

#[test]
fn a_sink_tells_what_it_wrote() {
    for format in FORMATS {
        let (_folder, path, written) =
            written(format.name, &[full(), full()], &SinkOptions::default());
        let bytes = fs::read(path).unwrap();
        let hash =
            Sha256::digest(&bytes).iter().fold(String::new(), |hash, b| format!("{hash}{b:02x}"));
        let expected =
            WrittenTable { rows: 2, bytes: bytes.len() as u64, sha256: hash, cut_cells: 0 };
        assert_eq!(written, expected, "{}", format.name);
    }
}

#[test]
fn the_same_batches_make_the_same_file() {
    for format in FORMATS {
        let of = || written(format.name, &[full(), Row::default()], &SinkOptions::default()).2;
        assert_eq!(of(), of(), "{}", format.name);
    }
}

#[test]
fn row_groups_are_bounded() {
    let rows = vec![full(); 8000];
    let batch = batch(&rows);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let format = TableFormat::from_name("parquet").unwrap();
    let mut sink = format.open_sink(&path, schema(), &SinkOptions::default()).unwrap();
    (0..26).for_each(|_| sink.write_batch(&batch).unwrap());
    sink.close().unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let groups = reader.metadata().row_groups();
    let rows: Vec<_> = groups.iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [100_000, 100_000, 8000]);
}

#[test]
fn a_file_that_exists_is_left_alone() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        fs::write(&path, "mine").unwrap();
        let error = format.open_sink(&path, schema(), &SinkOptions::default()).err().unwrap();
        assert_eq!(error.io_error().unwrap().kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains(&path.display().to_string()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}

#[test]
fn a_batch_of_another_table_is_refused() {
    let other = batch(&[full()]).project(&[0, 1]).unwrap();
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut sink = format.open_sink(&path, schema(), &SinkOptions::default()).unwrap();
        assert!(
            matches!(sink.write_batch(&other), Err(TableWriteError::Encode { .. })),
            "{}",
            format.name
        );
    }
}
