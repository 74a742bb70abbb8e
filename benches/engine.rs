//! The parts of an export that need no network: decoding, and publishing to each format.
//!
//! `cargo bench --bench engine`; the counter is contacts per second.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use divan::counter::ItemsCount;
use ghl_bulk::event::NullObserver;
use ghl_bulk::publish::{self, ManifestMetadata};
use ghl_bulk::resource::{CONTACTS, CustomFieldColumns, RESOURCES, RowDecoder, response_rows};
use ghl_bulk::run::SpoolReader;
use ghl_bulk::sandbox::{self, LocationRateLimit, SandboxSettings};
use ghl_bulk::table::{FormulaGuardMode, JsonLinesShape, TableFormat};

const PEOPLE: usize = 20_000;

/// A finished run over the sandbox, created once.
static RUN: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let settings = SandboxSettings {
        contacts: PEOPLE,
        limit: LocationRateLimit::NONE,
        ..SandboxSettings::default()
    };
    let sandbox = sandbox::start(settings).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_ghl-bulk"))
        .args(["export", "--quiet", "--with", "none", "--out"])
        .arg(dir.path().join("out"))
        .env("GHL_API_URL", sandbox.url())
        .env("GHL_TOKEN", sandbox::TOKEN)
        .env("GHL_LOCATION_ID", sandbox::LOCATION)
        .env("GHL_BULK_HOME", dir.path())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let run = std::fs::read_dir(dir.path().join("runs")).unwrap().next().unwrap().unwrap();
    (dir, run.path().join("run.db"))
});

fn main() {
    LazyLock::force(&RUN);
    divan::main();
}

/// The bodies of a stream.
fn bodies(stream: &str) -> Vec<String> {
    let reader = SpoolReader::open(&RUN.1).unwrap();
    let (mut bodies, mut seq) = (Vec::new(), 0);
    while let Some(entry) = reader.next_entry(stream, seq).unwrap() {
        seq = entry.seq;
        bodies.push(String::from_utf8(entry.body.to_vec()).unwrap());
    }
    bodies
}

#[divan::bench(sample_count = 10)]
fn decode(bencher: Bencher) {
    let definitions = bodies("custom_fields");
    let table = CONTACTS.table_schema(
        &CustomFieldColumns::from_definitions(response_rows(&definitions[0], "customFields"))
            .unwrap(),
    );
    let pages = bodies("contacts");
    bencher.counter(ItemsCount::new(PEOPLE)).bench_local(|| {
        let mut decoder = RowDecoder::new(&table);
        for page in &pages {
            for row in response_rows(page, "contacts") {
                decoder.push_row(row).unwrap();
            }
            divan::black_box(decoder.finish());
        }
    });
}

#[divan::bench(args = ["parquet", "csv", "jsonl"], sample_count = 5)]
fn publish(bencher: Bencher, format: &str) {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let facts = ManifestMetadata {
        run: "bench".parse().unwrap(),
        location: sandbox::LOCATION.parse().unwrap(),
        location_name: None,
        api_version: String::new(),
        tool_version: String::new(),
        started: now,
        finished: None,
        watermark: now,
        filter: None,
        request: ghl_bulk::publish::ExportScope {
            filters: serde_json::Value::Null,
            tables: Vec::new(),
            masks: Vec::new(),
        },
        requests: std::collections::BTreeMap::new(),
        mirror: None,
        mirror_facts: None,
        snapshot: None,
    };
    let options = publish::PublishOptions {
        masking: publish::Masking::default(),
        tables: RESOURCES.iter().copied().filter(|table| table.name == "contacts").collect(),
        formats: vec![TableFormat::from_name(format).unwrap()],
        templates: Vec::new(),
        csv_safe: FormulaGuardMode::default(),
        guard_uploads: false,
        csv_bom: false,
        jsonl: JsonLinesShape::default(),
        children: publish::ChildFilter::default(),
        facts,
    };
    let observer: ghl_bulk::event::SharedObserver = Arc::new(NullObserver);
    bencher
        .counter(ItemsCount::new(PEOPLE))
        .with_inputs(|| tempfile::tempdir().unwrap())
        .bench_local_values(|dir| {
            publish::write_export(&RUN.1, dir.path(), &options, None, &observer).unwrap()
        });
}
