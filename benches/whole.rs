//! Whole exports and imports: the real binary against a sandbox in a process of its own.
//!
//! `cargo bench --bench whole` prints contacts per second, requests per contact, CPU and peak
//! memory, the time under a rate limit relative to the minimum for its requests, and the cost of a
//! kill; then the cost of syncs, and of planning and applying imports. `cargo bench --bench whole -- sync` runs
//! only one of them, as do `-- export` and `-- import`; `CONTACTS=1000000` sets another size. CPU and
//! memory are read from `/proc`, so they are Linux only.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "this is what a bench is for")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "whole/import.rs"]
mod import;
#[path = "whole/sync.rs"]
mod sync;

const BIN: &str = env!("CARGO_BIN_EXE_ghl-bulk");

/// A sandbox in a process of its own.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(contacts: usize, limit: &str) -> Self {
        Self::start_with(contacts, limit, &[])
    }

    fn start_with(contacts: usize, limit: &str, options: &[&str]) -> Self {
        let mut child = Command::new(BIN)
            .args(["sandbox", "--port", "0", "--limit", limit, "--contacts", &contacts.to_string()])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split("GHL_API_URL=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let server = Self { child, url };
        // The first response comes when the data have been generated.
        server.log();
        server
    }

    fn log(&self) -> Value {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET /__sandbox/log?last=0 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    fn requests(&self) -> u64 {
        self.log()["requests"].as_u64().unwrap()
    }

    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(BIN);
        command.args(args).current_dir(dir).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("GHL_API_URL", &self.url).env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
        command.env("GHL_LOCATION_ID", ghl_bulk::sandbox::LOCATION);
        command.env("GHL_BULK_HOME", dir.join("home"));
        // The index of the sandbox does not lag, so that nothing is waited for.
        command.env("GHL_BULK_SETTLE_S", "0");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The CPU time and memory of a process.
#[derive(Default)]
struct Used {
    wall: Duration,
    cpu: Duration,
    peak_mb: f64,
}

/// Waits for a process, sampling its resource usage until it ends.
fn measure(command: &mut Command) -> Used {
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut used = Used::default();
    let proc = format!("/proc/{}", child.id());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        look(&proc, &mut used);
        std::thread::sleep(Duration::from_millis(2));
    };
    used.wall = begun.elapsed();
    // 20: a dry run that found changes.
    assert!(status.success() || status.code() == Some(20), "{status}");
    used
}

fn look(proc: &str, used: &mut Used) {
    let read = |name: &str| std::fs::read_to_string(format!("{proc}/{name}")).unwrap_or_default();
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<f64>().ok());
    // The kernel counts in units of 1,024 bytes.
    used.peak_mb = used.peak_mb.max(peak.unwrap_or(0.0) * 1.024 / 1000.0);
    // Fields 14 and 15, counted after the name in parentheses; a tick is 10 ms.
    let stat = read("stat");
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = ticks.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    used.cpu = used.cpu.max(Duration::from_millis(ticks * 10));
}

/// How an export reads notes: its options, and those of the sandbox.
struct NoteReading {
    name: &'static str,
    sandbox: &'static [&'static str],
    export: &'static [&'static str],
}

/// Pages of the whole location, batches of contacts, a request for each contact.
const NOTE_READINGS: [NoteReading; 3] = [
    NoteReading { name: "pages", sandbox: &["--notes-search", "window=none"], export: &[] },
    NoteReading { name: "batches", sandbox: &["--notes-search", "total-cap=10000"], export: &[] },
    NoteReading { name: "each contact", sandbox: &[], export: &["--notes-by", "contact"] },
];

fn export(contacts: usize, with: &str, notes: &NoteReading) {
    let server = Server::start_with(contacts, "none", notes.sandbox);
    let dir = tempfile::tempdir().unwrap();
    let args = [&["export", "--quiet", "--with", with], notes.export].concat();
    let used = measure(&mut server.command(dir.path(), &args));
    let requests = server.requests();
    println!(
        "{contacts} contacts, --with {with}, notes by {}: {:.0} contacts/s, {:.4} requests/contact, {:.1} us CPU/contact, {:.0} MB peak ({:.2} s)",
        notes.name,
        contacts as f64 / used.wall.as_secs_f64(),
        requests as f64 / contacts as f64,
        used.cpu.as_secs_f64() * 1e6 / contacts as f64,
        used.peak_mb,
        used.wall.as_secs_f64(),
    );
}

fn limited(contacts: usize, limit: &str, per: u64, window: f64, notes: &NoteReading) {
    let server = Server::start_with(contacts, limit, notes.sandbox);
    let dir = tempfile::tempdir().unwrap();
    let args = [&["export", "--quiet"], notes.export].concat();
    let used = measure(&mut server.command(dir.path(), &args));
    let log = server.log();
    let (requests, refused) = (log["requests"].as_u64().unwrap(), log["refused"].as_u64().unwrap());
    let least = (requests.div_ceil(per) - 1) as f64 * window;
    println!(
        "{contacts} contacts held to {limit}, notes by {}: {requests} requests in {:.2} s, {:.3} of the least possible, {refused} refused",
        notes.name,
        used.wall.as_secs_f64(),
        used.wall.as_secs_f64() / least,
    );
}

fn killed(contacts: usize) {
    const EACH: [&str; 4] = ["export", "--quiet", "--notes-by", "contact"];
    let server = Server::start(contacts, "none");
    let dir = tempfile::tempdir().unwrap();
    let mut child = server.command(dir.path(), &EACH).spawn().unwrap();
    while server.requests() < contacts as u64 / 2 {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = server.requests();
    measure(&mut server.command(dir.path(), &["resume", "--quiet"]));
    let all = server.requests();
    let fresh = tempfile::tempdir().unwrap();
    measure(&mut server.command(fresh.path(), &EACH));
    let undisturbed = server.requests() - all;
    println!(
        "{contacts} contacts, SIGKILL after {before} requests, then resume: {} sent again ({:.2} % of {undisturbed})",
        all - undisturbed,
        100.0 * (all - undisturbed) as f64 / undisturbed as f64,
    );
}

fn main() {
    // `cargo test --benches` and the like ask for a list or a dry run.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    let asked = |what: &str| {
        let named =
            std::env::args().any(|arg| ["export", "import", "sync"].contains(&arg.as_str()));
        !named || std::env::args().any(|arg| arg == what)
    };
    let contacts = std::env::var("CONTACTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    if asked("export") {
        let [pages, batches, each] = &NOTE_READINGS;
        export(contacts, "none", each);
        for notes in &NOTE_READINGS {
            export(contacts, "tasks,notes", notes);
        }
        killed(contacts);
        limited(400, "100/10s", 100, 10.0, each);
        limited(20_000, "100/1s", 100, 1.0, batches);
        limited(40_000, "100/1s", 100, 1.0, pages);
    }
    if asked("sync") {
        sync::all(contacts);
    }
    if asked("import") {
        import::all(contacts);
    }
}
