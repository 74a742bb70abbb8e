//! Whole imports: the cost of planning and applying.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use super::{Server, measure};

/// All import benches, for an account of this many contacts.
pub(super) fn all(contacts: usize) {
    plan(contacts);
    validate(contacts);
    validate(10 * contacts);
    apply(20_000);
    limited(1_000, "100/1s", 100, 1.0);
    limited(300, "100/10s", 100, 10.0);
}

/// A sheet of people who are not contacts yet.
fn people(path: &Path, rows: usize) {
    let mut text = "First Name,Last Name,Email,Phone,City,Tags\n".to_owned();
    for n in 0..rows {
        let phone = 2_000_000 + n % 8_000_000;
        writeln!(text, "First{n},Last{n},new{n}@example.com,+1202{phone:07},Boston,bench").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Plans a change of every contact of an account: an export with one column edited.
fn plan(contacts: usize) {
    let server = Server::start(contacts, "none");
    let dir = tempfile::tempdir().unwrap();
    let export = ["export", "--quiet", "--with", "none", "--format", "csv"];
    measure(&mut server.command(dir.path(), &export));
    let mut reader = csv::Reader::from_path(dir.path().join("ghl-export/contacts.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let city = header.iter().position(|name| name == "city").unwrap();
    let mut writer = csv::Writer::from_path(dir.path().join("in.csv")).unwrap();
    writer.write_record(&header).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let edited =
            record.iter().enumerate().map(|(i, cell)| if i == city { "Elsewhere" } else { cell });
        writer.write_record(edited).unwrap();
    }
    writer.flush().unwrap();
    let before = server.requests();
    let import = ["import", "in.csv", "--dry-run", "--detailed-exit-code", "--quiet"];
    let used = measure(&mut server.command(dir.path(), &import));
    println!(
        "plan {contacts} rows against {contacts} contacts: {} requests, {:.2} s, {:.0} MB peak",
        server.requests() - before,
        used.wall.as_secs_f64(),
        used.peak_mb,
    );
}

/// Validates a sheet of new contacts: the peak memory of a dry run.
fn validate(rows: usize) {
    let server = Server::start(100, "none");
    let dir = tempfile::tempdir().unwrap();
    people(&dir.path().join("in.csv"), rows);
    let import = ["import", "in.csv", "--dry-run", "--detailed-exit-code", "--quiet"];
    let used = measure(&mut server.command(dir.path(), &import));
    println!(
        "validate and plan {rows} new rows: {:.2} s, {:.0} rows/s, {:.0} MB peak",
        used.wall.as_secs_f64(),
        rows as f64 / used.wall.as_secs_f64(),
        used.peak_mb,
    );
}

/// Creates contacts with durable intents and without a rate limit.
fn apply(rows: usize) {
    let server = Server::start(0, "none");
    let dir = tempfile::tempdir().unwrap();
    people(&dir.path().join("in.csv"), rows);
    let import = ["import", "in.csv", "--yes", "--quiet", "--out", "res"];
    let used = measure(&mut server.command(dir.path(), &import));
    let summary = std::fs::read(dir.path().join("res/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["rows"]["succeeded"], rows as u64);
    let seconds = summary["elapsed_ms"].as_f64().unwrap() / 1000.0;
    println!(
        "apply {rows} creates: {:.0} rows/s ({seconds:.2} s; with planning {:.2} s), {:.1} us CPU/row, {:.0} MB peak",
        rows as f64 / seconds,
        used.wall.as_secs_f64(),
        used.cpu.as_secs_f64() * 1e6 / rows as f64,
        used.peak_mb,
    );
}

/// Creates contacts under a rate limit: how much of it is used.
fn limited(rows: usize, limit: &str, per: u64, window: f64) {
    let server = Server::start(0, limit);
    let dir = tempfile::tempdir().unwrap();
    people(&dir.path().join("in.csv"), rows);
    let import = ["import", "in.csv", "--yes", "--quiet"];
    let begun = Instant::now();
    measure(&mut server.command(dir.path(), &import));
    let took = begun.elapsed().as_secs_f64();
    let log = server.log();
    let (requests, refused) = (log["requests"].as_u64().unwrap(), log["refused"].as_u64().unwrap());
    let least = (requests.div_ceil(per) - 1) as f64 * window;
    println!(
        "import {rows} rows held to {limit}: {requests} requests in {took:.2} s, {:.3} of what the limit allows, {refused} refused",
        least / took,
    );
}
