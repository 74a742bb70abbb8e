//! Random histories of an account whose search lags and hides, and which answers badly: nothing that exists is taken for
//! deleted, nothing that nobody touched is taken for changed, and once the search is right again, so is the mirror.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::incremental_export::assert_equals_plain_export;
use super::sync_world::delete_by_api;
use crate::kills::soak_seeds;
use crate::world::World;

/// In CI, in [`PARTS`] tests; the soak has more.
const SEEDS: u64 = 80;
const PARTS: u64 = 4;
const BURSTS: usize = 3;

/// What the answers of a burst may be like; the hidden contact has its own.
const FAULTS: [&str; 8] = [
    "POST /contacts/search shuffle",
    "POST /contacts/search pretty",
    "POST /contacts/search status=502 times=2",
    "POST /notes/search rows=0",
    "POST /locations/*/tasks/search rows=0",
    "GET /contacts/* status=404",
    "GET /contacts/* status=500 times=1",
    "GET /locations/*/customFields rows=0",
];

/// An account, and what its mirror has said of it.
struct AwkwardWorld {
    world: World,
    random: fastrand::Rng,
    /// The contacts that were written since the search last showed everything.
    touched: BTreeSet<String>,
    /// Rows of deleted contacts, which may be brought back.
    deleted: Vec<Value>,
    /// When each row of the mirror changed.
    seqs: BTreeMap<String, Value>,
    did: Vec<String>,
}

impl AwkwardWorld {
    fn new(seed: u64) -> Self {
        let world = World::with_settings(|settings| {
            settings.contacts = 25;
            settings.seed = seed;
            settings.lag = std::time::Duration::from_hours(1);
        });
        let random = fastrand::Rng::with_seed(seed);
        let mut new = Self {
            world,
            random,
            touched: BTreeSet::new(),
            deleted: Vec::new(),
            seqs: BTreeMap::new(),
            did: vec![format!("seed {seed}")],
        };
        new.sync_and_compare();
        new
    }

    fn ids(&self) -> BTreeSet<String> {
        let contacts = self.world.account_contacts();
        contacts.iter().map(|row| row["contact"]["id"].as_str().unwrap().to_owned()).collect()
    }

    fn show_everything(&mut self) {
        self.world.control_request("DELETE", "faults", &Value::Null);
        self.world.control_request("POST", "contacts/index", &Value::Null);
        self.world.control_request("POST", "notes/index", &Value::Null);
    }

    fn write_at_random(&mut self, step: usize) {
        let contacts = self.world.account_contacts();
        let contact = &contacts[self.random.usize(..contacts.len())]["contact"];
        let id = contact["id"].as_str().unwrap().to_owned();
        let kind = self.random.u8(..7);
        match kind {
            0 => {
                let row = json!({"firstName": "New", "email": format!("new{step}@example.net")});
                self.touched.insert(self.world.add_contact(&row));
            }
            1 | 2 if contacts.len() > 8 => {
                self.deleted.push(contact.clone());
                if kind == 1 {
                    self.world.delete_by_id(&id);
                } else {
                    delete_by_api(&self.world, &id);
                }
            }
            3 if !self.deleted.is_empty() => {
                let row = self.deleted.swap_remove(self.random.usize(..self.deleted.len()));
                self.touched.insert(self.world.add_contact(&row));
            }
            4 => self.world.edit_by_id(&id, &json!({"__notes": [{"body": format!("n{step}")}]})),
            5 => self.world.edit_by_id(
                &id,
                &json!({"__tasks": [{"title": format!("t{step}"), "completed": false}]}),
            ),
            _ => self.world.edit_by_id(&id, &json!({"city": format!("City {step}")})),
        }
        self.did.push(format!("{kind} {id}"));
        self.touched.insert(id);
    }

    fn arm_at_random(&mut self) {
        let ids: Vec<_> = self.ids().into_iter().collect();
        let hidden = &ids[self.random.usize(..ids.len())];
        let fault = match self.random.usize(..FAULTS.len() + 3) {
            which if which < FAULTS.len() => FAULTS[which].to_owned(),
            _ => format!("POST /contacts/search hide={hidden} hide-total"),
        };
        self.world.control_request("POST", "faults", &json!([fault]));
        self.did.push(fault);
    }

    /// Asserts that the mirror has lost nobody and changed nothing on its own.
    fn sync_and_compare(&mut self) {
        let command = "export --incremental --format jsonl --out mirrored";
        let synced = self.world.run_command(command);
        let context = format!("{:?}: {}", self.did, synced.stderr);
        if !matches!(synced.code, 0 | 3) {
            // It may give up, but then it has changed nothing.
            self.did.push(format!("exit {}", synced.code));
            return;
        }
        let rows = self.world.read_rows("mirrored/contacts.jsonl");
        let seqs =
            rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["_seq"].clone()));
        let seqs: BTreeMap<_, _> = seqs.collect();
        let existing = self.ids();
        for (id, seq) in &self.seqs {
            if existing.contains(id) && !self.touched.contains(id) {
                assert_eq!(seqs.get(id), Some(seq), "{id}: {context}");
            } else if existing.contains(id) {
                assert!(seqs.contains_key(id), "{id} is not deleted: {context}");
            }
        }
        self.seqs = seqs;
    }
}

fn compare_history(seed: u64) -> usize {
    let mut world = AwkwardWorld::new(seed);
    for burst in 0..BURSTS {
        for step in 0..world.random.usize(..5) {
            world.write_at_random(burst * 10 + step);
        }
        if world.random.bool() {
            world.arm_at_random();
        }
        world.sync_and_compare();
        if world.random.u8(..3) == 0 {
            world.show_everything();
            world.sync_and_compare();
            world.touched.clear();
        }
    }
    world.show_everything();
    world.world.sync("--full");
    assert_equals_plain_export(&world.world);
    BURSTS
}

fn compare_part(part: u64) {
    for seed in (part..SEEDS).step_by(usize::try_from(PARTS).unwrap()) {
        compare_history(seed);
    }
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_search_shows_part_1() {
    compare_part(0);
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_search_shows_part_2() {
    compare_part(1);
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_search_shows_part_3() {
    compare_part(2);
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_search_shows_part_4() {
    compare_part(3);
}

#[test]
#[ignore = "the soak of awkward histories: cargo test --release -- --ignored soak"]
fn soak_of_awkward_histories_loses_and_makes_up_nothing() {
    let compared: usize = soak_seeds("1000").map(compare_history).sum();
    assert!(compared > 0);
}
