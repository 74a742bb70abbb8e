//! Generates a scenario from a seed: an account, a sheet, the network faults, and when the program is killed.
//!
//! Equal seeds give equal scenarios, so the seed in a failure's message is enough to reproduce it.

use std::fmt::Write as _;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::world::World;

/// How the location keeps contacts from being created twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It refuses duplicates.
    Unique,
    /// It allows them, and contacts are created by upserts.
    Upsert,
    /// It allows them, and contacts carry a marker.
    Marker,
    /// Some rows have nothing that does, and are sent at most once.
    Once,
    /// The rows delete.
    Delete,
}

/// From this seed on, the rows delete.
pub(super) const DELETES: u64 = 1_000_000;

/// From this seed on, and up to the deletions, a file of the run is damaged between two processes.
pub(super) const DAMAGES: u64 = 500_000;

/// How a process dies.
#[derive(Debug, Clone)]
pub(super) enum Kill {
    /// At a named point, the nth time that it is reached.
    Point(String),
    /// Once so many requests more have been served.
    Requests(u64),
}

/// What is imported, into what, and what goes wrong.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) kind: Kind,
    pub(super) mapping: &'static str,
    pub(super) sheet: String,
    pub(super) rows: usize,
    pub(super) stock: Vec<Value>,
    pub(super) options: String,
    /// The options of `resume` in addition to the run.
    pub(super) confirmed: String,
    pub(super) faults: Vec<String>,
    pub(super) kills: Vec<Kill>,
    pub(super) lag: Duration,
    pub(super) settle: &'static str,
    pub(super) limit: &'static str,
}

const POINTS: [&str; 7] = [
    "after_intent",
    "before_intent_log",
    "mid_body",
    "after_response",
    "before_outcome",
    "during_lookup",
    "during_results",
];

const MAPPING: &str = r#"format = 1
ignore = ["Row"]
[[column]]
from = "First"
to = "firstName"
[[column]]
from = "Last"
to = "lastName"
[[column]]
from = "Email"
to = "email"
[[column]]
from = "Phone"
to = "phone"
[[column]]
from = "City"
to = "city"
[[column]]
from = "Tags"
to = "tags"
[[column]]
from = "Note"
to = "note"
[[column]]
from = "Second note"
to = "note"
[[column]]
from = "Task"
to = "task.title"
[[column]]
from = "Due"
to = "task.dueDate"
[[column]]
from = "Business"
to = "business"
"#;

const HEADER: &str = "Row,First,Last,Email,Phone,City,Tags,Note,Second note,Task,Due,Business\n";

impl Scenario {
    /// The scenario of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if seed >= DELETES {
            return Self::deleting(seed, &mut rng);
        }
        let kind = [Kind::Unique, Kind::Upsert, Kind::Unique, Kind::Marker, Kind::Once]
            [usize::try_from(seed / 8 % 5).unwrap()];
        let mut maker = Maker {
            rng: rng.fork(),
            kind,
            people: Vec::new(),
            sheet: HEADER.to_owned(),
            rows: 0,
            phones: 0,
        };
        let stock = maker.stock();
        maker.rows();
        let slow = rng.u8(..5) == 0;
        let lags = matches!(kind, Kind::Marker | Kind::Once) && rng.bool();
        let lag = if lags { Duration::from_millis(rng.u64(100..250)) } else { Duration::ZERO };
        let mut options = format!("--concurrency {}", rng.choice([1, 4, 32]).unwrap());
        options.push_str(match kind {
            Kind::Unique | Kind::Upsert | Kind::Delete => "",
            Kind::Marker => " --marker-field Nickname --allow-name-only",
            Kind::Once => " --no-identity at-most-once --allow-name-only",
        });
        if slow {
            options.push_str(" --timeout 0.5");
        }
        let settle = if slow { "1.2" } else { "0.4" };
        let mut faults: Vec<_> =
            (0..rng.usize(1..=5)).map(|_| fault(&mut rng, &ROUTES, slow)).collect();
        // A refusal by the limit costs its interval.
        let limit = match faults.iter().any(|fault| fault.contains("429")) {
            true => "2000/1s",
            false if rng.u8(..10) == 0 => "30/1s",
            false => "none",
        };
        let kills = kills(seed, &mut rng);
        if matches!(&kills[0], Kill::Point(point) if point.starts_with("during_lookup")) {
            // Something to look up.
            faults.push("POST /contacts/*/notes drop=after times=2".to_owned());
        }
        Self {
            kind,
            mapping: MAPPING,
            sheet: maker.sheet,
            rows: maker.rows,
            stock,
            options,
            confirmed: String::new(),
            faults,
            kills,
            lag,
            settle,
            limit,
        }
    }

    /// A world in which nothing has happened yet.
    pub(super) fn world(&self) -> World {
        let world = World::with_settings(|settings| {
            settings.contacts = 0;
            settings.lag = self.lag;
            settings.limit = self.limit.parse().unwrap();
            settings.allow_duplicates = matches!(self.kind, Kind::Upsert | Kind::Marker);
        });
        let world = world.with_env("GHL_BULK_SETTLE_S", self.settle);
        world.write_sheet("in.csv", &self.sheet);
        world.write_sheet("map.toml", self.mapping);
        world.add_contacts(&self.stock);
        world
    }

    /// The command that begins it.
    pub(super) fn import(&self) -> String {
        format!("import in.csv --map map.toml --yes --out res {}", self.options)
    }
}

/// The first process always dies; the ones that resume it may die, too.
pub(super) fn kills(seed: u64, rng: &mut Rng) -> Vec<Kill> {
    let first = usize::try_from(seed % 8).unwrap();
    let mut kills = vec![kill(POINTS.get(first).copied(), rng)];
    while kills.len() < 4 && rng.bool() {
        let next = rng.usize(..=POINTS.len());
        kills.push(kill(POINTS.get(next).copied(), rng));
    }
    kills
}

fn kill(point: Option<&str>, rng: &mut Rng) -> Kill {
    match point {
        None => Kill::Requests(rng.u64(1..60)),
        Some("during_results") => Kill::Point("during_results".to_owned()),
        Some("during_lookup") => Kill::Point(format!("during_lookup:{}", rng.u8(1..=3))),
        Some(point) => Kill::Point(format!("{point}:{}", rng.u8(1..=6))),
    }
}

const ROUTES: [&str; 9] = [
    "POST /contacts/",
    "POST /contacts/",
    "POST /contacts/upsert",
    "PUT /contacts/*",
    "POST /contacts/*/notes",
    "POST /contacts/*/notes",
    "POST /contacts/*/tasks",
    "POST /contacts/bulk/tags/update/add",
    "POST /contacts/bulk/business",
];

/// Something that goes wrong with a write.
pub(super) fn fault(rng: &mut Rng, routes: &[&str], slow: bool) -> String {
    let route = *rng.choice(routes).unwrap();
    let creates = matches!(route, "POST /contacts/" | "POST /contacts/upsert");
    let action = match rng.u8(..13) {
        0 | 1 => "drop=before",
        4 => "applied=500",
        // Only of creates it is known that they are done all the same.
        5 if creates => "applied=422",
        6 => "status=502 html",
        7 => "truncate",
        8 => "blank",
        9 => "not-json",
        10 if slow => "latency=700",
        11 if slow => "stall=700",
        2 => "status=429",
        _ => "drop=after",
    };
    format!("{route} {action} times={} after={}", rng.u8(1..=3), rng.u8(..6))
}

/// Someone whom a row may name again.
struct Person {
    cells: [String; 4],
    city: String,
    stock: bool,
}

struct Maker {
    rng: Rng,
    kind: Kind,
    people: Vec<Person>,
    sheet: String,
    rows: usize,
    phones: usize,
}

impl Maker {
    fn stock(&mut self) -> Vec<Value> {
        let people: Vec<Person> = (0..6).map(|n| self.person(&format!("Stock{n}"))).collect();
        let rows = people.iter().map(|it| {
            let [first, last, email, phone] = &it.cells;
            let mut row = json!({
                "firstName": first, "lastName": last, "email": email, "phone": phone,
                "city": it.city, "tags": ["old"],
                "__notes": [{ "body": "called back" }],
            });
            row.as_object_mut().unwrap().retain(|_, value| value != "");
            row
        });
        let rows = rows.collect();
        self.people.extend(people.into_iter().map(|it| Person { stock: true, ..it }));
        rows
    }

    fn rows(&mut self) {
        for n in 0..self.rng.usize(12..=24) {
            match self.rng.u8(..20) {
                0 => self.again(),
                1 => self.sharing(n),
                2 => self.wrong(),
                3..=6 => self.known(true),
                7 => self.known(false),
                8 | 9 if matches!(self.kind, Kind::Marker | Kind::Once) => {
                    self.write_person_with_only_a_name(n);
                }
                _ => {
                    let person = self.person(&format!("New{n}"));
                    self.write(&person, "lead; fair", true);
                    self.people.push(person);
                }
            }
        }
    }

    fn person(&mut self, first: &str) -> Person {
        let email = format!("{}@example.com", first.to_lowercase());
        let email = if self.rng.u8(..8) == 0 { String::new() } else { email };
        let phone = if email.is_empty() || self.rng.bool() {
            self.phones += 1;
            format!("+1202555{:04}", 99 + self.phones)
        } else {
            String::new()
        };
        let last = self.rng.choice(["Sample", "Testcase", "Muster"]).unwrap();
        let city = self.rng.choice(["Rome", "Boston", "Berlin"]).unwrap().to_owned();
        Person { cells: [first.to_owned(), last.to_owned(), email, phone], city, stock: false }
    }

    /// A row of a person who has one already.
    fn again(&mut self) {
        let new: Vec<usize> = (0..self.people.len()).filter(|n| !self.people[*n].stock).collect();
        if let Some(n) = self.rng.choice(new) {
            let cells = self.people[n].cells.clone();
            self.write(&Person { cells, city: "Paris".to_owned(), stock: false }, "", true);
        }
    }

    /// A new person with the phone number of another.
    fn sharing(&mut self, n: usize) {
        let phones = self.people.iter().filter(|it| !it.stock && !it.cells[3].is_empty());
        let phones: Vec<String> = phones.map(|it| it.cells[3].clone()).collect();
        if let Some(phone) = self.rng.choice(phones) {
            let mut person = self.person(&format!("Share{n}"));
            if person.cells[2].is_empty() {
                person.cells[2] = format!("share{n}@example.com");
            }
            person.cells[3] = phone;
            self.write(&person, "family", true);
        }
    }

    fn wrong(&mut self) {
        let mut person = self.person("Wrong");
        person.cells[2] = "wrong@example".into();
        self.write(&person, "", false);
    }

    /// A contact of the account, each once.
    fn known(&mut self, changes: bool) {
        let Some(n) = self.people.iter().position(|it| it.stock) else { return };
        let mut person = self.people.remove(n);
        if changes {
            person.city = "Vienna".into();
            let tags = self.rng.choice(["", "lead; fair", "old; vip"]).unwrap();
            self.write(&person, tags, true);
        } else {
            self.write(&person, "old", false);
        }
    }

    /// A person with only a name; sometimes twice.
    fn write_person_with_only_a_name(&mut self, n: usize) {
        let cells = [format!("Nobody{n}"), "Known".to_owned(), String::new(), String::new()];
        let person = Person { cells, city: "Oslo".to_owned(), stock: false };
        for _ in 0..self.rng.usize(1..=2) {
            self.write(&person, "", self.kind == Kind::Marker);
        }
    }

    fn write(&mut self, person: &Person, tags: &str, children: bool) {
        self.rows += 1;
        let mut some = |texts: &[&str]| {
            if children {
                self.rng.choice(texts).copied().unwrap().to_owned()
            } else {
                String::new()
            }
        };
        let (note, second) =
            (some(&["", "met at the fair", "called back"]), some(&["", "", "called back"]));
        let task = some(&["", "", "Call"]);
        let due = if task.is_empty() { "" } else { "2027-02-03" };
        let business = some(&["", "", "", "Initech"]);
        let tags = if person.cells[2].len().is_multiple_of(3) { "" } else { tags };
        let [first, last, email, phone] = &person.cells;
        writeln!(
            self.sheet,
            "r{},{first},{last},{email},{phone},{},{tags},{note},{second},{task},{due},{business}",
            self.rows, person.city
        )
        .unwrap();
    }
}
