//! Whole syncs: merging into a mirror, and publishing from it.

use super::{Server, Used, measure};

/// All benches of syncs, for an account of this many contacts with tasks and notes.
pub(super) fn all(contacts: usize) {
    let server = Server::start(contacts, "none");
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let before = server.requests();
        let used = measure(&mut server.command(dir.path(), args));
        (used, server.requests() - before)
    };
    run(&["export", "--quiet"]);
    let merged = run(&["sync", "--quiet"]);
    let rows = count_rows(dir.path());
    tell("the first sync merges an export", merged, rows, "rows");
    tell("a sync finds nothing new", run(&["sync", "--quiet"]), contacts, "contacts");
    let publish = ["export", "--quiet", "--incremental", "--out", "mirrored"];
    tell("a sync and its tables", run(&publish), contacts, "contacts");
    tell("a sync reads everything", run(&["sync", "--quiet", "--full"]), rows, "rows");
}

/// The rows of the export's tables.
fn count_rows(dir: &std::path::Path) -> usize {
    let manifest = std::fs::read_to_string(dir.join("ghl-export/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let tables = manifest["tables"].as_object().unwrap().values();
    let rows = tables.map(|table| table["rows"].as_u64());
    usize::try_from(rows.map(Option::unwrap).sum::<u64>()).unwrap()
}

fn tell(what: &str, (used, requests): (Used, u64), count: usize, unit: &str) {
    let wall = used.wall.as_secs_f64();
    println!(
        "{what}: {:.0} {unit}/s, {requests} requests, {:.2} s, {:.2} s of CPU, {:.0} MB peak",
        count as f64 / wall,
        wall,
        used.cpu.as_secs_f64(),
        used.peak_mb,
    );
}
