//! Scenarios whose rows delete contacts: by id, address or number, some twice, some unknown.

use std::fmt::Write as _;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::scenario::{Kill, Kind, Scenario, fault, kills};

const MAPPING: &str = r#"format = 1
ignore = ["Row"]
[[column]]
from = "Id"
to = "contactId"
[[column]]
from = "Email"
to = "email"
[[column]]
from = "Phone"
to = "phone"
"#;

impl Scenario {
    /// The scenario of a seed whose rows delete.
    pub(super) fn deleting(seed: u64, rng: &mut Rng) -> Self {
        let stock: Vec<Value> = (0..rng.usize(10..=20)).map(person).collect();
        let (mut sheet, mut rows, mut gone) = ("Row,Id,Email,Phone\n".to_owned(), 0, 0);
        let mut line = |cells: String| {
            rows += 1;
            writeln!(sheet, "r{rows},{cells}").unwrap();
        };
        for person in &stock {
            let cell = |key: &str| person[key].as_str().unwrap().to_owned();
            let mut named = || match rng.u8(..3) {
                0 => format!("{},,", cell("id")),
                1 => format!(",{},", cell("email").to_uppercase()),
                _ => format!(",,{}", cell("phone")),
            };
            if person["city"] == "Rome" {
                continue;
            }
            gone += 1;
            line(named());
            if person["city"] == "Oslo" {
                line(named());
            }
        }
        line(",nobody@example.com,".to_owned());
        line(",no address,".to_owned());
        let mut faults: Vec<String> =
            (0..rng.usize(1..=4)).map(|_| fault(rng, &["DELETE /contacts/*"], false)).collect();
        let limit = if faults.iter().any(|it| it.contains("429")) { "2000/1s" } else { "none" };
        let kills = kills(seed, rng);
        if matches!(&kills[0], Kill::Point(point) if point.starts_with("during_lookup")) {
            // Something to look up.
            faults.push("DELETE /contacts/* drop=after times=2".to_owned());
        }
        let confirmed = format!("--confirm-delete {gone}");
        let concurrency = rng.choice([1, 4, 32]).unwrap();
        Self {
            kind: Kind::Delete,
            mapping: MAPPING,
            sheet,
            rows,
            stock,
            options: format!("--mode delete {confirmed} --concurrency {concurrency}"),
            confirmed,
            faults,
            kills,
            lag: Duration::ZERO,
            settle: "0.4",
            limit,
        }
    }
}

fn person(n: usize) -> Value {
    let city = ["Rome", "Oslo", "Berlin", "Boston"][n % 4];
    json!({
        "id": format!("killDeletes{n:04}abcde"), "email": format!("goes{n}@example.com"),
        "phone": format!("+1202555{:04}", 100 + n), "firstName": format!("Goes{n}"), "city": city,
        "__notes": [{ "body": "called back" }],
    })
}
