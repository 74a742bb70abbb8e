//! The seeded contacts.
//!
//! Most are ordinary. Every fortieth number has its own awkwardness, so that the first forty
//! contacts show all of them: scripts, quotes, line ends, formulas, escapes, absences, odd shapes.

use std::fmt::Write as _;

use super::super::store::contact::{Contact, Keys};
use super::super::store::location_metadata::Metadata;
use super::super::text::{iso, quote};
use super::field_definitions::{self, Drawn};
use super::person::{Person, additional, person};
use super::rng::Chance;
use super::word_lists::{CITIES, FIRST_PLAIN_TAGS, SOURCES, TAGS};

/// 2019-01-01T00:00:00Z.
const EPOCH: i64 = 1_546_300_800_000;
/// Until the end of June 2025.
const SPAN: i64 = 204_940_800_000;

/// What the records of a location refer to.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) location: String,
    pub(super) users: Vec<String>,
    pub(super) user_details: Vec<serde_json::Value>,
    pub(super) businesses: Vec<(String, String)>,
    pub(super) calendars: Vec<(String, String)>,
}

/// The contacts of a location, drawn by their number.
#[derive(Debug)]
pub(super) struct People {
    world: World,
    count: usize,
    fields: Vec<Drawn>,
}

/// A row under construction.
struct Row(Vec<u8>);

impl Row {
    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        // The keys are plain words; only values need escapes.
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn text(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        match text {
            Some(text) => quote(&mut self.0, text),
            None => self.0.extend_from_slice(b"null"),
        }
    }

    fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.extend_from_slice(json.as_bytes());
    }

    fn finish(mut self) -> String {
        self.0.push(b'}');
        String::from_utf8(self.0).expect("rows are made of texts")
    }
}

impl People {
    pub(super) fn new(seed: u64, count: usize, location: &str, metadata: &Metadata) -> Self {
        let text = |value: &serde_json::Value, key: &str| {
            value[key].as_str().unwrap_or_default().to_owned()
        };
        let pairs = |list: &[serde_json::Value], key: &str| {
            list.iter().map(|one| (text(one, "id"), text(one, key))).collect()
        };
        let users: Vec<String> = metadata.users.iter().map(|user| text(user, "id")).collect();
        let world = World {
            seed,
            location: location.to_owned(),
            user_details: users.iter().map(|id| metadata.user_details(id)).collect(),
            users,
            businesses: pairs(&metadata.businesses, "name"),
            calendars: pairs(&metadata.calendars, "groupId"),
        };
        Self { world, count, fields: field_definitions::drawn(&metadata.fields) }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// The contact with this number, what it is found by, and its names.
    pub(super) fn contact(&self, number: usize) -> (Contact, Keys, Person) {
        let mut chance = Chance::of(self.world.seed, number);
        let id = chance.id();
        let added = added(number, self.count, self.world.seed);
        let updated =
            if chance.one_in(3) { added } else { added + chance.moment(EPOCH + SPAN - added) };
        let person = person(number, &mut chance);
        let row = self.row(&id, number, (added, updated), &person, &mut chance);
        let mut contact = Contact::new(&id, added, updated, &row);
        if number % 7 == 3 {
            contact.extra =
                Some(r#"{"gender":"female","visitorId":"v-1","attachments":[]}"#.into());
        }
        let keys = Keys {
            email: person.email.as_ref().map(|email| email.to_lowercase().into()),
            phone: person.phone.as_deref().map(Into::into),
            other_emails: additional(number).map(|(email, _)| email.into()).into_iter().collect(),
        };
        (contact, keys, person)
    }

    fn row(
        &self,
        id: &str,
        number: usize,
        (added, updated): (i64, i64),
        person: &Person,
        chance: &mut Chance,
    ) -> String {
        let mut row = Row(Vec::with_capacity(2048));
        row.text("id", Some(id));
        row.text("locationId", Some(&self.world.location));
        names(&mut row, person);
        row.text("email", person.email.as_deref());
        let others = additional(number).map_or("[]".to_owned(), |(_, json)| json);
        row.raw("additionalEmails", &others);
        row.text("phone", person.phone.as_deref());
        row.raw("additionalPhones", if number % 40 == 11 { r#"["+12125550199"]"# } else { "[]" });
        row.text("phoneLabel", None);
        row.text("validEmail", None);
        row.text("type", Some(if chance.one_in(5) { "customer" } else { "lead" }));
        self.links(&mut row, number, chance);
        Self::tags(&mut row, number, chance);
        self.custom(&mut row, number, chance);
        dnd(&mut row, number);
        place(&mut row, number, person, chance);
        dates(&mut row, number, (added, updated), chance);
        rest(&mut row, number, chance);
        row.finish()
    }

    fn links(&self, row: &mut Row, number: usize, chance: &mut Chance) {
        let assigned = (!chance.one_in(3)).then(|| chance.pick(&self.world.users).as_str());
        // Somebody who is no user any more.
        let assigned = if number % 40 == 17 { Some("formerUser0000000001") } else { assigned };
        row.text("assignedTo", assigned);
        if number % 40 != 21 {
            let follower = chance.pick(&self.world.users);
            let followers =
                if chance.one_in(8) { format!("[\"{follower}\"]") } else { "[]".to_owned() };
            row.raw("followers", &followers);
        }
        let business = chance.one_in(10).then(|| chance.pick(&self.world.businesses));
        row.text("businessName", business.map(|(_, name)| name.as_str()));
        row.text("businessId", business.map(|(id, _)| id.as_str()));
    }

    fn tags(row: &mut Row, number: usize, chance: &mut Chance) {
        let tags: Vec<usize> = if number % 40 == 12 {
            (0..TAGS.len()).collect()
        } else {
            // Plain ones first, each once; a third tag is one of the odd ones.
            let odd = FIRST_PLAIN_TAGS + number % (TAGS.len() - FIRST_PLAIN_TAGS);
            let all = [number % FIRST_PLAIN_TAGS, (number + 3) % FIRST_PLAIN_TAGS, odd];
            all[..chance.below(4)].to_vec()
        };
        row.key("tags");
        row.0.push(b'[');
        for (place, tag) in tags.into_iter().enumerate() {
            if place > 0 {
                row.0.push(b',');
            }
            quote(&mut row.0, TAGS[tag]);
        }
        row.0.push(b']');
    }

    fn custom(&self, row: &mut Row, number: usize, chance: &mut Chance) {
        row.key("customFields");
        row.0.push(b'[');
        let mut first = true;
        let (misfit, all) = (number % 40 == 16, number % 40 == 26);
        for field in &self.fields {
            if misfit || all || chance.one_in(5) {
                if !std::mem::take(&mut first) {
                    row.0.push(b',');
                }
                field.write(&mut row.0, misfit, chance);
            }
        }
        if number % 40 == 24 {
            if !first {
                row.0.push(b',');
            }
            // A field that was deleted; its values stay on the contacts.
            row.0.extend_from_slice(br#"{"id":"deletedField00000001","value":"left over"}"#);
        }
        row.0.push(b']');
    }
}

/// When a contact was added. Long runs of contacts share a moment, as after an import.
fn added(number: usize, count: usize, seed: u64) -> i64 {
    let runs = if count >= 5000 {
        [(count / 10, 1200), (count / 2, 600)]
    } else {
        [(count / 10, count / 25), (count / 2, count / 50)]
    };
    let run = runs.iter().find(|(start, length)| (*start..start + length).contains(&number));
    let leader =
        run.map_or(number - (number % 97) % 3 * usize::from(number % 97 < 3), |(start, _)| *start);
    let step = SPAN / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let place = i64::try_from(leader).unwrap_or_default() * step;
    let jitter = Chance::of(seed ^ 0x6461_7465, leader).moment(step);
    let time = EPOCH + place + jitter;
    // Imports and forms write whole seconds.
    if leader.is_multiple_of(5) { time - time % 1000 } else { time }
}

fn names(row: &mut Row, person: &Person) {
    let (first, last) = (person.first.as_deref(), person.last.as_deref());
    let parts: Vec<&str> = [first, last].into_iter().flatten().collect();
    let whole = (!parts.is_empty()).then(|| parts.join(" ").to_lowercase());
    row.text("contactName", whole.as_deref());
    row.text("firstName", first);
    row.text("firstNameLowerCase", first.map(str::to_lowercase).as_deref());
    row.text("lastName", last);
    row.text("lastNameLowerCase", last.map(str::to_lowercase).as_deref());
    row.text("companyName", person.company.as_deref());
}

fn dnd(row: &mut Row, number: usize) {
    let settings = match number % 40 {
        14 => {
            r#"{"SMS":{"status":"permanent","message":"STOP_KEYWORD","code":"103"},"RCS":{"status":"permanent","message":"STOP_KEYWORD"}}"#
        }
        15 => {
            r#"{"sms":{"status":"inactive","message":"","code":""},"email":{"status":"active","message":"User clicked on the unsubscribe link","code":""}}"#
        }
        28 => r#"{"Call":{"status":"active","message":"TWILIO_ERROR_CODE: 30003","code":"30003"}}"#,
        _ => "{}",
    };
    row.raw("dnd", if number % 40 == 29 { "true" } else { "false" });
    row.raw("dndSettings", settings);
    row.raw(
        "inboundDndSettings",
        if number % 40 == 29 { r#"{"all":{"status":"active","message":""}}"# } else { "{}" },
    );
}

fn place(row: &mut Row, number: usize, person: &Person, chance: &mut Chance) {
    let (_, state, _, country, zone) = CITIES[number % CITIES.len()];
    row.text("address", person.street.as_deref());
    row.text("city", person.city.as_deref());
    row.text("state", Some(state).filter(|state| !state.is_empty()));
    row.text("postalCode", person.postal.as_deref());
    row.text("country", Some(country));
    row.text("timezone", chance.one_in(2).then_some(zone));
    if number % 40 != 21 {
        row.text("website", chance.one_in(6).then_some("https://example.com/?a=1&b=2"));
    }
}

fn dates(row: &mut Row, number: usize, (added, updated): (i64, i64), chance: &mut Chance) {
    let born = match number % 40 {
        // A leap day, and a day before 1970.
        22 => Some(951_782_400_000),
        30 => Some(-1_577_923_200_000),
        _ => chance.one_in(4).then(|| chance.moment(12_000) * 86_400_000),
    };
    row.raw("dateOfBirth", &born.map_or("null".to_owned(), |born| born.to_string()));
    row.text("source", chance.one_in(2).then(|| *chance.pick(&SOURCES)));
    row.text("dateAdded", Some(&iso(added)));
    row.text("dateUpdated", Some(&iso(updated)));
}

fn rest(row: &mut Row, number: usize, chance: &mut Chance) {
    if number % 40 != 21 {
        let mut opportunities = "[]".to_owned();
        if chance.one_in(20) {
            opportunities.clear();
            let value = chance.below(9000);
            write!(opportunities, "[{{\"id\":\"opp{number}\",\"pipelineId\":\"p1\",\"pipelineStageId\":\"s{}\",\"monetaryValue\":{value},\"status\":\"open\"}}]", value % 4)
                .expect("a string takes every text");
        }
        row.raw("opportunities", &opportunities);
    }
    row.raw("attributionSource", r#"{"sessionSource":"CRM UI","medium":"manual","mediumId":null}"#);
    row.raw("lastAttributionSource", "{}");
    if number % 40 == 13 {
        row.raw(
            "futureField",
            r#"{"nested":[1,2.5,null,{"deep":"✓"}],"big":12345678901234567890}"#,
        );
        row.text("anotherUnknown", Some("kept?"));
    }
}
