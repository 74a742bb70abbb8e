//! The harness: disturbs and kills an import, resumes it until it finishes, and compares the result with the same
//! import undisturbed.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::damage;
use super::ledger_check::blind_repeats;
use super::scenario::{DAMAGES, DELETES, Kill, Kind, Scenario};
use crate::import_world::RESULTS;
use crate::world::World;

/// Processes that one scenario may take.
const PROCESSES: usize = 12;

/// What an import has left.
#[derive(Debug, PartialEq)]
pub(super) struct Left {
    /// The account, without what two equal imports do not have in common.
    pub(super) people: Vec<Value>,
    /// By row of the sheet: the result files that name it.
    pub(super) files: BTreeMap<String, Vec<&'static str>>,
    pub(super) code: i32,
}

/// Runs a seed's scenario twice, once undisturbed, and compares.
pub(super) fn survives(seed: u64) {
    if (DAMAGES..DELETES).contains(&seed) {
        return damage::survives_damage(seed);
    }
    let scenario = Scenario::of(seed);
    let world = scenario.world();
    let code = world.run_command(&scenario.import());
    let mut expected = Left::of(&world, code.code);
    let story =
        format!("seed {seed}: {:?}, {:?}, {:?}", scenario.kind, scenario.kills, scenario.faults);
    assert!(matches!(code.code, 0 | 3), "{story}: undisturbed: {code:?}");
    assert_eq!(expected.files.len(), scenario.rows, "{story}: {:?}", expected.files);

    let world = scenario.world();
    world.control_request("POST", "faults", &json!(scenario.faults));
    let (code, said) = to_the_end(&world, &scenario, &story);
    let mut found = Left::of(&world, code);
    for (row, files) in &found.files {
        assert_eq!(files.len(), 1, "{story}: row {row} stands in {files:?}");
    }
    let repeats = blind_repeats(&world.path(&format!("home/runs/{}/run.db", world.only_run_id())));
    assert!(repeats.is_empty(), "{story}: sent again blindly: {repeats:#?}");
    if scenario.kind == Kind::Once {
        set_doubts_aside(&world, &mut expected, &mut found, &story);
    }
    let shown = || differing(&expected, &found);
    assert!(expected == found, "{story}: {}\n{said}\n{}", shown(), scenario.sheet);
    let done = world.run_command(&format!("resume {}", world.only_run_id()));
    assert!(done.stderr.contains("nothing to do"), "{story}: {done:?}");
}

/// Imports, and resumes until nothing kills it any more; its code and what it said last.
fn to_the_end(world: &World, scenario: &Scenario, story: &str) -> (i32, String) {
    let mut line = scenario.import();
    let mut kills = scenario.kills.iter();
    for _ in 0..PROCESSES {
        let (code, said) = run(world, &line, kills.next());
        match code {
            None => {}
            Some(code @ (0 | 3 | 6)) => return (code, said),
            Some(code) => panic!("{story}: `{line}` ended with {code}: {said}"),
        }
        let timeout = scenario.options.split(' ').skip_while(|word| *word != "--timeout");
        let timeout: Vec<&str> = timeout.take(2).collect();
        let timeout = timeout.join(" ");
        line = format!("resume {} {} {timeout}", world.only_run_id(), scenario.confirmed);
    }
    panic!("{story}: it comes to no end");
}

/// Runs a command; no code when it was killed.
pub(super) fn run(world: &World, line: &str, kill: Option<&Kill>) -> (Option<i32>, String) {
    let mut command = world.command(line);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    if let Some(Kill::Point(point)) = kill {
        command.env("GHL_BULK_FAILPOINT", point);
    }
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let killer = match kill {
            Some(Kill::Requests(more)) => {
                let at = world.count_requests() + more;
                let (child, ended) = (&mut child, &ended);
                let killer = scope.spawn(move || {
                    world.get_control(&format!("wait?requests={at}"));
                    if !ended.load(Ordering::SeqCst) {
                        child.kill().unwrap();
                    }
                });
                Some((at, killer))
            }
            _ => None,
        };
        // It has ended, but is not yet reaped: until then its process id is not reused.
        stderr.read_to_string(&mut said).unwrap();
        ended.store(true, Ordering::SeqCst);
        if let Some((at, killer)) = killer {
            while world.count_requests() < at {
                world.send_idle_request();
            }
            killer.join().unwrap();
        }
    });
    let status = child.wait().unwrap();
    assert!(matches!(status.signal(), None | Some(9)), "{status}: {said}");
    (status.code(), said)
}

impl World {
    /// Requests served since the start.
    fn count_requests(&self) -> u64 {
        self.get_control("wait?requests=0")["requests"].as_u64().unwrap()
    }

    /// One request that does nothing.
    fn send_idle_request(&self) {
        let host = self.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
}

impl Left {
    pub(super) fn of(world: &World, code: i32) -> Self {
        let mut people: Vec<Value> = world.read_contacts().iter().map(plain).collect();
        people.sort_by_key(Value::to_string);
        let mut files: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for name in RESULTS.into_iter().filter(|name| world.path(&format!("res/{name}")).exists()) {
            for record in world.read_csv(&format!("res/{name}")) {
                files.entry(record["Row"].clone()).or_default().push(name);
            }
        }
        Self { people, files, code }
    }
}

/// A contact without ids and dates.
fn plain(person: &Value) -> Value {
    let mut person = person.clone();
    let own = ["id", "contactId", "dateAdded", "dateUpdated", "searchAfter"];
    let bare = |row: &mut Value| {
        if let Some(row) = row.as_object_mut() {
            row.retain(|key, _| !own.contains(&key.as_str()));
        }
    };
    bare(&mut person["contact"]);
    sort(&mut person["contact"]["tags"]);
    for list in ["notes", "tasks"] {
        person[list].as_array_mut().unwrap().iter_mut().for_each(bare);
        sort(&mut person[list]);
    }
    person
}

fn sort(list: &mut Value) {
    if let Some(list) = list.as_array_mut() {
        list.sort_by_key(Value::to_string);
    }
}

/// Rows that nothing identifies may end in doubt: then they are in the account once at most, and the
/// exit code says so. The rest is compared as ever.
fn set_doubts_aside(world: &World, expected: &mut Left, found: &mut Left, story: &str) {
    let doubts = world.read_csv("res/in_doubt.csv");
    assert_eq!(found.code == 6, !doubts.is_empty(), "{story}: {doubts:#?}");
    if doubts.is_empty() {
        return;
    }
    let name =
        |person: &Value| person["contact"]["firstName"].as_str().unwrap_or_default().to_owned();
    for record in &doubts {
        let count =
            |left: &Left| left.people.iter().filter(|it| name(it) == record["First"]).count();
        assert!(record["First"].starts_with("Nobody"), "{story}: {record:#?}");
        assert!(count(found) <= count(expected), "{story}: doubled {record:#?}");
    }
    for left in [&mut *expected, &mut *found] {
        left.people.retain(|person| !doubts.iter().any(|it| it["First"] == name(person)));
        left.files.retain(|row, _| !doubts.iter().any(|it| it["Row"] == *row));
        left.code = 0;
    }
}

pub(super) fn differing(expected: &Left, found: &Left) -> String {
    let only = |a: &[Value], b: &[Value]| -> Vec<String> {
        let mut rest: Vec<&Value> = b.iter().collect();
        let mut only = Vec::new();
        for person in a {
            match rest.iter().position(|other| *other == person) {
                Some(at) => drop(rest.remove(at)),
                None => only.push(brief(person)),
            }
        }
        only
    };
    let other = |row: &&String| found.files.get(*row) != expected.files.get(*row);
    let rows: Vec<String> = expected
        .files
        .keys()
        .filter(other)
        .map(|row| {
            format!("{row}: {:?} instead of {:?}", found.files.get(row), expected.files[row])
        })
        .collect();
    format!(
        "code {} instead of {}\nmissing: {:#?}\ntoo many: {:#?}\nrows: {rows:#?}",
        found.code,
        expected.code,
        only(&expected.people, &found.people),
        only(&found.people, &expected.people),
    )
}

fn brief(person: &Value) -> String {
    let mut person = person.clone();
    person["contact"].as_object_mut().unwrap().retain(|_, value| {
        !(value.is_null() || value == &json!([]) || value == &json!({}) || value == &json!(false))
    });
    person.to_string()
}
